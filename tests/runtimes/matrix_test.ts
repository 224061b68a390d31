/** The matrix of the runtimes: nothing that failed or was never played passes for a success. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { matrix, problems, ROWS } from "./matrix.ts";
import type { Result } from "./runner.ts";
import { ENDS_BY_ITSELF, runProcess, type Runtime } from "./runtime.ts";

const RUNTIME: Runtime = { name: "Somewhere 1", lacks: { ws: "there is none" }, run: async () => {} };
const ALL_PASSED = new Map<string, Result>(ROWS.map((name) => [name, { name, outcome: "passed" }]));
const [first = ""] = ROWS;

Deno.test("matrix: a suite in which all passed has no problems", () => {
  assertEquals(problems(RUNTIME, ALL_PASSED), []);
});

Deno.test("matrix: what failed, what was not played, and what was skipped without a reason are problems", () => {
  const but = (result?: Result) => {
    const column = new Map(ALL_PASSED);
    column.delete(first);
    return problems(RUNTIME, result ? column.set(first, result) : column);
  };
  assertEquals(but({ name: first, outcome: "failed", error: "1 is not 2" }), [
    `✗ Somewhere 1: ${first}: 1 is not 2`,
  ]);
  assertEquals(but(), [`✗ Somewhere 1: ${first}: it was not played`]);
  assertEquals(but({ name: first, outcome: "skipped", lacks: "setEnvironment" }), [
    `✗ Somewhere 1: ${first}: it was not played`,
  ]);
  assertEquals(but({ name: first, outcome: "skipped", lacks: "ws" }), []);
});

Deno.test("matrix: a runtime with processes has to end by itself", () => {
  const column = new Map(ALL_PASSED);
  column.delete(ENDS_BY_ITSELF);
  assertEquals(problems(RUNTIME, column).length, 1);
  assertEquals(problems({ ...RUNTIME, lacks: { process: "it is none" } }, column), []);
});

Deno.test("matrix: a row for each behaviour, a column for each runtime, and the reasons below", () => {
  const column = new Map(ALL_PASSED).set(first, { name: first, outcome: "failed" });
  const lines = matrix([RUNTIME, { ...RUNTIME, name: "Elsewhere 2", lacks: {} }], [ALL_PASSED, column]).split(
    "\n",
  );
  assertMatch(lines[0] ?? "", /^\| +\| Somewhere 1 \| Elsewhere 2 \|$/);
  assertMatch(lines[2] ?? "", /^\| .* \| ✓ +\| ✗ +\|$/);
  assertEquals(lines.length, ROWS.length + 4);
  assertEquals(lines.at(-1), "- – on Somewhere 1: there is none");
});

Deno.test("matrix: names of behaviours are unique", () => {
  assertEquals(new Set(ROWS).size, ROWS.length);
});

for (
  const [what, program, wrong] of [
    ["exits with another code", `console.log('"over"'); Deno.exit(3)`, /exit code 3/],
    ["has something to say on stderr", `console.log('"over"'); console.error("hm")`, /hm/],
    ["ends before the suite does", ``, /the suite did not come to its end/],
  ] as const
) {
  Deno.test(`matrix: a process that ${what} has not ended as it should`, async () => {
    const results: Result[] = [];
    await runProcess(
      Deno.execPath(),
      ["eval", program],
      "/no/such/certificate.pem",
      (result) => void results.push(result),
    );
    assertEquals(results.map(({ name, outcome }) => [name, outcome]), [[ENDS_BY_ITSELF, "failed"]]);
    assert(wrong.test(results[0]?.error ?? ""), results[0]?.error);
  });
}
