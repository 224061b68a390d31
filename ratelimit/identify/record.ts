/**
 * What a limiter knows of the identifies of one token, and how it is asked: plain JSON, so that any store can hold the
 * record and any transport carry the request.
 */

import { isObject } from "../unknown.ts";
import { DEFAULT_IDENTIFY_PERIOD_MS, type IdentifyLimits, requireIdentifyLimits } from "./limits.ts";

/** Everything that is known about the identifies of one token; plain JSON, times in ms on the store's clock. */
export interface IdentifyRecord {
  /** The version of this shape. */
  readonly version: 1;
  /** Tells this record from one that was lost. */
  readonly id: string;
  /** When it was made. */
  readonly createdAt: number;
  /** How many keys there are. */
  maxConcurrency: number;
  /** Identifies in a full daily budget. */
  total: number;
  /** Identifies left of the budget. */
  remaining: number;
  /** When the budget is full again; `null` while it is full: its day has not begun. */
  resetAt: number | null;
  /** How long a key rests after an identify, in ms. */
  periodMs: number;
  /** All keys rest until then. */
  restUntil: number;
  /** The identifies whose keys still rest, and until when. */
  turns: { readonly ticket: string; readonly shardId: number; until: number }[];
  /** Who waits, in order, and until when the place is kept. */
  waiting: { readonly ticket: string; readonly shardId: number; until: number; again: boolean }[];
  /** The shards that had their permits while others waited: one that comes again queues behind these. */
  served: number[];
}

/** What a process tells and asks, all in one. */
export interface IdentifyRequest {
  /** Tells the asking process from others. */
  readonly client: string;
  /** Which shards want to identify now, each with a ticket that no other question has. */
  readonly ask: readonly { readonly ticket: string; readonly shardId: number }[];
  /** Turns that last: their keys rest for a whole period from now on. */
  readonly keep: readonly string[];
  /** Tickets that are given up; a turn that was not used is given back. */
  readonly drop: readonly string[];
  /** The record as this process saw it last; `null` if it never did. */
  readonly known: IdentifyBudgetState | null;
  /** Limits to take over. */
  readonly limits: IdentifyLimits | null;
}

/** The limits of a record, and what is left. */
export interface IdentifyBudgetState {
  /** The record's id. */
  readonly id: string;
  /** How many keys there are. */
  readonly maxConcurrency: number;
  /** Identifies in a full daily budget. */
  readonly total: number;
  /** Identifies left of the budget. */
  readonly remaining: number;
  /** How long until the budget is full again, in ms; `null` while it is full. */
  readonly resetAfterMs: number | null;
  /** How long a key rests after an identify, in ms. */
  readonly periodMs: number;
}

/** The answer to an {@linkcode IdentifyRequest}. Whoever is neither granted nor refused asks again. */
export interface IdentifyReply {
  /** These tickets may identify, now. */
  readonly granted: readonly string[];
  /** These may not before the budget's reset. */
  readonly refused: readonly string[];
  /** When to ask again for the others, in ms from now; `null` where nobody is left. */
  readonly retryAfterMs: number | null;
  /** The limits, and what is left. */
  readonly budget: IdentifyBudgetState;
}

/**
 * A record in which nobody has identified yet, with default limits.
 *
 * @param id Tells it from others: unlike any that came before.
 *
 * @example
 * ```ts
 * import { newIdentifyRecord } from "@discordgateway/edge/ratelimit";
 *
 * const record = newIdentifyRecord("a", 0);
 * if (record.remaining !== 1_000 || record.maxConcurrency !== 1) throw new Error("unexpected");
 * ```
 */
export function newIdentifyRecord(id: string, now: number): IdentifyRecord {
  return {
    version: 1,
    id,
    createdAt: now,
    maxConcurrency: 1,
    total: 1_000,
    remaining: 1_000,
    resetAt: null,
    periodMs: DEFAULT_IDENTIFY_PERIOD_MS,
    restUntil: 0,
    turns: [],
    waiting: [],
    served: [],
  };
}

/**
 * The record that a store holds, `null` where it holds none.
 *
 * @throws {TypeError} where it holds something else.
 */
export function readIdentifyRecord(value: unknown): IdentifyRecord | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "object" && "version" in value && value.version === 1) return value as IdentifyRecord;
  throw new TypeError("Cannot read the record of identifies: it is not one, or of another version");
}

/** Whether something that came over a wire is a request: what is none must not find its way into the record. */
export function isIdentifyRequest(value: unknown): value is IdentifyRequest {
  if (!isObject(value)) return false;
  const { client, ask, keep, drop, known, limits } = value;
  return typeof client === "string" && Array.isArray(ask) && ask.every(isAsked) && areTexts(keep) &&
    areTexts(drop) && (known === null || isBudget(known)) && (limits === null || areLimits(limits));
}

function isAsked(value: unknown): boolean {
  return isObject(value) && typeof value["ticket"] === "string" && Number.isSafeInteger(value["shardId"]) &&
    Number(value["shardId"]) >= 0;
}

function isBudget(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { id, resetAfterMs, ...limits } = value;
  const { maxConcurrency, total, remaining, periodMs } = limits;
  const isWhole = [maxConcurrency, total, remaining, periodMs].every((limit) => limit !== undefined);
  return typeof id === "string" && isWhole &&
    areLimits(resetAfterMs === null ? limits : { ...limits, resetAfterMs });
}

function areLimits(value: unknown): boolean {
  if (!isObject(value)) return false;
  try {
    requireIdentifyLimits(value);
    return true;
  } catch {
    return false;
  }
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
