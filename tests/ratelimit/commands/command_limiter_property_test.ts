/** Properties of the command limiter: against the rule taken literally, and over stories of random steps. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CommandLimiter, type HeartbeatSchedule } from "../../../ratelimit/mod.ts";
import { assertProperty } from "../../property.ts";
import { worstInAnyPeriod } from "../../sim/saturate.ts";

/** The rule, word for word and one ms at a time; times are whole ms. */
class Reference {
  readonly #limit: number;
  readonly #periodMs: number;
  readonly #sent: readonly number[];

  constructor(limit: number, periodMs: number, sent: readonly number[]) {
    this.#limit = limit;
    this.#periodMs = periodMs;
    this.#sent = sent;
  }

  /** How many more commands fit at `now`. */
  available(now: number, heartbeats: HeartbeatSchedule): number {
    let commands = 0;
    while (this.#fits(now, heartbeats, commands + 1)) commands++;
    return commands;
  }

  #fits(now: number, heartbeats: HeartbeatSchedule, commands: number): boolean {
    if (this.#live(now, this.#sent) + commands > this.#limit) return false;
    const due: number[] = [];
    for (let at = Math.max(now, heartbeats.nextAt); at <= now + this.#periodMs; at += heartbeats.intervalMs) {
      due.push(at);
      const lives = at < now + this.#periodMs ? commands : 0;
      // A heartbeat at the end of the life is no concern of this command.
      if (lives > 0 && this.#live(at, this.#sent) + lives + this.#live(at, due) > this.#limit) return false;
    }
    return true;
  }

  nextAvailableAt(now: number, heartbeats: HeartbeatSchedule): number {
    const sent = [...this.#sent];
    let nextAt = heartbeats.nextAt;
    for (let at = now; at < now + 5 * this.#periodMs; at++) {
      for (; nextAt <= at; nextAt += heartbeats.intervalMs) sent.push(at);
      const then = new Reference(this.#limit, this.#periodMs, sent);
      if (then.#fits(at, { nextAt, intervalMs: heartbeats.intervalMs }, 1)) return at;
    }
    return Infinity;
  }

  requestedHeartbeatAt(now: number, heartbeats: HeartbeatSchedule): number {
    for (let at = now; at < heartbeats.nextAt; at++) {
      const sent = [...this.#sent];
      let onTime = true;
      for (
        let heartbeat = at;
        onTime && heartbeat < at + 3 * this.#periodMs;
        heartbeat += heartbeats.intervalMs
      ) {
        sent.push(heartbeat);
        onTime = this.#live(heartbeat, sent) <= this.#limit;
      }
      if (onTime) return at;
    }
    return Math.max(now, heartbeats.nextAt);
  }

  #live(at: number, times: readonly number[]): number {
    return times.filter((time) => at < time + this.#periodMs).length;
  }
}

const question = fc.record({
  limit: fc.integer({ min: 2, max: 7 }),
  periodMs: fc.integer({ min: 1, max: 40 }),
  gaps: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 16, size: "max" }),
  idle: fc.integer({ min: 0, max: 20 }),
  dueIn: fc.integer({ min: -3, max: 30 }),
  intervalMs: fc.integer({ min: 1, max: 50 }),
});

Deno.test("command limiter: every answer is that of the rule tried ms by ms, whatever was sent before", () => {
  assertProperty(
    fc.property(question, ({ limit, periodMs, gaps, idle, dueIn, intervalMs }) => {
      const limiter = new CommandLimiter({ limit, periodMs });
      let now = 0;
      const sent = gaps.map((gap) => now += gap);
      for (const time of sent) limiter.record(time);
      now += idle;
      const heartbeats = { nextAt: now + dueIn, intervalMs };
      const reference = new Reference(limit, periodMs, sent);

      const available = limiter.available(now, heartbeats);
      const nextAvailableAt = limiter.nextAvailableAt(now, heartbeats);
      assertEquals(available, reference.available(now, heartbeats));
      // One overdue heartbeat is one heartbeat: the reference sends each that was missed.
      assertEquals(
        nextAvailableAt,
        reference.nextAvailableAt(now, { ...heartbeats, nextAt: Math.max(now, heartbeats.nextAt) }),
      );
      assertEquals(available > 0, nextAvailableAt === now);
      if (Math.ceil(periodMs / intervalMs) <= limit) {
        assertEquals(
          limiter.requestedHeartbeatAt(now, heartbeats),
          reference.requestedHeartbeatAt(now, heartbeats),
        );
      }
    }),
    { numRuns: 3_000 },
  );
});

const story = (wholeMs: boolean) => {
  const time = (max: number) =>
    wholeMs ? fc.integer({ min: 0, max }) : fc.double({ min: 0, max, noNaN: true });
  return fc.record({
    limit: fc.integer({ min: 3, max: 10 }),
    // At most `limit - 1` heartbeats in a period: the identify needs one.
    intervalShare: fc.double({ min: 0, max: 1, noNaN: true }),
    divisor: fc.option(fc.integer({ min: 1, max: 8 })),
    phaseMs: time(500),
    steps: fc.array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({
            do: fc.constant("command" as const),
            count: fc.integer({ min: 1, max: 9 }),
          }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant("request" as const) }) },
        { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: time(700) }) },
        { weight: 2, arbitrary: fc.record({ do: fc.constant("until admitted" as const) }) },
      ),
      { maxLength: 80, size: "max" },
    ),
  });
};

for (const wholeMs of [true, false]) {
  const unit = wholeMs ? "whole ms" : "any fraction of a ms";
  Deno.test(`command limiter: commands, requests and waits in any order, in ${unit}: never too many, no heartbeat late`, () => {
    assertProperty(
      fc.property(story(wholeMs), ({ limit, intervalShare, divisor, phaseMs, steps }) => {
        const periodMs = 1_000;
        const shortest = periodMs / (limit - 1);
        let intervalMs = shortest + intervalShare * 1_500;
        // Intervals that divide the period are the tightest: a heartbeat leaves at the instant another is due.
        if (divisor !== null && divisor < limit) intervalMs = periodMs / divisor;
        if (wholeMs) intervalMs = Math.ceil(intervalMs);
        const limiter = new CommandLimiter({ limit, periodMs });
        const sent: number[] = [0];
        limiter.record(0);
        let nextAt = phaseMs;
        let now = 0;

        // Heartbeats go by the schedule alone, unless the limit itself forbids it.
        const pass = (until: number) => {
          for (;;) {
            const heartbeatAt = Math.max(nextAt, limiter.nextUrgentAt(now));
            if (heartbeatAt > until) break;
            assert(
              heartbeatAt - nextAt <= (wholeMs ? 0 : 1e-9),
              `heartbeat due at ${nextAt} went at ${heartbeatAt}`,
            );
            now = heartbeatAt;
            limiter.record(now);
            sent.push(now);
            nextAt += intervalMs;
          }
          now = until;
        };

        pass(0);
        for (const step of steps) {
          const heartbeats = { nextAt, intervalMs };
          if (step.do === "wait") {
            pass(now + step.ms);
          } else if (step.do === "request") {
            const requestedAt = limiter.requestedHeartbeatAt(now, heartbeats);
            assert(now <= requestedAt && requestedAt <= nextAt);
            nextAt = requestedAt;
            pass(now);
          } else if (step.do === "until admitted") {
            const at = limiter.nextAvailableAt(now, heartbeats);
            pass(at);
            if (wholeMs) assertEquals(limiter.nextAvailableAt(now, { nextAt, intervalMs }), now);
          } else {
            for (let n = 0; n < step.count; n++) {
              if (limiter.nextAvailableAt(now, heartbeats) > now) break;
              limiter.record(now);
              sent.push(now);
            }
          }
        }
        pass(now + 3 * periodMs);
        assert(worstInAnyPeriod(sent, periodMs) <= limit);
      }),
      { numRuns: 5_000 },
    );
  });
}
