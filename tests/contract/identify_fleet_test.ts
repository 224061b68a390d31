/**
 * 4 processes of 16 shards share an identify limiter: nobody too early, and each once. In which order they go is tested in
 * virtual time: on a busy machine whoever comes back too late loses its place.
 */

import { assertEquals } from "@std/assert";
import { BACKENDS, missingBackend } from "./identify_backends.ts";
import { PROCESSES, SHARDS, startFleet } from "./identify_fleet.ts";

/** Short periods, with slack for a busy machine: `deno task bench:identify` has the real ones. */
const TIMES = { discordMs: 500, limiterMs: 1_000 };

for (const backend of BACKENDS) {
  const missing = await missingBackend(backend);
  if (missing) console.log(`skipped: a fleet on ${backend}: ${missing}`);

  Deno.test({
    name:
      `identify limiter in ${backend}: ${PROCESSES} processes of ${SHARDS} shards, and not one op 9 [case 55]`,
    ignore: missing !== null,
    fn: async () => {
      const { order, refused, violations } = await startFleet(backend, TIMES);
      assertEquals([refused, violations], [0, []]);
      assertEquals(
        order.toSorted((a, b) => a - b),
        Array.from({ length: PROCESSES * SHARDS }, (_, id) => id),
      );
    },
  });
}
