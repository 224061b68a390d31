/**
 * A bot that plays a file in a voice channel.
 *
 * `deno task example:voice` plays it on a fake Discord, where somebody else is in the channel, hears it end-to-end encrypted,
 * writes it down as `recording.ogg` in a temporary folder, and compares it with the file, packet for packet. With
 * DISCORD_TOKEN, VOICE_GUILD and VOICE_CHANNEL set the same bot plays it on Discord.
 */

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { isSilenceFrame, joinVoice, type VoiceConnection } from "@discordgateway/edge/voice";
import { readOgg, writeOgg } from "./ogg.ts";
import { openVoiceStage } from "./voice_stage.ts";

const FILE = new URL("assets/speech.opus", import.meta.url);

const { shard, guildId, channelId, fake, close } = await openVoiceStage();
const connection = await shard.joinVoice(guildId, channelId, { onEvent: report });
console.log(`[bot] in channel ${connection.channelId} with ${connection.userIds.length} others`);
// Another client, with a main gateway of its own.
const alice = fake && await joinVoice(fake.voice.gatewayOf("alice"), fake.join);
const recording = alice && record(alice, shard.userId ?? "");
if (alice) await secured(connection, alice);

console.log("[bot] plays");
await connection.play(readOgg(FILE));
console.log(`[bot] played: ${connection.counters.sent} packets sent`);
await connection.close();

if (alice && recording) {
  await alice.close();
  await compare(await recording);
  const { plain, encrypted } = fake.voice.media;
  console.log(`[alice] the server saw ${encrypted} encrypted frames, and ${plain} in the clear`);
  if (plain > 0) throw new Error("A frame left in the clear");
}
await close();

/** Whatever a user says. */
async function record(listener: VoiceConnection, userId: string): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const { frame, lost } of listener.receive(userId)) {
    if (lost > 0) console.log(`[alice] ${lost} packets are missing`);
    if (!isSilenceFrame(frame)) frames.push(frame);
  }
  return frames;
}

/** Both have the keys of the group. */
async function secured(...members: readonly VoiceConnection[]): Promise<void> {
  while (!members.every(({ dave }) => dave?.phase === "secured")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  console.log(`[bot] end-to-end encrypted; code to compare: ${connection.dave?.privacyCode}`);
}

async function compare(heard: readonly Uint8Array[]): Promise<void> {
  const path = joinPath(await mkdtemp(joinPath(tmpdir(), "voice-")), "recording.ogg");
  await writeOgg(path, heard);
  console.log(`[alice] recorded ${heard.length} packets: ${path}`);
  const played = await Array.fromAsync(readOgg(FILE));
  const equal = played.filter((frame, at) => frame.join() === heard[at]?.join()).length;
  console.log(`[alice] ${equal} of ${played.length} packets are bit-equal to the file's`);
  if (equal !== played.length || heard.length !== played.length) throw new Error("The recording differs");
}

function report(event: { readonly type: string; readonly userIds?: readonly string[] }): void {
  console.log(`[bot] ${event.type}${event.userIds ? ` ${event.userIds.join(", ")}` : ""}`);
}
