/**
 * Draws the table of tests/README.md: which learnt behaviour is tested by which test.
 *
 * A test claims a case by `[case N]` in its name. A case that no test claims, or a claim to one that is not listed, fails.
 */

import { drawOrCheck } from "./page.ts";
import { filesBelow } from "./published.ts";
import { ROOT } from "./process.ts";

/** Behaviours that gateway clients have learnt the hard way. Numbers have gaps: they are names, not a count. */
const CASES: Readonly<Record<number, string>> = {
  1: "a close while the socket is still connecting closes it",
  2: "a close before the handshake has finished aborts it, and exactly one end comes",
  3: "a handshake that fails over and over is retried with a backoff, and reported each time",
  4: "an unanswered heartbeat on a socket that is dead already leads to a new connection",
  5: "op 7: the session is kept, nothing more goes out on the old socket, RESUME only after the new HELLO",
  6: "op 7 before HELLO: reconnect without a wait",
  7: "the resume URL cannot be reached: the main gateway is dialled",
  8: "one socket reports its end twice: one reconnect",
  9: "a RESUME that belongs to a replaced socket is never sent",
  10: "op 9 true resumes, op 9 false starts a new session",
  11: "late events of a replaced socket have no effect",
  12: "a close while a connect waits: no socket is ever opened",
  13: "however often it is closed and reopened, there is one socket",
  14: "a shard that waited when the limits changed still gets its permit",
  15: "no old timer opens a second socket",
  16: "our own close with 1000 gives the session up, the other one keeps it",
  17: "the socket's close() throws: the caller learns of it, nothing else changes",
  18: "a local close, then the remote one: one end",
  24: "a message in pieces is one payload; a broken one is a transport error",
  25: "a resume uses its own URL with its query; an identify says all that was asked for",
  26: "a presence goes out as the user wrote it",
  27: "an unknown event moves the sequence and is otherwise passed on",
  30: "op 1 is answered at once with the last sequence; heartbeats go first, and count",
  31: "op 11 measures the latency; unknown opcodes are ignored",
  32: "op 7 and op 9 end the connection and keep or drop the session",
  33: "RATE_LIMITED is passed on",
  35: "op 43 asks for a guild's channel info",
  37: "the token is nowhere to be seen",
  39: "HELLO that cannot be read ends the connection; a good one yields one IDENTIFY",
  40: "READY makes the session usable; without a session id it breaks the protocol",
  44: "heartbeats carry the last sequence",
  45: "wrong gateway URLs are refused with distinct errors",
  46: "intents follow from events; a guild belongs to one shard",
  47: "op 7 and op 9 in mid-session; a command given meanwhile is sent afterwards",
  52: "heartbeats keep their places in the command budget",
  53: "the budget is a sliding log",
  54: "asking changes nothing; commands come back at the pace they went",
  55: "identifies: 5 s apart within a key, together across keys, lower ids first",
  57: "a wait that is aborted leaks nothing; no wait is negative",
  58: "two hundred presence updates in a row keep the connection",
  65: "voice: what cannot be read ends the connection; heartbeats keep it, and silence is noticed",
  66: "voice: IP discovery takes its response alone, however late, and gives up at its deadline",
  67: "voice: no server, no attempt; a connection needs both events",
  68: "voice: 4014, 4021 and 4022 wait for the main gateway, others join anew or resume",
  69: "voice: RTP of both modes is opened exactly, extension and padding cut",
  71: "voice: silence passes unencrypted; what is forged or replayed is refused",
};

interface Claim {
  readonly file: string;
  readonly name: string;
}

/** The table in Markdown; `deno fmt` would wrap the names. */
function table(claims: ReadonlyMap<number, Claim[]>): string {
  const rows = Object.entries(CASES).map(([number, behaviour]) => {
    const tests = (claims.get(Number(number)) ?? []).map(({ file, name }) => `  - ${file}: ${name}`);
    return [`- **${number}** ${behaviour}`, ...tests].join("\n");
  });
  return ["<!-- deno-fmt-ignore-start -->", "", ...rows, "", "<!-- deno-fmt-ignore-end -->"].join("\n");
}

async function findClaims(): Promise<Map<number, Claim[]>> {
  const claims = new Map<number, Claim[]>();
  for (const file of filesBelow("tests/").filter((file) => file.endsWith("_test.ts"))) {
    const source = await Deno.readTextFile(new URL(file, ROOT));
    for (const [, , name = ""] of source.matchAll(/(["`])((?:(?!\1).)*\[case \d+\](?:(?!\1).)*)\1/g)) {
      for (const [, number] of name.matchAll(/\[case (\d+)\]/g)) {
        const claim = { file: file.replace("tests/", ""), name: plainName(name) };
        claims.set(Number(number), [...claims.get(Number(number)) ?? [], claim]);
      }
    }
  }
  return claims;
}

/** Without the claims themselves, and with `…` for what a table of tests fills in. */
function plainName(name: string): string {
  return name.replace(/\s*\[case \d+\]/g, "").replace(/\$\{[^}]*\}/g, "…").replace(/^[^:]*: /, "");
}

if (import.meta.main) {
  const claims = await findClaims();
  const unclaimed = Object.keys(CASES).filter((number) => !claims.has(Number(number)));
  const unknown = [...claims.keys()].filter((number) => !(number in CASES));
  if (unclaimed.length + unknown.length > 0) {
    console.error(`Cases without a test: ${unclaimed.join(", ")}. Claims to no case: ${unknown.join(", ")}`);
    Deno.exit(1);
  }
  await drawOrCheck({ page: "tests/README.md", part: "cases", task: "cases", content: table(claims) });
}
