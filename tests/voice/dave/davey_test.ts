/** The DAVE machine with the real @snazzah/davey: groups that form, change, break and recover. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import davey from "@snazzah/davey";
import { type DaveEvent, daveyProvider, VoiceMediaError } from "../../../voice/mod.ts";
import {
  Dave,
  type DaveMessage,
  type DaveOutput,
  readDaveTrailer,
  VoiceRoster,
} from "../../../voice/core.ts";
import { SmallDelivery } from "../small_delivery.ts";

const CHANNEL = "127121515262115840";

/** One client of a call. */
class Member {
  readonly id: string;
  readonly roster: VoiceRoster;
  readonly dave: Dave;
  readonly events: DaveEvent[] = [];
  /** Messages that went out and were not looked at: the opcode, and the payload or the transition. */
  readonly outbox: { op: number; payload: Uint8Array; transitionId: number | null }[] = [];
  now = 0;

  constructor(id: string) {
    this.id = id;
    this.roster = new VoiceRoster(id);
    const provider = daveyProvider(davey);
    this.dave = new Dave({ provider, userId: id, channelId: CHANNEL, roster: this.roster });
  }

  note(outputs: readonly DaveOutput[]): void {
    for (const output of outputs) {
      if (output.type === "event") this.events.push(output.event);
      else {
        const payload = typeof output.frame === "string" ? new Uint8Array() : output.frame.slice(1);
        this.outbox.push({ op: output.op, payload, transitionId: output.transitionId });
      }
    }
  }

  receive(message: DaveMessage): void {
    this.note(this.dave.receive(message, this.now));
  }

  /** The payload of the last message with an opcode; fails the test if none went out. */
  last(op: number): Uint8Array {
    const found = this.outbox.findLast((message) => message.op === op);
    if (found === undefined) throw new Error(`${this.id} sent no op ${op}`);
    return found.payload;
  }

  /** Numbers of the messages that went out since they were last asked for. */
  ops(): number[] {
    return this.outbox.splice(0).map((message) => message.op);
  }
}

/** A call and its server. */
class Call {
  readonly delivery = new SmallDelivery(CHANNEL);
  readonly members: Member[] = [];
  /** User by leaf. */
  readonly #leaves: (Member | null)[] = [];
  #transition = 0;

  /** A user joins the call, and the service learns of it. */
  enter(id: string): Member {
    const member = new Member(id);
    for (const other of this.members) {
      other.roster.connected([id]);
      member.roster.connected([other.id]);
    }
    this.members.push(member);
    member.receive({ op: 25, externalSender: this.delivery.externalSender });
    member.note(member.dave.describe(1));
    return member;
  }

  /** The first group: the first commits to the others. */
  create(...members: readonly Member[]): void {
    const [first, ...others] = members;
    if (first === undefined) throw new Error("Nobody is there");
    const proposals = this.delivery.append(...others.map((other) => ({ add: other.last(26) })));
    first.receive({ op: 27, operation: "append", proposals });
    this.#leaves.push(first);
    this.accept(first, others);
  }

  /** Adds and removes in one epoch; all members commit, `winner` wins. */
  change(winner: Member, { add = [], remove = [] }: { add?: Member[]; remove?: Member[] }): void {
    const removals = remove.map((member) => ({ remove: this.#leaves.indexOf(member) }));
    const proposals = this.delivery.append(...removals, ...add.map((member) => ({ add: member.last(26) })));
    for (const member of remove) this.#leaves[this.#leaves.indexOf(member)] = null;
    for (const member of this.#group()) member.receive({ op: 27, operation: "append", proposals });
    this.accept(winner, add);
  }

  /** Announces a commit: op 29 to the group, op 30 to the added, op 22 to all. */
  accept(winner: Member, added: readonly Member[]): void {
    const { commit, welcome } = this.delivery.split(winner.last(28));
    const transitionId = ++this.#transition;
    this.delivery.epoch++;
    for (const member of this.#group()) member.receive({ op: 29, transitionId, commit });
    for (const member of added) {
      const blank = this.#leaves.indexOf(null);
      if (blank >= 0) this.#leaves[blank] = member;
      else this.#leaves.push(member);
      member.receive({ op: 30, transitionId, welcome });
    }
    for (const member of this.#group()) member.receive({ op: 22, transitionId });
  }

  /** Everybody in the group hears everybody else, and all see one privacy code. */
  assertTalk(...members: readonly Member[]): void {
    assertEquals(new Set(members.map((member) => member.dave.privacyCode)).size, 1);
    for (const from of members) {
      const frame = Uint8Array.of(0x78, ...from.id.split("").map(Number), 1, 2, 3);
      const sent = from.dave.encrypt(frame);
      assert(sent !== null && readDaveTrailer(sent) !== null, `${from.id} is ${from.dave.phase}`);
      for (const to of members.filter((member) => member !== from)) {
        const heard = to.dave.decrypt(from.id, sent, to.now);
        assertEquals(
          heard.frame && Uint8Array.from(heard.frame),
          frame,
          `${from.id} to ${to.id}: ${heard.dropped}`,
        );
      }
    }
  }

  #group(): Member[] {
    return this.#leaves.filter((member) => member !== null);
  }
}

/** A call of two who hear each other. */
function pair(): { call: Call; a: Member; b: Member } {
  const call = new Call();
  const [a, b] = [call.enter("100"), call.enter("200")];
  call.create(a, b);
  return { call, a, b };
}

const FRAME = Uint8Array.of(0x78, 1, 2, 3);

Deno.test("davey: two form a group and hear each other, and send nothing before", () => {
  const call = new Call();
  const [a, b] = [call.enter("100"), call.enter("200")];
  assertEquals([...a.last(26).subarray(0, 4)], [0, 1, 0, 2]);
  assertEquals([a.dave.phase, a.dave.encrypt(FRAME), b.dave.encrypt(FRAME)], ["joining", null, null]);
  call.create(a, b);
  call.assertTalk(a, b);
  assertEquals([a.dave.epoch, b.dave.epoch, a.dave.privacyCode.length], [1n, 1n, 30]);
  assertEquals([a.ops(), b.ops()], [[26, 28, 23], [26, 23]]);
});

Deno.test("davey: a third comes, the first goes and comes back", () => {
  const { call, a, b } = pair();
  const before = a.dave.privacyCode;
  const c = call.enter("300");
  call.change(b, { add: [c] });
  call.assertTalk(a, b, c);
  assertNotEquals(a.dave.privacyCode, before);

  call.change(c, { remove: [a] });
  call.assertTalk(b, c);
  const sent = b.dave.encrypt(FRAME);
  assert(sent !== null);
  assertEquals(a.dave.decrypt("200", sent, 0).dropped, "undecryptable");

  const again = call.enter("400");
  call.change(b, { add: [again] });
  call.assertTalk(b, c, again);
});

Deno.test("davey: of two who commit at creation one wins, and the other is welcomed", () => {
  const call = new Call();
  const [a, b] = [call.enter("100"), call.enter("200")];
  a.receive({ op: 27, operation: "append", proposals: call.delivery.append({ add: b.last(26) }) });
  b.receive({ op: 27, operation: "append", proposals: call.delivery.append({ add: a.last(26) }) });
  assertEquals([a.ops(), b.outbox.map(({ op }) => op)], [[26, 28], [26, 28]]);
  const { commit, welcome } = call.delivery.split(b.last(28));
  b.receive({ op: 29, transitionId: 1, commit });
  a.receive({ op: 30, transitionId: 1, welcome });
  call.assertTalk(a, b);
});

Deno.test("davey: a damaged commit: op 31, a fresh key package, removed and added in one, and heard again", () => {
  const { call, a, b } = pair();
  const c = call.enter("300");
  const proposals = call.delivery.append({ add: c.last(26) });
  for (const member of [a, b]) member.receive({ op: 27, operation: "append", proposals });
  b.ops();
  const { commit } = call.delivery.split(a.last(28));
  const damaged = commit.map((byte, at) => at === commit.length - 5 ? byte ^ 1 : byte);
  // To one of the members only: the others go on.
  b.receive({ op: 29, transitionId: 2, commit: damaged });
  assertEquals(b.outbox.map(({ op, transitionId }) => [op, transitionId]), [[31, 2], [26, null]]);
  assertEquals([b.dave.phase, b.dave.encrypt(FRAME)], ["joining", null]);
  assertEquals(b.events.some((event) => event.type === "dave_recovery"), true);

  const fresh = b.last(26);
  call.delivery.epoch++;
  const { welcome } = call.delivery.split(a.last(28));
  a.receive({ op: 29, transitionId: 2, commit });
  c.receive({ op: 30, transitionId: 2, welcome });
  call.assertTalk(a, c);

  const mend = call.delivery.append({ remove: 1 }, { add: fresh });
  for (const member of [a, c]) member.receive({ op: 27, operation: "append", proposals: mend });
  const second = call.delivery.split(c.last(28));
  for (const member of [a, c]) member.receive({ op: 29, transitionId: 3, commit: second.commit });
  b.receive({ op: 30, transitionId: 3, welcome: second.welcome });
  call.assertTalk(a, b, c);
});

Deno.test("davey: the client's own commit that newer proposals have overtaken would split the group: it is rejected", () => {
  const { call, a } = pair();
  const [c, d] = [call.enter("300"), call.enter("400")];
  a.receive({ op: 27, operation: "append", proposals: call.delivery.append({ add: c.last(26) }) });
  const older = call.delivery.split(a.last(28)).commit;
  a.receive({ op: 27, operation: "append", proposals: call.delivery.append({ add: d.last(26) }) });
  a.ops();
  a.receive({ op: 29, transitionId: 2, commit: older });
  assertEquals([a.ops(), a.dave.phase], [[31, 26], "joining"]);
});

Deno.test("davey: messages for other members have no effect", () => {
  const { call, a, b } = pair();
  const pending = call.enter("300");
  pending.ops();
  // Proposals and a commit of the established group reach one who is not in it yet.
  const proposals = call.delivery.append({ remove: 1 });
  a.receive({ op: 27, operation: "append", proposals });
  pending.receive({ op: 27, operation: "append", proposals });
  pending.receive({ op: 29, transitionId: 2, commit: call.delivery.split(a.last(28)).commit });
  assertEquals([pending.ops(), pending.events.map((event) => event.type)], [[], ["dave_phase"]]);

  // A commit that comes a second time, and a welcome to a group that we are in.
  const { call: other, a: x, b: y } = pair();
  const z = other.enter("300");
  other.change(x, { add: [z] });
  const { commit, welcome } = other.delivery.split(x.last(28));
  for (const member of [x, y, z]) member.ops();
  y.receive({ op: 29, transitionId: 2, commit });
  z.receive({ op: 30, transitionId: 2, welcome });
  assertEquals([y.ops(), z.ops()], [[], []]);
  other.assertTalk(x, y, z);
  assertEquals(b.dave.phase, "secured");
});

Deno.test("davey: an add of a user who is not in the call is refused, and the commit that adds it as well", () => {
  const { call, a, b } = pair();
  const stranger = new Member("666");
  stranger.note(stranger.dave.describe(1));
  const proposals = call.delivery.append({ add: stranger.last(26) });
  a.ops();
  a.receive({ op: 27, operation: "append", proposals });
  assertEquals([a.ops(), a.events.at(-1)?.type], [[], "dave_refused"]);
  call.assertTalk(a, b);
});

Deno.test("davey: a removed member sends nothing with the old keys", () => {
  const { call, a, b } = pair();
  const c = call.enter("300");
  call.change(a, { add: [c] });
  const proposals = call.delivery.append({ remove: 1 });
  for (const member of [a, b, c]) member.receive({ op: 27, operation: "append", proposals });
  assertEquals(b.events.at(-1)?.type, "dave_refused");
  b.receive({ op: 29, transitionId: 9, commit: call.delivery.split(a.last(28)).commit });
  assertEquals([b.dave.phase, b.dave.encrypt(FRAME)], ["joining", null]);
});

Deno.test("davey: alone after a new epoch 1: not ready, nothing is sent; then a user joins", () => {
  const { call, a } = pair();
  a.roster.disconnected("200");
  a.receive({ op: 24, epoch: 1, version: 1 });
  a.receive({ op: 21, transitionId: 0, version: 1 });
  assertEquals([a.dave.phase, a.dave.alone, a.dave.encrypt(FRAME)], ["joining", true, null]);
  call.delivery.epoch = 0;
  const c = call.enter("300");
  a.roster.connected(["300"]);
  a.receive({ op: 27, operation: "append", proposals: call.delivery.append({ add: c.last(26) }) });
  const { commit, welcome } = call.delivery.split(a.last(28));
  a.receive({ op: 29, transitionId: 4, commit });
  c.receive({ op: 30, transitionId: 4, welcome });
  call.assertTalk(a, c);
});

Deno.test("davey: frames that are forged or replayed are refused, others still heard [case 71]", () => {
  const { a, b } = pair();
  const [first, second] = [a.dave.encrypt(FRAME), a.dave.encrypt(FRAME)];
  assert(first !== null && second !== null);
  assertNotEquals(first, second);
  const changed = first.map((byte, at) => at === 0 ? byte ^ 1 : byte);
  const hear = (frame: Uint8Array, from = "100") => b.dave.decrypt(from, frame, 0).dropped;
  assertEquals([hear(changed), hear(first), hear(first), hear(second)], [
    "undecryptable",
    null,
    "undecryptable",
    null,
  ]);
  assertEquals([hear(second, "999"), hear(FRAME)], ["unknown_sender", "plain"]);
});

Deno.test("davey: a frame's trailer is as the protocol says: no clear ranges, nonces from 1", () => {
  const { a } = pair();
  const nonces = [1, 2, 3].map(() => readDaveTrailer(a.dave.encrypt(FRAME) ?? new Uint8Array()));
  assertEquals(nonces, [1, 2, 3].map((nonce) => ({ nonce, clearRanges: [], mediaLength: FRAME.length })));
});

Deno.test("davey: garbage from the network is refused and leaves the group as it is", () => {
  const { call, a, b } = pair();
  for (const bytes of [[], [0], [1, 2, 3], new Array(200).fill(0xff)]) {
    const garbage = Uint8Array.from(bytes);
    a.receive({ op: 25, externalSender: garbage });
    a.receive({ op: 27, operation: "append", proposals: garbage });
    a.receive({ op: 27, operation: "revoke", proposals: garbage });
    a.dave.decrypt("200", Uint8Array.from([...bytes, bytes.length + 3, 0xfa, 0xfa]), 0);
  }
  b.receive({ op: 30, transitionId: 5, welcome: Uint8Array.of(1, 2, 3) });
  call.assertTalk(a, b);

  b.ops();
  b.receive({ op: 29, transitionId: 6, commit: Uint8Array.of(1, 2, 3) });
  assertEquals([b.ops(), b.dave.phase], [[31, 26], "joining"], "a commit that cannot be read: added anew");
  b.now += 1_000;
  b.receive({ op: 30, transitionId: 7, welcome: Uint8Array.of(1, 2, 3) });
  assertEquals([b.ops(), b.dave.phase], [[31, 26], "joining"], "and so a welcome to who waits for one");
});

Deno.test("davey: a key pair over which it would end the process is rejected before", () => {
  const pair = davey.generateP256Keypair();
  const short = { ...pair, private: pair.private.subarray(1) };
  const error = assertThrows(() => daveyProvider(davey, { keyPair: short }), VoiceMediaError, "31 and 65");
  assertEquals(error.code, "ERR_DAVE_KEY");
  assertThrows(
    () => daveyProvider(davey, { keyPair: { ...pair, public: pair.public.subarray(1) } }),
    VoiceMediaError,
  );
  const options = { version: 1, userId: "1", channelId: "2" };
  assert(daveyProvider(davey, { keyPair: pair }).create(options).keyPackage().length > 300);
});
