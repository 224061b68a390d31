/** A voice close code as it comes from the socket → the end's cause → the verdict. [case 68] */

import { assertEquals } from "@std/assert";
import { voiceCloseCause, voiceVerdict } from "../../../voice/core.ts";
import { inPhase } from "../harness.ts";

/** Discord's table, a second time: what each code leads to on a live connection. */
const CLOSES: readonly [code: number | null, meaning: string, next: "resume" | "rejoin" | "wait" | "stop"][] =
  [
    [null, "a cut", "resume"],
    [1000, "normal", "resume"],
    [1001, "going away", "resume"],
    [1006, "an abnormal end", "resume"],
    [1011, "an internal error", "resume"],
    [4001, "unknown opcode", "rejoin"],
    [4002, "failed to decode", "rejoin"],
    [4003, "not authenticated", "rejoin"],
    [4004, "authentication failed", "rejoin"],
    [4005, "already authenticated", "rejoin"],
    [4006, "session no longer valid", "rejoin"],
    [4009, "session timeout", "rejoin"],
    [4011, "server not found", "rejoin"],
    [4012, "unknown protocol", "rejoin"],
    [4013, "WebRTC crashed, not documented", "resume"],
    [4014, "disconnected", "wait"],
    [4015, "voice server crashed", "resume"],
    [4016, "unknown encryption mode", "rejoin"],
    [4017, "DAVE required", "stop"],
    [4020, "bad request", "rejoin"],
    [4021, "rate limited", "wait"],
    [4022, "call terminated", "wait"],
    [4999, "a code nobody knows", "rejoin"],
  ];

for (const [code, meaning, next] of CLOSES) {
  Deno.test(`voice state: closed with ${code ?? "no code"}, ${meaning}: ${next} [case 68]`, () => {
    const driver = inPhase("live");
    driver.input((state) => state.connectionEnded({ code, reason: "why" }));
    const { cause, closeCode, reason, phase, session } = driver.end;
    assertEquals([cause, closeCode, reason, phase], [voiceCloseCause(code), code, "why", "live"]);
    assertEquals(session?.sequence, 1);
    const resumable = session !== null;
    assertEquals(voiceVerdict({ cause, resumable, failedResumes: 0 }).action, next);

    // Before its description a session is no session.
    const early = inPhase("selecting");
    early.ended(code);
    assertEquals(early.end.session, null);
    const { action } = voiceVerdict({ cause: early.end.cause, resumable: false, failedResumes: 0 });
    assertEquals(action, next === "resume" ? "rejoin" : next);
  });
}
