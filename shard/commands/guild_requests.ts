/** Requests with one response for each guild: soundboard sounds (op 31) and channel info (op 43). */

import { type EventData, GatewayOpcode, type RequestChannelInfo } from "../../gateway/mod.ts";
import { checkFields } from "./check.ts";
import type { RequestDefinition } from "./request_definition.ts";

/** The soundboard sounds of one guild. */
export type SoundboardSounds = EventData<"SOUNDBOARD_SOUNDS">;
/** The status of the voice channels of one guild. */
export type ChannelInfo = EventData<"CHANNEL_INFO">;

/**
 * A request for the sounds of these guilds.
 *
 * @throws {CommandError} `guildIds` is no list of ids.
 */
export function soundboardSoundsRequest(guildIds: readonly string[]): RequestDefinition<SoundboardSounds> {
  checkFields(GatewayOpcode.RequestSoundboardSounds, { guild_ids: guildIds });
  const missing = new Set(guildIds);
  const expected = missing.size;
  return {
    // Sent again, it requests what is missing.
    get command() {
      return { op: GatewayOpcode.RequestSoundboardSounds, d: { guild_ids: [...missing] } } as const;
    },
    event: "SOUNDBOARD_SOUNDS",
    gate: { key: "soundboard sounds" },
    get progress() {
      return { received: expected - missing.size, expected, missing: [...missing] };
    },
    get complete() {
      return missing.size === 0;
    },
    // Every caller gets the same sounds.
    ambiguous: false,
    sent() {},
    read(event) {
      if (event.t !== "SOUNDBOARD_SOUNDS" || !missing.delete(event.d.guild_id)) return "foreign";
      return { response: event.d };
    },
  };
}

/**
 * A request for the channel info of this guild.
 *
 * @throws {CommandError} `guildId` is no id, or `fields` is no list of names.
 */
export function channelInfoRequest(
  guildId: string,
  fields: RequestChannelInfo["fields"],
): RequestDefinition<ChannelInfo> {
  const command = { op: GatewayOpcode.RequestChannelInfo, d: { guild_id: guildId, fields } } as const;
  checkFields(command.op, command.d);
  let complete = false;
  return {
    command,
    event: "CHANNEL_INFO",
    gate: { key: `channel info ${guildId}` },
    get progress() {
      return { received: complete ? 1 : 0, expected: 1, missing: complete ? [] : [guildId] };
    },
    get complete() {
      return complete;
    },
    ambiguous: true,
    sent() {},
    read(event) {
      if (complete || event.t !== "CHANNEL_INFO" || event.d.guild_id !== guildId) return "foreign";
      complete = true;
      return { response: event.d };
    },
  };
}
