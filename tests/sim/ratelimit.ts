/** `deno task sim:ratelimit`: prints the comparison of command limiters, line by line as each is ready. */

import { compare } from "./comparison.ts";
import { terminalFoot, terminalHead, terminalLine } from "./table.ts";

if (import.meta.main) {
  console.log(terminalHead());
  let intervalMs = 0;
  const lines = compare((line) => {
    if (line.intervalMs !== intervalMs) console.log();
    intervalMs = line.intervalMs;
    console.log(terminalLine(line));
  });
  console.log(`\n${terminalFoot(lines)}`);
}
