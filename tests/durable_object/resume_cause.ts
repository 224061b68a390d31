/**
 * The cause of each RESUME, from the fake's journal alone.
 *
 * An incarnation of the object puts its id into the URL that it dials. Its first RESUME continues the session of the run
 * before. A further one in the same run needs another cause, and one is no fault: with too many events queued for the
 * handler, the bot closes the connection to park its session at Discord, and resumes it once it has caught up.
 */

import type { CloseEntry, Journal } from "../fake/mod.ts";

/** One RESUME. */
export interface ResumeCause {
  /** The run that sent it. */
  readonly run: string;
  /** `"unknown"`: the connection was lost without an explanation. */
  readonly cause: "new run" | "parked" | "unknown";
  /** How the connection before it ended. */
  readonly after: string;
}

/** The causes of all RESUMEs, in order. */
export function resumeCauses(journal: Journal): ResumeCause[] {
  const runs = new Map(journal.dials().map(({ connectionId, url }) => [connectionId, runOf(url)]));
  const ends = new Map(journal.of("close").map((end) => [end.connectionId, end]));
  /** The last connection on which each run has identified or resumed. */
  const last = new Map<string, number>();
  const causes: ResumeCause[] = [];
  let before: number | null = null;
  for (const { connectionId, op } of journal.of("frame")) {
    if (op !== 2 && op !== 6) continue;
    const run = runs.get(connectionId) ?? "?";
    if (op === 6) {
      const own = last.get(run);
      const end = own === undefined ? undefined : ends.get(own);
      const cause = own === undefined ? "new run" : end && isParking(end) ? "parked" : "unknown";
      causes.push({ run, cause, after: described(before === null ? undefined : ends.get(before)) });
    }
    last.set(run, before = connectionId);
  }
  return causes;
}

function isParking({ by, code, reason }: CloseEntry): boolean {
  return by === "client" && code === 4200 && reason === "consumer behind";
}

function described(end: CloseEntry | undefined): string {
  return end ? `closed by the ${end.by}: ${end.code ?? "cut"} ${end.reason}`.trimEnd() : "still open";
}

function runOf(url: string): string {
  return new URL(url).searchParams.get("run") ?? "?";
}
