/** The voice provider, with which a shard or a fleet can join voice channels. */

import type { VoiceProvider } from "../shard/voice_provider.ts";
import type { VoiceConnection } from "./connection.ts";
import type { VoiceOptions } from "./options.ts";
import { joinVoice } from "./join_voice.ts";

/** The voice provider, for the option `voice` of a shard or a fleet. */
export type Voice = VoiceProvider<VoiceOptions, VoiceConnection>;

/**
 * Makes the voice provider for a shard or a fleet, whose `joinVoice(guildId, channelId)` then gives a
 * {@linkcode VoiceConnection}.
 *
 * @param options What every connection is made from, such as `dave`; the options of a join override them.
 *
 * @example
 * ```ts
 * import { Fleet } from "@discordgateway/edge/fleet";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 * import { daveyProvider, voice } from "@discordgateway/edge/voice";
 * import davey from "npm:@snazzah/davey@0.1.12";
 *
 * const guild = { id: "40", channels: [{ name: "voice", type: 2, id: "41" }] };
 * await using discord = new FakeDiscord({ guilds: [guild] });
 * const fake = await discord.openVoice();
 * const { token, dial, fetch } = discord;
 * const provider = voice({ dave: daveyProvider(davey), dial: fake.dial, openUdp: fake.openUdp });
 * const fleet = new Fleet({ token, intents: 1 << 7, voice: provider, dial, fetch });
 *
 * await fleet.run(async ({ event }) => {
 *   if (event.t !== "READY") return;
 *   await using connection = await fleet.joinVoice("40", "41");
 *   await connection.play([new Uint8Array([0xfc, 1, 2, 3])]);
 *   await fleet.close();
 * });
 * ```
 */
export function voice(options: Omit<VoiceOptions, "signal"> = {}): Voice {
  return {
    join: (gateway, channel, ofJoin) => joinVoice(gateway, { ...options, ...ofJoin, ...channel }),
  };
}
