import { assertEquals } from "@std/assert";
import { Journal } from "../fake/mod.ts";
import { type ResumeCause, resumeCauses } from "./resume_cause.ts";

/** How a connection ended: which side closed it, with which code and reason. */
type End = readonly [by: "client" | "server", code: number | null, reason?: string];

const CUT: End = ["client", null];
const PARKED: End = ["client", 4200, "consumer behind"];

/** The causes in a story: runs that connect, each followed by how its connection ended, if it did. */
function causesOf(...story: readonly (readonly [run: string, end?: End])[]): ResumeCause[] {
  const journal = new Journal();
  story.forEach(([run, end], place) => {
    const [at, connectionId] = [place, place + 1];
    journal.write({ kind: "dial", at, url: `ws://fake/?v=10&run=${run}`, outcome: "open", connectionId });
    journal.write({ kind: "frame", at, connectionId, op: place === 0 ? 2 : 6, d: {} });
    if (end) {
      const [by, code, reason = ""] = end;
      journal.write({ kind: "close", at, connectionId, by, code, reason });
    }
  });
  return resumeCauses(journal);
}

Deno.test("resume cause: the first RESUME of a run follows a kill, however the connection before it ended", () => {
  assertEquals(causesOf(["a", CUT], ["b", PARKED], ["c"]), [
    { run: "b", cause: "new run", after: "closed by the client: cut" },
    { run: "c", cause: "new run", after: "closed by the client: 4200 consumer behind" },
  ]);
});

Deno.test("resume cause: a run that has parked its session resumes it, also more than once", () => {
  const causes = causesOf(["a", PARKED], ["a", CUT], ["b", PARKED], ["b", PARKED], ["b"]);
  assertEquals(causes.map(({ cause }) => cause), ["parked", "new run", "parked", "parked"]);
});

Deno.test("resume cause: nothing else explains a RESUME of the same run", () => {
  const ends: readonly End[] = [
    CUT,
    ["server", null],
    ["server", 4200, "consumer behind"],
    ["client", 4200, "heartbeats unanswered"],
    ["client", 4000, "consumer behind"],
  ];
  for (const end of ends) {
    assertEquals(causesOf(["a", CUT], ["b", end], ["b"]).map(({ cause }) => cause), ["new run", "unknown"]);
  }
  assertEquals(causesOf(["a"], ["a"]), [{ run: "a", cause: "unknown", after: "still open" }]);
});

Deno.test("resume cause: what counts is how the run's own connection ended", () => {
  // Two runs at once: another one has parked.
  const causes = causesOf(["a", CUT], ["b", CUT], ["c", PARKED], ["b"]);
  assertEquals(causes.map(({ cause }) => cause), ["new run", "new run", "unknown"]);
});
