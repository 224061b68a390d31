/** Voice as the main gateway tells it: op 4, the two events, moves, kicks, regions. */

import { assert, assertEquals } from "@std/assert";
import { EVERY_INTENT, GATEWAY_URL, RawClient } from "../../../raw_client.ts";
import { VoiceStage } from "../../../voice_client.ts";

/** A bot on the main gateway. */
async function bot(stage: VoiceStage): Promise<RawClient> {
  const client = new RawClient(await stage.discord.dial(GATEWAY_URL), stage.discord.token);
  client.identify({ intents: EVERY_INTENT });
  await stage.settle();
  return client;
}

function op4(client: RawClient, channelId: string | null, selfMute = false): void {
  client.send(4, { guild_id: "4000", channel_id: channelId, self_mute: selfMute, self_deaf: false });
}

/** What the two events say together. */
function credentialsOf(client: RawClient, stage: VoiceStage) {
  const state = client.bodies("VOICE_STATE_UPDATE").findLast((one) => one.user_id === stage.discord.user.id);
  const server = client.bodies("VOICE_SERVER_UPDATE").at(-1);
  return {
    endpoint: server.endpoint,
    token: server.token,
    sessionId: state.session_id,
    guildId: server.guild_id,
    channelId: state.channel_id,
    userId: state.user_id,
  };
}

Deno.test("voice join: op 4 leads to a voice session, a move to another, leaving to none", async () => {
  const stage = await VoiceStage.open();
  const main = await bot(stage);
  op4(main, "4001");
  await stage.settle();
  const first = await stage.connect(credentialsOf(main, stage));
  await first.handshake(stage);
  assertEquals(first.ops.slice(0, 3), [8, 2, 4]);
  // Muting is no move.
  op4(main, "4001", true);
  await stage.settle();
  assertEquals([main.bodies("VOICE_SERVER_UPDATE").length, first.end], [1, null]);

  op4(main, "4002");
  await stage.settle();
  assertEquals([first.end?.code, main.bodies("VOICE_SERVER_UPDATE").length], [4014, 2]);
  const second = await stage.connect(credentialsOf(main, stage));
  await second.handshake(stage);
  op4(main, null);
  await stage.settle();
  assertEquals([second.end?.code, stage.voice.sessions.length], [4014, 0]);
  assertEquals(main.bodies("VOICE_STATE_UPDATE").at(-1).channel_id, null);
  await stage.discord.close();
});

Deno.test("voice join: a full channel and a closed one are not answered", async () => {
  const stage = await VoiceStage.open();
  const main = await bot(stage);
  for (const user of ["alice", "bob"]) stage.voice.enter(user, { channelId: "4004" });
  await stage.settle();
  const before = main.heard.length;
  op4(main, "4004");
  op4(main, "4005");
  await stage.clock.advance(10_000);
  assertEquals([main.heard.length - before, stage.discord.journal.violations()], [0, []]);
  stage.voice.kick("bob");
  op4(main, "4004");
  await stage.settle();
  assertEquals(main.bodies("VOICE_SERVER_UPDATE").length, 1);
  await stage.discord.close();
});

Deno.test("voice join: others' comings and goings are told, and stand in GUILD_CREATE", async () => {
  const stage = await VoiceStage.open();
  const early = await bot(stage);
  const alice = stage.voice.enter("alice");
  await stage.settle();
  const [state] = early.bodies("VOICE_STATE_UPDATE");
  assertEquals([state.user_id, state.channel_id, state.session_id], [alice.userId, "4001", alice.sessionId]);
  await stage.clock.advance(6000);
  const late = await bot(stage);
  assertEquals(late.bodies("GUILD_CREATE")[0].voice_states.length, 1);
  stage.voice.kick("alice");
  await stage.settle();
  assertEquals(early.bodies("VOICE_STATE_UPDATE").at(-1).channel_id, null);
  assertEquals(early.bodies("VOICE_SERVER_UPDATE"), []);
  await stage.discord.close();
});

Deno.test("voice join: moved and kicked by a moderator", async () => {
  const stage = await VoiceStage.open();
  const main = await bot(stage);
  op4(main, "4001");
  await stage.settle();
  const first = await stage.connect(credentialsOf(main, stage));
  await first.handshake(stage);
  stage.voice.move(stage.discord.user.id, { channelId: "4002" });
  await stage.settle();
  assertEquals([first.end?.code, credentialsOf(main, stage).channelId], [4014, "4002"]);
  const second = await stage.connect(credentialsOf(main, stage));
  await second.handshake(stage);
  assert(second.ops.includes(4));
  stage.voice.kick(stage.discord.user.id);
  await stage.settle();
  assertEquals([second.end?.code, main.bodies("VOICE_STATE_UPDATE").at(-1).channel_id], [4014, null]);
  assertEquals(main.bodies("VOICE_SERVER_UPDATE").length, 2);
  await stage.discord.close();
});

Deno.test("voice join: another region: an endpoint of null, then a new one", async () => {
  const stage = await VoiceStage.open();
  const main = await bot(stage);
  op4(main, "4001");
  await stage.settle();
  const client = await stage.connect(credentialsOf(main, stage));
  await client.handshake(stage);
  void stage.voice.changeRegion({ afterMs: 3000 });
  await stage.settle();
  assertEquals([client.end?.code, main.bodies("VOICE_SERVER_UPDATE").at(-1).endpoint], [4022, null]);
  await stage.clock.advance(3000);
  assertEquals(credentialsOf(main, stage).endpoint, "frankfurt.voice.fake.invalid:2087");
  const again = await stage.connect(credentialsOf(main, stage));
  await again.handshake(stage);
  assert(again.ops.includes(4));
  await stage.discord.close();
});

Deno.test("voice join: op 4 anew gives a new token only to a session that is lost", async () => {
  const stage = await VoiceStage.open();
  const main = await bot(stage);
  op4(main, "4001");
  await stage.settle();
  const first = credentialsOf(main, stage);
  op4(main, "4001");
  await stage.settle();
  assertEquals([main.bodies("VOICE_SERVER_UPDATE").length, credentialsOf(main, stage).token], [
    2,
    first.token,
  ]);
  const client = await stage.connect(first);
  await client.handshake(stage);
  op4(main, "4001");
  await stage.settle();
  assertEquals(main.bodies("VOICE_SERVER_UPDATE").length, 2);
  stage.voice.connections[0]?.close(4006);
  op4(main, "4001");
  await stage.settle();
  const next = credentialsOf(main, stage);
  assert(next.token !== first.token);
  const again = await stage.connect(next);
  await again.handshake(stage);
  assert(again.ops.includes(4));
  await stage.discord.close();
});

Deno.test("voice join: a resume of the main session does not touch voice, its end does", async () => {
  const stage = await VoiceStage.open();
  const main = await bot(stage);
  op4(main, "4001");
  await stage.settle();
  const client = await stage.connect(credentialsOf(main, stage));
  await client.handshake(stage);
  stage.discord.connections[0]?.drop();
  await stage.settle();
  assertEquals(client.end, null);
  const [session] = stage.discord.sessions;
  const again = new RawClient(
    await stage.discord.dial("wss://resume.gateway.fake.invalid/?v=10&encoding=json"),
    stage.discord.token,
  );
  again.resume(session?.id ?? "", main.lastSequence);
  await stage.settle();
  assertEquals([again.heard.at(-1), client.end], ["RESUMED", null]);
  stage.discord.connections[0]?.invalidateSession(false);
  await stage.settle();
  assertEquals([client.end?.code, stage.voice.sessions.length], [4014, 0]);
  await stage.discord.close();
});

Deno.test("voice join: without openVoice op 4 leads nowhere, and voice is opened once", async () => {
  const stage = await VoiceStage.open();
  let refused = "";
  await stage.discord.openVoice().catch((error) => refused = error.message);
  assertEquals(refused, "Cannot open voice: it is open already");
  await stage.discord.close();
});
