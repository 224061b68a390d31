/**
 * What every identify limiter has to do, wherever its record is: one suite, run by a short file for each.
 *
 * Real stores take real time, so this runs in real time with a short period. What is asserted is the order, and that
 * nothing comes too early; how late something may come is asserted in virtual time, where the rule is tested.
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { delay } from "@std/async";
import {
  type Clock,
  type IdentifyLimiter,
  type IdentifyLimits,
  type IdentifyPermit,
  IdentifyRefusedError,
} from "../../../ratelimit/mod.ts";
import { systemPlatform } from "../../../shard/mod.ts";
import { until } from "../../contract/until.ts";

/** What a limiter is made from here. */
export interface ContractOptions extends IdentifyLimits {
  /** Keeps keys closed until the outcome. */
  readonly hold?: boolean;
  /** A clock whose timers may have stopped. */
  readonly clock: Clock;
}

/** A limiter with the optional parts that all of ours have. */
export interface ContractLimiter extends IdentifyLimiter {
  /** Waits for a permit. */
  take(shardId: number, options?: { signal?: AbortSignal }): Promise<IdentifyPermit>;
  /** Takes over limits. */
  update(limits: IdentifyLimits): void | Promise<void>;
}

/** A record of its own, in a store. */
export interface ContractStore extends AsyncDisposable {
  /** A limiter over the record, as another process would make it. */
  limiter(options: ContractOptions): ContractLimiter;
}

/** What a backend is able to do, and needs. */
export interface ContractTraits {
  /** Processes share the record; a limiter in memory is itself what is shared. @default {true} */
  readonly isShared?: boolean;
  /** How long a key rests in the tests, in ms: much longer than the backend takes to answer. @default {600} */
  readonly periodMs?: number;
  /** Why it cannot be tested on this machine, if it cannot. */
  readonly missing?: string | null;
}

/** Registers the suite. */
export function identifyContract(
  name: string,
  open: () => Promise<ContractStore>,
  traits: ContractTraits = {},
): void {
  const { isShared = true, missing = null, periodMs = 600 } = traits;
  if (missing !== null) console.log(`skipped: identify limiter in ${name}: ${missing}`);

  const test = (what: string, run: (play: Play) => Promise<void>) =>
    Deno.test({
      name: `identify limiter in ${name}: ${what}`,
      ignore: missing !== null,
      fn: async () => {
        await using store = await open();
        await run(new Play(store, periodMs));
      },
    });

  test("shards of a key go a period apart, in the order of their ids [case 55]", async (play) => {
    const [here, there] = play.two({ maxConcurrency: 1 });
    await here.take(0);
    here.take(3);
    there.take(1);
    here.take(2);
    await play.turns(4);
    assertEquals(play.granted, [0, 1, 2, 3]);
    play.assertRested(1);
  });

  test("shards of different keys go together, and bucket by bucket, whichever process asks first", async (play) => {
    const [here, there] = play.two({ maxConcurrency: 4 });
    for (const shardId of [0, 1, 2, 3]) here.take(shardId);
    await play.turns(4);
    for (const shardId of [15, 14, 13, 12, 7, 6, 5, 4]) there.take(shardId);
    // The other process has asked before this one does.
    await delay(periodMs / 6);
    for (const shardId of [8, 9, 10, 11]) here.take(shardId);
    await play.turns(16);
    assertEquals(play.granted.map((id) => Math.floor(id / 4)), Array.from({ length: 16 }, (_, n) => n >> 2));
    play.assertRested(4);
  });

  test("three processes in a crowd: each shard once, no key too soon", async (play) => {
    const processes = Array.from({ length: 3 }, () => play.process({ maxConcurrency: 8 }));
    for (let shardId = 0; shardId < 36; shardId++) processes[shardId % 3]!.take(shardId);
    await play.turns(36);
    assertEquals(play.granted.toSorted((a, b) => a - b), Array.from({ length: 36 }, (_, id) => id));
    play.assertRested(8);
  });

  test("a spent budget is refused to everybody, names its reset, and is given back then", async (play) => {
    const [here, there] = play.two({ maxConcurrency: 8, total: 10, remaining: 2, resetAfterMs: 1_500 });
    await here.take(0);
    await there.take(1);
    for (const process of [here, there]) {
      const { resetAfterMs, shardId } = await assertRejects(() => process.take(2), IdentifyRefusedError);
      assertEquals(shardId, 2);
      assert(resetAfterMs !== null && resetAfterMs > 0 && resetAfterMs <= 1_500, `${resetAfterMs}`);
    }
    const { resetAfterMs } = await assertRejects(() => there.take(2), IdentifyRefusedError);
    await delay((resetAfterMs ?? 0) + 20);
    await there.take(2);
    assertEquals(play.granted, [0, 1, 2]);
  });

  test("who gives up costs nothing and delays nobody [case 57]", async (play) => {
    const [here, there] = play.two({
      maxConcurrency: 1,
      total: 10,
      remaining: 2,
      resetAfterMs: 60_000,
    });
    await here.take(0);
    const controller = new AbortController();
    const reason = new Error("the connection has ended");
    const givenUp = there.take(1, controller.signal);
    const waits = here.take(2);
    await delay(periodMs / 6);
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => givenUp), reason);
    assertStrictEquals(await assertRejects(() => there.take(1, AbortSignal.abort(reason))), reason);
    await waits;
    assertEquals(play.granted, [0, 2]);
    play.assertRested(1);
    await assertRejects(() => here.take(3), IdentifyRefusedError);
  });

  test("a turn that was not used is given back", async (play) => {
    const [here, there] = play.two({
      maxConcurrency: 1,
      total: 10,
      remaining: 1,
      resetAfterMs: 60_000,
    });
    (await here.take(0)).release("unused");
    // Two requests on two connections: which one comes first is not said.
    await delay(periodMs / 6);
    await there.take(1);
    await assertRejects(() => here.take(2), IdentifyRefusedError);
    assertEquals(play.granted, [0, 1]);
  });

  test("without hold a key rests for a period, whatever becomes of the identify", async (play) => {
    const [here, there] = play.two({ maxConcurrency: 1 });
    const permit = await here.take(0);
    const next = there.take(1);
    permit.release("failed");
    permit.release("failed");
    await next;
    play.assertRested(1);
  });

  for (const outcome of ["ready", "failed"] as const) {
    test(`with hold a key stays closed until the identify is ${outcome}, and rests from then`, async (play) => {
      const [here, there] = play.two({ maxConcurrency: 1, hold: true });
      const permit = await here.take(0);
      const next = there.take(1);
      await delay(3 * periodMs);
      assertEquals(play.granted, [0]);
      const releasedAt = performance.now();
      permit.release(outcome);
      const second = await next;
      assert(performance.now() - releasedAt >= periodMs * 0.9);
      second.release("ready");
    });
  }

  if (isShared) testDeaths();

  function testDeaths(): void {
    test("a process that dies with a turn in its hands lets the others go", async (play) => {
      const dead = play.process({ maxConcurrency: 1, hold: true }, STOPPED);
      const alive = play.process({ maxConcurrency: 1, hold: true });
      await dead.take(0);
      (await alive.take(1)).release("ready");
      assertEquals(play.granted, [0, 1]);
      play.assertRested(1);
    });

    test("a process that dies while it waits lets the others go", async (play) => {
      const alive = play.process({ maxConcurrency: 1 });
      const dead = play.process({ maxConcurrency: 1 }, STOPPED);
      await alive.take(0);
      for (const shardId of [1, 2, 3]) dead.take(shardId);
      await delay(periodMs / 6);
      await alive.take(9);
      assertEquals(play.granted, [0, 9]);
      play.assertRested(1);
    });
  }

  test("a raised max_concurrency lets go who waits, in other processes too [case 14]", async (play) => {
    const [here, there] = play.two({ maxConcurrency: 1, hold: true });
    // As long as its turn is held, nobody else goes who has its key.
    const takes = [here.take(0)];
    await play.turns(1);
    takes.push(here.take(1), here.take(2), there.take(3), there.take(5));
    await delay(periodMs / 6);
    await here.limiter.update({ maxConcurrency: 8 });
    await play.turns(5);
    for (const permit of await Promise.all(takes)) permit.release("ready");
  });

  test("a lowered max_concurrency holds those back who share a key now", async (play) => {
    const [here, there] = play.two({ maxConcurrency: 4 });
    await here.take(0);
    await here.take(1);
    await there.limiter.update({ maxConcurrency: 1 });
    await Promise.all([here.take(2), there.take(3)]);
    const [, second = 0, third = 0, fourth = 0] = play.times;
    assert(third - second >= periodMs * 0.9 && fourth - third >= periodMs * 0.9, `${play.times}`);
  });

  test("an update that leaves nothing of the budget refuses those who wait", async (play) => {
    const [here, there] = play.two({ maxConcurrency: 1 });
    await here.take(0);
    const waits = [here.take(1), there.take(2)].map((wait) =>
      assertRejects(() => wait, IdentifyRefusedError)
    );
    await delay(periodMs / 6);
    await there.limiter.update({ remaining: 0, resetAfterMs: 500_000 });
    for (const { resetAfterMs } of await Promise.all(waits)) {
      assert(resetAfterMs !== null && resetAfterMs > 490_000, `${resetAfterMs}`);
    }
    assertEquals(play.granted, [0]);
  });

  test("misuse is told at once, and changes nothing", async (play) => {
    const here = play.process({ maxConcurrency: 2 });
    assertThrows(() => play.process({ maxConcurrency: 0 }), RangeError);
    assertThrows(() => here.limiter.update({ maxConcurrency: 0 }), RangeError);
    for (const shardId of [-1, 0.5, NaN]) await assertRejects(() => here.take(shardId), RangeError);
    await Promise.all([here.take(0), here.take(1)]);
    assertEquals(play.granted, [0, 1]);
  });
}

/** A process whose timers never fire: as good as dead, but for what it has said already. */
const STOPPED: Clock = { ...systemPlatform, setTimeout: () => null, clearTimeout: () => {} };

/** A limiter, as seen from one process. */
interface Process {
  readonly limiter: ContractLimiter;
  /** Takes a turn, and writes down when it came. */
  take(shardId: number, signal?: AbortSignal): Promise<IdentifyPermit>;
}

/** Who was granted a turn, and when. */
class Play {
  readonly granted: number[] = [];
  readonly times: number[] = [];
  readonly #store: ContractStore;
  readonly #periodMs: number;

  constructor(store: ContractStore, periodMs: number) {
    this.#store = store;
    this.#periodMs = periodMs;
  }

  /** Two processes that are alive. */
  two(options: Omit<ContractOptions, "clock">): [Process, Process] {
    return [this.process(options), this.process(options)];
  }

  process(options: Omit<ContractOptions, "clock">, clock: Clock = systemPlatform): Process {
    const limiter = this.#store.limiter({ ...options, periodMs: this.#periodMs, clock });
    return {
      limiter,
      take: async (shardId, signal) => {
        const permit = await limiter.take(shardId, signal ? { signal } : {});
        this.granted.push(shardId);
        this.times.push(performance.now());
        return permit;
      },
    };
  }

  /** Waits for so many turns. */
  async turns(count: number): Promise<void> {
    await until(`${count} turns`, () => this.granted.length >= count);
  }

  /** No key was granted twice within a period; what travels may lose a little. */
  assertRested(maxConcurrency: number): void {
    const last = new Map<number, number>();
    for (const [index, shardId] of this.granted.entries()) {
      const at = this.times[index]!;
      const key = shardId % maxConcurrency;
      const gap = at - (last.get(key) ?? -Infinity);
      assert(gap >= this.#periodMs * 0.9, `shard ${shardId} came ${gap} ms after another of its key`);
      last.set(key, at);
    }
  }
}
