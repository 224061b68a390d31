/**
 * Draws the state machine of DESIGN.md from the code's own tables.
 *
 * `deno task diagram` writes it; with `--check` it only compares, and fails if the page is stale.
 */

import { ENDS, type GatewayPhase, TRANSITIONS } from "../../gateway/transitions.ts";

const PAGE = new URL("../../DESIGN.md", import.meta.url);
const BEGIN = "<!-- state machine: drawn by `deno task diagram` -->";
const END = "<!-- state machine: end -->";

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
  const page = await Deno.readTextFile(PAGE);
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) {
    console.error("DESIGN.md has lost the marks between which the state machine is drawn");
    Deno.exit(1);
  }
  const fresh = `${page.slice(0, begin)}${BEGIN}\n\n\`\`\`mermaid\n${diagram()}\n\`\`\`\n\n${
    page.slice(end)
  }`;
  if (Deno.args.includes("--check")) {
    if (fresh !== page) {
      console.error("The state machine in DESIGN.md is stale: run `deno task diagram`");
      Deno.exit(1);
    }
    console.log("The state machine in DESIGN.md is up to date");
  } else {
    await Deno.writeTextFile(PAGE, fresh);
    console.log("The state machine in DESIGN.md is drawn");
  }
}
