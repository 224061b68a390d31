/**
 * Draws the two state machines of DESIGN.md, the gateway's and the voice gateway's, from the code's own tables.
 *
 * `deno task diagram` writes it; with `--check` it only compares, and fails if the page is stale.
 */

import { drawOrCheck } from "./page.ts";
import { EFFECTS, ENDS, TRANSITIONS } from "../../gateway/transitions.ts";
import { VOICE_EFFECTS, VOICE_ENDS, VOICE_TRANSITIONS } from "../../voice/gateway/transitions.ts";

/** A machine as its tables have it. */
interface Machine {
  readonly steps: readonly {
    readonly from: string;
    readonly on: string;
    readonly to: string;
    readonly does?: string;
  }[];
  readonly ends: { readonly [cause: string]: readonly string[] };
}

/** The steps as rows, each with its effect. */
function stepsOf(
  transitions: { readonly [from: string]: { readonly [on: string]: string } | undefined },
  effects: { readonly [on: string]: string },
): Machine["steps"] {
  return Object.entries(transitions).flatMap(([from, steps = {}]) =>
    Object.entries(steps).map(([on, to]) => {
      const does = effects[on];
      return { from, on, to, ...(does !== undefined && { does }) };
    })
  );
}

/** The diagram in Mermaid's notation. */
export function diagram({ steps, ends: table }: Machine): string {
  const ends = Object.entries(table).map(([cause, from]) => ({ cause, from }));
  const phases = [...new Set(steps.flatMap(({ from, to }) => [from, to]))];
  // Causes that end every phase are drawn once.
  const everywhere = ends.filter(({ from }) => phases.every((phase) => from.includes(phase)));
  const byPhase = phases.flatMap((phase) => {
    const causes = ends.filter((end) => end.from.includes(phase) && !everywhere.includes(end));
    return causes.length === 0
      ? []
      : [`  ${phase} --> closed: ${causes.map(({ cause }) => cause).join(", ")}`];
  });
  return [
    "stateDiagram-v2",
    "  [*] --> open: the socket is open",
    "  state open {",
    "    [*] --> awaiting_hello",
    ...steps.map(({ from, on, to, does }) => `    ${from} --> ${to}: ${on}${does ? ` / ${does}` : ""}`),
    "  }",
    ...byPhase,
    `  open --> closed: ${everywhere.map(({ cause }) => cause).join(", ")}`,
    "  closed --> [*]",
  ].join("\n");
}

if (import.meta.main) {
  const machines: readonly [part: string, machine: Machine][] = [
    ["state machine", { steps: stepsOf(TRANSITIONS, EFFECTS), ends: ENDS }],
    ["voice state machine", { steps: stepsOf(VOICE_TRANSITIONS, VOICE_EFFECTS), ends: VOICE_ENDS }],
  ];
  for (const [part, machine] of machines) {
    const content = `\`\`\`mermaid\n${diagram(machine)}\n\`\`\``;
    await drawOrCheck({ page: "DESIGN.md", part, task: "diagram", content });
  }
}
