/** Sending commands: when they go out, and when their callers hear of it. */

import { CommandError, type GatewayCommand, GatewayOpcode } from "../../../gateway/mod.ts";
import { CommandNotSentError } from "../../../shard/mod.ts";
import { expect, expectEqual, rejection } from "../expect.ts";
import { PATIENT } from "../scene.ts";
import { until, within } from "../timers.ts";
import type { Behaviour } from "./behaviour.ts";

const PRESENCE: GatewayCommand = {
  op: GatewayOpcode.PresenceUpdate,
  d: { since: null, activities: [], status: "online", afk: false },
};

/** A command that only the common budget limits. */
const SOUNDS: GatewayCommand = { op: GatewayOpcode.RequestSoundboardSounds, d: { guild_ids: ["1"] } };

/** More than the budget of one minute. */
const MANY = 130;

/** Behaviours of `send()`. */
export const COMMANDS: readonly Behaviour[] = [
  {
    name: "send: a command arrives, an impossible one is a typed error",
    run: async (scene) => {
      const discord = await scene.discord();
      const { shard } = await scene.live(discord);
      await shard.send(PRESENCE);
      const { commands } = await discord.seen({ commands: 1 });
      expectEqual(commands, [GatewayOpcode.PresenceUpdate]);

      const identify: GatewayCommand = { ...PRESENCE, op: JSON.parse("2") };
      await rejection(shard.send(identify), CommandError);
      const large: GatewayCommand = {
        op: GatewayOpcode.RequestSoundboardSounds,
        d: { guild_ids: ["1".repeat(4096)] },
      };
      const { code } = await rejection(shard.send(large), CommandError);
      expectEqual(code, "ERR_PAYLOAD_TOO_LARGE");
      await shard.close();
      const { command } = await rejection(shard.send(PRESENCE), CommandNotSentError);
      expectEqual(command, PRESENCE);
    },
  },
  {
    name: "send: 120 frames in the budget's window, the rest in order after it",
    run: async (scene) => {
      // By Discord's rule, but for the length of its minute, and with room for a busy machine.
      const discord = await scene.discord({ commandPeriodMs: 1_000 });
      const { shard } = await scene.live(discord, { platform: PATIENT, gateway: { commandPeriodMs: 4_000 } });
      let sent = 0;
      const sending = Array.from({ length: MANY }, () => shard.send(SOUNDS).then(() => void sent++));
      await until("the first window", () => sent > 0);
      // One place went to IDENTIFY.
      const { commands } = await discord.seen({ commands: 119 });
      expect(commands.length < MANY, "the others wait");
      await Promise.all(sending);
      expectEqual((await discord.seen({ commands: MANY })).commands.length, MANY);
      await shard.close();
    },
  },
  {
    name: "send: five presences in a window; of those that wait only the newest goes on waiting",
    run: async (scene) => {
      const discord = await scene.discord();
      const { shard } = await scene.live(discord, { platform: PATIENT });
      const sending = Array.from({ length: 19 }, () => shard.send(PRESENCE));
      const newest = rejection(shard.send(PRESENCE), CommandNotSentError);
      const outcomes = await within(20_000, Promise.all(sending));
      expectEqual(outcomes, [...Array(5).fill("sent"), ...Array(14).fill("superseded")]);
      expectEqual((await discord.seen({ commands: 5 })).commands.length, 5);
      await shard.close();
      await within(5_000, newest);
    },
  },
  {
    name: "send: an abort takes a waiting command back, a close rejects it",
    run: async (scene) => {
      const discord = await scene.discord();
      await discord.fault({ silentReady: 1 });
      const { shard } = scene.play(discord);
      await until("identifying", () => shard.status.state === "identifying");
      const controller = new AbortController();
      const reason = new Error("it does not matter any more");
      const aborted = shard.send(SOUNDS, { signal: controller.signal }).catch((error) => error);
      const waiting = rejection(shard.send(SOUNDS), CommandNotSentError);
      controller.abort(reason);
      expect(await within(5_000, aborted) === reason, "the caller gets the signal's reason");
      await shard.close();
      await within(5_000, waiting);
      expectEqual((await discord.seen({ connections: 0 })).commands, []);
    },
  },
];
