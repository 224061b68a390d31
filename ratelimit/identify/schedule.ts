/**
 * Who may identify when: the one rule that all identify limiters follow, as a pure function over a plain record.
 *
 * Discord takes one identify in 5 s from each key, and the key of a shard is its id modulo `max_concurrency`. On top
 * there is a budget for the day, over all shards of a token. Overrunning the former ends in an invalid session;
 * overrunning the latter ends every session and resets the token, so it is counted here and refused before it can
 * happen.
 *
 * The record is plain JSON. A limiter in memory keeps it in a variable, others where several processes can change it,
 * one at a time: read, {@linkcode exchangeIdentifies}, write, atomically. It promises no turn ahead: those who wait ask
 * again when the reply says so, and their place in the order lapses soon after. So a process that dies delays nobody
 * by more than one period, whether it waited or had its permit.
 *
 * The order within a key is that of the shards' ids, so that a fleet starts bucket by bucket. A shard that comes back
 * queues behind those that were waiting when it had its permit: one that identifies in a loop starves nobody.
 */

import { type IdentifyLimits, requireIdentifyLimits } from "./limits.ts";
import type { IdentifyRecord, IdentifyReply, IdentifyRequest } from "./record.ts";

const DAY_MS = 86_400_000;
/** A reset that is told as later than ours by more than this, in ms, is that of another day. */
const SAME_DAY_MS = 60_000;
/** A waiting shard that is late by more than this part of a period loses its place in the order. */
const GRACE = 0.25;
/** So many waiting shards have a place in the order; stores bound the size of a record. Others ask all the same. */
const MAX_WAITING = 512;
/** So many shards that had their permits are remembered as long as others wait. */
const MAX_SERVED = 4_096;

/**
 * Answers a request by the record, and brings the record up to date in place.
 *
 * Asking again with a ticket that has been granted grants it again, as long as its key rests: a request may be repeated
 * when its reply was lost. `ratelimit/identify/redis_script.ts` says the same in Lua.
 *
 * @see https://docs.discord.com/developers/events/gateway#sharding-max-concurrency
 *
 * @example
 * ```ts
 * import { exchangeIdentifies, newIdentifyRecord } from "@discordgateway/edge/ratelimit";
 *
 * const record = newIdentifyRecord("a", 0);
 * const ask = (shardId: number, now: number) =>
 *   exchangeIdentifies(record, {
 *     client: "one",
 *     ask: [{ ticket: `${shardId}`, shardId }],
 *     keep: [],
 *     drop: [],
 *     known: null,
 *     limits: { maxConcurrency: 2, periodMs: 5_000 },
 *   }, now);
 *
 * if (ask(0, 0).granted[0] !== "0") throw new Error("nobody has identified yet");
 * if (ask(1, 0).granted[0] !== "1") throw new Error("another key is free");
 * if (ask(2, 1_000).retryAfterMs !== 4_000) throw new Error("the same key rests");
 * if (ask(2, 5_000).granted[0] !== "2") throw new Error("the rest is over");
 * ```
 */
export function exchangeIdentifies(
  record: IdentifyRecord,
  request: IdentifyRequest,
  now: number,
): IdentifyReply {
  settle(record, now);
  const { known, limits } = request;
  if (known !== null && known.id !== record.id) {
    // The record that this process knew is lost, and with it who identified last: all keys rest once.
    const { id: _id, resetAfterMs, ...rest } = known;
    applyIdentifyLimits(record, { ...rest, ...(resetAfterMs !== null && { resetAfterMs }) }, now);
    record.restUntil = Math.max(record.restUntil, record.createdAt + record.periodMs);
  }
  if (limits !== null) applyIdentifyLimits(record, limits, now);

  drop(record, new Set(request.drop));
  const keep = new Set(request.keep);
  for (const turn of record.turns) {
    if (keep.has(turn.ticket)) turn.until = now + record.periodMs;
  }

  const granted: string[] = [];
  const asked = new Set<string>();
  const turns = new Map(record.turns.map((turn) => [turn.ticket, turn]));
  const waiting = new Set(record.waiting.map(({ ticket }) => ticket));
  const served = new Set([...record.served, ...record.turns.map(({ shardId }) => shardId)]);
  for (const { ticket, shardId } of request.ask) {
    const turn = turns.get(ticket);
    if (turn) {
      turn.until = now + record.periodMs;
      granted.push(ticket);
      continue;
    }
    asked.add(ticket);
    if (!waiting.has(ticket)) {
      record.waiting.push({ ticket, shardId, until: now, again: served.has(shardId) });
    }
  }
  record.waiting.sort((a, b) => Number(a.again) - Number(b.again) || a.shardId - b.shardId);
  const waitUntil = grant(record, asked, granted, now);

  const refused: string[] = [];
  if (record.remaining === 0) {
    record.waiting = record.waiting.filter(({ ticket }) => {
      if (asked.has(ticket)) refused.push(ticket);
      return !asked.has(ticket);
    });
  }
  if (!record.waiting.some(({ again }) => !again)) {
    for (const waiter of record.waiting) waiter.again = false;
    record.served = [];
  }
  const stillWait = record.waiting.some(({ ticket }) => asked.has(ticket));
  record.waiting = record.waiting.slice(0, MAX_WAITING);
  return {
    granted,
    refused,
    retryAfterMs: stillWait ? waitUntil - now : null,
    budget: {
      id: record.id,
      maxConcurrency: record.maxConcurrency,
      total: record.total,
      remaining: record.remaining,
      resetAfterMs: record.resetAt === null ? null : record.resetAt - now,
      periodMs: record.periodMs,
    },
  };
}

/** Gives turns in order, to those who ask; returns when the next of them may ask again. */
function grant(record: IdentifyRecord, asked: ReadonlySet<string>, granted: string[], now: number): number {
  const { maxConcurrency, periodMs } = record;
  const graceMs = periodMs * GRACE;
  /** Until when each key rests. */
  const rests = new Map<number, number>();
  for (const { shardId, until } of record.turns) {
    const key = shardId % maxConcurrency;
    rests.set(key, Math.max(until, rests.get(key) ?? 0));
  }
  /** Until when each free key is kept for those who are first and have not come back yet. */
  const kept = new Map<number, number>();
  let waitUntil = Infinity;
  const waiting: IdentifyRecord["waiting"] = [];
  for (const waiter of record.waiting) {
    const key = waiter.shardId % maxConcurrency;
    const restsUntil = Math.max(rests.get(key) ?? 0, record.restUntil);
    const keptUntil = kept.get(key) ?? 0;
    const isAsking = asked.has(waiter.ticket);
    if (isAsking && restsUntil <= now && keptUntil <= now && record.remaining > 0) {
      record.turns.push({ ticket: waiter.ticket, shardId: waiter.shardId, until: now + periodMs });
      record.remaining--;
      record.resetAt ??= now + DAY_MS;
      if (!record.served.includes(waiter.shardId)) record.served.push(waiter.shardId);
      if (record.served.length > MAX_SERVED) record.served.shift();
      rests.set(key, now + periodMs);
      granted.push(waiter.ticket);
      continue;
    }
    if (isAsking) {
      const retryAt = restsUntil > now ? restsUntil : Math.max(keptUntil, now);
      waitUntil = Math.min(waitUntil, retryAt);
      waiter.until = Math.min(retryAt + graceMs, Math.max(restsUntil, now) + periodMs);
    } else if (restsUntil <= now) {
      kept.set(key, Math.max(keptUntil, waiter.until));
    }
    waiting.push(waiter);
  }
  record.waiting = waiting;
  return waitUntil;
}

/** What has become of the record by now. A clock that was set back makes nobody wait for more than a period. */
function settle(record: IdentifyRecord, now: number): void {
  const { periodMs } = record;
  if (record.resetAt !== null && now >= record.resetAt) {
    record.remaining = record.total;
    record.resetAt = null;
  }
  record.restUntil = Math.min(record.restUntil, now + periodMs);
  record.turns = record.turns.filter(({ until }) => until > now);
  record.waiting = record.waiting.filter(({ until }) => until > now);
  for (const turn of record.turns) turn.until = Math.min(turn.until, now + periodMs);
  for (const waiter of record.waiting) waiter.until = Math.min(waiter.until, now + 2 * periodMs);
}

function drop(record: IdentifyRecord, tickets: ReadonlySet<string>): void {
  record.waiting = record.waiting.filter(({ ticket }) => !tickets.has(ticket));
  const unused = new Set(
    record.turns.filter(({ ticket }) => tickets.has(ticket)).map(({ shardId }) => shardId),
  );
  const turns = record.turns.filter(({ ticket }) => !tickets.has(ticket));
  record.remaining = Math.min(record.total, record.remaining + record.turns.length - turns.length);
  record.turns = turns;
  record.served = record.served.filter((shardId) => !unused.has(shardId));
  if (record.remaining === record.total) record.resetAt = null;
}

/**
 * Takes over limits; keys that rest go on resting under their new number.
 *
 * @throws {RangeError} where a limit is out of range; nothing has changed then.
 */
export function applyIdentifyLimits(record: IdentifyRecord, limits: IdentifyLimits, now: number): void {
  requireIdentifyLimits(limits);
  settle(record, now);
  const { maxConcurrency = record.maxConcurrency, total = record.total, periodMs = record.periodMs } = limits;
  const { resetAfterMs } = limits;
  let remaining = record.remaining === record.total ? total : record.remaining;
  if (limits.remaining !== undefined) {
    const isSameDay = record.resetAt !== null &&
      (resetAfterMs === undefined || now + resetAfterMs <= record.resetAt + SAME_DAY_MS);
    const counted = record.remaining + Math.max(0, total - record.total);
    // Discord may not have seen yet what was granted within the last period.
    remaining = isSameDay
      ? Math.min(counted, limits.remaining)
      : Math.max(0, limits.remaining - record.turns.length);
  }
  const isToldFull = limits.remaining !== undefined && limits.remaining >= total;
  record.maxConcurrency = maxConcurrency;
  record.total = total;
  record.periodMs = periodMs;
  record.remaining = Math.min(remaining, total);
  if (record.remaining === total) record.resetAt = null;
  else if (resetAfterMs !== undefined && !isToldFull) record.resetAt = now + resetAfterMs;
  else record.resetAt ??= now + DAY_MS;
}
