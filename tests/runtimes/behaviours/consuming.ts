/** The ways to take events out of a shard, and to leave. */

import { Shard, systemPlatform } from "../../../shard/mod.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";
import { expect, expectEqual } from "../expect.ts";
import { pause, pendingTimers, until, within } from "../timers.ts";
import type { Behaviour } from "./behaviour.ts";

/** Behaviours of a shard's consumers. */
export const CONSUMING: readonly Behaviour[] = [
  {
    name: "consume: for await, and break keeps the session",
    run: async (scene) => {
      const discord = await scene.discord();
      const shard = scene.shard(discord);
      const heard: string[] = [];
      for await (const event of shard) {
        heard.push(event.t);
        if (event.t === "GUILD_CREATE") await discord.message("hello");
        if (event.t === "MESSAGE_CREATE") break;
      }
      expectEqual(heard, ["READY", "GUILD_CREATE", "MESSAGE_CREATE"]);
      expectEqual(shard.status, { state: "closed", error: null });
      const { closes, sessions } = await discord.seen({ closes: 1, connections: 0 });
      expectEqual([closes, sessions], [[4200], 1]);
    },
  },
  {
    name: "consume: a ReadableStream to pipe anywhere",
    run: async (scene) => {
      const discord = await scene.discord();
      const shard = scene.shard(discord);
      const heard: string[] = [];
      const piped = shard.events.pipeThrough(
        new TransformStream({ transform: ({ t }, controller) => controller.enqueue(t) }),
      ).pipeTo(
        new WritableStream({
          write: async (t: string) => {
            heard.push(t);
            if (t === "GUILD_CREATE") await discord.message("hello");
            if (t === "MESSAGE_CREATE") await shard.close();
          },
        }),
      );
      await within(10_000, piped);
      expectEqual(heard, ["READY", "GUILD_CREATE", "MESSAGE_CREATE"]);
    },
  },
  {
    name: "consume: a handler sets the pace; a flood waits at Discord, nothing is lost",
    run: async (scene) => {
      const discord = await scene.discord();
      const drained: number[] = [];
      const shard = scene.shard(discord, {
        maxQueuedEvents: 50,
        onStatus: (status) => {
          if (status.state === "draining") drained.push(status.queued);
        },
      });
      const heard: string[] = [];
      let goOn = () => {};
      const held = new Promise<void>((resolve) => goOn = resolve);
      const running = shard.run(async (event) => {
        if (event.t === "MESSAGE_CREATE") heard.push(event.d.content.trim());
        if (event.t === "GUILD_CREATE") await held;
      });
      await until("live", () => shard.status.state === "live");
      await discord.flood(200);
      await until("the overflow", () => drained.length > 0);
      goOn();
      await until("the flood", () => heard.length === 200);
      expectEqual(heard, Array.from({ length: 200 }, (_, index) => `${index + 1}`));
      expect(shard.queued.peak <= 50, `${shard.queued.peak} events waited`);
      await shard.close();
      await running;
    },
  },
  {
    name: "close: resolves though the peer is dead",
    run: async (scene) => {
      const discord = await scene.discord();
      const { shard, over } = await scene.live(discord);
      await discord.befall({ do: "stall" });
      await within(5_000, shard.close());
      expectEqual(await within(5_000, over), null);
    },
  },
  {
    name: "close: in every phase, and every timer is gone",
    run: async (scene) => {
      const discord = await scene.discord();
      await discord.fault({ silentHello: 1, silentReady: 1, blackHoleDials: 1 });
      for (const phase of ["dialing", "awaiting_hello", "identifying"]) {
        const { shard, over } = scene.play(discord, { identifyLimiter: { take: () => true } });
        await until(phase, () => shard.status.state === phase);
        const { length } = (await discord.seen()).dials;
        await within(5_000, shard.close());
        expectEqual(await within(5_000, over), null);
        expect(length <= 3, "nobody dials after the end");
      }
    },
  },
];

/** Played when all others are over, one after the other. */
export const AFTERWARDS: readonly Behaviour[] = [
  {
    name: "testing: FakeDiscord in memory and VirtualClock, three hours at once",
    run: async () => {
      const clock = new VirtualClock();
      const discord = new FakeDiscord({ clock });
      const { token, dial, fetch } = discord;
      const heard: string[] = [];
      const shard = new Shard({
        token,
        guildEvents: ["MESSAGE_CREATE"],
        intents: 1 << 15,
        dial,
        fetch,
        platform: clock,
      });
      const running = shard.run((event) =>
        void heard.push(event.t === "MESSAGE_CREATE" ? event.d.content : event.t)
      );
      await clock.runUntil(() => shard.status.state === "live");
      discord.connections[0]?.drop();
      discord.sendMessage({ content: "missed" });
      await clock.advance(3 * 3_600_000);
      await shard.close();
      await running;
      expectEqual(heard, ["missed"]);
      expectEqual([discord.journal.resumes().length, discord.journal.violations()], [1, []]);
      expect(discord.journal.heartbeats().length >= 260, "a heartbeat every 41.25 s");
      expectEqual(clock.pending, 0);
    },
  },
  {
    name: "timers: one that is due already fires next, one for the end of time does not",
    run: async () => {
      const fired: number[] = [];
      const timers = [Infinity, 2 ** 31].map((delayMs) =>
        systemPlatform.setTimeout(() => fired.push(delayMs), delayMs)
      );
      await new Promise<void>((resolve) => void systemPlatform.setTimeout(resolve, -5));
      await pause(20);
      for (const timer of timers) systemPlatform.clearTimeout(timer);
      expectEqual(fired, []);
    },
  },
  {
    name: "leaks: after all of this no timer is pending",
    run: async () => {
      // A runtime may take a moment to tell of a socket's end.
      for (let turn = 0; turn < 200 && pendingTimers() > 0; turn++) await pause(25);
      expectEqual(pendingTimers(), 0);
    },
  },
];
