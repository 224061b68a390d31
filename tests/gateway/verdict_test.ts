import { assertEquals, assertMatch, assertNotStrictEquals } from "@std/assert";
import type { EndCause } from "../../gateway/transitions.ts";
import { delayMs, MAX_FAILED_RESUMES, verdict, VERDICTS } from "../../gateway/verdict.ts";
import type { VerdictAction, VerdictDelay } from "../../gateway/close_code.ts";
import { SESSION } from "./harness.ts";

/** What is left of the session: all of it, all but its URL, or nothing. */
type Left = "kept" | "kept without URL" | "dropped";

/**
 * Our policy, written down a second time. Complete by its type. Where Discord leaves it open, a resume is tried, since
 * it costs nothing; after 4001, 4003, 4006, 4007 and 4009 it would be refused.
 */
const POLICY: Record<EndCause, readonly [VerdictAction, VerdictDelay, Left]> = {
  // Discord closed.
  close_1000: ["resume", "backoff", "kept"],
  close_1001: ["resume", "backoff", "kept"],
  close_4000: ["resume", "backoff", "kept"],
  close_4001: ["identify", "backoff", "dropped"],
  close_4002: ["resume", "backoff", "kept"],
  close_4003: ["identify", "backoff", "dropped"],
  close_4004: ["stop", "none", "kept"],
  close_4005: ["resume", "backoff", "kept"],
  close_4006: ["identify", "backoff", "dropped"],
  close_4007: ["identify", "backoff", "dropped"],
  close_4008: ["resume", "backoff", "kept"],
  close_4009: ["identify", "backoff", "dropped"],
  close_4010: ["stop", "none", "kept"],
  close_4011: ["stop", "none", "kept"],
  close_4012: ["stop", "none", "kept"],
  close_4013: ["stop", "none", "kept"],
  close_4014: ["stop", "none", "kept"],
  close_other: ["resume", "backoff", "kept"],
  connection_lost: ["resume", "backoff", "kept"],
  // Discord asked.
  reconnect: ["resume", "none", "kept"],
  invalid_session: ["identify", "invalid_session", "dropped"],
  invalid_session_resumable: ["resume", "invalid_session", "kept"],
  // Discord failed.
  zombie: ["resume", "none", "kept"],
  hello_timeout: ["resume", "backoff", "kept"],
  ready_timeout: ["identify", "backoff", "dropped"],
  resumed_timeout: ["resume", "backoff", "kept"],
  frame_error: ["resume", "backoff", "kept"],
  protocol_error: ["resume", "backoff", "kept"],
  // We failed.
  write_failed: ["resume", "backoff", "kept"],
  identify_refused: ["stop", "none", "kept"],
  identify_limiter_failed: ["identify", "backoff", "dropped"],
  consumer_behind: ["resume", "none", "kept"],
  // We wanted.
  closed_keeping_session: ["stop", "none", "kept"],
  closed_ending_session: ["stop", "none", "dropped"],
  // It never began.
  dial_failed: ["resume", "backoff", "kept without URL"],
  gateway_bot_failed: ["resume", "backoff", "kept"],
  gateway_bot_unauthorized: ["stop", "none", "kept"],
};

const causes = Object.keys(POLICY) as EndCause[];

const left = {
  kept: SESSION,
  "kept without URL": { ...SESSION, resumeGatewayUrl: null },
  dropped: null,
};

for (const cause of causes) {
  const [action, delay, session] = POLICY[cause];
  Deno.test(`verdict: after ${cause} ${action}, the session ${session}, delay ${delay}`, () => {
    const { why, ...what } = verdict({ cause, session: SESSION, failedResumes: 0 });
    assertEquals(what, { action, delay, session: left[session] });
    assertMatch(why, /^[A-Z].*[^.]$/, "a sentence for a log line, without a full stop");
  });

  const without = action === "stop" ? "stop" : "identify";
  Deno.test(`verdict: after ${cause} without a session ${without}`, () => {
    const { why: _, ...what } = verdict({ cause, session: null, failedResumes: 0 });
    assertEquals(what, { action: without, delay, session: null });
  });
}

Deno.test("verdict: the table has a row for each cause and no other", () => {
  assertEquals(Object.keys(VERDICTS).toSorted(), causes.toSorted());
});

Deno.test("verdict: a session is given up after three resumes in a row that came to nothing", () => {
  assertEquals(MAX_FAILED_RESUMES, 3);
  const after = (failedResumes: number) => {
    const { action, session } = verdict({ cause: "connection_lost", session: SESSION, failedResumes });
    return [action, session !== null];
  };
  assertEquals(after(1), ["resume", true]);
  assertEquals(after(2), ["resume", true]);
  assertEquals(after(3), ["identify", false]);
  assertEquals(after(4), ["identify", false]);
});

Deno.test("verdict: failed resumes turn a resume into an identify, and change nothing else", () => {
  for (const cause of causes) {
    const fresh = verdict({ cause, session: SESSION, failedResumes: 0 });
    const tired = verdict({ cause, session: SESSION, failedResumes: MAX_FAILED_RESUMES });
    const expected = fresh.action === "resume" ? { ...fresh, action: "identify", session: null } : fresh;
    assertEquals<unknown>(tired, expected, cause);
  }
});

Deno.test("verdict: our own close with the code that ends a session discards it, the other keeps it [case 16]", () => {
  assertEquals(verdict({ cause: "closed_ending_session", session: SESSION, failedResumes: 0 }).session, null);
  assertEquals(
    verdict({ cause: "closed_keeping_session", session: SESSION, failedResumes: 0 }).session,
    SESSION,
  );
});

Deno.test("verdict: a failed dial (HTTP 5xx, 520, 521, time-out) keeps the session and takes the main gateway", () => {
  const { session } = verdict({ cause: "dial_failed", session: SESSION, failedResumes: 0 });
  assertEquals(session, { ...SESSION, resumeGatewayUrl: null });
  assertNotStrictEquals(session, SESSION);
  assertEquals(SESSION.resumeGatewayUrl, "wss://gateway-us-east1-b.discord.gg", "the one given is untouched");
});

const DELAYS: readonly [delay: VerdictDelay, backoffMs: number, random: number, ms: number][] = [
  ["none", 0, 0.5, 0],
  ["none", 8_000, 0.5, 8_000],
  ["backoff", 0, 0.5, 0],
  ["backoff", 8_000, 0.5, 8_000],
  ["invalid_session", 0, 0, 1_000],
  ["invalid_session", 0, 0.5, 3_000],
  ["invalid_session", 0, 0.999, 4_996],
  ["invalid_session", 2_000, 0.5, 3_000],
  ["invalid_session", 60_000, 0.5, 60_000],
];

for (const [delay, backoffMs, random, ms] of DELAYS) {
  Deno.test(`verdict: delay ${delay} with a backoff of ${backoffMs} ms at random ${random} is ${ms} ms`, () => {
    assertEquals(delayMs(delay, backoffMs, random), ms);
  });
}
