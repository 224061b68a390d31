// Clients of @discordjs/voice in a process of their own, told by lines of JSON what to do: nothing of it is patched.
//
// In: { join, as }, { say, as }, { play, as }, { leave, as }. Out: what happens, as { as, event, ... }.

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { createAudioPlayer, createAudioResource, joinVoiceChannel, StreamType } from "@discordjs/voice";

const connections = new Map();
const tell = (message) => console.log(JSON.stringify(message));

function join(as, { endpoint, token, sessionId, guildId, channelId, userId }) {
  const adapterCreator = (methods) => {
    queueMicrotask(() => {
      methods.onVoiceStateUpdate({
        guild_id: guildId,
        channel_id: channelId,
        user_id: userId,
        session_id: sessionId,
        self_deaf: false,
        self_mute: false,
      });
      methods.onVoiceServerUpdate({ guild_id: guildId, endpoint, token });
    });
    const sendPayload = (payload) => {
      tell({ as, event: "op 4", channelId: payload.d.channel_id });
      return true;
    };
    return { sendPayload, destroy: () => {} };
  };
  const connection = joinVoiceChannel({
    guildId,
    channelId,
    group: as,
    selfDeaf: false,
    selfMute: false,
    adapterCreator,
  });
  connections.set(as, connection);
  connection.on("stateChange", (from, to) => tell({ as, event: "state", from: from.status, to: to.status }));
  connection.on("transitioned", (transitionId) => {
    tell({ as, event: "transitioned", transitionId, code: connection.voicePrivacyCode ?? null });
  });
  connection.on("error", (error) => tell({ as, event: "error", message: String(error) }));
  connection.receiver.speaking.on("start", (from) => {
    if (connection.receiver.subscriptions.has(from)) return;
    const stream = connection.receiver.subscribe(from);
    stream.on("data", (frame) => tell({ as, event: "heard", from, frame: frame.toString("hex") }));
    stream.on("error", (error) => tell({ as, event: "error", message: String(error) }));
  });
}

function play(as, frames) {
  const player = createAudioPlayer();
  player.on("error", (error) => tell({ as, event: "error", message: String(error) }));
  const subscription = connections.get(as).subscribe(player);
  player.on("idle", () => {
    subscription.unsubscribe();
    tell({ as, event: "played" });
  });
  // All of it lies ready: where the player finds nothing it says silence.
  const source = Readable.from(frames.map((frame) => Buffer.from(frame, "hex")), {
    highWaterMark: frames.length + 1,
  });
  player.play(createAudioResource(source, { inputType: StreamType.Opus }));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { as, join: credentials, say, play: frames, leave } = JSON.parse(line);
  const connection = connections.get(as);
  if (credentials) join(as, credentials);
  else if (say) connection.playOpusPacket(Buffer.from(say, "hex"));
  else if (frames) play(as, frames);
  else if (leave) connection.destroy();
}
process.exit(0);
