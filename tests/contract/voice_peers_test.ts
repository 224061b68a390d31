/** The fake's voice side against clients that nobody here wrote: @discordjs/voice on Node, with DAVE, by TLS and UDP. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FakeDiscord, type FakeVoice } from "../fake/mod.ts";
import { selfSigned } from "./certificate.ts";
import { DiscordjsVoice } from "./discordjs_voice.ts";

const GUILDS = [{ channels: [{ name: "voice", type: 2 }], members: ["alice", "bob", "carol"] }];

/** Opus frames that cannot be taken for others. */
function frames(name: string, count: number): Uint8Array[] {
  const letters = [...new TextEncoder().encode(name)];
  return Array.from({ length: count }, (_, at) => Uint8Array.of(0x78, at, ...letters));
}

async function opened(): Promise<{ discord: FakeDiscord; voice: FakeVoice; peers: DiscordjsVoice }> {
  const discord = new FakeDiscord({ guilds: GUILDS });
  const voice = await discord.openVoice();
  const tls = await selfSigned();
  await voice.listen({ tls });
  return { discord, voice, peers: await DiscordjsVoice.start(tls.cert) };
}

/** One speaks until the other has heard a frame of it: the first may arrive before op 5 does. */
async function hears(
  peers: DiscordjsVoice,
  from: { readonly as: string; readonly id: string },
  to: string,
): Promise<void> {
  const giveUpAt = performance.now() + 120_000;
  while (performance.now() < giveUpAt) {
    for (const frame of frames(`${from.as} to ${to}`, 50)) {
      await peers.say(from.as, frame);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (peers.hasHeard(to, from.id, frame)) return;
    }
  }
  throw new Error(
    `${to} does not hear ${from.as}: ${JSON.stringify(peers.reports.slice(-8))} ${peers.stderr}`,
  );
}

Deno.test("voice peers: the other encryption, and a network that loses, doubles and delays", async () => {
  const { discord, voice, peers: started } = await opened();
  await using _ = discord;
  await using peers = started;
  voice.faults.modes = ["aead_xchacha20_poly1305_rtpsize"];
  Object.assign(voice.uplink, { loss: 0.1, jitterMs: 10 });
  Object.assign(voice.downlink, { loss: 0.1, duplicates: 0.1, reordering: 0.1, jitterMs: 10 });
  const [alice, bob] = [voice.enter("alice"), voice.enter("bob")];
  await peers.join("alice", alice);
  await peers.join("bob", bob);
  await peers.until("both are secured", () => peers.isSecured("alice") && peers.isSecured("bob"));
  assertEquals(voice.sessions.map(({ mode }) => mode), [...voice.faults.modes, ...voice.faults.modes]);
  await hears(peers, { as: "alice", id: alice.userId }, "bob");
  await hears(peers, { as: "bob", id: bob.userId }, "alice");
  assertEquals([peers.errors, peers.stderr], [[], ""]);
  assertEquals([voice.media.plain, voice.media.unopened], [0, 0]);
});

Deno.test("voice peers: clients of @discordjs/voice hear each other with DAVE, through a resume, a leave and a join", async () => {
  const { discord, voice, peers: started } = await opened();
  await using _ = discord;
  await using peers = started;
  const credentials = { alice: voice.enter("alice"), bob: voice.enter("bob") };
  const [alice, bob] = [
    { as: "alice", id: credentials.alice.userId },
    { as: "bob", id: credentials.bob.userId },
  ];
  await peers.join("alice", credentials.alice);
  await peers.until(
    "alice is alone in the call",
    () => voice.sessions[0]?.mode !== null && voice.sessions[0] !== undefined,
  );
  await peers.join("bob", credentials.bob);
  await peers.until("both are secured", () => peers.isSecured("alice") && peers.isSecured("bob"));
  assertEquals([voice.call().daveMembers.length, voice.call().daveEpoch], [2, 1]);
  assertEquals(peers.privacyCode("alice"), peers.privacyCode("bob"));
  await hears(peers, alice, "bob");
  await hears(peers, bob, "alice");

  // A cut: it resumes, keeps its keys, and is heard.
  const before = voice.journal.of("session").filter(({ change }) => change === "resumed").length;
  voice.connections.find(({ session }) => session?.credentials.userId === alice.id)?.drop();
  await peers.until("alice has resumed", () => {
    return voice.journal.of("session").filter(({ change }) => change === "resumed").length > before;
  });
  await hears(peers, alice, "bob");
  await hears(peers, bob, "alice");
  assertEquals(voice.call().daveEpoch, 1);

  // A third comes while nobody is cut: a new epoch for all.
  const carol = { as: "carol", credentials: voice.enter("carol") };
  const code = peers.privacyCode("bob");
  await peers.join("carol", carol.credentials);
  await peers.until(
    "three are secured",
    () => voice.call().daveEpoch === 2 && voice.call().pendingTransitions === 0,
  );
  await peers.until("carol is secured", () => peers.isSecured("carol"));
  await peers.until("bob has moved on", () => peers.privacyCode("bob") !== code);
  await hears(peers, { as: "carol", id: carol.credentials.userId }, "alice");
  await hears(peers, alice, "carol");
  await hears(peers, bob, "carol");

  // One leaves: the others go on without it.
  const three = peers.privacyCode("carol");
  await peers.leave("alice");
  await peers.until(
    "alice said op 4",
    () => peers.reports.some(({ event, channelId }) => event === "op 4" && channelId === null),
  );
  voice.kick("alice");
  await peers.until(
    "two are left",
    () => voice.call().daveEpoch === 3 && voice.call().pendingTransitions === 0,
  );
  await peers.until("carol has moved on", () => peers.privacyCode("carol") !== three);
  await hears(peers, bob, "carol");
  await hears(peers, { as: "carol", id: carol.credentials.userId }, "bob");
  assertNotEquals(peers.privacyCode("carol"), three);

  assertEquals(voice.call().userIds, [bob.id, carol.credentials.userId]);
  assertEquals([peers.errors, peers.stderr], [[], ""]);
  assertEquals(voice.journal.violations().map(({ rule }) => rule), []);
  assert(voice.media.encrypted > 8);
  assertEquals([voice.media.plain, voice.media.unopened, voice.media.replayed], [0, 0, 0]);
});
