/**
 * Retired words: identifiers and phrases that once named what has a better name now (docs/glossary.md). Each pattern
 * carries a line that it must catch and one that it must leave alone; plain English words stay free.
 *
 * The gate step `words` prints every place where one is back.
 */

import { ROOT } from "./process.ts";
import { filesBelow } from "./published.ts";

/** An identifier or a phrase that is not used any more. */
export interface Retired {
  /** What finds it. */
  readonly pattern: RegExp;
  /** What to write. */
  readonly use: string;
  /** A line that it must catch. */
  readonly catches: string;
  /** A line that looks alike and is fine. */
  readonly leaves: string;
}

/** All of them. */
export const RETIRED: readonly Retired[] = [
  {
    pattern:
      /\b[a-z]\w*Beats?\b|\bBeats?\b|\bbeats?(?=[A-Z]\w)|\b(?:a|the|each|next|last|two|no|first) beats?\b/,
    use: "heartbeat",
    catches: "nothing came between two beats",
    leaves: "the heartbeat that is due; to beat a peer in a benchmark",
  },
  {
    pattern: /\bsystemHost\b|\bhost: (?:clock|platform)\b|\b(?:implements|:) Host\b|\bthe host's clock\b/,
    use: "platform (host is for ShardHost and FleetHost)",
    catches: "new Shard({ token, dial, host: clock })",
    leaves: 'new ShardHost(ctx); { host: "127.0.0.1" }; Host: example.com',
  },
  {
    pattern:
      /\bStays?\b(?!s? [a-z])|\bstays?(?=[A-Z]\w)|\b(?:a|the|each|this|every|its) stays?\b(?! (?:in|below|the) )|\bstay in (?:voice|a channel)\b/,
    use: "voice connection, or call",
    catches: "the stay outlives a reshard",
    leaves: "a failure that stays comes out of close(); the words stay free; Stay below 300 lines",
  },
  {
    pattern:
      /\b\w*(?<!Half)Li(?:fe|ves)(?=[A-Z]|\b)(?!time|cycle)|\b(?:next|another|each|process|first|second|old|new|its) li(?:fe|ves)\b|\blives (?:of|in a row)\b|\blife(?=[A-Z])/,
    use: "run, or incarnation",
    catches: "the event comes again in the next life",
    leaves: "what lives in storage; the lifetime of a socket; a shard lives for months",
  },
  {
    pattern: /\bShardPlace\b|\bplaceOf\w*|\bVoicePlaces?\b|\bplace of a shard\b|\bthe shard's place\b/,
    use: "slot (of a fleet)",
    catches: "the place of a shard in the fleet",
    leaves: "in place of the old one; it takes the place of a heartbeat",
  },
  {
    pattern: /\bways? into voice\b/i,
    use: "voice provider",
    catches: "the way into voice is given to the shard",
    leaves: "the voice provider is given to the shard",
  },
  {
    pattern:
      /\bHearings?\w*\b|\bhearing(?=[A-Z.(])|\bHearers?\b|\bhearers?\b|\bEars?\b|\b(?:a|the|each|all) (?:hearing|ear)s?\b/,
    use: "receive streams (voice), or liveness probe (fleet)",
    catches: "const hearing = new Hearing(options);",
    leaves: "without hearing from Discord; the heart of it; earlier",
  },
  {
    pattern: /\b[A-Z]\w*_PACES?\b|\bclass Pace\b|\bpace\.ts\b|\bPaces?(?=[A-Z])/,
    use: "persistent backoff",
    catches: "export const LAUNCH_PACE = { freeUntil: 3 };",
    leaves: "at the same pace; a namespace; IDENTIFY_PERIOD_MS",
  },
  {
    pattern: /\bdave_session\b|\bdaveSession\b/,
    use: "DAVE provider",
    catches: 'import { DaveProvider } from "./dave_session.ts";',
    leaves: "interface DaveSession, which a DAVE provider makes",
  },
  {
    pattern:
      /\bGatedTurns?\b|\bGatedTurn(?=[A-Z])|\bTurnOptions\b|\bonTurn\b|\bhadItsTurn\b|\b(?:for|had|has|have|gets?|got|take) (?:its|his|their|your|a) turns?\b/,
    use: "queue position (commands), or permit (identify)",
    catches: "the caller waits for its turn",
    leaves: "new TurnQueue(); in the next turn of the event loop; in turn",
  },
  {
    pattern:
      /\bFleetGate\b|\bGateState\b|\bCommandGates?\b|\bguildMembersGate\b|\bcommand_gates\b|\bgateOf(?=[A-Z]|\b)/,
    use: "slot gate (fleet), limit (commands)",
    catches: "class FleetGate {",
    leaves: "the slot's gate; the gate step `words`; gateway",
  },
  {
    pattern:
      /\b\w*Questions?\b(?<!\bQuestions?)|\bclass Question\b|\binterface Question\b|\b[a-z]\w+Answers?\b|\bAnswers?(?=[A-Z<])|\b(?:a|the|each|open|its|this|one|two|no) questions?\b|\b(?:an|the|each|no|its|late) answers?\b/,
    use: "request and response",
    catches: "a question whose answer never comes",
    leaves: "an early identify is answered by op 9; Discord answers with HELLO",
  },
  {
    pattern:
      /\b(?:a|the|no|every) ways? into\b|\broom left\b|\bhold(?:s|ing)? up\b|\bheld up\b|\b(?:is|are|was|were) sent away\b|\bgoes as well\b|\bby hand\b/i,
    use: "the plain verb: path, capacity, delays, is rejected, also works, manually",
    catches: "a slow handler holds up the others, and is sent away",
    leaves: "it holds the upper bound; a path into the object; capacity left",
  },
  {
    pattern: /\bstop(?:s|ped)? to (?:acknowledge|deliver)\b/,
    use: "stop acknowledging, stopped delivering",
    catches: "The old shards keep their sessions, and stop to acknowledge",
    leaves: "The old shards stop acknowledging",
  },
];

/** The files that are read: all sources, tests and documents but this one, its test, and the sabotages. */
function files(): string[] {
  const folders = ["gateway/", "ratelimit/", "shard/", "voice/", "tests/", "examples/", "docs/"];
  const root = [...Deno.readDirSync(ROOT)].filter(({ isFile }) => isFile).map(({ name }) => name);
  return [...root, ...folders.flatMap(filesBelow)]
    .filter((file) => /\.(ts|md)$/.test(file))
    .filter((file) =>
      !/^tests\/(gate\/(words|break)|words_test)\.ts$|^tests\/out\/|^tests\/offline\//.test(file)
    );
}

/** One line for each place where a retired word stands. */
export function retiredWords(
  text: string,
): { readonly line: number; readonly found: string; readonly use: string }[] {
  return text.split("\n").flatMap((line, at) =>
    RETIRED.flatMap(({ pattern, use }) => {
      const found = pattern.exec(line)?.[0];
      return found === undefined ? [] : [{ line: at + 1, found, use }];
    })
  );
}

if (import.meta.main) {
  const found = files().flatMap((file) =>
    retiredWords(Deno.readTextFileSync(new URL(file, ROOT)))
      .map(({ line, found, use }) => `${file}:${line}: "${found}" is retired: use ${use}`)
  );
  console.log(found.length === 0 ? "no retired word" : found.join("\n"));
  if (found.length > 0) Deno.exit(1);
}
