/** Opus frames out of Ogg files, and into them, by mediabunny. */

import { readFile, writeFile } from "node:fs/promises";
import {
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedPacketSink,
  Input,
  OGG,
  OggOutputFormat,
  Output,
} from "mediabunny";

/** The length of a frame, in seconds. */
const FRAME_S = 0.02;
/** Discord's Opus: 48 kHz, two channels. The header says so; each frame says for itself how many it has. */
const OPUS_HEAD = [..."OpusHead"].map((letter) => letter.charCodeAt(0));

/** The Opus frames of an Ogg file, one after another. */
export async function* readOgg(path: string | URL): AsyncGenerator<Uint8Array, void, void> {
  const input = new Input({ formats: [OGG], source: new BufferSource(await readFile(path)) });
  const track = await input.getPrimaryAudioTrack();
  if (track?.codec !== "opus") throw new TypeError(`Cannot play: the file holds no Opus: ${path}`);
  for await (const { data, duration } of new EncodedPacketSink(track).packets()) {
    // The last one may be cut short.
    if (duration > FRAME_S + 0.001) {
      throw new TypeError(
        `Cannot play: frames of ${FRAME_S * 1000} ms are needed, the file has ${duration * 1000}: ${path}`,
      );
    }
    yield data;
  }
}

/** Writes Opus frames of 20 ms as an Ogg file that players understand. */
export async function writeOgg(path: string | URL, frames: readonly Uint8Array[]): Promise<void> {
  const target = new BufferTarget();
  const output = new Output({ format: new OggOutputFormat(), target });
  const source = new EncodedAudioPacketSource("opus");
  output.addAudioTrack(source);
  await output.start();
  // Version 1, two channels, no samples to skip, 48 kHz, no gain.
  const description = Uint8Array.from([...OPUS_HEAD, 1, 2, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]);
  const decoderConfig = { codec: "opus", numberOfChannels: 2, sampleRate: 48_000, description };
  for (const [at, frame] of frames.entries()) {
    await source.add(new EncodedPacket(frame, "key", at * FRAME_S, FRAME_S), { decoderConfig });
  }
  await output.finalize();
  await writeFile(path, new Uint8Array(target.buffer ?? new ArrayBuffer(0)));
}
