/** A close code as it comes from the socket → the end's cause → the verdict. */

import { assertEquals } from "@std/assert";
import { closeCause, verdict } from "../../gateway/mod.ts";
import { dispatch, inPhase, SESSION } from "./harness.ts";

/** Discord's table of close codes, a second time: what each leads to on a live connection with a session. */
const CLOSES: readonly [code: number | null, meaning: string, next: "resume" | "identify" | "stop"][] = [
  [null, "a TCP drop", "resume"],
  [1006, "an abnormal end", "resume"],
  [1000, "normal; ambiguous when received, so a resume is tried", "resume"],
  [1001, "going away; ambiguous when received, so a resume is tried", "resume"],
  [4000, "unknown error", "resume"],
  [4001, "unknown opcode or bad body; never resumable", "identify"],
  [4002, "decode error", "resume"],
  [4003, "not authenticated", "identify"],
  [4004, "bad token", "stop"],
  [4005, "already authenticated", "resume"],
  [4006, "session no longer valid (removed)", "identify"],
  [4007, "invalid sequence", "identify"],
  [4008, "rate limited", "resume"],
  [4009, "session timed out", "identify"],
  [4010, "invalid shard", "stop"],
  [4011, "sharding required", "stop"],
  [4012, "invalid API version", "stop"],
  [4013, "invalid intents", "stop"],
  [4014, "disallowed intents", "stop"],
  [4015, "user accounts only, unknown to bots", "resume"],
  [4016, "consoles only, unknown to bots", "resume"],
  [1011, "an internal error, also Cloudflare's", "resume"],
  [1012, "a restart, also Cloudflare's", "resume"],
  [1013, "try again later, also Cloudflare's", "resume"],
  [4999, "a code nobody knows", "resume"],
];

for (const [code, meaning, next] of CLOSES) {
  Deno.test(`state: closed by Discord with ${code ?? "no code"}, ${meaning}: ${next}`, () => {
    const driver = inPhase("live");
    driver.receive(dispatch("A", 7));
    driver.input((state) => state.connectionEnded({ code, reason: "why" }));
    const { cause, closeCode, reason, session, phase } = driver.end;
    assertEquals([cause, closeCode, reason, phase], [closeCause(code), code, "why", "live"]);
    assertEquals(session, { ...SESSION, sequence: 7 });

    const after = verdict({ cause, session, failedResumes: 0 });
    assertEquals([after.action, after.session], [next, next === "identify" ? null : session]);

    // Before READY there is no session that could be resumed.
    const early = inPhase("identifying");
    early.input((state) => state.connectionEnded({ code, reason: "" }));
    const { action } = verdict({ ...early.end, failedResumes: 0 });
    assertEquals(action, next === "stop" ? "stop" : "identify");
  });
}
