/**
 * A bot that says after everybody what they have said, and writes down what it heard: an Ogg file for each speaker.
 *
 * `deno task example:voice-echo` plays it on a fake Discord, where somebody else speaks, and compares the echo with what was
 * said. With DISCORD_TOKEN, VOICE_GUILD and VOICE_CHANNEL set the same bot listens on Discord, until Ctrl-C.
 */

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import process from "node:process";
import { isSilenceFrame, joinVoice, type VoiceConnection } from "@discordgateway/edge/voice";
import { readOgg, writeOgg } from "./ogg.ts";
import { openVoiceStage } from "./voice_stage.ts";

const FILE = new URL("assets/speech.opus", import.meta.url);
const folder = await mkdtemp(joinPath(tmpdir(), "voice-"));

const { shard, guildId, channelId, fake, close } = await openVoiceStage();
const listening = new Map<string, Promise<void>>();
/** What is to be said, one after another. */
let saying: Promise<void> = Promise.resolve();

const connection = await shard.joinVoice(guildId, channelId, {
  onEvent: (event) => {
    // The events of the first moments come before the connection is there; these users are listened to below.
    if (event.type === "connected") setTimeout(() => listenToAll(), 0);
  },
});
console.log(`[bot] listens in channel ${connection.channelId}`);
listenToAll();

if (fake) await play(await joinVoice(fake.voice.gatewayOf("alice"), fake.join));
else await new Promise<void>((resolve) => process.once("SIGINT", () => resolve()));
await saying;
await connection.close();
await Promise.all(listening.values());
await close();

function listenToAll(): void {
  for (const userId of connection?.userIds ?? []) {
    if (!listening.has(userId)) listening.set(userId, listen(userId));
  }
}

/** Five frames of silence end what somebody says. */
async function listen(userId: string): Promise<void> {
  console.log(`[bot] listens to ${userId}`);
  const recording: Uint8Array[] = [];
  let sentence: Uint8Array[] = [];
  for await (const { frame, lost } of connection.receive(userId)) {
    if (lost > 0) console.log(`[bot] ${lost} packets of ${userId} are missing`);
    if (!isSilenceFrame(frame)) {
      recording.push(frame);
      sentence.push(frame);
    } else if (sentence.length > 0) {
      echo(userId, sentence);
      sentence = [];
    }
  }
  const path = joinPath(folder, `${userId}.ogg`);
  await writeOgg(path, recording);
  console.log(`[bot] ${recording.length} packets of ${userId} are in ${path}`);
}

function echo(userId: string, sentence: readonly Uint8Array[]): void {
  saying = saying.then(async () => {
    console.log(`[bot] says ${sentence.length} packets after ${userId}`);
    await connection.play(sentence);
  }).catch((error) => console.log(`[bot] could not: ${error}`));
}

/** What happens when no token is set: alice speaks, and hears the echo. */
async function play(alice: VoiceConnection): Promise<void> {
  const heard: Uint8Array[] = [];
  const hearing = (async () => {
    for await (const { frame } of alice.receive(shard.userId ?? "")) {
      if (!isSilenceFrame(frame)) heard.push(frame);
    }
  })();
  await until("keys", () => connection.dave?.phase === "secured" && alice.dave?.phase === "secured");
  const said = (await Array.fromAsync(readOgg(FILE))).slice(0, 100);
  console.log(`[alice] says ${said.length} packets`);
  await alice.play(said);
  await until("the echo", () => heard.length >= said.length);
  const equal = said.filter((frame, at) => frame.join() === heard[at]?.join()).length;
  console.log(`[alice] ${equal} of ${said.length} packets of the echo are bit-equal to what was said`);
  await alice.close();
  await hearing;
  if (equal !== said.length) throw new Error("The echo differs");
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries === 1_000) throw new Error(`Nothing came of it: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
