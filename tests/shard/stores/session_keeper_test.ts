import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { SessionRecord } from "../../../mod.ts";
import {
  MemorySessionStore,
  restoreShard,
  type SessionStore,
  SessionStoreError,
  StoredShard,
  type StoredShardOptions,
} from "../../../shard/stores/mod.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";

/** A store that writes down what happens to it, and fails when told to. */
class Watched implements SessionStore {
  readonly log: string[] = [];
  readonly memory = new MemorySessionStore();
  failWith: Error | null = null;
  delayMs = 0;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  load(): Promise<SessionRecord | null> {
    return this.#do("load", () => this.memory.load());
  }

  save(record: SessionRecord): Promise<void> {
    return this.#do(`save ${record.sequence}`, () => this.memory.save(record));
  }

  clear(): Promise<void> {
    return this.#do("clear", () => this.memory.clear());
  }

  async #do<T>(what: string, act: () => T): Promise<T> {
    this.log.push(`${this.#clock.now()} ${what}`);
    if (this.delayMs > 0) await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, this.delayMs));
    if (this.failWith) throw this.failWith;
    return act();
  }
}

class Play {
  readonly clock = new VirtualClock();
  readonly discord = new FakeDiscord({ clock: this.clock, heartbeatInterval: 40_000 });
  readonly store = new Watched(this.clock);
  readonly heard: string[] = [];
  /** Resolves with what the run ended of. */
  running: Promise<unknown> = Promise.resolve(null);

  shard(options: Partial<StoredShardOptions<"MESSAGE_CREATE">> = {}): Promise<StoredShard<"MESSAGE_CREATE">> {
    return restoreShard(this.store, {
      token: this.discord.token,
      guildEvents: ["MESSAGE_CREATE"],
      intents: 1 << 15,
      dial: this.discord.dial,
      fetch: this.discord.fetch,
      api: "https://discord.com/api/v10",
      platform: this.clock,
      ...options,
    });
  }

  /** Runs it, and lets it become live. */
  async run(shard: StoredShard<"MESSAGE_CREATE">): Promise<void> {
    this.running = shard.run((event) => {
      if (event.t === "MESSAGE_CREATE") this.heard.push(event.d.content);
    }).then(() => null, (error) => error);
    await this.clock.advance(100);
  }

  write(content: string): void {
    this.discord.sendMessage({ content });
  }
}

Deno.test("session keeper: a new session is written at once, its sequence every five seconds, the rest on close", async () => {
  const play = new Play();
  const { clock, store } = play;
  const shard = await play.shard();
  await play.run(shard);
  assertEquals(store.log, ["0 load", "0 save 1"]);
  for (let second = 0; second < 20; second++) {
    play.write(`${second}`);
    await clock.advance(1_000);
  }
  const writes = store.log.slice(2).map((line) => Number(line.split(" ")[0]));
  assert(writes.length >= 3 && writes.length <= 4, `${store.log}`);
  for (const [index, at] of writes.entries()) assert(at - (writes[index - 1] ?? 0) >= 5_000, `${writes}`);

  play.write("last");
  await clock.advance(0);
  const record = await shard.close({ keepSession: true });
  assertEquals(await play.running, null);
  assertEquals(store.memory.load(), record);
  assertEquals(record?.sequence, 22);
  assertEquals(clock.pending, 0);
});

Deno.test("session keeper: nothing is written where nothing moves", async () => {
  const play = new Play();
  await play.run(await play.shard());
  await play.clock.advance(10_000);
  const writes = play.store.log.length;
  await play.clock.advance(600_000);
  assertEquals(play.store.log.length, writes);
  await play.discord.close();
  await play.clock.advance(0);
});

Deno.test("session keeper: the next shard resumes after what was handled; a session that ended is cleared", async () => {
  const play = new Play();
  const first = await play.shard();
  await play.run(first);
  play.write("one");
  await play.clock.advance(0);
  await first.close({ keepSession: true });
  play.write("meanwhile");
  const second = await play.shard();
  await play.run(second);
  assertEquals(play.heard, ["one", "meanwhile"]);
  assertEquals(play.discord.journal.resumes().length, 1);
  await second.close();
  assertEquals(play.store.memory.load(), null);
  assertEquals(play.store.log.at(-1)?.endsWith("clear"), true);
});

Deno.test("session keeper: a slow store is never asked for two things at once, and gets the last record on close", async () => {
  const play = new Play();
  play.store.delayMs = 7_000;
  const opening = play.shard();
  await play.clock.advance(7_000);
  const shard = await opening;
  await play.run(shard);
  for (let second = 0; second < 30; second++) {
    play.write(`${second}`);
    await play.clock.advance(1_000);
  }
  const closing = shard.close({ keepSession: true });
  await play.clock.advance(20_000);
  const record = await closing;
  assertEquals(play.store.memory.load(), record);
  const at = play.store.log.map((line) => Number(line.split(" ")[0]));
  for (const [index, time] of at.slice(1).entries()) assert(time - at[index]! >= 7_000, `${play.store.log}`);
});

Deno.test("session keeper: a write that fails is told, and repeated at its pace until it goes through", async () => {
  const play = new Play();
  const told: SessionStoreError[] = [];
  const shard = await play.shard({ onStoreError: (error) => told.push(error) });
  play.store.failWith = new Error("the disk is full");
  await play.run(shard);
  await play.clock.advance(12_000);
  assertEquals(told.length, 3);
  assertEquals([told[0]?.code, (told[0]?.cause as Error).message], [
    "ERR_SESSION_STORE_FAILED",
    "the disk is full",
  ]);
  assert(shard.storeError !== null);
  play.store.failWith = null;
  await play.clock.advance(6_000);
  assertEquals(shard.storeError, null);
  assertEquals(play.store.memory.load()?.sessionId, play.discord.sessions[0]?.id);
  await shard.close({ keepSession: true });
  assertEquals(await play.running, null);
});

Deno.test("session keeper: what cannot be written at the end comes out of run, and out of close where nobody runs", async () => {
  const play = new Play();
  const shard = await play.shard();
  play.store.failWith = new Error("the disk is full");
  await play.run(shard);
  await shard.close({ keepSession: true });
  const error = await play.running;
  assert(error instanceof SessionStoreError && error.code === "ERR_SESSION_STORE_FAILED");

  play.store.failWith = null;
  const iterated = await play.shard({ events: [] });
  const iterator = iterated[Symbol.asyncIterator]();
  const next = iterator.next();
  await play.clock.advance(10_000);
  play.store.failWith = new Error("the disk is full");
  play.write("one");
  await next;
  const iteratedNext = iterator.next();
  await assertRejects(() => iterated.close({ keepSession: true }), SessionStoreError);
  await iteratedNext;
});

Deno.test("session keeper: a handler's own error is not hidden by the store's", async () => {
  const play = new Play();
  const shard = await play.shard();
  const running = shard.run((event) => {
    if (event.t === "MESSAGE_CREATE" && event.d.content === "two") {
      throw new TypeError("the handler is wrong");
    }
  });
  const failure = assertRejects(() => running, TypeError, "the handler is wrong");
  await play.clock.advance(100);
  play.store.failWith = new Error("the disk is full");
  play.write("one");
  play.write("two");
  await play.clock.advance(100);
  await failure;
  assert(shard.storeError !== null);
});

Deno.test("session keeper: a store that cannot be read: thrown, or told and started anew", async () => {
  const play = new Play();
  play.store.failWith = new Error("no route to host");
  const error = await assertRejects(() => play.shard(), SessionStoreError);
  assertEquals(error.code, "ERR_SESSION_STORE_FAILED");
  const told: SessionStoreError[] = [];
  const shard = await play.shard({ onStoreError: (error) => told.push(error) });
  assertEquals([shard.session, told.length], [null, 1]);
  play.store.failWith = null;
  await shard.close({ keepSession: true });
});

Deno.test("session keeper: a record of another shard count is none; of another shard it is a mistake", async () => {
  const play = new Play();
  play.store.memory.save({ sessionId: "a", sequence: 1, resumeGatewayUrl: null, shardId: 0, shardCount: 2 });
  assertEquals((await play.shard({ shard: [0, 4] })).session, null);
  await assertRejects(() => play.shard({ shard: [1, 2] }), Error, "belongs to shard 0 of 2");
  assertEquals((await play.shard()).session?.sessionId, "a");
});

Deno.test("session keeper: saveEveryMs has to be a time", () => {
  const store = new MemorySessionStore();
  assertThrows(
    () => new StoredShard({ token: "x", intents: 0, saveEveryMs: 0 }, { store, session: null }),
    RangeError,
  );
});

Deno.test("session keeper: a program may have it written at any time", async () => {
  const play = new Play();
  const shard = await play.shard();
  await play.run(shard);
  play.write("one");
  await play.clock.advance(0);
  assertEquals(play.store.memory.load()?.sequence, 1);
  await shard.save();
  assertEquals(play.store.memory.load()?.sequence, 2);
  play.store.failWith = new Error("the disk is full");
  play.write("two");
  await play.clock.advance(0);
  await assertRejects(() => shard.save(), SessionStoreError, "sequence 3");
  play.store.failWith = null;
  await shard.close({ keepSession: true });
});
