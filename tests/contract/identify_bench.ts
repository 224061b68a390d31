/**
 * `deno task bench:identify`: how long a big bot takes to start, in real time and with Discord's own periods.
 *
 * 4 processes of 16 shards with `max_concurrency` 4 cannot start in less than 75 s. Fails where a session was refused, where
 * a higher bucket went before a lower one, or where it took more than 10 % longer. Names of backends as arguments run only these; each takes about 80 s.
 */

import { DEFAULT_IDENTIFY_PERIOD_MS } from "../../ratelimit/mod.ts";
import { BACKENDS, missingBackend } from "./identify_backends.ts";
import { MAX_CONCURRENCY, PROCESSES, SHARDS, startFleet } from "./identify_fleet.ts";

const MOST = 1.1;

if (import.meta.main) Deno.exit(await bench(Deno.args));

async function bench(only: readonly string[]): Promise<number> {
  console.log(`${PROCESSES} processes, ${SHARDS} shards each, max_concurrency ${MAX_CONCURRENCY}\n`);
  let failed = 0;
  for (const backend of BACKENDS.filter((name) => only.length === 0 || only.includes(name))) {
    const missing = await missingBackend(backend);
    if (missing !== null) {
      console.log(`${backend.padEnd(18)} skipped: ${missing}`);
      continue;
    }
    const times = { discordMs: 5_000, limiterMs: DEFAULT_IDENTIFY_PERIOD_MS };
    const { order, refused, tookMs, leastMs } = await startFleet(backend, times);
    const ratio = tookMs / leastMs;
    const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
    const inOrder = order.every((id, index) => {
      const before = order.slice(0, index).findLast((other) =>
        other % MAX_CONCURRENCY === id % MAX_CONCURRENCY
      );
      return before === undefined || before < id;
    });
    const isGood = refused === 0 && inOrder && ratio <= MOST;
    if (!isGood) failed++;
    console.log(
      `${backend.padEnd(18)} ${seconds(tookMs)}, at least ${seconds(leastMs)}: ratio ${ratio.toFixed(3)}, ` +
        `op 9: ${refused}, ${inOrder ? "in" : "out of"} order ${isGood ? "ok" : "FAILED"}`,
    );
  }
  return failed === 0 ? 0 : 1;
}
