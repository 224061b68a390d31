import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { VoiceRoster } from "../../../voice/core.ts";
import { assertProperty } from "../../property.ts";

Deno.test("roster: the bot is recognised but not among the others", () => {
  const roster = new VoiceRoster("1");
  assertEquals([roster.alone, roster.recognizedUserIds], [true, ["1"]]);
  assertEquals(roster.connected(["1", "2", "2"]), ["2"]);
  assertEquals([roster.alone, roster.userIds, roster.recognizedUserIds], [false, ["2"], ["2", "1"]]);
  assertEquals([roster.has("2"), roster.has("1")], [true, false]);
});

Deno.test("roster: a user has one source, and a source one user", () => {
  const roster = new VoiceRoster("1");
  roster.speaks("2", 10);
  roster.speaks("2", 11);
  assertEquals([roster.userOf(10), roster.userOf(11), roster.ssrcOf("2")], [null, "2", 11]);
  roster.speaks("3", 11);
  assertEquals([roster.userOf(11), roster.ssrcOf("2"), roster.ssrcOf("3")], ["3", null, 11]);
});

Deno.test("roster: who leaves takes the source along", () => {
  const roster = new VoiceRoster("1");
  roster.connected(["2"]);
  roster.speaks("2", 10);
  assertEquals([roster.disconnected("2"), roster.disconnected("2")], [true, false]);
  assertEquals([roster.userOf(10), roster.ssrcOf("2")], [null, null]);
});

Deno.test("roster: whatever happens, both ways of asking agree", () => {
  const user = fc.constantFrom("2", "3", "4");
  const step = fc.oneof(
    fc.tuple(fc.constant("speaks" as const), user, fc.nat(4)),
    fc.tuple(fc.constant("leaves" as const), user, fc.nat(4)),
  );
  assertProperty(fc.property(fc.array(step), (steps) => {
    const roster = new VoiceRoster("1");
    for (const [what, id, ssrc] of steps) {
      if (what === "speaks") roster.speaks(id, ssrc);
      else roster.disconnected(id);
      for (const one of ["2", "3", "4"]) {
        const source = roster.ssrcOf(one);
        if (source !== null) assertEquals(roster.userOf(source), one);
      }
      for (let source = 0; source <= 4; source++) {
        const owner = roster.userOf(source);
        if (owner !== null) assertEquals(roster.ssrcOf(owner), source);
      }
    }
  }));
});
