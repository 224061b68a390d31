// What one packet of sound costs @discordjs/voice: DAVE, encryption and the way into its UDP socket, as it plays a frame.
// In: the credentials of two clients, as a line of JSON. Out: one line of JSON, in microseconds.

import { createInterface } from "node:readline";
import { joinVoiceChannel, VoiceConnectionStatus } from "@discordjs/voice";

const PACKETS = 20_000;
const FRAME = Buffer.from(Uint8Array.from({ length: 160 }, (_, at) => at * 7 & 0xff));

const [line] = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next().then((
  { value },
) => [value]);
const connections = [];
for (const [group, credentials] of Object.entries(JSON.parse(line))) {
  connections.push(await join(group, credentials));
}
while (!connections.every((connection) => connection.voicePrivacyCode)) await pause(5);
await pause(200);

const [connection] = connections;
connection.setSpeaking(true);
await play(PACKETS / 10);
const begun = performance.now();
await play(PACKETS);
const us = (performance.now() - begun) * 1_000 / PACKETS;
console.log(JSON.stringify({ us }));
process.exit(0);

async function play(count) {
  for (let at = 0; at < count; at++) {
    connection.prepareAudioPacket(FRAME);
    if (!connection.dispatchAudio()) throw new Error("nothing was sent");
    if (at % 50 === 49) await pause(0);
  }
}

async function join(group, { endpoint, token, sessionId: session_id, guildId, channelId, userId }) {
  const adapterCreator = (methods) => {
    queueMicrotask(() => {
      const self = { self_deaf: false, self_mute: false };
      methods.onVoiceStateUpdate({
        guild_id: guildId,
        channel_id: channelId,
        user_id: userId,
        session_id,
        ...self,
      });
      methods.onVoiceServerUpdate({ guild_id: guildId, endpoint, token });
    });
    return { sendPayload: () => true, destroy: () => {} };
  };
  const connection = joinVoiceChannel({ guildId, channelId, group, selfDeaf: false, adapterCreator });
  while (connection.state.status !== VoiceConnectionStatus.Ready) await pause(5);
  return connection;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
