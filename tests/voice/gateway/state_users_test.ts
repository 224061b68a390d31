import { assertEquals } from "@std/assert";
import { inPhase, json, SELF } from "../harness.ts";

Deno.test("voice users: those who are there, come and leave", () => {
  const driver = inPhase("live");
  driver.receive(json(11, { user_ids: ["1", SELF, "2"] }, 2), json(11, { user_ids: ["2", "3"] }, 3));
  driver.receive(json(13, { user_id: "2" }, 4), json(13, { user_id: "2" }, 5));
  assertEquals(driver.events.slice(1), [
    { type: "connected", userIds: ["1", "2"] },
    { type: "connected", userIds: ["3"] },
    { type: "disconnected", userId: "2" },
  ]);
  assertEquals(driver.state.roster.userIds, ["1", "3"]);
});

Deno.test("voice users: they may be named as early as right after HELLO", () => {
  const driver = inPhase("identifying");
  driver.receive(json(11, { user_ids: ["1"] }, 0));
  assertEquals([driver.state.roster.userIds, driver.state.phase], [["1"], "identifying"]);
});

Deno.test("voice users: op 5 says whose SSRC is whose", () => {
  const driver = inPhase("live");
  driver.receive(json(5, { user_id: "1", ssrc: 700, speaking: 1, delay: 0 }, 2));
  driver.receive(
    json(5, { user_id: "1", ssrc: 700, speaking: 0 }, 3),
    json(5, { user_id: "2", ssrc: 0, speaking: 5 }),
  );
  assertEquals(driver.events.slice(1), [
    { type: "speaking", userId: "1", ssrc: 700, speaking: 1 },
    { type: "speaking", userId: "1", ssrc: 700, speaking: 0 },
    { type: "speaking", userId: "2", ssrc: 0, speaking: 5 },
  ]);
  assertEquals([driver.state.roster.userOf(700), driver.state.roster.userOf(0)], ["1", "2"]);
  // To speak is not to be in the call: who is, op 11 says.
  assertEquals(driver.state.roster.alone, true);
});

for (
  const [what, op, d] of [
    ["op 5 of ourselves", 5, { user_id: SELF, ssrc: 1, speaking: 1 }],
    ["op 5 without a user", 5, { ssrc: 1, speaking: 1 }],
    ["op 5 without an SSRC", 5, { user_id: "1", speaking: 1 }],
    ["op 5 with an SSRC of 33 bits", 5, { user_id: "1", ssrc: 2 ** 32, speaking: 1 }],
    ["op 5 without bits", 5, { user_id: "1", ssrc: 1 }],
    ["op 11 without users", 11, {}],
    ["op 11 with numbers", 11, { user_ids: [1] }],
    ["op 11 with nothing", 11, null],
    ["op 13 without a user", 13, {}],
    ["op 13 of a stranger", 13, { user_id: "404" }],
    ["op 12", 12, { user_id: "1", audio_ssrc: 5 }],
  ] as const
) {
  Deno.test(`voice users: ${what} says nothing`, () => {
    const driver = inPhase("live");
    assertEquals(driver.receive(json(op, d, 2)), []);
    assertEquals([driver.state.phase, driver.state.roster.userIds], ["live", []]);
  });
}

Deno.test("voice users: op 12 names a source of sound before the user has spoken", () => {
  const driver = inPhase("live");
  driver.receive(json(12, { user_id: "1", audio_ssrc: 700, video_ssrc: 701 }));
  driver.receive(json(12, { user_id: "1", audio_ssrc: 0 }), json(12, { user_id: SELF, audio_ssrc: 9 }));
  assertEquals([driver.state.roster.userOf(700), driver.state.roster.userOf(9)], ["1", null]);
});

Deno.test("voice users: bits as a boolean are understood", () => {
  const driver = inPhase("live");
  driver.receive(json(5, { user_id: "1", ssrc: 1, speaking: true }));
  assertEquals(driver.events.at(-1), { type: "speaking", userId: "1", ssrc: 1, speaking: 1 });
});
