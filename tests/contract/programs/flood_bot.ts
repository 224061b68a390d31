/**
 * A bot that takes pauses while it is flooded. Prints one line of JSON at the end: what it got, and what it cost.
 *
 * Arguments: the shard's `url`, how many messages come.
 */

import { Shard } from "../../../mod.ts";

const [url = "", count = "0"] = Deno.args;
const total = Number(count);
/** It stops before these messages until the shard has given up on reading. */
const PAUSES = new Set([100, Math.floor(total * 0.4)]);

let overflows = 0;
let reachedDraining = () => {};
const shard = new Shard({
  token: "flooded.bot.token",
  url,
  guildEvents: ["MESSAGE_CREATE"],
  events: ["READY", "RESUMED"],
  intents: 1 << 15,
  onStatus: ({ state }) => {
    if (state !== "draining") return;
    overflows++;
    reachedDraining();
  },
});

const MEGABYTE = 1024 * 1024;
let peakHeap = 0;
function measure(): void {
  peakHeap = Math.max(peakHeap, Deno.memoryUsage().heapUsed / MEGABYTE);
}

let handled = 0;
let outOfOrder = 0;
let idleHeap = 0;
for await (const event of shard) {
  if (event.t === "READY") {
    measure();
    idleHeap = peakHeap;
    console.log("READY");
  }
  if (event.t !== "MESSAGE_CREATE") continue;
  // Each message begins with its number.
  if (parseInt(event.d.content) !== handled + 1) outOfOrder++;
  handled++;
  if (handled % 1000 === 0) measure();
  if (PAUSES.has(handled)) {
    if (shard.status.state === "draining") continue;
    await new Promise<void>((resolve) => reachedDraining = resolve);
    measure();
  }
  if (handled === total) break;
}
const { peak } = shard.queued;
console.log(JSON.stringify({ handled, outOfOrder, overflows, peak, grownBy: peakHeap - idleHeap }));
