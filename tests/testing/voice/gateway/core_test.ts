import { assert, assertEquals } from "@std/assert";
import { VoiceStage } from "../../../voice_client.ts";

Deno.test("voice gateway: HELLO, READY, description and who is there, with numbers from the first on", async () => {
  const stage = await VoiceStage.open({ firstSequence: 65_534 });
  const a = await stage.speaker("alice");
  assertEquals(a.messages.map(({ op, seq }) => [op, seq]), [
    [8, null],
    [2, null],
    [4, 65_534],
    [25, 65_535],
  ]);
  assertEquals(a.bodies(8), [{ v: 8, heartbeat_interval: 13_750 }]);
  const [ready] = a.bodies(2);
  assertEquals([ready.modes.length, ready.port, ready.heartbeat_interval], [2, 50_001, 1]);
  const [description] = a.bodies(4);
  assertEquals([description.mode, description.secret_key.length, description.dave_protocol_version], [
    a.mode,
    32,
    1,
  ]);
  const b = await stage.speaker("bob");
  assertEquals([a.bodies(11), b.bodies(11)], [[{ user_ids: [b.id] }], [{ user_ids: [a.id] }]]);
  assertEquals(a.messages.find(({ op }) => op === 11)?.seq, 0);
  stage.voice.kick("bob");
  await stage.settle();
  assertEquals([a.bodies(13), b.end?.code], [[{ user_id: b.id }], 4014]);
  assertEquals(stage.violations(), []);
  await stage.discord.close();
  assertEquals(stage.clock.pending, 0);
});

/** What a client that has just connected does, and what it costs. */
const EARLY = [
  [4001, "an opcode that clients do not send", { op: 9, d: null }, true],
  [4001, "an opcode that nobody knows", { op: 99, d: null }, true],
  [4002, "no JSON", "{", false],
  [4002, "no opcode", { d: 1 }, false],
  [4002, "no bytes", new Uint8Array(), false],
  [4001, "bytes of an opcode that is JSON", new Uint8Array([5, 1]), true],
  [4003, "op 1 before a session", { op: 1, d: {} }, false],
  [4003, "op 5 before a session", { op: 5, d: {} }, false],
  [4003, "a key package before a session", new Uint8Array([26, 0, 1]), false],
  [4005, "a second identify", { op: 0, d: {} }, true],
  [4005, "a resume in a session", { op: 7, d: {} }, true],
  [4012, "a protocol that is not udp", { op: 1, d: { protocol: "webrtc", data: {} } }, true],
  [4016, "a mode that was given up", { op: 1, d: select({ mode: "xsalsa20_poly1305" }) }, true],
  [4020, "a port that is none", { op: 1, d: select({ port: 0 }) }, true],
  [4020, "a heartbeat as before version 8", { op: 3, d: 1 }, true],
  [4020, "a heartbeat without a nonce", { op: 3, d: { seq_ack: 1 } }, false],
  [4020, "a heartbeat with a sequence of 17 bits", { op: 3, d: { t: 1, seq_ack: 65_536 } }, true],
  [4020, "op 5 with the SSRC of another", { op: 5, d: { speaking: 1, delay: 0, ssrc: 4711 } }, true],
  [4020, "op 5 with a bit that is none", { op: 5, d: { speaking: 8, delay: 0, ssrc: 1 } }, true],
  [4020, "op 23 without a number", { op: 23, d: {} }, true],
  [4020, "op 31 without a number", { op: 31, d: { transition_id: -1 } }, true],
] as const;

function select(data: object): object {
  return {
    protocol: "udp",
    data: { address: "192.0.2.1", port: 1, mode: "aead_aes256_gcm_rtpsize", ...data },
  };
}

for (const [code, what, message, identified] of EARLY) {
  Deno.test(`voice gateway: ${what} costs ${code}`, async () => {
    const stage = await VoiceStage.open();
    const client = await stage.client("alice");
    if (identified) client.identify();
    await stage.settle();
    client.connection.send(
      message instanceof Uint8Array
        ? message
        : typeof message === "string"
        ? message
        : JSON.stringify(message),
    );
    await stage.settle();
    assertEquals([client.end?.code, stage.violations().length], [code, 1]);
    assertEquals(stage.voice.sessions.length, identified ? 1 : 0);
    await stage.discord.close();
  });
}

/** What is wrong with an identify, and what it costs. */
const IDENTIFIES = [
  [4004, "a token that nobody has", { token: "f".repeat(16) }],
  [4006, "another session id", { session_id: "f".repeat(32) }],
  [4006, "another user", { user_id: "1" }],
  [4011, "a guild that does not exist", { server_id: "1" }],
  [4017, "no DAVE version", { max_dave_protocol_version: undefined }],
  [4017, "DAVE version 0", { max_dave_protocol_version: 0 }],
  [4020, "no token", { token: 1 }],
  [4020, "a guild id that is no id", { server_id: "x" }],
  [4020, "a version that is no number", { max_dave_protocol_version: "1" }],
] as const;

for (const [code, what, changes] of IDENTIFIES) {
  Deno.test(`voice gateway: an identify with ${what} costs ${code}`, async () => {
    const stage = await VoiceStage.open();
    const client = await stage.client("alice");
    client.identify(changes);
    await stage.settle();
    assertEquals([client.end?.code, stage.voice.sessions.length], [code, 0]);
    await stage.discord.close();
  });
}

Deno.test("voice gateway: the endpoint counts with its port, the version has to be 8", async () => {
  const stage = await VoiceStage.open();
  const credentials = stage.voice.enter("alice");
  const [host] = credentials.endpoint.split(":");
  const portless = await stage.connect({ ...credentials, endpoint: host ?? "" });
  portless.identify();
  await stage.settle();
  assertEquals(portless.end?.code, 4006);
  const old = await stage.voice.dial(`wss://${credentials.endpoint}/?v=4`);
  assertEquals((await old.closed).code, 4020);
  await stage.discord.close();
});

Deno.test("voice gateway: a token is identified with once, and ends with its admission", async () => {
  const stage = await VoiceStage.open();
  const a = await stage.speaker("alice");
  const again = await stage.connect(a.credentials);
  again.identify();
  await stage.settle();
  assertEquals([again.end?.code, a.end], [4006, null]);
  // A move: 4014, and only the new token is good.
  const moved = stage.voice.move("alice", { channelId: "4002" });
  await stage.settle();
  assertEquals([a.end?.code, moved.sessionId === a.credentials.sessionId], [4014, true]);
  const late = await stage.connect(a.credentials);
  late.resume();
  await stage.settle();
  assertEquals(late.end?.code, 4006);
  const next = await stage.connect(moved);
  next.identify();
  await stage.settle();
  assertEquals(next.ops, [8, 2]);
  await stage.discord.close();
});

Deno.test("voice gateway: a resume brings what was missed, binary messages too, and keeps the session", async () => {
  for (const replayBeforeResumed of [false, true]) {
    const stage = await VoiceStage.open();
    stage.voice.faults.replayBeforeResumed = replayBeforeResumed;
    const a = await stage.speaker("alice");
    const b = await stage.speaker("bob");
    stage.voice.connections[0]?.drop();
    await stage.settle();
    const c = await stage.speaker("carol");
    const before = a.messages.length;
    a.attach(await stage.voice.dial(`wss://${a.credentials.endpoint}/?v=8`));
    await stage.settle();
    a.resume();
    await stage.settle();
    const replayed = a.ops.slice(before + 1);
    assertEquals(replayed.filter((op) => op === 9), [9]);
    assertEquals(replayed.indexOf(9) === 0, !replayBeforeResumed);
    assert(replayed.includes(11) && replayed.includes(27) && replayed.includes(29), `${replayed}`);
    await stage.settle();
    for (const [from, to] of [[a, c], [c, a], [b, a]] as const) {
      const count = to.heard.length;
      from.say([0x78, 7]);
      await stage.settle();
      assertEquals(to.heard.slice(count), [{ ssrc: from.ssrc, frame: [0x78, 7] }]);
    }
    assertEquals([a.errors, b.errors, c.errors, stage.violations()], [[], [], [], []]);
    await stage.discord.close();
  }
});

Deno.test("voice gateway: a resume is refused where it cannot be, with the code for it", async () => {
  const stage = await VoiceStage.open({ sessionTimeoutMs: 20_000, replayLimit: 4 });
  const a = await stage.speaker("alice");
  const attempt = async (changes: Record<string, unknown>) => {
    const client = await stage.connect(a.credentials);
    client.sequence = a.sequence;
    client.resume(changes);
    await stage.settle();
    return client.end?.code;
  };
  stage.voice.connections[0]?.drop();
  assertEquals(await attempt({ token: "f" }), 4004);
  assertEquals(await attempt({ session_id: "f" }), 4006);
  assertEquals(await attempt({ seq_ack: 4711 }), 4006);
  assertEquals(await attempt({ seq_ack: "1" }), 4020);
  stage.voice.faults.refuseResumes = 1;
  assertEquals(await attempt({}), 4006);
  for (let count = 0; count < 3; count++) {
    await stage.client("bob");
    const bob = await stage.client("bob");
    bob.identify();
    await stage.settle();
  }
  assertEquals(await attempt({}), 4006);
  assertEquals(stage.discord.sessions, []);
  await stage.clock.advance(20_000);
  assertEquals(await attempt({}), 4009);
  assertEquals(stage.voice.call().userIds.includes(a.id), false);
  await stage.discord.close();
  assertEquals(stage.clock.pending, 0);
});

Deno.test("voice gateway: heartbeats are acknowledged by their nonce, and a client that sends none is cut", async () => {
  const stage = await VoiceStage.open();
  const a = await stage.speaker("alice");
  a.send(3, { t: -5, seq_ack: a.sequence });
  await stage.settle();
  assertEquals(a.bodies(6), [{ t: -5 }]);
  a.send(3, { t: 6, seq_ack: 4711 });
  await stage.settle();
  assertEquals(stage.violations(), ["seq_ack is a number that was sent: 4711"]);
  await stage.clock.advance(13_750 * 1.5);
  assertEquals(a.end?.code, null);
  assertEquals(stage.violations().slice(1), ["a heartbeat comes in every interval"]);
  assertEquals(stage.voice.sessions.length, 1);
  await stage.discord.close();
});

Deno.test("voice gateway: 4015 for all, and every session can be resumed", async () => {
  const stage = await VoiceStage.open();
  const clients = [await stage.speaker("alice"), await stage.speaker("bob")];
  stage.voice.crash();
  await stage.settle();
  assertEquals(clients.map(({ end }) => end?.code), [4015, 4015]);
  for (const client of clients) {
    client.attach(await stage.voice.dial(`wss://${client.credentials.endpoint}/?v=8`));
    client.resume();
    await stage.settle();
    assertEquals([client.end, client.ops.at(-1)], [null, 9]);
  }
  await stage.discord.close();
});

Deno.test("voice gateway: another region: everybody 4022, and a new endpoint with new tokens", async () => {
  const stage = await VoiceStage.open();
  const a = await stage.speaker("alice");
  const found = await stage.voice.changeRegion();
  await stage.settle();
  const next = found.get(a.id);
  assertEquals([a.end?.code, next?.endpoint], [4022, "frankfurt.voice.fake.invalid:2087"]);
  assert(next !== undefined && next.token !== a.credentials.token);
  const again = await stage.connect(next);
  await again.handshake(stage);
  assertEquals([again.bodies(2)[0].ip, again.ops.includes(4)], ["203.0.113.2", true]);
  await stage.discord.close();
});

Deno.test("voice gateway: a stage is not encrypted, and takes clients without DAVE", async () => {
  const stage = await VoiceStage.open();
  const [a, b] = [await stage.client("alice", "4003"), await stage.client("bob", "4003")];
  for (const client of [a, b]) {
    client.identify({ max_dave_protocol_version: 0 });
    await stage.settle();
    client.discover();
    await stage.settle();
    client.selectProtocol();
    await stage.settle();
  }
  assertEquals(a.bodies(4)[0].dave_protocol_version, 0);
  a.say([0x78, 1]);
  await stage.settle();
  assertEquals([b.heard, stage.voice.media.plain], [[{ ssrc: a.ssrc, frame: [0x78, 1] }], 0]);
  await stage.discord.close();
});

Deno.test("voice gateway: faults leave out what they name", async () => {
  const stage = await VoiceStage.open();
  const { faults } = stage.voice;
  faults.silentHello = 1;
  const mute = await stage.client("alice");
  assertEquals(mute.ops, []);
  faults.silentReady = 1;
  const a = await stage.client("bob");
  a.identify();
  await stage.settle();
  assertEquals(a.ops, [8]);
  faults.silentDescription = 1;
  faults.modes = ["aead_xchacha20_poly1305_rtpsize"];
  const b = await stage.client("carol");
  b.mode = "aead_xchacha20_poly1305_rtpsize";
  await b.handshake(stage);
  assertEquals([b.ops, b.bodies(2)[0].modes], [[8, 2], faults.modes]);
  faults.muteAcks = true;
  b.send(3, { t: 1, seq_ack: -1 });
  await stage.settle();
  assertEquals(b.bodies(6), []);
  faults.rejectDials = [503];
  const dial = () => stage.voice.dial(`wss://${b.credentials.endpoint}/?v=8`);
  assertEquals(await dial().then(() => "open", (error) => error.code), "ERR_DIAL_FAILED");
  await stage.discord.close();
});
