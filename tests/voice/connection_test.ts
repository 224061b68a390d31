/** A voice connection on the fake Discord: joining, playing, receiving. */

import { assert, assertEquals } from "@std/assert";
import { Call, CLOSED, frames, GUILD, record, sound, VOICE } from "./call.ts";

Deno.test("voice connection: the bot joins through its shard, and is heard by a member, end-to-end encrypted", async () => {
  await using call = await Call.open();
  const shard = await call.shard();
  const bot = await call.arrive(shard.joinVoice(GUILD, VOICE));
  assertEquals([bot.status, bot.guildId, bot.channelId], [{ state: "live" }, GUILD, VOICE]);
  const alice = await call.join("alice");
  await call.secured(alice);
  await call.clock.runUntil(() => bot.dave?.phase === "secured");
  assertEquals(bot.dave?.privacyCode, alice.connection.dave?.privacyCode);
  assertEquals(bot.userIds, [alice.id]);

  assert(shard.userId);
  const heard = record(alice.connection.receive(shard.userId));
  const played = frames(50);
  await call.arrive(bot.play(played));
  await call.clock.advance(100);
  assertEquals(sound(heard.packets), played.map((frame) => frame.join()));
  assertEquals(heard.packets.length, 55);
  assertEquals(heard.packets.map(({ lost }) => lost), new Array(55).fill(0));
  assertEquals([call.voice.media.plain, call.voice.media.encrypted], [0, 50]);

  await call.arrive(bot.close());
  await call.arrive(alice.connection.close());
  assertEquals([await heard.end, bot.status.state, call.violations], [null, "closed", []]);
  assertEquals(call.discord.sessions[0]?.counts.has("VOICE_STATE_UPDATE"), true);
});

Deno.test("voice connection: the voice server's token shows in no view of it, and in no status", async () => {
  await using call = await Call.open();
  const { connection, statuses } = await call.join("alice");
  const token = call.voice.sessions[0]?.credentials.token;
  assert(token);
  const { joined } = call.joining("bob", { channelId: CLOSED, joinTimeoutMs: 10 });
  const error = await call.arrive(joined.catch((error) => error));
  call.voice.connections[0]?.close(4017);
  await call.clock.advance(1_000);
  assert(connection.status.state === "closed");
  const views = [connection, statuses, error, connection.status.error, JSON.stringify(connection)];
  for (const view of views) assert(!Deno.inspect(view, { depth: 20 }).includes(token));
});
