import { assert, assertEquals, assertRejects } from "@std/assert";
import { CommandError, type GatewayCommand } from "../../../../mod.ts";
import { HostError } from "../../../../shard/durable_object/mod.ts";
import { IdentifyBudgetError } from "../../../../shard/fleet/errors.ts";
import { VirtualFleet } from "../../../durable_object/virtual_fleet.ts";

const ONLINE: GatewayCommand = {
  op: 3,
  d: { since: null, activities: [], status: "online", afk: false },
};
/** 16 guilds whose ids are spread over any number of shards. */
const GUILDS = Array.from({ length: 16 }, (_, n) => ({ id: `${BigInt(n + 1) << 22n}` }));

Deno.test("fleet host: as many shards as Discord recommends come up in bucket order, without an op 9", async () => {
  const fleet = new VirtualFleet({ fake: { shards: 8, maxConcurrency: 4 } });
  await fleet.during(fleet.host.start());
  await fleet.live(8);
  const { journal } = fleet.discord;
  assertEquals(journal.violations(), []);
  assertEquals(journal.identifies().length, 8);
  const waves = journal.identifies().map(({ d }) => Math.floor(shardIdIn(d) / 4));
  assertEquals(waves, [0, 0, 0, 0, 1, 1, 1, 1]);
  const status = await fleet.host.status();
  assertEquals([status.running, status.shardCount, status.pendingCalls, status.resharding], [
    true,
    8,
    0,
    null,
  ]);
  assertEquals(status.shards.map(({ shardId }) => shardId), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(status.shards.every(({ status }) => status?.state === "live"), true);
  assertEquals(status.identifies?.remaining, 992);
  await fleet.end();
  assertEquals(fleet.clock.pending, 0);
});

Deno.test("fleet host: with a given number Discord is asked for max_concurrency; if that fails, the shards start without it", async () => {
  const fleet = new VirtualFleet({ fake: { shards: 1, maxConcurrency: 16 } });
  await fleet.during(fleet.host.start({ shards: 16 }));
  await fleet.clock.advance(4_000);
  assertEquals(fleet.liveShards(16), 16);
  await fleet.during(fleet.host.stop());
  await fleet.clock.advance(10_000);
  fleet.discord.faults.rejectRequests.push(500);
  await fleet.during(fleet.host.start());
  await fleet.live(16);
  assertEquals((await fleet.host.status()).lastError?.name, "GatewayBotError");
  await fleet.end();
});

Deno.test("fleet host: once all shards run, the coordinator sets no alarm and makes no call", async () => {
  const fleet = new VirtualFleet();
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  await fleet.clock.advance(60_000);
  assertEquals(fleet.coordinator.alarmAt, null);
  const [calls, rows] = [fleet.calls.length, fleet.coordinator.usage.rows];
  await fleet.clock.advance(24 * 3_600_000);
  assertEquals([fleet.calls.length, fleet.coordinator.usage.rows], [calls, rows]);
  assertEquals(fleet.liveShards(2), 2);
  await fleet.end();
});

Deno.test("fleet host: an order survives the end of the coordinator's object, and objects that do not respond", async () => {
  const fleet = new VirtualFleet({ fake: { maxConcurrency: 16 } });
  for (let id = 8; id < 16; id++) fleet.broken.set(`${id} of 16`, id % 2 ? "hangs" : "fails");
  await fleet.during(fleet.host.start({ shards: 16 }));
  await fleet.clock.advance(1_000);
  fleet.coordinator.die();
  await fleet.clock.advance(60_000);
  const { pendingCalls, lastError } = await fleet.during(fleet.host.status());
  assertEquals([fleet.liveShards(16), pendingCalls], [8, 8]);
  assert(lastError !== null);
  fleet.broken.clear();
  await fleet.live(16);
  await fleet.clock.advance(10_000);
  assertEquals((await fleet.host.status()).pendingCalls, 0);
  assertEquals(fleet.discord.journal.identifies().length, 16);
  assertEquals(fleet.discord.journal.violations(), []);
  await fleet.end();
});

Deno.test("fleet host: a shard whose object does not respond has an error in the status, and does not delay the others", async () => {
  const fleet = new VirtualFleet();
  await fleet.during(fleet.host.start({ shards: 3 }));
  await fleet.live(3);
  fleet.broken.set("0 of 3", "fails").set("1 of 3", "hangs");
  const { shards } = await fleet.during(fleet.host.status());
  assertEquals(shards.map(({ status }) => status?.state ?? null), [null, null, "live"]);
  assertEquals(shards[0]?.error?.message, "Network connection lost");
  assertEquals(shards[1]?.error?.code, "ERR_FLEET_HOST_UNREACHABLE");
  await fleet.end();
});

Deno.test("fleet host: stop with keepSession and start resume the sessions", async () => {
  const fleet = new VirtualFleet();
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  await fleet.during(fleet.host.stop({ keepSession: true }));
  await fleet.clock.advance(1_000);
  assertEquals(fleet.discord.connections.length, 0);
  assertEquals(fleet.discord.sessions.length, 2);
  fleet.discord.sendMessage({ content: "meanwhile" });
  // Without a number, the previous one.
  await fleet.during(fleet.host.start());
  await fleet.live(2);
  await fleet.clock.advance(0);
  assertEquals(fleet.discord.journal.resumes().length, 2);
  assertEquals(fleet.handled.get("meanwhile"), 1);
  await fleet.during(fleet.host.stop());
  await fleet.clock.advance(1_000);
  assertEquals(fleet.discord.sessions.length, 0);
  await fleet.end();
});

Deno.test("fleet host: an order that arrives during another one does not wait for an alarm", async () => {
  const fleet = new VirtualFleet();
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.during(fleet.host.stop());
  await fleet.clock.advance(100);
  const { pendingCalls, shards } = await fleet.host.status();
  assertEquals([pendingCalls, shards.map(({ status }) => status?.running)], [0, [false, false]]);
  await fleet.end();
});

Deno.test("fleet host: another number requires a reshard, and only one reshard runs at a time", async () => {
  const fleet = new VirtualFleet({ fake: { maxConcurrency: 8 } });
  const refused = async (act: () => Promise<void>) =>
    (await assertRejects(() => fleet.during(act()), HostError)).code;
  assertEquals(await refused(() => fleet.host.reshard(4)), "ERR_FLEET_HOST_STOPPED");
  assertEquals(await refused(() => fleet.host.send(ONLINE)), "ERR_FLEET_HOST_STOPPED");
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  assertEquals(await refused(() => fleet.host.start({ shards: 4 })), "ERR_FLEET_HOST_RUNNING");
  await assertRejects(() => fleet.host.reshard(2), RangeError, "as many shards already: 2");
  await assertRejects(() => fleet.host.reshard(0), RangeError);
  await assertRejects(() => fleet.host.start({ shards: 1.5 }), RangeError);
  await fleet.during(fleet.host.reshard(4));
  assertEquals(await refused(() => fleet.host.reshard(8)), "ERR_FLEET_HOST_RESHARDING");
  await fleet.end();
});

Deno.test("fleet host: a reshard under load misses no message; only those of the overlap are handled twice", async () => {
  const fleet = new VirtualFleet({ fake: { shards: 4, maxConcurrency: 8, guilds: GUILDS } });
  await fleet.during(fleet.host.start());
  await fleet.live(4);
  let written = 0;
  const write = () => {
    for (const { id } of GUILDS) fleet.discord.sendMessage({ guildId: id, content: `${++written}` });
  };
  const writing = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      write();
      await fleet.clock.advance(1_000);
    }
  };
  await writing(10);
  await fleet.during(fleet.host.reshard(8));
  await writing(20);
  // The end of the coordinator's object changes nothing.
  fleet.coordinator.die();
  await writing(60);
  const { shardCount, resharding, lastReshard, shards } = await fleet.host.status();
  assertEquals([shardCount, resharding, lastReshard?.from, lastReshard?.to, lastReshard?.error], [
    8,
    null,
    4,
    8,
    null,
  ]);
  assertEquals(shards.length, 8);
  assertEquals(fleet.handled.size, written);
  const twice = [...fleet.handled.values()].filter((times) => times > 1).length;
  assert(twice > 0 && twice < 60 * GUILDS.length, `${twice} of ${written}`);
  assertEquals([...fleet.handled.values()].every((times) => times <= 2), true);
  await writing(5);
  assertEquals(fleet.handled.get(`${written}`), 1);
  // The old sessions have ended.
  assertEquals(fleet.discord.sessions.length, 8);
  assertEquals(fleet.discord.journal.violations(), []);
  await fleet.end();
  assertEquals(fleet.clock.pending, 0);
});

Deno.test("fleet host: a start during a reshard does not change it", async () => {
  const fleet = new VirtualFleet({ fake: { maxConcurrency: 16 } });
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  await fleet.clock.advance(10_000);
  await fleet.during(fleet.host.reshard(4));
  await fleet.clock.advance(3_000);
  await fleet.during(fleet.host.start());
  assertEquals((await fleet.during(fleet.host.status())).resharding, 4);
  await fleet.clock.advance(120_000);
  const { shardCount, resharding, lastReshard } = await fleet.during(fleet.host.status());
  assertEquals([shardCount, resharding, lastReshard?.to, lastReshard?.error], [4, null, 4, null]);
  assertEquals([fleet.liveShards(2), fleet.liveShards(4)], [0, 4]);
  assertEquals(fleet.discord.journal.violations(), []);
  await fleet.end();
});

Deno.test("fleet host: a retiring shard first handles the events that it has received", async () => {
  const release: (() => void)[] = [];
  const seen: string[] = [];
  const fleet = new VirtualFleet({
    fake: { maxConcurrency: 8 },
    shard: {
      handlerDeadlineMs: 3_600_000,
      handler: (event) => {
        if (event.t !== "MESSAGE_CREATE") return;
        const { content } = event.d;
        // The old set's only shard is slow; the new ones are not.
        if (fleet.liveShards(2) > 0) return void seen.push(`new ${content}`);
        return new Promise((resolve) =>
          release.push(() => {
            seen.push(content);
            resolve();
          })
        );
      },
    },
  });
  await fleet.during(fleet.host.start({ shards: 1 }));
  await fleet.live(1);
  for (const content of ["one", "two", "three"]) fleet.discord.sendMessage({ content });
  await fleet.clock.advance(0);
  await fleet.during(fleet.host.reshard(2));
  await fleet.clock.advance(120_000);
  const before = await fleet.host.status();
  assertEquals([before.shardCount, before.resharding], [2, null]);
  assertEquals(before.shards.map(({ shardCount }) => shardCount), [2, 2, 1]);
  assertEquals(seen, []);
  // Only the first event is slow.
  release[0]?.();
  await fleet.clock.advance(10_000);
  assertEquals(seen, ["one", "new two", "new three"]);
  const after = await fleet.host.status();
  assertEquals(after.shards.map(({ shardCount }) => shardCount), [2, 2]);
  assertEquals(fleet.shards.get("0 of 1")?.object.status.running, false);
  assertEquals(fleet.coordinator.alarmAt, null);
  await fleet.end();
});

Deno.test("fleet host: a new shard that Discord refuses ends the reshard, and the old set continues", async () => {
  const fleet = new VirtualFleet({ fake: { maxConcurrency: 8, privilegedIntents: 1 << 15 } });
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  await fleet.during(fleet.host.reshard(4));
  const stopped = () => fleet.shards.get("3 of 4")?.object;
  await fleet.clock.runUntil(() => stopped()?.status.state === "live");
  fleet.discord.connections.find(({ shard }) => shard?.[0] === 3)?.close(4014);
  await fleet.clock.advance(30_000);
  const { shardCount, resharding, lastReshard, shards } = await fleet.host.status();
  assertEquals([shardCount, resharding, lastReshard?.to], [2, null, 4]);
  assertEquals(lastReshard?.error?.message, "Cannot reshard: shard 3 of 4 has stopped");
  assertEquals(shards.map(({ status }) => status?.state), ["live", "live"]);
  assertEquals(fleet.liveShards(4), 0);
  fleet.discord.sendMessage({ content: "after" });
  await fleet.clock.advance(0);
  assertEquals(fleet.handled.get("after"), 1);
  await fleet.end();
});

Deno.test("fleet host: a reshard that cannot end is cancelled by the present number, and may be retried", async () => {
  const fleet = new VirtualFleet({ fake: { maxConcurrency: 8 } });
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  fleet.broken.set("3 of 4", "fails");
  await fleet.during(fleet.host.reshard(4));
  await fleet.clock.advance(600_000);
  assertEquals([(await fleet.host.status()).resharding, fleet.liveShards(4)], [4, 3]);
  await fleet.during(fleet.host.reshard(2));
  await fleet.clock.advance(30_000);
  const { shardCount, resharding, lastReshard } = await fleet.host.status();
  assertEquals([shardCount, resharding, lastReshard?.to], [2, null, 4]);
  assertEquals(lastReshard?.error?.message, "Cannot reshard: it was given up by an order");
  assertEquals([fleet.liveShards(2), fleet.liveShards(4)], [2, 0]);
  fleet.discord.sendMessage({ content: "after" });
  await fleet.clock.advance(0);
  assertEquals(fleet.handled.get("after"), 1);
  fleet.broken.clear();
  await fleet.during(fleet.host.reshard(4));
  await fleet.clock.runUntil(() => fleet.liveShards(4) === 4);
  await fleet.clock.advance(60_000);
  assertEquals((await fleet.host.status()).shardCount, 4);
  await assertRejects(() => fleet.host.reshard(4), RangeError, "as many shards already: 4");
  await fleet.end();
});

Deno.test("fleet host: a reshard that needs more identifies than remain is rejected before the first one", async () => {
  const fleet = new VirtualFleet({ fake: { identifyLimit: { remaining: 5, resetAfter: 3_600_000 } } });
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  const error = await assertRejects(() => fleet.during(fleet.host.reshard(4)), IdentifyBudgetError);
  assertEquals([error.needed, error.remaining], [4, 3]);
  assertEquals(fleet.discord.journal.identifies().length, 2);
  assertEquals((await fleet.host.status()).resharding, null);
  await fleet.end();
});

Deno.test("fleet host: a command goes to the guild's shard, a presence to every shard, and a rejection has a code", async () => {
  const fleet = new VirtualFleet({ fake: { guilds: GUILDS } });
  await fleet.during(fleet.host.start({ shards: 4 }));
  await fleet.live(4);
  fleet.calls.length = 0;
  await fleet.during(fleet.host.send(ONLINE));
  assertEquals(fleet.calls, ["send 0 of 4", "send 1 of 4", "send 2 of 4", "send 3 of 4"]);
  fleet.calls.length = 0;
  await fleet.during(
    fleet.host.send({ op: 31, d: { guild_ids: [GUILDS[0]?.id ?? "", GUILDS[2]?.id ?? ""] } }),
  );
  assertEquals(fleet.calls.sort(), ["send 1 of 4", "send 3 of 4"]);
  await fleet.during(fleet.host.send(ONLINE, { shardId: 2 }));
  assertEquals(fleet.calls.at(-1), "send 2 of 4");
  const missing = await assertRejects(() => fleet.host.send(ONLINE, { shardId: 4 }), HostError);
  assertEquals(missing.code, "ERR_FLEET_HOST_SHARD");
  await assertRejects(() => fleet.host.send({ ...ONLINE, op: 2 } as never), CommandError);
  fleet.broken.set("1 of 4", "fails");
  const unreachable = await assertRejects(() => fleet.during(fleet.host.send(ONLINE)), HostError);
  assertEquals(unreachable.code, "ERR_FLEET_HOST_UNREACHABLE");
  await fleet.end();
});

Deno.test("fleet host: a restart resumes one shard", async () => {
  const fleet = new VirtualFleet();
  await fleet.during(fleet.host.start({ shards: 2 }));
  await fleet.live(2);
  await fleet.during(fleet.host.restart(1));
  await fleet.clock.advance(1_000);
  await fleet.live(2);
  assertEquals(fleet.discord.journal.resumes().length, 1);
  assertEquals(fleet.discord.journal.identifies().length, 2);
  await assertRejects(() => fleet.host.restart(2), HostError, "there are 2, from 0 on: 2");
  await fleet.end();
});

Deno.test("fleet host: over HTTP every malformed body is 400 and names the field, every rejection has its status", async () => {
  const fleet = new VirtualFleet();
  const ask = async (path: string, body?: unknown, method = body === undefined ? "GET" : "POST") => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const request = new Request(`https://fleet/${path}`, {
      method,
      ...(body !== undefined && { body: text }),
    });
    const response = await fleet.during(fleet.host.fetch(request));
    const { error = null } = await response.json();
    return [response.status, error?.code ?? null, error?.message ?? ""];
  };
  assertEquals(await ask("send", { command: ONLINE }), [
    409,
    "ERR_FLEET_HOST_STOPPED",
    "Cannot reach a shard: the fleet is stopped",
  ]);
  for (
    const [path, body, word] of [
      ["start", "{", "JSON"],
      ["start", [], "object"],
      ["start", { shards: 0 }, "shards is an integer from 1 to 16384: 0"],
      ["start", { shards: "2" }, 'shards is an integer from 1 to 16384: "2"'],
      ["reshard", {}, "shards is an integer from 1 to 16384: missing"],
      ["reshard", { shards: 1e9 }, "shards is an integer from 1 to 16384: 1000000000"],
      ["stop", { keepSession: 1 }, "keepSession is true or false: 1"],
      ["restart", { shard: -1 }, "shard is an integer from 0 on: -1"],
      ["send", {}, "command is an object: missing"],
      ["send", { command: { d: {} } }, "op is an integer from 0 on: missing"],
      ["send", { command: ONLINE, shard: "0" }, 'shard is an integer from 0 on: "0"'],
    ] as const
  ) {
    const [status, code, message] = await ask(path, body);
    assertEquals([status, code], [400, "ERR_REQUEST"], path);
    assert(`${message}`.includes(word), `${path}: ${message}`);
  }
  assertEquals((await ask("start", { shards: 2 }))[0], 200);
  await fleet.live(2);
  assertEquals((await ask("start", { shards: 3 }))[0], 409);
  assertEquals((await ask("send", { command: { op: 2, d: {} } }))[0], 400);
  assertEquals((await ask("send", { command: { op: 3, d: { status: "x".repeat(5_000) } } }))[0], 400);
  assertEquals((await ask("send", { command: ONLINE }))[0], 200);
  assertEquals((await ask("restart", { shard: 7 }))[0], 400);
  assertEquals((await ask("status", {}))[0], 405);
  assertEquals((await ask("nothing"))[0], 404);
  assertEquals((await ask("status"))[0], 200);
  await fleet.end();
});

Deno.test("fleet host: the token is in no status and no response", async () => {
  const fleet = new VirtualFleet();
  fleet.discord.faults.rejectRequests.push(500);
  const refused = await fleet.during(
    fleet.host.fetch(new Request("https://fleet/start", { method: "POST" })),
  );
  assertEquals(refused.status, 502);
  await fleet.during(fleet.host.start());
  await fleet.live(1);
  const texts = [await refused.text(), JSON.stringify(await fleet.host.status()), Deno.inspect(fleet.host)];
  for (const text of texts) assert(!text.includes(fleet.discord.token), text);
  await fleet.end();
});

/** The shard that an IDENTIFY names. */
function shardIdIn(d: unknown): number {
  const shard = typeof d === "object" && d !== null && "shard" in d ? d.shard : null;
  return Array.isArray(shard) ? Number(shard[0]) : NaN;
}
