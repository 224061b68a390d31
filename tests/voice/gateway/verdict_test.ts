import { assertEquals, assertMatch } from "@std/assert";
import type { VoiceEndCause, VoiceVerdictAction } from "../../../voice/mod.ts";
import {
  MAX_FAILED_VOICE_RESUMES,
  VOICE_VERDICTS,
  voiceVerdict,
  type VoiceVerdictDelay,
} from "../../../voice/core.ts";

/** Our policy, written down a second time. Complete by its type. */
const POLICY: Record<VoiceEndCause, readonly [VoiceVerdictAction, VoiceVerdictDelay]> = {
  // The main gateway knows what follows.
  close_4014: ["wait", "none"],
  close_4021: ["wait", "none"],
  close_4022: ["wait", "none"],
  // Nothing can follow.
  close_4017: ["stop", "none"],
  no_common_mode: ["stop", "none"],
  closed: ["stop", "none"],
  // The session lives.
  close_below_4000: ["resume", "backoff"],
  close_4013: ["resume", "backoff"],
  close_4015: ["resume", "backoff"],
  connection_lost: ["resume", "backoff"],
  zombie: ["resume", "none"],
  hello_timeout: ["resume", "backoff"],
  frame_error: ["resume", "backoff"],
  write_failed: ["resume", "backoff"],
  dial_failed: ["resume", "backoff"],
  // The session is gone, or at odds with the server.
  close_4001: ["rejoin", "backoff"],
  close_4002: ["rejoin", "backoff"],
  close_4003: ["rejoin", "backoff"],
  close_4004: ["rejoin", "backoff"],
  close_4005: ["rejoin", "backoff"],
  close_4006: ["rejoin", "backoff"],
  close_4009: ["rejoin", "backoff"],
  close_4011: ["rejoin", "backoff"],
  close_4012: ["rejoin", "backoff"],
  close_4016: ["rejoin", "backoff"],
  close_4020: ["rejoin", "backoff"],
  close_other: ["rejoin", "backoff"],
  ready_timeout: ["rejoin", "backoff"],
  session_description_timeout: ["rejoin", "backoff"],
  resumed_timeout: ["rejoin", "backoff"],
  protocol_error: ["rejoin", "backoff"],
  media_failed: ["rejoin", "backoff"],
};

for (const [name, [action, delay]] of Object.entries(POLICY)) {
  const cause = name as VoiceEndCause;
  Deno.test(`voice verdict: after ${cause} ${action}, delay ${delay}`, () => {
    const verdict = voiceVerdict({ cause, resumable: true, failedResumes: 0 });
    assertEquals([verdict.action, verdict.delay], [action, delay]);
    assertMatch(verdict.why, /^[A-Z].*[^.]$/, "a sentence for a log line, without a full stop");
  });

  const instead = action === "resume" ? "rejoin" : action;
  Deno.test(`voice verdict: after ${cause} without a session, or with one that resumes in vain, ${instead}`, () => {
    const without = voiceVerdict({ cause, resumable: false, failedResumes: 0 });
    const inVain = voiceVerdict({ cause, resumable: true, failedResumes: MAX_FAILED_VOICE_RESUMES });
    assertEquals([without.action, inVain.action], [instead, instead]);
    if (instead === "rejoin") assertEquals([without.delay, inVain.delay], ["backoff", "backoff"]);
  });
}

Deno.test("voice verdict: the table has a row for each cause, and no other", () => {
  assertEquals(Object.keys(VOICE_VERDICTS).toSorted(), Object.keys(POLICY).toSorted());
});

Deno.test("voice verdict: a resume is tried three times in a row", () => {
  const actions = [0, 1, 2, 3].map((failedResumes) =>
    voiceVerdict({ cause: "close_4015", resumable: true, failedResumes }).action
  );
  assertEquals(actions, ["resume", "resume", "resume", "rejoin"]);
});
