/** One contract, every store, each over the real thing. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import * as files from "node:fs/promises";
import { createClient } from "redis";
import {
  FileSessionStore,
  MemorySessionStore,
  RedisSessionStore,
  SESSION_KEY,
  WebStorageSessionStore,
} from "../../../shard/stores/mod.ts";
import { RedisServer } from "../../runtimes/redis_server.ts";
import { brokenRules, SPOILT_TEXT } from "./contract.ts";

const RECORD = { sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 };

Deno.test("session stores: memory", async () => {
  const store = new MemorySessionStore();
  assertEquals(await brokenRules({ open: () => store }), []);
});

Deno.test("session stores: memory keeps what was saved, whatever becomes of the object", () => {
  const store = new MemorySessionStore();
  const record = { ...RECORD };
  store.save(record);
  record.sequence = 8;
  assertEquals(store.load()?.sequence, 7);
});

Deno.test("session stores: a file", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/session.json`;
  assertEquals(
    await brokenRules({
      open: () => new FileSessionStore(path, files),
      spoil: (what) => Deno.writeTextFile(path, SPOILT_TEXT[what]),
    }),
    [],
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("session stores: a file is its owner's alone, and is replaced whole: a crash in the middle leaves the old one", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/session.json`;
  const store = new FileSessionStore(path, files);
  await store.save(RECORD);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  const dying = new FileSessionStore(path, {
    ...files,
    rename: () => Promise.reject(new Error("the power is gone")),
  });
  await assertRejects(async () => await dying.save({ ...RECORD, sequence: 8 }), Error, "the power is gone");
  assertEquals((await store.load())?.sequence, 7);
  const unwritable = new FileSessionStore(`${folder}/no/such/folder.json`, files);
  await assertRejects(async () => await unwritable.save(RECORD));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("session stores: a file that may not be read is an error, not an empty store", async () => {
  const folder = await Deno.makeTempDir();
  await assertRejects(async () => await new FileSessionStore(folder, files).load());
  await Deno.remove(folder);
});

Deno.test("session stores: Web Storage", async () => {
  const key = "session stores: Web Storage";
  assertEquals(
    await brokenRules({
      open: () => new WebStorageSessionStore(sessionStorage, { key }),
      spoil: (what) => sessionStorage.setItem(key, SPOILT_TEXT[what]),
    }),
    [],
  );
});

Deno.test("session stores: two shards under two keys do not meet", () => {
  const [one, other] = ["a", "b"].map((key) => new WebStorageSessionStore(sessionStorage, { key }));
  one?.save(RECORD);
  assertEquals(other?.load(), null);
  one?.clear();
});

Deno.test("session stores: Deno KV", async () => {
  const folder = await Deno.makeTempDir();
  assertEquals(
    await printed("--unstable-kv", "tests/shard/stores/deno_kv_program.ts", `${folder}/kv.sqlite`),
    "[]",
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("session stores: a Durable Object", async () => {
  assertEquals(await printed("tests/shard/stores/workerd_program.ts"), "[]");
});

/** What a program prints. */
async function printed(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "-A", ...args],
    cwd: new URL("../../../", import.meta.url),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

const noRedis = await RedisServer.missing();
if (noRedis) console.log(`skipped: ${noRedis}`);

Deno.test({
  name: "session stores: Redis, through ioredis and through redis",
  ignore: noRedis !== null,
  fn: async () => {
    await using server = await RedisServer.start();
    const io = new Redis(server.url, { lazyConnect: true });
    await io.connect();
    const node = createClient({ url: server.url });
    await node.connect();
    for (const client of [io, node]) {
      assertEquals(
        await brokenRules({
          open: () => new RedisSessionStore(client),
          spoil: async (what) => void await client.set(SESSION_KEY, SPOILT_TEXT[what]),
        }),
        [],
      );
    }
    await new RedisSessionStore(io, { key: "shared" }).save(RECORD);
    assertEquals(await new RedisSessionStore(node, { key: "shared" }).load(), RECORD);
    io.disconnect();
    await node.close();
  },
});

Deno.test("session stores: the contract sees a store that does not keep it", async () => {
  const forgetful = { load: () => null, save: () => {}, clear: () => {} };
  const broken = await brokenRules({ open: () => forgetful });
  assert(broken.includes("a record comes back as it was"));
  const careless = new MemorySessionStore();
  const spoilt = await brokenRules({ open: () => careless, spoil: () => {} });
  assert(spoilt.includes("no record: a typed error"));
});
