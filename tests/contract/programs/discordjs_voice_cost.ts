/** A client of @discordjs/voice, and its way from the player to the socket: DAVE, encryption, and the send. */

import { Buffer } from "node:buffer";
import { type DiscordGatewayAdapterCreator, joinVoiceChannel, VoiceConnectionStatus } from "@discordjs/voice";
import type { VoiceServer } from "../../../voice/core.ts";

/** Joins; gives what sends the frame as its player does. */
export async function joinTheirs(sound: Uint8Array, server: VoiceServer): Promise<() => void> {
  const { guildId, channelId } = server;
  const connection = joinVoiceChannel({
    guildId,
    channelId,
    selfDeaf: false,
    selfMute: false,
    adapterCreator: adapterOf(server),
  });
  while (connection.state.status !== VoiceConnectionStatus.Ready || !connection.voicePrivacyCode) {
    await pause(5);
  }
  connection.setSpeaking(true);
  // Its keys may take a moment after the group.
  await pause(200);
  const frame = Buffer.from(sound);
  return () => {
    connection.prepareAudioPacket(frame);
    if (!connection.dispatchAudio()) throw new Error("nothing was sent");
  };
}

/** A main gateway that answers a join with what is known already. */
function adapterOf({ endpoint, token, sessionId, guildId, channelId, userId }: VoiceServer) {
  const adapter: DiscordGatewayAdapterCreator = ({ onVoiceStateUpdate, onVoiceServerUpdate }) => {
    queueMicrotask(() => {
      onVoiceStateUpdate({
        guild_id: guildId,
        channel_id: channelId,
        user_id: userId,
        session_id: sessionId,
        deaf: false,
        mute: false,
        self_deaf: false,
        self_mute: false,
        self_video: false,
        suppress: false,
        request_to_speak_timestamp: null,
      });
      onVoiceServerUpdate({ guild_id: guildId, endpoint, token });
    });
    return { sendPayload: () => true, destroy: () => {} };
  };
  return adapter;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
