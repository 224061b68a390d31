/**
 * Where the voice examples play: a fake Discord on ports of its own with a voice channel, or the real one, with the ids of
 * a guild and a voice channel in VOICE_GUILD and VOICE_CHANNEL.
 */

import process from "node:process";
import davey from "@snazzah/davey";
import { GatewayIntent, Shard } from "@discordgateway/edge";
import { dial } from "@discordgateway/edge/shard";
import type { FakeDiscord, FakeVoice } from "@discordgateway/edge/testing";
import { daveyProvider, type JoinVoiceOptions } from "@discordgateway/edge/voice";

/** What a voice example needs. */
export interface VoiceStage {
  /** A shard of the bot, already connected. */
  readonly shard: Shard;
  /** What to join, and with what. */
  readonly join: JoinVoiceOptions;
  /** The fake Discord; `null` with a token. */
  readonly fake: { readonly discord: FakeDiscord; readonly voice: FakeVoice } | null;
  /** Closes everything. */
  close(): Promise<void>;
}

/** Opens the stage, and connects the bot. */
export async function openVoiceStage(): Promise<VoiceStage> {
  const { DISCORD_TOKEN, VOICE_GUILD, VOICE_CHANNEL } = process.env;
  const dave = daveyProvider(davey);
  if (DISCORD_TOKEN) {
    if (!VOICE_GUILD || !VOICE_CHANNEL) throw new Error("Set VOICE_GUILD and VOICE_CHANNEL to ids of yours");
    const shard = await connected(new Shard({ token: DISCORD_TOKEN, intents: INTENTS }));
    const close = async () => void await shard.close();
    return { shard, join: { guildId: VOICE_GUILD, channelId: VOICE_CHANNEL, dave }, fake: null, close };
  }
  const { FakeDiscord } = await import("@discordgateway/edge/testing");
  const guild = { id: "4000", channels: [{ name: "voice", type: 2, id: "4100" }], members: ["alice"] };
  const discord = new FakeDiscord({ guilds: [guild] });
  const [{ api }, voice] = await Promise.all([discord.listen(), discord.openVoice()]);
  await voice.listen();
  console.log(
    `[stage] no DISCORD_TOKEN: a fake Discord on ${api}, its voice server on ${voice.endpoints[0]}`,
  );
  const shard = await connected(new Shard({ token: discord.token, intents: INTENTS, api }));
  const join: JoinVoiceOptions = {
    guildId: "4000",
    channelId: "4100",
    dave,
    // Discord's voice servers speak TLS, this one on the loopback does not.
    dial: (url, options) => dial(url.replace("wss://", "ws://"), options),
  };
  const close = async () => {
    await shard.close();
    const broken = [...discord.journal.violations(), ...voice.journal.violations()];
    console.log(`[stage] the fake Discord saw ${broken.length} broken rules`);
    await discord.close();
    if (broken.length > 0) throw new Error(broken.map(({ rule }) => rule).join("; "));
  };
  return { shard, join, fake: { discord, voice }, close };
}

const INTENTS = GatewayIntent.GUILDS | GatewayIntent.GUILD_VOICE_STATES;

/** Consumes the events of a shard, and waits until it is live. */
async function connected(shard: Shard): Promise<Shard> {
  await new Promise<void>((resolve, reject) => {
    shard.run((event) => {
      if (event.t === "READY") resolve();
    }).catch(reject);
  });
  return shard;
}
