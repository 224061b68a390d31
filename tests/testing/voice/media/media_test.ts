import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type RawVoiceClient, VoiceStage } from "../../../voice_client.ts";

const FRAME = [0x78, 1, 2, 3];
const SILENCE = [0xf8, 0xff, 0xfe];

async function pair(): Promise<{ stage: VoiceStage; a: RawVoiceClient; b: RawVoiceClient }> {
  const stage = await VoiceStage.open();
  return { stage, a: await stage.speaker("alice"), b: await stage.speaker("bob") };
}

Deno.test("voice media: two clients join, form a group, and hear each other", async () => {
  const { stage, a, b } = await pair();
  a.say(FRAME);
  b.say([0x78, 4, 5, 6]);
  await stage.settle();
  assertEquals([a.heard, b.heard], [
    [{ ssrc: b.ssrc, frame: [0x78, 4, 5, 6] }],
    [{ ssrc: a.ssrc, frame: FRAME }],
  ]);
  assertEquals([a.errors, b.errors, stage.violations()], [[], [], []]);
  assertEquals([stage.voice.media.plain, stage.voice.media.encrypted], [0, 2]);
  await stage.discord.close();
  assertEquals(stage.clock.pending, 0);
});

Deno.test("voice media: each has a key of its own, and one hears the other in its own mode", async () => {
  const stage = await VoiceStage.open();
  const a = await stage.speaker("alice");
  const b = await stage.client("bob");
  b.mode = "aead_xchacha20_poly1305_rtpsize";
  await b.handshake(stage);
  assertNotEquals(a.key, b.key);
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.say(FRAME);
    await stage.settle();
    assertEquals(to.heard, [{ ssrc: from.ssrc, frame: FRAME }]);
  }
  await stage.discord.close();
});

Deno.test("voice media: a frame in the clear is a violation where the call is encrypted, and goes no further", async () => {
  const { stage, a, b } = await pair();
  a.say(FRAME, { plain: true });
  a.say(SILENCE, { plain: true });
  await stage.settle();
  assertEquals(b.heard, [{ ssrc: a.ssrc, frame: SILENCE }]);
  assertEquals(stage.violations(), ["no frame leaves in the clear where DAVE has version 1"]);
  assertEquals(stage.voice.media.plain, 1);
  await stage.discord.close();
});

Deno.test("voice media: without op 5 before it sound costs 4020, but not where op 5 is merely late", async () => {
  const { stage, a, b } = await pair();
  a.sendFrame(FRAME);
  await stage.clock.advance(900);
  a.say(FRAME);
  b.sendFrame(FRAME);
  await stage.clock.advance(900);
  assertEquals(b.end, null);
  await stage.clock.advance(200);
  assertEquals([a.end, b.end?.code], [null, 4020]);
  assertEquals(stage.violations(), ["op 5 with a bit comes before the first packet of sound"]);
  await stage.discord.close();
});

Deno.test("voice media: who comes later hears at once who speaks", async () => {
  const { stage, a } = await pair();
  a.say(FRAME);
  const c = await stage.speaker("carol");
  assertEquals(c.bodies(5), [{ speaking: 1, ssrc: a.ssrc, user_id: a.id }]);
  a.sendFrame(FRAME);
  await stage.settle();
  assertEquals(c.heard, [{ ssrc: a.ssrc, frame: FRAME }]);
  await stage.discord.close();
});

Deno.test("voice media: what was changed, replayed or comes from elsewhere is dropped and counted", async () => {
  const { stage, a, b } = await pair();
  a.send(5, { speaking: 1, delay: 0, ssrc: a.ssrc });
  const packet = a.packet(Uint8Array.from(a.session?.encryptOpus(Buffer.from(FRAME)) ?? []));
  const changed = packet.map((byte, at) => at === 14 ? byte ^ 1 : byte);
  for (const datagram of [changed, packet, packet, packet.slice(0, 20), Uint8Array.of(1, 2, 3)]) {
    a.socket.send(datagram, a.media);
  }
  b.socket.send(packet, b.media);
  await stage.settle();
  const { received, unopened, replayed, strange } = stage.voice.media;
  assertEquals([received, unopened, replayed, strange], [1, 2, 1, 2]);
  assertEquals([b.heard.length, stage.violations()], [1, []]);
  await stage.discord.close();
});

Deno.test("voice media: packets are counted, go on in time, and hold Opus", async () => {
  const { stage, a } = await pair();
  const violate = async (change: () => void) => {
    const before = stage.violations().length;
    change();
    a.say(FRAME);
    await stage.settle();
    return stage.violations().slice(before);
  };
  assertEquals(await violate(() => {}), []);
  assertEquals(await violate(() => {}), []);
  assertEquals(await violate(() => a.timestamp += 960 * 50), []);
  assertEquals((await violate(() => a.rtpSequence += 1)).length, 1);
  assertEquals((await violate(() => a.timestamp += 7)).length, 1);
  assertEquals((await violate(() => a.timestamp -= 1920)).length, 1);
  await stage.discord.close();
});

Deno.test("voice media: packets come with an extension and padding at times, reports among them, or bare", async () => {
  const { stage, a, b } = await pair();
  for (let count = 0; count < 6; count++) a.say(FRAME);
  await stage.settle();
  const types = () =>
    b.datagrams.filter(([flags = 0]) => flags >= 0x80).map(([flags, type]) => `${flags} ${type}`);
  assertEquals(types(), ["144 120", "128 200", "144 120", "176 120", "144 120", "144 120", "176 120"]);
  assertEquals(b.heard.length, 6);
  stage.voice.faults.bareRtp = true;
  a.say(FRAME);
  await stage.settle();
  assertEquals(types().at(-1), "128 120");
  assertEquals(b.heard.at(-1)?.frame, FRAME);
  await stage.discord.close();
});

Deno.test("voice media: an address is found out, at the second attempt, among strays", async () => {
  const stage = await VoiceStage.open();
  stage.voice.faults.silentDiscovery = 1;
  stage.voice.faults.strayDatagrams = true;
  const a = await stage.client("alice");
  a.identify();
  await stage.settle();
  a.discover();
  await stage.settle();
  assertEquals([a.datagrams.length, stage.voice.media.discoveries], [0, 1]);
  a.discover();
  await stage.settle();
  assertEquals(a.datagrams.map(({ length }) => length), [1, 40, 74, 74, 74]);
  const answer = a.datagrams.at(-1) ?? new Uint8Array();
  const view = new DataView(answer.buffer);
  assertEquals([view.getUint16(0), view.getUint16(2), view.getUint32(4), view.getUint16(72)], [
    2,
    70,
    a.ssrc,
    a.socket.address.port,
  ]);
  assertEquals(String.fromCharCode(...answer.subarray(8, 18)), "192.0.2.1\0");
  a.selectProtocol({ port: 9 });
  await stage.settle();
  assertEquals(stage.violations(), ["select protocol names the address that was found"]);
  a.socket.send(Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0), a.media);
  await stage.settle();
  assertEquals(a.datagrams.at(-1)?.length, 8);
  await stage.discord.close();
});

Deno.test("voice media: loss, doubles, overtaking and damage come as often as they are asked for, by the same dice", async () => {
  const story = async () => {
    const { stage, a, b } = await pair();
    const { downlink } = stage.voice;
    const send = async (count: number) => {
      const before = b.datagrams.length;
      for (let sent = 0; sent < count; sent++) {
        a.say([0x78, sent & 0xff]);
        await stage.clock.advance(20);
      }
      await stage.clock.advance(200);
      return b.datagrams.slice(before);
    };
    const sequences = (datagrams: readonly Uint8Array[]) =>
      datagrams.filter(([, type]) => type === 120).map((datagram) =>
        new DataView(datagram.buffer).getUint16(2)
      );
    stage.voice.faults.bareRtp = true;
    downlink.loss = 0.5;
    const lost = sequences(await send(100)).length;
    assert(lost > 30 && lost < 70, `${lost}`);
    downlink.loss = 0;
    downlink.duplicates = 1;
    assertEquals(sequences(await send(10)).length, 20);
    downlink.duplicates = 0;
    downlink.reordering = 0.3;
    const reordered = sequences(await send(30));
    assertEquals(reordered.length, 30);
    assert(
      reordered.some((sequence, at) => at > 0 && (sequence - (reordered[at - 1] ?? 0) & 0xffff) > 0x8000),
    );
    downlink.reordering = 0;
    downlink.truncation = 1;
    assert((await send(5)).every(({ length }) => length < 40));
    return [lost, reordered, b.errors];
  };
  const [first, second] = [await story(), await story()];
  assertEquals(first, second);
});
