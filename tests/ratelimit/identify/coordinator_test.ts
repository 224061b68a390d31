/** The coordinator of a Durable Object, on a storage in memory. In a real workerd: `tests/contract/`. */

import { assertEquals, assertThrows } from "@std/assert";
import { IdentifyCoordinator, type IdentifyRequest } from "../../../ratelimit/identify/durable_object.ts";

function coordinator() {
  const values = new Map<string, unknown>();
  const kv = {
    get: (key: string) => structuredClone(values.get(key)),
    put: (key: string, value: unknown) => void values.set(key, structuredClone(value)),
  };
  return {
    values,
    coordinator: new IdentifyCoordinator({ storage: { kv } }, { clock: { now: () => 1_000 } }),
  };
}

const QUESTION: IdentifyRequest = { client: "a", ask: [], keep: [], drop: [], known: null, limits: null };
const BUDGET = {
  id: "b",
  maxConcurrency: 2,
  total: 10,
  remaining: 5,
  resetAfterMs: null,
  periodMs: 5_000,
};

function post(body: string): Request {
  return new Request("https://identify/", { method: "POST", body });
}

Deno.test("identify coordinator: whatever is no request is answered with 400 and leaves the record alone", async () => {
  const wrong: readonly unknown[] = [
    null,
    5,
    [],
    {},
    { ...QUESTION, client: 5 },
    { ...QUESTION, ask: null },
    { ...QUESTION, ask: [null] },
    { ...QUESTION, ask: [{ ticket: "t" }] },
    { ...QUESTION, ask: [{ ticket: 4, shardId: 3 }] },
    { ...QUESTION, ask: [{ ticket: "t", shardId: "3" }] },
    { ...QUESTION, ask: [{ ticket: "t", shardId: -3 }] },
    { ...QUESTION, ask: [{ ticket: "t", shardId: 0.5 }] },
    { ...QUESTION, keep: [5] },
    { ...QUESTION, drop: "t" },
    { ...QUESTION, known: {} },
    { ...QUESTION, known: 5 },
    { ...QUESTION, known: { ...BUDGET, id: 5 } },
    { ...QUESTION, known: { ...BUDGET, periodMs: "x" } },
    { ...QUESTION, known: { ...BUDGET, resetAfterMs: -1 } },
    { ...QUESTION, known: { ...BUDGET, total: undefined } },
    { ...QUESTION, limits: "none" },
    { ...QUESTION, limits: { maxConcurrency: 0 } },
    // It once left a budget of nothing to everybody, for a whole day.
    { ...QUESTION, limits: { total: null } },
  ];
  for (const body of ["", "{", ...wrong.map((question) => JSON.stringify(question))]) {
    const { coordinator: asked, values } = coordinator();
    const response = await asked.fetch(post(body));
    assertEquals([response.status, await response.text()], [400, "Cannot answer: this is no request"], body);
    assertEquals(values.size, 0, body);
  }
});

Deno.test("identify coordinator: a request is answered, over fetch as by a call", async () => {
  const questions: readonly IdentifyRequest[] = [
    QUESTION,
    { ...QUESTION, ask: [{ ticket: "t", shardId: 3 }], keep: ["k"], drop: ["d"] },
    { ...QUESTION, known: BUDGET, limits: {} },
    { ...QUESTION, known: { ...BUDGET, resetAfterMs: 5_000 }, limits: { maxConcurrency: 16, remaining: 0 } },
  ];
  for (const question of questions) {
    const response = await coordinator().coordinator.fetch(post(JSON.stringify(question)));
    assertEquals(response.status, 200);
    assertEquals(await response.json(), coordinator().coordinator.exchange(question));
  }
});

Deno.test("identify coordinator: looking at the budget changes nothing, and what is no record is told", () => {
  const { coordinator: asked, values } = coordinator();
  assertEquals(asked.budget, null);
  asked.exchange({ ...QUESTION, ask: [{ ticket: "t", shardId: 0 }] });
  const before = structuredClone([...values]);
  assertEquals([asked.budget?.remaining, asked.budget?.total], [999, 1_000]);
  assertEquals([...values], before);
  values.set("discordgateway:identify", "something else");
  assertThrows(() => asked.exchange(QUESTION), TypeError, "Cannot read the record of identifies");
});
