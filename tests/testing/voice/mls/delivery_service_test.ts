/** The delivery service against @snazzah/davey: groups that form, change and heal, and those it must not let through. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import davey from "@snazzah/davey";
import fc from "fast-check";
import { assertProperty } from "../../../property.ts";
import {
  type AcceptedCommit,
  DeliveryService,
  type Proposal,
  type RefusedCommit,
} from "../../../fake/voice/mls/delivery_service.ts";
import { concat, MlsFormatError, uint, vector } from "../../../fake/voice/mls/codec.ts";
import { readCommitWelcome } from "../../../fake/voice/mls/messages.ts";

const CHANNEL = "127121515262115840";
const FRAME = Uint8Array.of(0x78, 1, 2, 3, 4, 5);
const SILENCE = Uint8Array.of(0xf8, 0xff, 0xfe);

/** davey's MediaType of sound. */
const AUDIO = 0;

type Session = InstanceType<typeof davey.DAVESession>;

/** A member's side. */
class Member {
  readonly id: string;
  readonly session: Session;
  /** The payload of its last op 28. */
  commit: Uint8Array | null = null;

  constructor(id: string) {
    this.id = id;
    this.session = new davey.DAVESession(1, id, CHANNEL);
  }

  /** Takes op 27; remembers what would go out as op 28. */
  propose(payload: Uint8Array, recognized?: string[]): void {
    const answer = this.session.processProposals(
      payload[0] ?? 9,
      Buffer.from(payload.subarray(1)),
      recognized,
    );
    if (answer.commit) this.commit = Buffer.concat([answer.commit, answer.welcome ?? Buffer.alloc(0)]);
  }

  commitTo(payload: Uint8Array): void {
    this.session.processCommit(Buffer.from(payload));
  }

  welcome(payload: Uint8Array): void {
    this.session.processWelcome(Buffer.from(payload));
  }

  says(frame: Uint8Array = FRAME): Uint8Array {
    return Uint8Array.from(this.session.encryptOpus(Buffer.from(frame)));
  }

  hears(from: Member, frame: Uint8Array): number[] {
    return [...this.session.decrypt(from.id, AUDIO, Buffer.from(frame))];
  }
}

/** A call: one service, members, and the moves that a server makes. */
class Call {
  readonly service: DeliveryService;
  readonly members = new Map<string, Member>();

  private constructor(service: DeliveryService) {
    this.service = service;
  }

  static async create(...ids: readonly string[]): Promise<Call> {
    const call = new Call(await DeliveryService.create(CHANNEL));
    for (const id of ids) call.enter(id);
    return call;
  }

  get(id: string): Member {
    const member = this.members.get(id);
    if (!member) throw new Error(`Nobody: ${id}`);
    return member;
  }

  enter(id: string): Member {
    const member = this.members.get(id) ?? new Member(id);
    this.members.set(id, member);
    member.session.reinit(1, id, CHANNEL);
    member.session.setExternalSender(Buffer.from(this.service.externalSender));
    return member;
  }

  async add(id: string): Promise<Proposal> {
    const payload = this.get(id).session.getSerializedKeyPackage();
    return this.service.add(id, await this.service.validateKeyPackage(payload, id));
  }

  /** The first group, of these. */
  async establish(winner: string, ...ids: readonly string[]): Promise<AcceptedCommit> {
    const proposals = await Promise.all(ids.map((id) => this.add(id)));
    this.service.append(...proposals);
    for (const id of ids) {
      const others = proposals.filter((one) => one.userId !== id).map(({ message }) => message);
      if (others.length > 0) this.get(id).propose(concat(Uint8Array.of(0), vector(...others)));
    }
    return this.accept(winner);
  }

  /** Removes and adds in one op 27; all members commit, one wins. */
  async change(
    winner: string,
    { add = [], remove = [] }: { add?: readonly string[]; remove?: readonly string[] },
  ): Promise<AcceptedCommit> {
    const proposals = [
      ...await Promise.all(remove.map((id) => this.service.remove(id))),
      ...await Promise.all(add.map((id) => this.add(id))),
    ];
    this.tell(this.service.append(...proposals), ...remove);
    return this.accept(winner);
  }

  /** Op 27 to the group, but for some. */
  tell(payload: Uint8Array, ...without: readonly string[]): void {
    for (const id of this.service.members) if (!without.includes(id)) this.get(id).propose(payload);
  }

  judge(id: string): AcceptedCommit | RefusedCommit {
    const { commit } = this.get(id);
    assert(commit !== null, `${id} has no commit`);
    return this.service.acceptCommit(commit, id);
  }

  /** Op 28 of the winner, then op 29 and 30. */
  accept(winner: string): AcceptedCommit {
    const accepted = this.judge(winner);
    if (accepted.outcome !== "accepted") throw new Error(accepted.reason);
    for (const id of accepted.members) {
      const welcome = accepted.welcomes.get(id);
      if (welcome) this.get(id).welcome(welcome);
      else this.get(id).commitTo(accepted.commit);
    }
    return accepted;
  }

  /** All that are in the group hear each other, in one epoch, under one code. */
  assertTalk(): void {
    const { members, epoch } = this.service;
    const group = members.map((id) => this.get(id));
    assertEquals(group.map(({ session }) => session.epoch), members.map(() => BigInt(epoch)));
    assertEquals(new Set(group.map(({ session }) => session.voicePrivacyCode)).size, 1);
    assertEquals(
      group.map(({ id, session }) => [id, session.ownLeafIndex]),
      members.map((id) => [
        id,
        this.service.leaves.indexOf(id),
      ]),
    );
    for (const from of group) {
      const frame = from.says();
      assertEquals([...frame.slice(-2)], [0xfa, 0xfa]);
      for (const to of group) if (to !== from) assertEquals(to.hears(from, frame), [...FRAME]);
    }
  }
}

Deno.test("delivery: two form a group, see the same code, and hear each other", async () => {
  const call = await Call.create("100", "200");
  assertEquals([call.get("100").session.status, call.get("100").session.epoch], [1, 0n]);
  const accepted = await call.establish("100", "100", "200");
  assertEquals([accepted.epoch, accepted.members, [...accepted.welcomes.keys()]], [1, ["100", "200"], [
    "200",
  ]]);
  assertEquals([call.get("100").session.status, call.get("200").session.status], [3, 3]);
  assertEquals(call.get("100").session.voicePrivacyCode.length, 30);
  call.assertTalk();
});

Deno.test("delivery: both commit at creation, either may win, and the loser is welcomed", async () => {
  for (const winner of ["100", "200"]) {
    const call = await Call.create("100", "200");
    const accepted = await call.establish(winner, "100", "200");
    assertEquals(accepted.members[0], winner);
    call.assertTalk();
  }
});

Deno.test("delivery: a loser at creation is no member: op 29 fails, op 30 after it still succeeds", async () => {
  const call = await Call.create("100", "200");
  const proposals = [await call.add("100"), await call.add("200")];
  call.service.append(...proposals);
  call.get("100").propose(concat(Uint8Array.of(0), vector(proposals[1]?.message ?? uint(1, 0))));
  call.get("200").propose(concat(Uint8Array.of(0), vector(proposals[0]?.message ?? uint(1, 0))));
  const accepted = call.judge("100");
  assert(accepted.outcome === "accepted");
  assertThrows(() => call.get("200").commitTo(accepted.commit));
  call.get("100").commitTo(accepted.commit);
  call.get("200").welcome(accepted.welcomes.get("200") ?? uint(1, 0));
  call.assertTalk();
});

Deno.test("delivery: a third comes, and the loser follows the winner's commit", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200");
  const before = call.get("100").session.voicePrivacyCode;
  await call.change("200", { add: ["300"] });
  assertEquals(call.service.epoch, 2);
  assertNotEquals(call.get("100").session.voicePrivacyCode, before);
  call.assertTalk();
});

Deno.test("delivery: who was removed hears nothing, who comes back sits in the blank leaf", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200", "300");
  await call.change("200", { remove: ["100"] });
  assertEquals(call.service.leaves, [null, "200", "300"]);
  const frame = call.get("200").says();
  assertThrows(() => call.get("100").hears(call.get("200"), frame));
  assertEquals(call.get("200").session.getUserIds().includes("100"), false);
  call.assertTalk();
  call.enter("100");
  await call.change("300", { add: ["100"] });
  assertEquals(call.service.leaves, ["100", "200", "300"]);
  call.assertTalk();
});

Deno.test("delivery: removed and added again in one commit, as after an op 31", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200", "300");
  call.enter("200");
  await call.change("300", { remove: ["200"], add: ["200"] });
  call.assertTalk();
});

Deno.test("delivery: three are added at once, each with a welcome of its own", async () => {
  const call = await Call.create("1", "2", "3", "4", "5");
  await call.establish("2", "1", "2");
  const accepted = await call.change("1", { add: ["3", "4", "5"] });
  const sizes = [...accepted.welcomes.values()].map((welcome) => welcome.length);
  assertEquals(new Set(accepted.welcomes.keys()), new Set(["3", "4", "5"]));
  assert(sizes.every((size) => Math.abs(size - (sizes[0] ?? 0)) < 8), `${sizes}`);
  call.assertTalk();
});

Deno.test("delivery: silence is never encrypted, and a short frame grows by twelve bytes", async () => {
  const call = await Call.create("100", "200");
  await call.establish("100", "100", "200");
  const [a, b] = [call.get("100"), call.get("200")];
  assertEquals([...a.says(SILENCE)], [...SILENCE]);
  assertEquals(b.hears(a, SILENCE), [...SILENCE]);
  assertEquals(a.says().length, FRAME.length + 12);
});

Deno.test("delivery: all proposals taken back, and the group is as before", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200");
  const proposal = await call.add("300");
  call.tell(call.service.append(proposal));
  call.tell(call.service.revoke(proposal));
  assertEquals(call.get("100").session.status, 3);
  const late = call.judge("100");
  assert(late.outcome === "refused" && late.cause === "late", JSON.stringify(late));
  call.assertTalk();
});

Deno.test("delivery: an add, then a removal in another op 27: davey loses the welcome, and both anew in one heal it", async () => {
  const call = await Call.create("100", "200", "300", "400");
  await call.establish("100", "100", "200", "300");
  const add = await call.add("400");
  call.tell(call.service.append(add), "300");
  const remove = await call.service.remove("300");
  call.tell(call.service.append(remove), "300");
  assertEquals(call.judge("100"), {
    outcome: "refused",
    reason: "it has no welcome for one whom it adds",
    cause: "no welcome",
  });
  call.tell(call.service.revoke(add, remove), "300");
  call.tell(call.service.append(remove, add), "300");
  call.accept("200");
  assertEquals(call.service.members, ["100", "200", "400"]);
  call.assertTalk();
});

Deno.test("delivery: two adds in two op 27 are fine, and the commit to the first alone comes too late", async () => {
  const call = await Call.create("100", "200", "300", "400");
  await call.establish("100", "100", "200");
  call.tell(call.service.append(await call.add("300")));
  const older = call.get("100").commit ?? uint(1, 0);
  call.tell(call.service.append(await call.add("400")));
  const late = call.service.acceptCommit(older, "100");
  assert(
    late.outcome === "refused" && late.cause === "late" && /leaves out/.test(late.reason),
    JSON.stringify(late),
  );
  call.accept("200");
  call.assertTalk();
});

Deno.test("delivery: the first good commit wins, the second is of an epoch that has passed", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200");
  call.tell(call.service.append(await call.add("300")));
  call.accept("100");
  const second = call.judge("200");
  assertEquals(second, { outcome: "refused", reason: "it is for epoch 1 of 2", cause: "late" });
});

Deno.test("delivery: a commit is its sender's own, whole, and of this group", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200");
  call.tell(call.service.append(await call.add("300")));
  const { commit } = call.get("100");
  assert(commit !== null);
  const reasons = (payload: Uint8Array, id: string) => {
    const judged = call.service.acceptCommit(payload, id);
    return judged.outcome === "refused" ? judged.reason : "accepted";
  };
  assertEquals(reasons(commit, "200"), "it is from leaf 0, its sender has 1");
  assertEquals(reasons(commit, "300"), "its sender is not in the group");
  const elsewhere = Uint8Array.from(commit, (byte, at) => at === 6 ? byte ^ 1 : byte);
  assertEquals(reasons(elsewhere, "100"), "it is for another group");
  for (let length = 0; length < commit.length; length += 7) {
    // Cut just where the welcome begins, it is whole, and has none.
    assertMatch(reasons(commit.subarray(0, length), "100"), /^Cannot read MLS|^it has no welcome/);
  }
  assertEquals(reasons(commit, "100"), "accepted");
});

Deno.test("delivery: a key package is the user's, and signed by its own key, bare or wrapped", async () => {
  const call = await Call.create("100");
  const { service } = call;
  const payload = Uint8Array.from(call.get("100").session.getSerializedKeyPackage());
  const bare = await service.validateKeyPackage(payload, "100");
  const wrapped = await service.validateKeyPackage(concat(Uint8Array.of(0, 1, 0, 5), payload), "100");
  assertEquals(wrapped, bare);
  await assertRejects(() => service.validateKeyPackage(payload, "101"), MlsFormatError, "the user's id");
  for (const at of [3, 10, 60, 80, 150, payload.length - 1]) {
    const broken = payload.map((byte, index) => index === at ? byte ^ 1 : byte);
    await assertRejects(() => service.validateKeyPackage(broken, "100"), MlsFormatError);
  }
  for (let length = 0; length < payload.length; length += 13) {
    await assertRejects(() => service.validateKeyPackage(payload.subarray(0, length), "100"), MlsFormatError);
  }
});

Deno.test("delivery: davey refuses what is proposed with a fault, and takes the same without", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200");
  const payload = call.get("300").session.getSerializedKeyPackage();
  const keyPackage = await call.service.validateKeyPackage(payload, "300");
  const faults = [{ foreignKey: true }, { epochOffset: 1 }, { epochOffset: -1 }, { otherGroup: true }, {
    senderIndex: 1,
  }];
  for (const fault of faults) {
    const { message } = await call.service.add("300", keyPackage, fault);
    assertThrows(() => call.get("100").propose(concat(Uint8Array.of(0), vector(message))), Error);
  }
  await call.change("200", { add: ["300"] });
  call.assertTalk();
});

Deno.test("delivery: an own add poisons the batch until it is taken back", async () => {
  const call = await Call.create("100", "200");
  const proposals = [await call.add("100"), await call.add("200")];
  const payload = call.service.append(...proposals);
  assertThrows(() => call.get("100").propose(payload));
  call.get("100").propose(call.service.revoke(...proposals));
  call.get("100").propose(call.service.append(...proposals.filter((one) => one.userId === "200")));
  call.accept("100");
  call.assertTalk();
});

Deno.test("delivery: a flipped byte in a commit is refused by davey, who then has to be added anew", async () => {
  const call = await Call.create("100", "200", "300");
  await call.establish("100", "100", "200", "300");
  call.tell(call.service.append(await call.service.remove("300")), "300");
  const accepted = call.judge("100");
  assert(accepted.outcome === "accepted");
  const flipped = accepted.commit.map((byte, at) => at === accepted.commit.length - 9 ? byte ^ 1 : byte);
  assertThrows(() => call.get("200").commitTo(flipped));
  call.get("100").commitTo(accepted.commit);
  call.enter("200");
  await call.change("100", { remove: ["200"], add: ["200"] });
  call.assertTalk();
});

Deno.test("delivery: announcing an overtaken commit splits davey's group in silence", async () => {
  const call = await Call.create("100", "200", "300", "400");
  await call.establish("100", "100", "200");
  call.tell(call.service.append(await call.add("300")));
  const older = call.get("100").commit ?? uint(1, 0);
  call.tell(call.service.append(await call.add("400")));
  // A server that does not ask for all proposals: the commit alone, without the welcome after it.
  const { commit } = readCommitWelcome(older);
  call.get("100").commitTo(commit.bytes);
  call.get("200").commitTo(commit.bytes);
  assertEquals(call.get("100").session.epoch, call.get("200").session.epoch);
  assertNotEquals(call.get("100").session.voicePrivacyCode, call.get("200").session.voicePrivacyCode);
});

Deno.test("delivery: after a reset the one who is left starts over with a newcomer", async () => {
  const call = await Call.create("100", "200");
  await call.establish("100", "100", "200");
  call.service.resetGroup();
  call.enter("200");
  assertEquals([call.get("200").session.ready, call.service.established], [false, false]);
  call.enter("300");
  await call.establish("300", "200", "300");
  call.assertTalk();
});

Deno.test("delivery: after any sequence of joins, leaves and returns all members agree", async () => {
  await assertProperty(
    fc.asyncProperty(fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), async (rounds) => {
      const ids = ["1", "2", "3", "4", "5", "6", "7", "8"];
      const call = await Call.create("1", "2");
      await call.establish("1", "1", "2");
      for (const choice of rounds) {
        const { members } = call.service;
        const outside = ids.filter((id) => !members.includes(id));
        const winner = members[choice % members.length] ?? "1";
        const others = members.filter((id) => id !== winner);
        const remove = others.filter((_, at) => others.length > 1 && (choice >> at + 3) % 4 === 0);
        const add = outside.filter((_, at) => (choice >> at + 11) % 3 === 0);
        if (remove.length + add.length === 0) continue;
        for (const id of add) call.enter(id);
        await call.change(winner, { add, remove });
        call.assertTalk();
      }
    }),
    { numRuns: 1 },
  );
});
