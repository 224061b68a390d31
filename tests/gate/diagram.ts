/**
 * Draws the state machine of DESIGN.md from the code's own tables.
 *
 * `deno task diagram` writes it; with `--check` it only compares, and fails if the page is stale.
 */

import { drawOrCheck } from "./page.ts";
import { ENDS, type GatewayPhase, TRANSITIONS } from "../../gateway/transitions.ts";

/** The diagram in Mermaid's notation. */
export function diagram(): string {
  const steps = TRANSITIONS.map(({ from, on, to, does }) => {
    return `    ${from} --> ${to}: ${on}${does ? ` / ${does}` : ""}`;
  });
  const ends = endsByPhase().map(([phase, causes]) => `  ${phase} --> closed: ${causes.join(", ")}`);
  return [
    "stateDiagram-v2",
    "  [*] --> open: the socket is open",
    "  state open {",
    "    [*] --> awaiting_hello",
    ...steps,
    "  }",
    ...ends,
    `  open --> closed: ${everywhere().join(", ")}`,
    "  closed --> [*]",
  ].join("\n");
}

function phases(): readonly GatewayPhase[] {
  return [...new Set(TRANSITIONS.flatMap(({ from, to }) => [from, to]))];
}

/** Causes that end every phase are drawn once. */
function everywhere(): string[] {
  return ENDS.filter(({ from }) => phases().every((phase) => from.includes(phase))).map(({ cause }) => cause);
}

function endsByPhase(): [GatewayPhase, string[]][] {
  const common = new Set<string>(everywhere());
  return phases().map((phase) => [
    phase,
    ENDS.filter(({ cause, from }) => from.includes(phase) && !common.has(cause)).map(({ cause }) => cause),
  ]);
}

if (import.meta.main) {
  await drawOrCheck({
    page: "DESIGN.md",
    part: "state machine",
    task: "diagram",
    content: `\`\`\`mermaid\n${diagram()}\n\`\`\``,
  });
}
