/** Every pattern of the gate's `words` step finds what it is for, and nothing that looks alike. */

import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { RETIRED, retiredWords } from "./gate/words.ts";

for (const { pattern, catches, leaves } of RETIRED) {
  Deno.test(`words: ${pattern.source.slice(0, 40)} catches its line and leaves the other`, () => {
    assertMatch(catches, pattern);
    assertNotMatch(leaves, pattern);
  });
}

Deno.test("words: a retired word is reported with its line and what to use", () => {
  assertEquals(retiredWords("fine\nclass FleetGate {"), [
    { line: 2, found: "FleetGate", use: "slot gate (fleet), limit (commands)" },
  ]);
});
