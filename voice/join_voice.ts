/**
 * `joinVoice()`: from a main gateway and a channel to a voice connection.
 *
 * A shard or a fleet with the option `voice` has it as a method. The function is for every other main gateway, such as one
 * in another process.
 */

import { GatewayIntent } from "../gateway/intent.ts";
import { dial as dialWebSocket } from "../shard/pipe/dial.ts";
import { systemPlatform } from "../shard/pipe/platform.ts";
import { MissingOptionError } from "../shard/commands/errors.ts";
import { VoiceConnection } from "./connection.ts";
import type { JoinVoiceOptions } from "./options.ts";
import { createTransportCipher } from "./media/transport_encryption.ts";
import { assertUdp, openUdp as openRuntimeUdp } from "./media/udp.ts";
import type { VoiceGateway } from "./voice_gateway.ts";
import { assertDeadline } from "./voice_timeout_error.ts";

/** The voice connections of each gateway, by guild: Discord allows one. */
const CONNECTIONS = new WeakMap<VoiceGateway, Map<string, VoiceConnection>>();

/**
 * Joins a voice channel through a main gateway. Resolves when sound can be sent and received. A shard or a fleet with the
 * option `voice` has the same as a method, `joinVoice(guildId, channelId)`.
 *
 * The shard's options need not name the events that respond to a join. The shard must be the guild's, and its events must
 * be consumed: otherwise none come.
 *
 * @throws {VoiceMediaError} At once, where there is no UDP or no permission to use it.
 * @throws {MissingOptionError} At once: the response needs GUILD_VOICE_STATES.
 * @throws {TypeError} At once: the bot is in voice in this guild already, or its user id is not known.
 * @throws {RangeError} At once: `deadlineMs` is negative or no number.
 * @throws {VoiceTimeoutError} Sound could not be sent within `deadlineMs`; names what was missing. The bot has left.
 * @throws {VoiceClosedError} The channel is full or closed, or the voice server rejected the bot.
 * @throws The signal's reason, if it is aborted before.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections
 *
 * @example
 * ```ts
 * import { Shard } from "@discordgateway/edge";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 * import { daveyProvider, joinVoice } from "@discordgateway/edge/voice";
 * import davey from "npm:@snazzah/davey@0.1.12";
 *
 * const guild = { id: "40", channels: [{ name: "voice", type: 2, id: "41" }] };
 * await using discord = new FakeDiscord({ guilds: [guild] });
 * const fake = await discord.openVoice();
 * const { token, dial, fetch } = discord;
 * const shard = new Shard({ token, intents: 1 << 7, dial, fetch });          // GUILD_VOICE_STATES
 *
 * await shard.run(async (event) => {
 *   if (event.t !== "READY") return;
 *   // The events that respond to the join come while this one is being handled.
 *   await using connection = await joinVoice(shard, {
 *     guildId: "40",
 *     channelId: "41",
 *     dave: daveyProvider(davey),
 *     dial: fake.dial,                          // leave out dial and openUdp to talk to Discord
 *     openUdp: fake.openUdp,
 *   });
 *   if (connection.status.state !== "live") throw new Error("unexpected");
 *   await connection.play([new Uint8Array([0xfc, 1, 2, 3])]);
 *   await shard.close();
 * });
 * ```
 */
export async function joinVoice(gateway: VoiceGateway, options: JoinVoiceOptions): Promise<VoiceConnection> {
  const { media = true, openUdp, dial = dialWebSocket, platform = systemPlatform, signal, guildId } = options;
  const { deadlineMs = 60_000 } = options;
  assertDeadline("join voice", deadlineMs);
  if (media && openUdp === undefined) await assertUdp();
  if (gateway.intents !== undefined && (gateway.intents & GatewayIntent.GUILD_VOICE_STATES) === 0) {
    throw new MissingOptionError(
      "Cannot join voice: VOICE_STATE_UPDATE needs an intent that the shard has not: GUILD_VOICE_STATES",
      "GUILD_VOICE_STATES",
    );
  }
  const userId = options.userId ?? gateway.userId ?? null;
  if (userId === null) {
    throw new TypeError("Cannot join voice: the bot's user id is not known: give it in the options");
  }
  signal?.throwIfAborted();
  const connections = CONNECTIONS.get(gateway) ?? new Map<string, VoiceConnection>();
  CONNECTIONS.set(gateway, connections);
  if (connections.has(guildId)) {
    throw new TypeError(`Cannot join voice: the bot is in voice in this guild already, move it: ${guildId}`);
  }
  const connection = new VoiceConnection({
    options,
    gateway,
    userId,
    dial,
    openUdp: media ? openUdp ?? openRuntimeUdp : null,
    platform,
    createCipher: createTransportCipher,
    onClosed: () => void connections.delete(guildId),
  });
  connections.set(guildId, connection);
  const onAbort = () => void connection.close();
  signal?.addEventListener("abort", onAbort);
  try {
    await connection.start(deadlineMs);
    return connection;
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
