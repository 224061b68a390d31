/**
 * Where the voice examples play: a fake Discord on ports of its own with a voice channel, or the real one, with the ids of
 * a guild and a voice channel in VOICE_GUILD and VOICE_CHANNEL.
 */

import process from "node:process";
import davey from "@snazzah/davey";
import { GatewayIntent, Shard } from "@discordgateway/edge";
import { type Dial, dial } from "@discordgateway/edge/shard";
import type { FakeDiscord, FakeVoice } from "@discordgateway/edge/testing";
import { daveyProvider, type JoinVoiceOptions, type Voice, voice } from "@discordgateway/edge/voice";

/** A shard that was given the voice provider. */
type VoiceShard = Shard<never, never, never, Voice>;

/** What a voice example needs. */
export interface VoiceStage {
  /** A shard of the bot, already connected. */
  readonly shard: VoiceShard;
  /** The guild's id. */
  readonly guildId: string;
  /** The voice channel's id. */
  readonly channelId: string;
  /** The fake Discord, and with what others join there; `null` with a token. */
  readonly fake: {
    readonly discord: FakeDiscord;
    readonly voice: FakeVoice;
    readonly join: JoinVoiceOptions;
  } | null;
  /** Closes everything. */
  close(): Promise<void>;
}

/** Opens the stage, and connects the bot. */
export async function openVoiceStage(): Promise<VoiceStage> {
  const { DISCORD_TOKEN, VOICE_GUILD, VOICE_CHANNEL } = process.env;
  const dave = daveyProvider(davey);
  if (DISCORD_TOKEN) {
    if (!VOICE_GUILD || !VOICE_CHANNEL) throw new Error("Set VOICE_GUILD and VOICE_CHANNEL to ids of yours");
    const shard = await connected(
      new Shard({ token: DISCORD_TOKEN, intents: INTENTS, voice: voice({ dave }) }),
    );
    const close = async () => void await shard.close();
    return { shard, guildId: VOICE_GUILD, channelId: VOICE_CHANNEL, fake: null, close };
  }
  const { FakeDiscord } = await import("@discordgateway/edge/testing");
  const place = { guildId: "4000", channelId: "4100" };
  const channels = [{ name: "voice", type: 2, id: place.channelId }];
  const discord = new FakeDiscord({ guilds: [{ id: place.guildId, channels, members: ["alice"] }] });
  const [{ api }, fakeVoice] = await Promise.all([discord.listen(), discord.openVoice()]);
  await fakeVoice.listen();
  console.log(
    `[stage] no DISCORD_TOKEN: a fake Discord on ${api}, its voice server on ${fakeVoice.endpoints[0]}`,
  );
  // Discord's voice servers speak TLS, this one on the loopback does not.
  const dialPlain: Dial = (url, options) => dial(url.replace("wss://", "ws://"), options);
  const provider = voice({ dave, dial: dialPlain });
  const shard = await connected(new Shard({ token: discord.token, intents: INTENTS, api, voice: provider }));
  const close = async () => {
    await shard.close();
    const broken = [...discord.journal.violations(), ...fakeVoice.journal.violations()];
    console.log(`[stage] the fake Discord saw ${broken.length} broken rules`);
    await discord.close();
    if (broken.length > 0) throw new Error(broken.map(({ rule }) => rule).join("; "));
  };
  return {
    shard,
    ...place,
    fake: { discord, voice: fakeVoice, join: { ...place, dave, dial: dialPlain } },
    close,
  };
}

const INTENTS = GatewayIntent.GUILDS | GatewayIntent.GUILD_VOICE_STATES;

/** Consumes the events of a shard, and waits until it is live. */
async function connected(shard: VoiceShard): Promise<VoiceShard> {
  await new Promise<void>((resolve, reject) => {
    shard.run((event) => {
      if (event.t === "READY") resolve();
    }).catch(reject);
  });
  return shard;
}
