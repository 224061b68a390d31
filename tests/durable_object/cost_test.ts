import { assert, assertEquals } from "@std/assert";
import { dollars, perMonth, simulate, whole } from "./cost.ts";

Deno.test("durable object: ten hours of events, counted: a row per 5 s and per alarm, and what that costs in a month", async () => {
  const hours = 10;
  const eventsPerSecond = 5;
  const { events, rows, alarms, frames } = await simulate(hours, eventsPerSecond, 5_000);
  const seconds = hours * 3_600;
  // Events that are replayed after a kill count twice.
  assert(events >= seconds * eventsPerSecond && events < seconds * eventsPerSecond + 100, `${events}`);
  assert(alarms >= seconds / 30 - 2 && alarms <= seconds / 30 + 2, `${alarms}`);
  // Also two restarts, each of which writes the record twice.
  const expected = seconds / 5 + alarms + 4;
  assert(rows > expected * 0.9 && rows <= expected, `${rows} of ${expected}`);
  assert(frames >= events);

  const cost = perMonth({ ms: seconds * 1_000, events, rows, alarms, frames });
  assertEquals(whole(cost.gbSeconds), "332,000");
  console.log(
    `${hours} h at ${eventsPerSecond} events/s: ${rows} rows written, ${alarms} alarms, ${frames} frames. A month: ` +
      `${whole(cost.rows)} rows, ${whole(cost.requests)} requests, ${whole(cost.gbSeconds)} GB-s; ` +
      `beyond the plan $${dollars(cost, 1).toFixed(2)} for one shard, $${
        dollars(cost, 16).toFixed(2)
      } for 16`,
  );
});

Deno.test("durable object: the price table, computed manually", () => {
  const cost = { rows: 60_000_000, requests: 3_000_000, gbSeconds: 331_776 };
  assertEquals(Math.round(dollars(cost, 1) * 100), 1_000 + 30);
  assertEquals(Math.round(dollars(cost, 2) * 100), 7_000 + 75 + 329);
});
