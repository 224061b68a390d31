/** `shard.commands`: what the budget says, before, during and after a connection. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CommandNotSentError, type GatewayCommand } from "../../../mod.ts";
import { CommandError } from "../../../gateway/mod.ts";
import { Play } from "../harness.ts";

/** A request without a response. */
const LEAVE: GatewayCommand = {
  op: 4,
  d: { guild_id: "1", channel_id: null, self_mute: false, self_deaf: false },
};

Deno.test("shard: before READY nothing is available, the time is not known, and callers are counted", async () => {
  const seen: (readonly [state: string, available: number, waiting: number])[] = [];
  const play: Play = new Play({
    onStatus: ({ state }) => {
      const { available, waiting } = play.shard.commands;
      seen.push([state, available, waiting]);
    },
  });
  assertEquals(play.shard.commands, { limit: 120, available: 0, nextAvailableInMs: null, waiting: 0 });
  const sending = [play.shard.send(LEAVE), play.shard.send(LEAVE, { priority: "high" })];
  assertEquals(play.shard.commands, { limit: 120, available: 0, nextAvailableInMs: null, waiting: 2 });
  await play.live();
  assertEquals(seen.slice(0, -1), [
    ["locating", 0, 2],
    ["dialing", 0, 2],
    ["awaiting_hello", 0, 2],
    ["awaiting_permit", 0, 2],
    ["identifying", 0, 2],
  ]);
  await Promise.all(sending);
  assertEquals(play.shard.commands.waiting, 0);
  await play.shard.close();
});

Deno.test("shard: a fresh session has 120 less its IDENTIFY and the heartbeats that are due", async () => {
  const play = await new Play({ fake: { heartbeatInterval: 40_000 } }).live();
  const { limit, available, nextAvailableInMs, waiting } = play.shard.commands;
  assertEquals([limit, nextAvailableInMs, waiting], [120, 0, 0]);
  // IDENTIFY, and one or two heartbeats within a minute, as the jitter has it.
  assert(available === 117 || available === 118, `${available}`);
  await play.shard.send(LEAVE);
  assertEquals(play.shard.commands.available, available - 1);
  await play.shard.close();
});

Deno.test("shard: once the budget is spent it names the time until the next command, which then goes out", async () => {
  const play = await new Play().live();
  const all = Array.from({ length: 130 }, () => play.shard.send(LEAVE));
  await play.clock.advance(0);
  const spent = play.shard.commands;
  assertEquals(spent.available, 0);
  assert(spent.waiting >= 12 && spent.waiting <= 14, `${spent.waiting}`);
  assert(spent.nextAvailableInMs !== null && spent.nextAvailableInMs > 50_000, `${spent.nextAvailableInMs}`);
  await play.clock.advance(spent.nextAvailableInMs - 1);
  assertEquals(play.shard.commands.waiting, spent.waiting);
  await play.clock.advance(1);
  assert(play.shard.commands.waiting < spent.waiting);
  await play.clock.advance(120_000);
  await Promise.all(all);
  assertEquals(play.shard.commands.waiting, 0);
  await play.shard.close();
});

Deno.test("shard: between connections the budget is unknown, on the next one it is new", async () => {
  const play = await new Play().live();
  await Promise.all(Array.from({ length: 100 }, () => play.shard.send(LEAVE)));
  assert(play.shard.commands.available < 20);
  play.connection.close(4000);
  await play.untilState("disconnected");
  assertEquals(play.shard.commands, { limit: 120, available: 0, nextAvailableInMs: null, waiting: 0 });
  await play.untilState("live");
  assert(play.shard.commands.available > 110);
  await play.shard.close();
  assertEquals(play.shard.commands, { limit: 120, available: 0, nextAvailableInMs: null, waiting: 0 });
  await assertRejects(() => play.shard.send(LEAVE), CommandNotSentError);
});

Deno.test("shard: a frame that is too large is refused by its size in bytes, and takes nothing from the budget", async () => {
  const play = await new Play().live();
  const { available } = play.shard.commands;
  const query = (length: number): GatewayCommand => {
    return { op: 8, d: { guild_id: "1", query: "é".repeat(length), limit: 1 } };
  };
  const size = new TextEncoder().encode(JSON.stringify(query(2_100))).length;
  const error = await assertRejects(() => play.shard.send(query(2_100)), CommandError);
  assertEquals([error.code, error.bytes], ["ERR_PAYLOAD_TOO_LARGE", size]);
  assertEquals(error.message, `Cannot send op 8: a frame has at most 4096 bytes: ${size}`);
  assertEquals([play.shard.commands.available, play.shard.commands.waiting], [available, 0]);
  // The largest that there can be goes out.
  const most = (4096 - new TextEncoder().encode(JSON.stringify(query(0))).length) >> 1;
  await play.shard.send(query(most));
  assertEquals(play.shard.commands.available, available - 1);
  await assertRejects(() => play.shard.send(query(most + 1)), CommandError);
  await play.shard.close();
});
