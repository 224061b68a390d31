/**
 * Our voice connection in one call with @discordjs/voice: both speak at once, and each hears the other's packets as they were
 * said, in order. Also after one has left and returned, while connections are cut, and after a new voice session.
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import type { VoiceConnectionEvent } from "../../voice/mod.ts";
import { type Exchange, listen, SILENCE, VoicePair } from "./voice_pair.ts";

/** Everything was heard, in order and as it was. */
function assertWhole({ said, heard, lost }: Exchange): void {
  const differs = said.findIndex((frame, at) => frame !== heard[at]);
  const [wanted, found] = [said, heard].map((frames) => frames[differs]?.slice(0, 32));
  const whole = { differs: -1, wanted: undefined, found: undefined, count: said.length, lost: 0 };
  assertEquals({ differs, wanted, found, count: heard.length, lost }, whole);
}

/** Whatever was heard had been said, in that order; silence aside. */
function assertInOrder({ said, heard }: Exchange): void {
  let at = -1;
  const strange = heard.filter((frame) => frame !== SILENCE).filter((frame) => {
    const next = said.indexOf(frame, at + 1);
    if (next !== -1) at = next;
    return next === -1;
  });
  assertEquals(strange.map((frame) => frame.slice(0, 32)), []);
}

Deno.test("voice peers: ours and a client of @discordjs/voice hear every packet of each other, and again after that one leaves and returns", async () => {
  await using pair = await VoicePair.open("aead_aes256_gcm_rtpsize");
  const { voice, peers } = pair;
  await using ours = await pair.joinOurs();
  await pair.joinPeer();
  const ear = listen(ours, pair.peerId);
  await pair.secured(ours);
  assertEquals([voice.call().daveMembers.length, ours.dave?.epoch], [2, 1n]);
  const code = ours.dave?.privacyCode;
  await pair.introduce(ours);
  // Ours keeps packets that come before it is said whose they are: nobody introduces the other.
  const first = await pair.talk(ours, ear);
  assertWhole(first.ours);
  assertWhole(first.theirs);

  await pair.leavePeer();
  await peers.until("ours is alone", () => ours.userIds.length === 0 && voice.call().daveMembers.length < 2);
  await pair.joinPeer();
  await pair.secured(ours);
  assertNotEquals(ours.dave?.privacyCode, code);
  await pair.introduce(ours);
  const second = await pair.talk(ours, ear);
  assertWhole(second.ours);
  assertWhole(second.theirs);
  pair.assertFlawless();
});

Deno.test("voice peers: the other encryption, and ours comes second, leaves and returns", async () => {
  await using pair = await VoicePair.open("aead_xchacha20_poly1305_rtpsize");
  await pair.joinPeer();
  for (let stays = 0; stays < 2; stays++) {
    await using ours = await pair.joinOurs();
    const ear = listen(ours, pair.peerId);
    await pair.secured(ours);
    await pair.introduce(ours);
    const { ours: said, theirs } = await pair.talk(ours, ear);
    assertWhole(said);
    assertWhole(theirs);
    await ours.close();
    await pair.peers.until("the other is alone", () => pair.voice.call().userIds.length === 1);
  }
  pair.assertFlawless();
});

Deno.test("voice peers: connections are cut while ours and a client of @discordjs/voice talk", async (t) => {
  await using pair = await VoicePair.open("aead_aes256_gcm_rtpsize");
  await using ours = await pair.joinOurs();
  await pair.joinPeer();
  const ear = listen(ours, pair.peerId);
  await pair.secured(ours);
  await pair.introduce(ours);

  await t.step("ours resumes its voice session: not a packet is missing in either direction", async () => {
    const { ours: said, theirs } = await pair.talk(ours, ear, () => pair.cut(pair.botId));
    assertWhole(said);
    assertWhole(theirs);
    assertEquals(pair.events.filter(isLive).map(({ resumed }) => resumed), [false, true]);
  });

  await t.step("the shard resumes at the main gateway: voice does not notice", async () => {
    const { discord, peers } = pair;
    const { ours: said, theirs } = await pair.talk(ours, ear, async () => {
      discord.connections[0]?.drop();
      await peers.until("the shard has resumed", () => discord.journal.resumes().length === 1);
    });
    assertWhole(said);
    assertWhole(theirs);
  });

  await t.step("the other resumes: ours hears all that it says, and is heard again", async () => {
    const { ours: said, theirs } = await pair.talk(ours, ear, () => pair.cut(pair.peerId));
    // Its player puts silence in between while it has no connection.
    const sound = (frames: readonly string[]) => frames.filter((frame) => frame !== SILENCE);
    assertWhole({ said: sound(theirs.said), heard: sound(theirs.heard), lost: theirs.lost });
    // While it resumes it hands on frames as they come, still encrypted.
    const asTheyCame = said.heard.flatMap((frame, at) => frame === said.said[at] ? [] : [frame]);
    assertEquals(said.heard.length, said.said.length);
    assertEquals(asTheyCame.filter((frame) => !frame.endsWith("fafa")), []);
    const after = await pair.talk(ours, ear);
    assertWhole(after.ours);
    assertWhole(after.theirs);
  });

  // Nobody needed new keys.
  assertEquals([pair.voice.call().daveEpoch, ours.dave?.epoch], [1, 1n]);
  pair.assertFlawless();
});

Deno.test("voice peers: ours needs a new voice session while both talk, and nothing of it leaves in the clear", async () => {
  await using pair = await VoicePair.open("aead_aes256_gcm_rtpsize");
  await using ours = await pair.joinOurs();
  await pair.joinPeer();
  const ear = listen(ours, pair.peerId);
  await pair.secured(ours);
  await pair.introduce(ours);
  const peersConnection = pair.connectionOf(pair.peerId).id;

  const { ours: said, theirs } = await pair.talk(ours, ear, async () => {
    pair.connectionOf(pair.botId).close(4006);
    await pair.peers.until("ours is live again", () => pair.events.filter(isLive).length === 2);
  });
  assertEquals(pair.events.filter(isLive).map(({ resumed }) => resumed), [false, false]);
  // Each misses what was said while there was no group of two, and nothing else is heard in its place.
  assertInOrder(said);
  assertInOrder(theirs);
  await pair.secured(ours);
  const after = await pair.talk(ours, ear);
  assertWhole(after.ours);
  assertWhole(after.theirs);
  // @discordjs/voice speaks in the clear while it makes a new group. The fake keeps that to itself.
  pair.assertFlawless({ plainOf: [peersConnection] });
});

function isLive(event: VoiceConnectionEvent): event is VoiceConnectionEvent & { readonly type: "live" } {
  return event.type === "live";
}
