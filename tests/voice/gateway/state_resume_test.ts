import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { assertProperty } from "../../property.ts";
import { binary, description, hello, inPhase, json, SERVER, VoiceDriver } from "../harness.ts";
import { ScriptedProvider, type ScriptedSession } from "../scripted_dave.ts";

Deno.test("voice resume: step by step", () => {
  const driver = inPhase("live");
  driver.receive(json(11, { user_ids: ["7"] }, 10));
  driver.ended(1006);

  const next = new VoiceDriver({ session: driver.session, now: 5_000 });
  next.receive(hello());
  assertEquals(next.sentFor("resume"), [{
    op: 7,
    d: { server_id: SERVER.guildId, session_id: SERVER.sessionId, token: SERVER.token, seq_ack: 10 },
  }]);
  assertEquals(next.sentFor("identify"), []);
  next.receive(json(9));
  assertEquals(next.events, [{ type: "live", resumed: true, daveVersion: 0 }]);
  assertEquals([next.state.phase, next.state.roster.has("7"), next.session.ssrc], ["live", true, 12_871]);
});

Deno.test("voice resume: seq_ack is -1 where nothing was numbered, and 0 where 0 was the last", () => {
  const seqAckOf = (driver: VoiceDriver) => {
    const [resume] = driver.resumed().sentFor("resume") as { d: { seq_ack: number } }[];
    return resume?.d.seq_ack;
  };
  const unnumbered = inPhase("selecting");
  const { op, d } = JSON.parse(description());
  unnumbered.receive(json(op, d));
  assertEquals(seqAckOf(unnumbered), -1);
  const zero = inPhase("selecting");
  zero.receive(description({ seq: 0 }));
  assertEquals(seqAckOf(zero), 0);
});

Deno.test("voice resume: RESUMED may come before, between or after what is replayed", () => {
  const replay = [json(11, { user_ids: ["8"] }, 2), json(13, { user_id: "7" }, 3), binary(4, 25, 1, 2, 3)];
  for (let at = 0; at <= replay.length; at++) {
    const driver = inPhase("live", { dave: new ScriptedProvider() });
    driver.state.roster.connected(["7"]);
    const next = driver.resumed();
    next.receive(...replay.slice(0, at), json(9), ...replay.slice(at));
    assertEquals([next.state.phase, next.session.sequence], ["live", 4]);
    assertEquals(next.state.roster.userIds, ["8"]);
  }
});

Deno.test("voice resume: what was seen before is dropped, across the end of the numbers too", () => {
  const driver = inPhase("live");
  driver.receive(json(11, { user_ids: ["1"] }, 65_535));
  const next = driver.resumed();
  assertEquals(
    next.receive(json(11, { user_ids: ["2"] }, 65_534), json(11, { user_ids: ["3"] }, 65_535)),
    [],
  );
  assertEquals(next.session.sequence, 65_535);
  next.receive(json(11, { user_ids: ["4"] }, 0));
  assertEquals([next.state.roster.userIds, next.session.sequence], [["1", "4"], 0]);
  // From here on a number is taken as it is.
  next.receive(json(11, { user_ids: ["5"] }, 65_000));
  assertEquals(next.session.sequence, 65_000);
});

Deno.test("voice resume: each numbered message gives the replay another 20 s", () => {
  const driver = inPhase("resuming");
  for (let seq = 2; seq < 10; seq++) {
    driver.advance(15_000);
    driver.receive(json(18, {}, seq));
  }
  assertEquals(driver.state.phase, "resuming");
  driver.advance(20_000);
  assertEquals([driver.end.cause, driver.end.session?.sequence], ["resumed_timeout", 9]);
});

Deno.test("voice resume: cut in the middle, the next one goes on from there", () => {
  const second = inPhase("resuming");
  second.receive(json(18, {}, 2), json(18, {}, 3));
  const third = second.resumed();
  const [resume] = third.sentFor("resume") as { d: { seq_ack: number } }[];
  assertEquals(resume?.d.seq_ack, 3);
});

/** A live call at version 1, with a session that has sent its key package. */
function call(): { driver: VoiceDriver; session: ScriptedSession } {
  const provider = new ScriptedProvider();
  const driver = inPhase("live", { dave: provider, version: 1 });
  return { driver, session: provider.session };
}

Deno.test("voice resume: the DAVE group stays, and binary messages replayed while resuming reach it", () => {
  const { driver, session } = call();
  driver.receive(binary(2, 25, 5), binary(3, 29, 0, 7, 1));
  assertEquals(driver.state.dave.phase, "secured");

  const next = driver.resumed();
  assertStrictEquals(next.state.dave, driver.state.dave);
  assertEquals([next.state.dave.phase, session.calls.includes("reset 1")], ["secured", false]);
  next.receive(binary(4, 29, 0, 8, 2));
  assertEquals(next.state.phase, "resuming");
  assertEquals(session.calls.at(-1), "commit 2");
  assertEquals(next.sentFor("dave"), [{ op: 23, d: { transition_id: 8 } }]);
  next.receive(json(9), binary(5, 30, 0, 9, 3));
  assertEquals(session.calls.at(-1), "welcome 3");
});

Deno.test("voice resume: a commit that is replayed twice reaches the group once", () => {
  const { driver, session } = call();
  driver.receive(binary(2, 29, 0, 7, 1));
  driver.resumed().receive(binary(2, 29, 0, 7, 1), json(9));
  assertEquals(session.calls.filter((call) => call === "commit 1").length, 1);
});

Deno.test("voice resume: a new identify starts a group of its own", () => {
  const { driver } = call();
  const fresh = new ScriptedProvider();
  driver.ended(4006);
  const next = inPhase("live", { dave: fresh, version: 1 });
  assertEquals([fresh.sessions.length, next.state.dave.phase], [1, "joining"]);
  assertEquals(next.sentFor("dave"), [[26, 0xab, 1]]);
});

Deno.test("voice resume: a key package that may be lost is sent again, once", () => {
  const { driver } = call();
  const next = driver.resumed();
  assertEquals(next.sentFor("dave"), []);
  next.receive(json(9));
  assertEquals(next.sentFor("dave"), [[26, 0xab, 1]]);
  next.advance(20_000);
  const third = next.resumed();
  third.receive(json(9));
  assertEquals(third.sentFor("dave"), [], "a heartbeat after it was acknowledged: it has arrived");
});

Deno.test("voice resume: a commit and a confirmation that may be lost are sent again while they still say something", () => {
  const { driver, session } = call();
  session.commits.push({ commit: Uint8Array.of(1), welcome: Uint8Array.of(2) });
  driver.receive(binary(2, 25, 5), binary(3, 27, 0, 9));
  const again = driver.resumed();
  again.receive(json(9));
  assertEquals(again.sentFor("dave"), [[26, 0xab, 1], [28, 1, 2]]);

  again.receive(binary(4, 29, 0, 7, 1));
  const third = again.resumed();
  third.receive(json(9));
  assertEquals(
    third.sentFor("dave"),
    [{ op: 23, d: { transition_id: 7 } }],
    "there is a group; the rest is settled",
  );

  third.receive(json(22, { transition_id: 7 }, 5));
  const fourth = third.resumed();
  fourth.receive(json(9));
  assertEquals(fourth.sentFor("dave"), [], "the transition is executed");
});

Deno.test("voice resume: a message sent after the heartbeat is not confirmed by its acknowledgement", () => {
  const { driver } = call();
  driver.acksAfterMs = 500;
  driver.advance(13_750);
  driver.receive(binary(2, 29, 0, 7, 1));
  driver.advance(1_000);
  const next = driver.resumed();
  next.receive(json(9));
  assertEquals(next.sentFor("dave"), [{ op: 23, d: { transition_id: 7 } }]);
});

Deno.test("voice resume: wherever the connection is cut, the group hears each message once and in order", () => {
  assertProperty(fc.property(
    fc.integer({ min: 1, max: 12 }),
    fc.array(fc.tuple(fc.nat(11), fc.nat(3)), { maxLength: 6 }),
    fc.integer({ min: 65_500, max: 65_540 }),
    (count, cuts, start) => {
      const { driver, session } = call();
      const seqOf = (at: number) => (start + at) & 0xffff;
      driver.receive(json(18, {}, seqOf(-1)));
      let current = driver;
      for (let at = 0; at < count; at++) {
        for (const [, overlap] of cuts.filter(([cut]) => cut === at)) {
          current = current.resumed();
          // A server that replays more than it was asked for.
          for (let old = Math.max(0, at - overlap); old < at; old++) {
            current.receive(binary(seqOf(old), 29, 0, old + 1, old));
          }
        }
        current.receive(binary(seqOf(at), 29, 0, at + 1, at));
      }
      const heard = session.calls.filter((call) => call.startsWith("commit"));
      assertEquals(heard, Array.from({ length: count }, (_, at) => `commit ${at}`));
    },
  ));
});
