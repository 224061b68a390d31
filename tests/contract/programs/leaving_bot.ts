/**
 * A bot that leaves in a given phase, by `close()` or by `break`, and has to exit by itself: whatever it left behind (a
 * timer, a socket, a request) would keep it alive. All deadlines are far beyond the patience of the test.
 *
 * Arguments: the way ("close" or "break"), the state to leave in, the shard's `url` or (if it begins with "http") `api`.
 */

import { sharedIdentifyLimiter, systemPlatform } from "../../../shard/mod.ts";
import { type Platform, Shard } from "../../../mod.ts";

const [way, phase, address = ""] = Deno.args;
const LONG_MS = 600_000;
const token = "leaving.bot.token";

const timers = new Set<unknown>();
const platform: Platform = {
  now: systemPlatform.now,
  // The longest waits.
  random: () => 0.99,
  setTimeout: (callback, delayMs) => {
    const timer = systemPlatform.setTimeout(() => {
      timers.delete(timer);
      callback();
    }, delayMs);
    timers.add(timer);
    return timer;
  },
  clearTimeout: (timer) => {
    timers.delete(timer);
    systemPlatform.clearTimeout(timer);
  },
};

let arrive = () => {};
const arrived = new Promise<void>((resolve) => arrive = resolve);
const shard = new Shard({
  token,
  ...(address.startsWith("http") ? { api: address } : { url: address }),
  platform,
  guildEvents: ["MESSAGE_CREATE"],
  events: ["READY", "RESUMED"],
  maxQueuedEvents: 10,
  dialDeadlineMs: LONG_MS,
  gateway: { helloTimeoutMs: LONG_MS, readyTimeoutMs: LONG_MS, resumedTimeoutMs: LONG_MS },
  onStatus: ({ state }) => {
    console.log(state);
    if (state === phase) arrive();
  },
});

// Somebody else has just identified with this token: we are to wait five seconds.
if (phase === "awaiting_permit") await sharedIdentifyLimiter(token, platform).take(0);
// The test says when, after it has done something to the connection.
if (phase === "told") Deno.addSignalListener("SIGUSR2", told);

function told(): void {
  Deno.removeSignalListener("SIGUSR2", told);
  arrive();
}

if (way === "break") {
  for await (const event of shard) {
    console.log(event.t);
    await arrived;
    // Whatever goes on goes on for a moment more.
    await new Promise((resolve) => setTimeout(resolve, 20));
    break;
  }
} else {
  const consumed = shard.run((event) => {
    console.log(event.t);
    // Whoever drains has a consumer that takes nothing.
    if (phase === "draining") return arrived;
  });
  await arrived;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const sending = shard.send({ op: 3, d: { since: null, activities: [], status: "online", afk: false } });
  const sent = sending.then(() => "sent", (error) => error.code);
  await shard.close({ keepSession: true });
  console.log(`command: ${await sent}`);
  await consumed;
}
console.log(`left with ${timers.size} timers`);
