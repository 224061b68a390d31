import { ProtocolError } from "../../../gateway/mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type DaveEvent, isSilenceFrame } from "../../../voice/mod.ts";
import { Dave, type DaveMessage, type DaveOutput, VoiceRoster } from "../../../voice/core.ts";
import { ScriptedProvider, type ScriptedSession, sealed } from "../scripted_dave.ts";

const FRAME = Uint8Array.of(0x78, 1, 2, 3, 4);
const SILENCE = Uint8Array.of(0xf8, 0xff, 0xfe);
const SENDER = Uint8Array.of(5, 5);

/** A machine, its library, and what comes out. */
class Call {
  readonly provider = new ScriptedProvider();
  readonly roster = new VoiceRoster("100");
  readonly dave = new Dave({ provider: this.provider, userId: "100", channelId: "200", roster: this.roster });
  /** Every message that went out, in a word each. */
  readonly sent: string[] = [];
  readonly events: DaveEvent[] = [];
  now = 1_000;

  /** Begins with op 4 of a version. */
  constructor(version: number = 1) {
    this.note(this.dave.describe(version));
  }

  get session(): ScriptedSession {
    return this.provider.session;
  }

  note(outputs: readonly DaveOutput[]): void {
    for (const output of outputs) {
      if (output.type === "event") this.events.push(output.event);
      else if (typeof output.frame === "string") {
        const { op, d } = JSON.parse(output.frame);
        assertEquals(op, output.op);
        this.sent.push(`${op} for ${d.transition_id}`);
      } else this.sent.push(`${output.frame[0]}: ${output.frame.subarray(1)}`);
    }
  }

  receive(...messages: readonly DaveMessage[]): this {
    for (const message of messages) this.note(this.dave.receive(message, this.now));
    return this;
  }

  /** What became of a received frame, in a word. */
  hear(frame: Uint8Array, userId: string | null = "7"): string {
    const { frame: out, dropped } = this.dave.decrypt(userId, frame, this.now);
    if (out === null) return dropped;
    return out === frame ? "passed" : "decrypted";
  }

  phases(): string[] {
    return this.events.flatMap((event) => event.type === "dave_phase" ? [event.phase] : []);
  }
}

const prepare = (transitionId: number, version: number): DaveMessage => ({ op: 21, transitionId, version });
const execute = (transitionId: number): DaveMessage => ({ op: 22, transitionId });
const epoch = (epoch: number, version: number = 1): DaveMessage => ({ op: 24, epoch, version });
const sender: DaveMessage = { op: 25, externalSender: SENDER };
const append = (...proposals: number[]): DaveMessage => ({
  op: 27,
  operation: "append",
  proposals: Uint8Array.from(proposals),
});
const revoke = (...proposals: number[]): DaveMessage => ({
  op: 27,
  operation: "revoke",
  proposals: Uint8Array.from(proposals),
});
const commit = (transitionId: number, ...bytes: number[]): DaveMessage => ({
  op: 29,
  transitionId,
  commit: Uint8Array.from(bytes),
});
const welcome = (transitionId: number, ...bytes: number[]): DaveMessage => ({
  op: 30,
  transitionId,
  welcome: Uint8Array.from(bytes),
});

/** A call at version 1 with a group. */
function secured(): Call {
  const call = new Call().receive(sender, welcome(1, 9), execute(1));
  call.sent.length = 0;
  call.events.length = 0;
  return call;
}

Deno.test("dave: a stage channel has version 0: frames pass both ways, and no library is asked", () => {
  const call = new Call(0);
  assertEquals([call.dave.phase, call.sent, call.provider.sessions], ["plain", [], []]);
  assertStrictEquals(call.dave.encrypt(FRAME), FRAME);
  assertEquals([call.hear(FRAME), call.hear(sealed(FRAME)), call.hear(FRAME, null)], [
    "passed",
    "passed",
    "passed",
  ]);
});

Deno.test("dave: at version 1 a key package goes out, and no frame before there is a group", () => {
  const call = new Call();
  assertEquals(call.sent, ["26: 171,1"]);
  assertEquals(call.session.options, { version: 1, userId: "100", channelId: "200" });
  assertEquals([call.dave.phase, call.dave.encrypt(FRAME), call.phases()], ["joining", null, ["joining"]]);
  assertEquals(call.dave.counters.held, 1);
});

Deno.test("dave: silence passes unencrypted both ways, whatever the phase [case 71]", () => {
  for (const call of [new Call(0), new Call(), secured()]) {
    assertStrictEquals(call.dave.encrypt(SILENCE), SILENCE);
    assertEquals([call.hear(SILENCE), call.hear(SILENCE, null)], ["passed", "passed"]);
  }
  assertEquals(isSilenceFrame(FRAME), false);
});

Deno.test("dave: the external sender may come before op 4 or after it", () => {
  const early = new Call(0);
  early.receive(sender);
  early.note(early.dave.describe(1));
  assertEquals(early.session.calls, ["sender 5,5"]);
  assertEquals(new Call().receive(sender).session.calls, ["sender 5,5"]);
});

Deno.test("dave: an external sender that cannot be read is reported, and has no other effect", () => {
  const call = new Call();
  call.session.takesSender = false;
  call.receive(sender);
  assertEquals(call.events.at(-1)?.type, "dave_refused");
});

Deno.test("dave: the response to proposals is a commit, with a welcome where it adds a user", () => {
  const call = new Call().receive(sender);
  call.roster.connected(["7"]);
  call.session.commits.push(
    { commit: Uint8Array.of(1), welcome: Uint8Array.of(2, 3) },
    { commit: Uint8Array.of(4), welcome: null },
    null,
  );
  call.receive(append(8), append(9), revoke(9));
  assertEquals(call.session.calls.slice(1), ["append 8 of 100,7", "append 9 of 100,7", "revoke 9 of 100,7"]);
  assertEquals(call.sent.slice(1), ["28: 1,2,3", "28: 4"]);
});

Deno.test("dave: proposals without a group or a sender are ignored", () => {
  assertEquals(new Call(0).receive(sender, append(1)).sent, []);
  assertEquals(new Call().receive(append(1)).session.calls, []);
});

Deno.test("dave: proposals that the library rejects are reported, and nothing is sent", () => {
  const call = secured();
  call.session.commits.push(new Error("UnexpectedUser"));
  call.receive(append(1));
  assertEquals([call.sent, call.events.map((event) => event.type)], [[], ["dave_refused"]]);
  assertEquals(call.dave.phase, "secured");
});

for (const [name, make] of [["a commit", commit], ["a welcome", welcome]] as const) {
  const message = make(7, 1);
  Deno.test(`dave: ${name} is confirmed, and makes the group`, () => {
    const call = new Call().receive(sender, message);
    assertEquals(call.sent.slice(1), ["23 for 7"]);
    assertEquals([call.dave.phase, call.dave.epoch, call.dave.privacyCode], ["secured", 1n, "code of 1"]);
    assertEquals(call.events.slice(1), [
      { type: "dave_epoch", epoch: 1n, privacyCode: "code of 1" },
      { type: "dave_phase", phase: "secured", version: 1 },
    ]);
    assertEquals(call.dave.encrypt(FRAME), sealed(FRAME));
    assertEquals([call.hear(sealed(FRAME)), call.hear(FRAME)], ["decrypted", "plain"]);
  });

  Deno.test(`dave: ${name} of transition 0 takes effect at once, and is not confirmed`, () => {
    const call = new Call().receive(sender, make(0, 1));
    assertEquals([call.sent.length, call.dave.phase], [1, "secured"]);
  });

  Deno.test(`dave: ${name} that is ignored sends nothing`, () => {
    const call = new Call().receive(sender);
    call.session.outcomes.push({ outcome: "ignored", reason: "PendingGroup" });
    call.receive(message);
    assertEquals([call.sent.length, call.dave.phase, call.events.length], [1, "joining", 1]);
  });

  for (const transitionId of [0, 7]) {
    Deno.test(`dave: ${name} of transition ${transitionId} that fails is answered by op 31 and a fresh key package`, () => {
      const call = secured();
      const error = new Error("InvalidMembershipTag");
      call.session.outcomes.push({ outcome: "failed", error });
      call.receive(make(transitionId, 1));
      assertEquals(call.sent, [`31 for ${transitionId}`, "26: 171,2"]);
      assertEquals(call.events, [
        { type: "dave_recovery", transitionId, error },
        { type: "dave_phase", phase: "joining", version: 1 },
      ]);
      // The library may still say that it is ready, with the keys of the old group.
      assertEquals([call.session.ready, call.dave.encrypt(FRAME), call.dave.epoch], [true, null, null]);
      assertEquals(call.session.calls.slice(-2), ["reset 1", "sender 5,5"]);
      call.receive(welcome(8, 3));
      assertEquals([call.sent.at(-1), call.dave.phase], ["23 for 8", "secured"]);
    });
  }
}

/** Fails what the server sends next, and gives when it is to be asked for anew. */
function fail(call: Call, transitionId: number): number {
  call.session.outcomes.push({ outcome: "failed", error: new Error(`of ${transitionId}`) });
  call.receive(welcome(transitionId, 1));
  return call.dave.recoveryAt;
}

Deno.test("dave: where every recovery fails as well, the pause between them doubles up to half a minute", () => {
  const call = secured();
  // The first is reported at once, and none waits.
  assertEquals([fail(call, 1), call.sent], [Infinity, ["31 for 1", "26: 171,2"]]);
  const pauses: number[] = [];
  for (let transitionId = 2; transitionId <= 9; transitionId++) {
    const begun = call.now;
    const at = fail(call, transitionId);
    assertEquals(call.sent.length, 2 * (transitionId - 1), "too early");
    call.now = at - 1;
    call.note(call.dave.recover(call.now));
    assertEquals(call.sent.length, 2 * (transitionId - 1), "still too early");
    call.now = at;
    call.note(call.dave.recover(call.now));
    assertEquals(call.sent.slice(-2), [`31 for ${transitionId}`, `26: 171,${transitionId + 1}`]);
    assertEquals(call.dave.recoveryAt, Infinity);
    pauses.push(at - begun);
  }
  assertEquals(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  const recoveries = call.events.filter(({ type }) => type === "dave_recovery");
  assertEquals([recoveries.length, call.dave.encrypt(FRAME)], [9, null]);
});

Deno.test("dave: a failure after the pause is reported at once, and the next pause is still longer", () => {
  const call = secured();
  fail(call, 1);
  call.now += 1_000;
  assertEquals([fail(call, 2), call.sent.slice(2)], [Infinity, ["31 for 2", "26: 171,3"]]);
  assertEquals(fail(call, 3) - call.now, 2_000);
});

Deno.test("dave: several failures within a pause lead to one request, with the newest transition", () => {
  const call = secured();
  fail(call, 1);
  const at = fail(call, 2);
  call.now += 500;
  assertEquals(fail(call, 3), at);
  call.now = at;
  call.note(call.dave.recover(call.now));
  assertEquals(call.sent.slice(2), ["31 for 3", "26: 171,3"]);
});

Deno.test("dave: keys that come within a pause end it, and the next failure is a first one", () => {
  const call = secured();
  fail(call, 1);
  const at = fail(call, 2);
  call.receive(welcome(3, 1));
  assertEquals([call.dave.phase, call.dave.recoveryAt], ["secured", Infinity]);
  call.now = at;
  assertEquals(call.dave.recover(call.now), []);
  assertEquals([fail(call, 4), call.sent.slice(-2)], [Infinity, ["31 for 4", "26: 171,3"]]);
});

Deno.test("dave: a new group within a pause requests by its key package, a new session has no pause", () => {
  const call = secured();
  fail(call, 1);
  fail(call, 2);
  call.receive(epoch(1));
  assertEquals([call.sent.slice(2), call.dave.recoveryAt], [["26: 171,3"], Infinity]);
  // It may fail again.
  assertEquals(fail(call, 3) - call.now, 1_000);
  call.note(call.dave.describe(1));
  assertEquals([call.dave.recoveryAt, fail(call, 4), call.sent.at(-2)], [Infinity, Infinity, "31 for 4"]);
});

Deno.test("dave: without a session commits, welcomes and executions are ignored", () => {
  assertEquals(new Call(0).receive(commit(1, 1), welcome(2, 2), execute(3)).sent, []);
});

Deno.test("dave: the client's own commit that newer proposals have overtaken is rejected, the newest is applied", () => {
  const begin = () => {
    const call = secured();
    call.session.commits.push(
      { commit: Uint8Array.of(1), welcome: null },
      { commit: Uint8Array.of(2), welcome: null },
    );
    return call.receive(append(8), append(9));
  };
  const stale = begin().receive(commit(7, 1));
  assertEquals(stale.sent.slice(2), ["31 for 7", "26: 171,2"]);
  assert(!stale.session.calls.includes("commit 1"), "the library would take it for the newest");
  assertEquals(begin().receive(commit(7, 2)).sent.at(-1), "23 for 7");
  assertEquals(begin().receive(commit(7, 3)).sent.at(-1), "23 for 7", "the commit of another member has won");
});

Deno.test("dave: when all proposals are revoked, the commit to them is overtaken as well", () => {
  const call = secured();
  call.session.commits.push({ commit: Uint8Array.of(1), welcome: null }, null);
  call.receive(append(8), revoke(8), commit(7, 1));
  assertEquals(call.sent.slice(1), ["31 for 7", "26: 171,2"]);
});

Deno.test("dave: a commit of an earlier epoch is not overtaken: the next epoch has no own commit", () => {
  const call = secured();
  call.session.commits.push({ commit: Uint8Array.of(1), welcome: null }, {
    commit: Uint8Array.of(2),
    welcome: null,
  });
  call.receive(append(8), append(9), commit(7, 2), commit(8, 1));
  assertEquals(call.session.calls.slice(-2), ["commit 2", "commit 1"]);
});

Deno.test("dave: a downgrade: confirmed at once, executed later, plain frames let in from its announcement on", () => {
  const call = secured().receive(prepare(5, 0));
  assertEquals([call.sent, call.dave.phase], [["23 for 5"], "secured"]);
  assertEquals(call.dave.encrypt(FRAME), sealed(FRAME), "the sender goes on until it is executed");
  assertEquals([call.hear(FRAME), call.hear(sealed(FRAME))], ["passed", "decrypted"]);
  call.now += 24_000;
  assertEquals(call.hear(FRAME), "plain", "an execution that never came");
  call.receive(execute(5));
  assertEquals([call.dave.phase, call.dave.version, call.phases()], ["plain", 0, ["plain"]]);
  assertStrictEquals(call.dave.encrypt(FRAME), FRAME);
  assertEquals([call.hear(FRAME), call.hear(sealed(FRAME))], ["passed", "decrypted"]);
});

Deno.test("dave: an upgrade: plain until it is executed, plain frames let in for 10 s after", () => {
  const call = new Call(0).receive(sender, epoch(1));
  assertEquals([call.sent, call.dave.phase], [["26: 171,1"], "plain"]);
  call.receive(commit(3, 1));
  assertEquals(call.sent.at(-1), "23 for 3");
  assertStrictEquals(call.dave.encrypt(FRAME), FRAME);
  call.receive(execute(3));
  assertEquals([call.dave.phase, call.dave.encrypt(FRAME)], ["secured", sealed(FRAME)]);
  assertEquals([call.hear(FRAME), call.hear(sealed(FRAME))], ["passed", "decrypted"]);
  call.now += 9_999;
  assertEquals(call.hear(FRAME), "passed");
  call.now += 1;
  assertEquals(call.hear(FRAME), "plain");
});

Deno.test("dave: an upgrade that is executed before there is a group closes the sender", () => {
  const call = new Call(0).receive(sender, epoch(1), prepare(3, 1), execute(3));
  assertEquals([call.dave.phase, call.dave.encrypt(FRAME)], ["joining", null]);
});

Deno.test("dave: downgraded and upgraded again, a new group", () => {
  const call = secured().receive(prepare(5, 0), execute(5), epoch(1), commit(6, 1), execute(6));
  assertEquals(call.sent, ["23 for 5", "26: 171,2", "23 for 6"]);
  assertEquals([call.dave.phase, call.phases()], ["secured", ["plain", "secured"]]);
});

Deno.test("dave: alone: a new group and transition 0; it waits for no keys, and sends nothing", () => {
  const call = secured().receive(epoch(1), prepare(0, 1));
  assertEquals(call.sent, ["26: 171,2"]);
  assertEquals([call.dave.phase, call.dave.alone, call.dave.encrypt(FRAME)], ["joining", true, null]);
  call.roster.connected(["7"]);
  assertEquals(call.dave.alone, false);
});

Deno.test("dave: transition 0 executes at once, to version 0 as well", () => {
  const call = secured().receive(prepare(0, 0));
  assertEquals([call.sent, call.dave.phase], [[], "plain"]);
});

Deno.test("dave: an execution that was not announced, or that came before, is ignored", () => {
  const call = secured().receive(execute(99), prepare(5, 0), execute(5), prepare(0, 1), execute(5));
  assertEquals([call.dave.version, call.dave.phase], [1, "secured"]);
});

Deno.test("dave: executions may come in another order than announcements", () => {
  const call = secured().receive(prepare(5, 0), commit(6, 1), execute(6));
  assertEquals(call.dave.phase, "secured");
  call.receive(execute(5));
  assertEquals(call.dave.phase, "plain");
});

Deno.test("dave: an epoch above 1 prepares a version, and begins no group", () => {
  const call = secured().receive(epoch(2));
  assertEquals([call.sent, call.dave.phase], [[], "secured"]);
});

Deno.test("dave: PREPARE_EPOCH of version 0 begins no group", () => {
  assertEquals(secured().receive(epoch(1, 0)).sent, []);
});

for (
  const [what, act] of [
    ["op 4", (call: Call) => call.dave.describe(2)],
    ["op 21", (call: Call) => call.receive(prepare(1, 2))],
    ["op 24", (call: Call) => call.receive(epoch(1, 2))],
    ["op 4 of half a version", (call: Call) => call.dave.describe(0.5)],
  ] as const
) {
  Deno.test(`dave: a version in ${what} that was not announced is a protocol error`, () => {
    const call = secured();
    assertThrows(() => act(call), ProtocolError, "the one announced, 1");
    assertEquals(call.dave.phase, "secured");
  });
}

Deno.test("dave: without a library any version above 0 is a protocol error", () => {
  const dave = new Dave({ provider: null, userId: "1", channelId: "2", roster: new VoiceRoster("1") });
  assertEquals(dave.maxVersion, 0);
  assertThrows(() => dave.describe(1), ProtocolError);
});

for (
  const [what, encryption] of [
    ["throws", () => {
      throw new Error("NotReady");
    }],
    ["gives the frame back", (frame: Uint8Array) => frame],
    ["gives another frame without a trailer", () => Uint8Array.of(1, 2, 3)],
    ["gives nothing", () => new Uint8Array()],
  ] as const
) {
  Deno.test(`dave: where the library ${what}, nothing is sent`, () => {
    const call = secured();
    call.session.encryption = encryption;
    assertEquals(call.dave.encrypt(FRAME), null);
    assertEquals([call.dave.counters.held, call.dave.counters.encrypted], [1, 0]);
  });
}

Deno.test("dave: a library that is not ready is not asked", () => {
  const call = secured();
  call.session.ready = false;
  assertEquals([call.dave.phase, call.dave.encrypt(FRAME)], ["joining", null]);
});

Deno.test("dave: frames of a sender who is not named, or not in the group, are dropped", () => {
  const call = secured();
  assertEquals(call.hear(sealed(FRAME), null), "unknown_sender");
  call.session.decryptions.push({ outcome: "unknown_sender" });
  assertEquals(call.hear(sealed(FRAME)), "unknown_sender");
  assertEquals(call.dave.recoveryDue, false);
});

const failures = (call: Call, count: number) => {
  for (let at = 0; at < count; at++) {
    call.session.decryptions.push({ outcome: "failed", error: new Error("NoValidCryptorFound") });
    assertEquals(call.hear(sealed(FRAME)), "undecryptable");
  }
};

Deno.test("dave: after 37 undecryptable frames in a row outside of transitions it asks to be added again", () => {
  const call = secured();
  call.now += 10_000;
  failures(call, 36);
  assertEquals([call.dave.recoveryDue, call.dave.recover(call.now)], [false, []]);
  assertEquals(call.hear(sealed(FRAME)), "decrypted");
  failures(call, 36);
  assertEquals(call.dave.recoveryDue, false, "not in a row");
  failures(call, 1);
  assertEquals(call.dave.recoveryDue, true);
  call.note(call.dave.recover(call.now));
  assertEquals([call.sent, call.dave.phase, call.dave.recoveryDue], [
    ["31 for 1", "26: 171,2"],
    "joining",
    false,
  ]);
});

Deno.test("dave: the transition that recovery names may be number 0", () => {
  const call = new Call().receive(sender, welcome(0, 9));
  call.now += 10_000;
  failures(call, 37);
  call.note(call.dave.recover(call.now));
  assertEquals(call.sent.slice(1), ["31 for 0", "26: 171,2"]);
});

Deno.test("dave: undecryptable frames around a transition are expected", () => {
  const call = secured();
  failures(call, 100);
  call.now += 10_000;
  call.receive(commit(7, 1));
  failures(call, 100);
  assertEquals(call.dave.recoveryDue, false);
  // One that is never executed does not delay the recovery for ever.
  call.now += 10_000;
  failures(call, 37);
  assertEquals(call.dave.recoveryDue, true);
});

Deno.test("dave: undecryptable frames without a group have no effect", () => {
  const call = new Call().receive(sender);
  call.now += 60_000;
  failures(call, 100);
  assertEquals(call.dave.recoveryDue, false);
});

Deno.test("dave: a new session forgets the transitions of the one before", () => {
  const call = secured().receive(prepare(5, 0));
  call.note(call.dave.describe(1));
  call.receive(execute(5));
  assertEquals([call.dave.version, call.dave.phase], [1, "joining"]);
  assertEquals(call.hear(FRAME), "plain");
});

Deno.test("dave: announcements that are never executed are bounded", () => {
  const call = secured();
  for (let id = 1; id <= 1_000; id++) call.receive(prepare(id, 0));
  call.receive(execute(900));
  assertEquals(call.dave.version, 1, "long forgotten");
  call.receive(execute(1_000));
  assertEquals(call.dave.version, 0);
});

Deno.test("dave: every frame is counted once", () => {
  const call = secured();
  call.dave.encrypt(FRAME);
  call.dave.encrypt(SILENCE);
  failures(call, 2);
  call.hear(FRAME);
  call.hear(sealed(FRAME), null);
  call.hear(sealed(FRAME));
  assertEquals(call.dave.counters, {
    encrypted: 1,
    held: 0,
    decrypted: 1,
    passed: 1,
    dropped: { plain: 1, unknown_sender: 1, undecryptable: 2 },
  });
});
