/** Op 21 to 31 of the fake, followed by clients with davey: every change of a call, every fault, and random stories. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { assertProperty } from "../../../property.ts";
import { type RawVoiceClient, VoiceStage } from "../../../voice_client.ts";

/** Everybody is in the group, in one epoch under one code, and hears everybody else. */
async function assertTalk(stage: VoiceStage, ...clients: readonly RawVoiceClient[]): Promise<void> {
  await stage.settle();
  const call = stage.voice.call();
  assertEquals(new Set(call.daveMembers), new Set(clients.map(({ id }) => id)));
  assertEquals(clients.map(({ session }) => session?.epoch), clients.map(() => BigInt(call.daveEpoch)));
  assertEquals(new Set(clients.map(({ session }) => session?.voicePrivacyCode)).size, 1);
  assertEquals(call.pendingTransitions, 0);
  for (const from of clients) {
    const before = clients.map(({ heard }) => heard.length);
    const frame = [0x78, ...from.id.slice(-6).split("").map(Number)];
    from.say(frame);
    await stage.settle();
    clients.forEach((to, at) => {
      const heard = to.heard.slice(before[at]);
      assertEquals(
        heard,
        to === from ? [] : [{ ssrc: from.ssrc, frame }],
        `${from.id} to ${to.id}: ${to.errors}`,
      );
    });
  }
  assertEquals([stage.voice.media.plain, stage.violations()], [0, []]);
}

async function talking(
  ...users: readonly string[]
): Promise<{ stage: VoiceStage; clients: RawVoiceClient[] }> {
  const stage = await VoiceStage.open();
  const clients: RawVoiceClient[] = [];
  for (const user of users) clients.push(await stage.speaker(user));
  await assertTalk(stage, ...clients);
  return { stage, clients };
}

/** One client of those that were made; fails the test if there are fewer. */
function nth(clients: readonly RawVoiceClient[], at: number): RawVoiceClient {
  const client = clients[at];
  if (!client) throw new Error(`There is no client ${at}`);
  return client;
}

Deno.test("dave: who is alone waits for somebody, and is told nothing more", async () => {
  const stage = await VoiceStage.open();
  const a = await stage.speaker("alice");
  await stage.clock.advance(10_000);
  assertEquals(a.ops, [8, 2, 4, 25]);
  assertEquals([stage.voice.call().daveEpoch, a.session?.ready], [0, false]);
  await stage.discord.close();
});

Deno.test("dave: at creation the winner gets op 29, all others op 30, and op 22 follows when all have said op 23", async () => {
  const { stage, clients } = await talking("alice", "bob");
  const announced = clients.map(({ ops }) => ops.filter((op) => op === 29 || op === 30)).flat().sort();
  assertEquals(announced, [29, 30]);
  for (const { bodies } of clients) assertEquals(bodies.call(nth(clients, 0), 22), [{ transition_id: 1 }]);
  await stage.discord.close();
});

Deno.test("dave: a transition that not all confirm is executed all the same, when it has taken too long", async () => {
  const stage = await VoiceStage.open({ transitionTimeoutMs: 3000 });
  const a = await stage.speaker("alice");
  const b = await stage.client("bob");
  b.withheld.add(23);
  await b.handshake(stage);
  await stage.clock.advance(2900);
  assertEquals([a.bodies(22), stage.voice.call().pendingTransitions], [[], 1]);
  await stage.clock.advance(200);
  assertEquals([a.bodies(22), b.bodies(22)], [[{ transition_id: 1 }], [{ transition_id: 1 }]]);
  await stage.discord.close();
});

Deno.test("dave: a third comes, one goes, and comes back", async () => {
  const { stage, clients } = await talking("alice", "bob", "carol");
  const [a, b, c] = [nth(clients, 0), nth(clients, 1), nth(clients, 2)];
  const code = b.session?.voicePrivacyCode;
  stage.voice.kick("alice");
  await assertTalk(stage, b, c);
  assertNotEquals(b.session?.voicePrivacyCode, code);
  assertEquals(a.end?.code, 4014);
  await assertTalk(stage, b, c, await stage.speaker("alice"));
  await stage.discord.close();
});

Deno.test("dave: who is left alone starts over: op 24 with epoch 1, op 21 with transition 0", async () => {
  const { stage, clients } = await talking("alice", "bob");
  const b = nth(clients, 1);
  const before = b.messages.length;
  stage.voice.kick("alice");
  await stage.settle();
  assertEquals(b.messages.slice(before).map(({ op, d }) => [op, d]), [
    [13, { user_id: nth(clients, 0).id }],
    [24, { protocol_version: 1, epoch: 1 }],
    [21, { protocol_version: 1, transition_id: 0 }],
  ]);
  assertEquals([stage.voice.call().daveEpoch, b.session?.ready], [0, false]);
  await assertTalk(stage, b, await stage.speaker("carol"));
  await stage.discord.close();
});

Deno.test("dave: several who come and go at once end up in one group", async () => {
  const { stage, clients } = await talking("alice", "bob");
  const [a, b] = [nth(clients, 0), nth(clients, 1)];
  const [c, d] = [await stage.client("carol"), await stage.client("dave")];
  const both = [c, d];
  for (const client of both) client.identify();
  await stage.settle();
  for (const client of both) client.discover();
  await stage.settle();
  for (const client of both) client.selectProtocol();
  // Before anything of it is done, one leaves.
  stage.voice.kick("alice");
  await assertTalk(stage, b, c, d);
  assertEquals(a.end?.code, 4014);
  await stage.discord.close();
});

Deno.test("dave: op 31 and a fresh key package: removed and added in one op 27, heard again", async () => {
  const { stage, clients } = await talking("alice", "bob", "carol");
  stage.voice.faults.dave.flipCommitFor.push(nth(clients, 1).id);
  const d = await stage.speaker("dave");
  await assertTalk(stage, ...clients, d);
  assertEquals(nth(clients, 1).errors.length, 1);
  assertEquals(stage.voice.journal.of("frame").filter(({ op }) => op === 31).length, 1);
  await stage.discord.close();
});

Deno.test("dave: everybody loses the group at once, and a new one is made", async () => {
  const { stage, clients } = await talking("alice", "bob");
  stage.voice.faults.dave.flipCommitFor.push(...clients.map(({ id }) => id));
  const c = await stage.speaker("carol");
  await assertTalk(stage, ...clients, c);
  await stage.discord.close();
});

Deno.test("dave: a welcome without a secret is answered by op 31, and the next one has it", async () => {
  const { stage, clients } = await talking("alice", "bob");
  stage.voice.faults.dave.emptyWelcomes = 1;
  const c = await stage.speaker("carol");
  await assertTalk(stage, ...clients, c);
  assertEquals(c.errors.length, 1);
  await stage.discord.close();
});

Deno.test("dave: an add and a removal in two op 27 lose the welcome, and all of it said anew heals it", async () => {
  const { stage, clients } = await talking("alice", "bob", "carol");
  const [a, b, c] = [nth(clients, 0), nth(clients, 1), nth(clients, 2)];
  stage.voice.faults.dave.splitAddRemove = true;
  const d = await stage.client("dave");
  d.identify();
  await stage.settle();
  d.discover();
  await stage.settle();
  const before = b.messages.length;
  stage.voice.kick("alice");
  d.selectProtocol();
  await assertTalk(stage, b, c, d);
  assertEquals(a.end?.code, 4014);
  assert(b.messages.slice(before).filter(({ op }) => op === 27).length >= 1);
  await stage.discord.close();
});

Deno.test("dave: removed and added anew by two op 27: taken back, and said in one", async () => {
  const { stage, clients } = await talking("alice", "bob", "carol");
  const [a, b] = [nth(clients, 0), nth(clients, 1)];
  stage.voice.faults.dave.splitAddRemove = true;
  const before = b.messages.length;
  a.send(31, { transition_id: 1 });
  a.startOver();
  await assertTalk(stage, ...clients);
  const operations = b.messages.slice(before).filter(({ op }) => op === 27).map(({ d }) => d[0]);
  assertEquals(operations, [0, 0, 1, 0]);
  await stage.discord.close();
});

Deno.test("dave: adds that are taken back and made again are committed to once", async () => {
  const { stage, clients } = await talking("alice", "bob");
  stage.voice.faults.dave.revokeAdds = 1;
  const c = await stage.speaker("carol");
  const operations = nth(clients, 0).bodies(27).slice(-3).map(([operation]) => operation);
  assertEquals(operations, [0, 1, 0]);
  await assertTalk(stage, ...clients, c);
  await stage.discord.close();
});

Deno.test("dave: proposals with a fault are refused by clients; the group goes on, and the next are good", async () => {
  const { stage, clients } = await talking("alice", "bob");
  stage.voice.faults.dave.proposals.push({ foreignKey: true });
  const c = await stage.speaker("carol");
  await stage.settle();
  assertEquals([c.session?.ready, stage.voice.call().daveEpoch], [false, 1]);
  assert(clients.every(({ errors }) => errors.length === 1));
  // It comes anew.
  await assertTalk(stage, ...clients, await stage.speaker("carol"));
  await stage.discord.close();
});

Deno.test("dave: an overtaken commit that is announced all the same splits those who do not look, until op 31 mends it", async () => {
  const { stage, clients } = await talking("alice", "bob");
  const [a, b] = [nth(clients, 0), nth(clients, 1)];
  stage.voice.faults.dave.announceOvertaken = true;
  // Only the commit to the first of two op 27 comes back: as if the second were on its way.
  b.withheld.add(28);
  a.withheld.add(28);
  const c = await stage.speaker("carol");
  const older = a.lastCommit;
  const d = await stage.speaker("dave");
  a.withheld.delete(28);
  b.withheld.delete(28);
  assert(older !== null && older !== a.lastCommit);
  a.sendBinary(28, older);
  await stage.settle();
  // davey took the older commit for its newest, and could not follow the next.
  assertMatch(`${a.errors}`, /op 29/);
  assertEquals(stage.voice.journal.of("frame").filter(({ op }) => op === 31).length, 1);
  await assertTalk(stage, a, b, c, d);
  await stage.discord.close();
});

Deno.test("dave: transition 0 takes effect at once and is not confirmed", async () => {
  const stage = await VoiceStage.open();
  stage.voice.faults.dave.zeroTransitions = true;
  const clients = [await stage.speaker("alice"), await stage.speaker("bob")];
  await assertTalk(stage, ...clients);
  assertEquals(stage.voice.journal.of("frame").filter(({ op }) => op === 23), []);
  assertEquals(clients.map((client) => client.bodies(22)), [[], []]);
  await stage.discord.close();
});

Deno.test("dave: down to no encryption and up again, by transitions that all have confirmed", async () => {
  const { stage, clients } = await talking("alice", "bob");
  const [a, b] = [nth(clients, 0), nth(clients, 1)];
  stage.voice.setDaveVersion(0);
  await stage.settle();
  assertEquals(a.bodies(21), [{ protocol_version: 0, transition_id: 2 }]);
  assertEquals([stage.voice.call().daveVersion, a.daveVersion, b.daveVersion], [0, 0, 0]);
  a.say([0x78, 9]);
  await stage.settle();
  assertEquals(b.heard.at(-1), { ssrc: a.ssrc, frame: [0x78, 9] });
  // Who comes meanwhile is told that there is none.
  const c = await stage.speaker("carol");
  assertEquals([c.bodies(4)[0].dave_protocol_version, c.ops.includes(25)], [0, false]);
  stage.voice.setDaveVersion(1);
  await stage.settle();
  assertEquals(c.bodies(24), [{ protocol_version: 1, epoch: 1 }]);
  await stage.clock.advance(2000);
  assertEquals(stage.voice.call().daveVersion, 1);
  await assertTalk(stage, a, b, c);
  a.say([0x78, 9], { plain: true });
  await stage.settle();
  assertEquals(stage.voice.media.plain, 1);
  await stage.discord.close();
});

Deno.test("dave: what clients do wrong is noted", async () => {
  const { stage, clients } = await talking("alice", "bob");
  const a = nth(clients, 0);
  const rules = async (act: () => void) => {
    const before = stage.violations().length;
    act();
    await stage.settle();
    return stage.violations().slice(before);
  };
  assertEquals((await rules(() => a.send(23, { transition_id: 0 }))).length, 1);
  assertEquals((await rules(() => a.send(23, { transition_id: 99 }))).length, 1);
  assertEquals(await rules(() => a.send(23, { transition_id: 1 })), []);
  assertEquals((await rules(() => a.sendBinary(28, Uint8Array.of(0, 1)))).length, 1);
  assertEquals((await rules(() => a.sendBinary(26, Uint8Array.of(0, 1)))).length, 1);
  const stranger = await stage.client("carol");
  stranger.identify();
  await stage.settle();
  assertEquals((await rules(() => stranger.sendBinary(26, Uint8Array.of(0, 1)))).length, 1);
  await stage.discord.close();
});

/** What may happen in a round. */
type Move = {
  readonly kind: "come" | "go" | "lose" | "cut";
  readonly who: number;
  readonly together: boolean;
};

const NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

Deno.test("dave: whatever happens in sixty rounds, those who are in the call hear each other", async () => {
  const move: fc.Arbitrary<Move> = fc.record({
    kind: fc.constantFrom("come", "come", "come", "go", "go", "lose", "cut"),
    who: fc.nat(NAMES.length - 1),
    together: fc.boolean(),
  });
  await assertProperty(
    fc.asyncProperty(fc.array(move, { minLength: 60, maxLength: 60 }), async (moves) => {
      const stage = await VoiceStage.open({ heartbeatInterval: 10_000_000, firstSequence: 65_400 });
      const present = new Map<string, RawVoiceClient>();
      for (const { kind, who, together } of moves) {
        const name = NAMES[who] ?? "alice";
        const client = present.get(name);
        if (kind === "come" && !client) {
          const next = await stage.client(name);
          next.mode = who % 2 === 0 ? next.mode : "aead_xchacha20_poly1305_rtpsize";
          next.identify();
          await stage.settle();
          next.discover();
          await stage.settle();
          next.selectProtocol();
          present.set(name, next);
        } else if (kind === "go" && client) {
          stage.voice.kick(name);
          present.delete(name);
        } else if (kind === "lose" && client?.session) {
          client.send(31, { transition_id: 1 });
          client.startOver();
        } else if (kind === "cut" && client) {
          stage.voice.connections.find(({ session }) => session?.credentials.userId === client.id)?.drop();
          client.attach(await stage.voice.dial(`wss://${client.credentials.endpoint}/?v=8`));
          client.resume();
        }
        if (together) continue;
        await stage.settle();
        if (present.size > 1) await assertTalk(stage, ...present.values());
      }
      await stage.discord.close();
      assertEquals(stage.clock.pending, 0);
    }),
    { numRuns: 3 },
  );
});
