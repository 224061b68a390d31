/**
 * What one packet of sound costs here, and what it costs @discordjs/voice, which is in a call of its own in this process.
 * In: the credentials of both, as a line of JSON. Out: a line of JSON, in microseconds of processor time.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import davey from "@snazzah/davey";
import { Backoff } from "../../../ratelimit/backoff.ts";
import { dial } from "../../../shard/pipe/dial.ts";
import { systemPlatform } from "../../../shard/pipe/platform.ts";
import { daveyProvider, type EncryptionMode } from "../../../voice/mod.ts";
import { encodeRtpHeader, MediaReceiver, RtpClock, type VoiceServer } from "../../../voice/core.ts";
import { webAesGcm } from "../../../voice/media/aead.ts";
import { ServerSession } from "../../../voice/server_session.ts";
import {
  createTransportCipher,
  RtpSizeCipher,
  type TransportCipher,
} from "../../../voice/media/transport_encryption.ts";
import { openUdp } from "../../../voice/media/udp.ts";
import { joinTheirs } from "./discordjs_voice_cost.ts";

/** Microseconds for one packet. */
export interface VoiceCost {
  readonly daveUs: number;
  readonly sealUs: number;
  /** AES-256-GCM by WebCrypto, as where there is nothing better. */
  readonly webSealUs: number;
  readonly sendUs: number;
  readonly openUs: number;
  /** All that is done with a frame between the player and the socket. */
  readonly oursUs: number;
  /** The same of the other library. */
  readonly theirsUs: number;
}

/** Sends the frame as a player does. */
type Send = () => Promise<void> | void;

interface Input {
  readonly mode: EncryptionMode;
  /** Takes datagrams and makes nothing of them. */
  readonly sink: { readonly address: string; readonly port: number };
  readonly ours: VoiceServer;
  readonly theirs: VoiceServer;
}

const PACKETS = 500;
const ROUNDS = 61;
/** Packets between two turns of the event loop, in which the socket gets to do what it has put off. */
const BURST = 20;
const KEY = new Uint8Array(32).fill(7);
/** A usual frame of speech, in bytes. */
const FRAME = Uint8Array.from({ length: 160 }, (_, at) => at * 7 & 0xff);

const { mode, sink, ours, theirs }: Input = await readInput();
const session = await joinOurs(ours);
const sendOurs: Send = () => {
  const encrypted = session.dave?.encrypt(FRAME);
  if (!encrypted) throw new Error("There are no keys");
  return session.media?.send(encrypted);
};
const sendTheirs = await joinTheirs(FRAME, theirs);
const before = session.media?.sent ?? 0;
const encrypted = Uint8Array.from(session.dave?.encrypt(FRAME) ?? []);
const [oursUs = NaN, theirsUs = NaN] = await alternately([sendOurs, sendTheirs]);
const sent = (session.media?.sent ?? 0) - before;
if (sent !== PACKETS * (ROUNDS + 1)) throw new Error(`Not all was sent: ${sent}`);
const encrypting = () => void session.dave?.encrypt(FRAME);
const [daveUs = NaN, sealUs = NaN, webSealUs = NaN, sendUs = NaN, openUs = NaN] = await alternately([
  encrypting,
  sealing(await createTransportCipher({ mode, key: KEY })),
  sealing(new RtpSizeCipher("aead_aes256_gcm_rtpsize", await webAesGcm(KEY), 0)),
  await sending(),
  await opening(),
]);
const cost: VoiceCost = { daveUs, sealUs, webSealUs, sendUs, openUs, oursUs, theirsUs };
console.log(JSON.stringify(cost));
process.exit(0);

async function readInput(): Promise<Input> {
  for await (const line of createInterface({ input: process.stdin })) return JSON.parse(line);
  throw new Error("There is no input");
}

/** A session with keys, and with a socket. */
async function joinOurs(server: VoiceServer): Promise<ServerSession> {
  const session = new ServerSession({
    server,
    state: { dave: daveyProvider(davey) },
    dial,
    openUdp,
    discovery: {},
    createCipher: createTransportCipher,
    platform: systemPlatform,
    backoff: new Backoff({ random: () => Math.random() }),
    onStatus: () => {},
    onEvent: () => {},
    onPacket: () => {},
    onChange: () => {},
  });
  session.speak(1);
  void session.run().then((end) => {
    throw end?.error ?? new Error(`It ended: ${end?.why}`);
  });
  while (!session.ready || !session.hasSpoken || session.dave?.phase !== "secured") await pause(5);
  return session;
}

function sealing(cipher: TransportCipher): () => unknown {
  const clock = new RtpClock({ sequence: 0, timestamp: 0, ssrc: 7 });
  return () => cipher.seal(encodeRtpHeader(clock.next()), encrypted);
}

/** Packets that were sealed before; nobody listens to them any further. */
async function opening(): Promise<() => unknown> {
  const cipher = await createTransportCipher({ mode, key: KEY });
  const clock = new RtpClock({ sequence: 0, timestamp: 0, ssrc: 7 });
  const packets: Uint8Array[] = [];
  for (let at = 0; at < PACKETS * (ROUNDS + 1); at++) {
    packets.push(await cipher.seal(encodeRtpHeader(clock.next()), encrypted));
  }
  const receiver = new MediaReceiver(cipher, () => {});
  let at = 0;
  return () => {
    const packet = packets[at++];
    if (packet) receiver.receive(packet);
    if (at % BURST !== 0) return;
    if (receiver.counters.received + BURST < at) throw new Error("not all was opened");
    return receiver.settled();
  };
}

async function sending(): Promise<() => unknown> {
  const socket = await openUdp(sink, { receive: () => {}, failed: () => {} });
  const packet = new Uint8Array(encrypted.length + 32);
  return () => socket.send(packet);
}

/** Microseconds for one of each, as the median of rounds in which all take turns, there and back; the first round is left out. */
async function alternately(acts: readonly (() => unknown)[]): Promise<readonly number[]> {
  const rounds = acts.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    const order = [...acts.entries()];
    // Nobody always follows the same one, and has to clear up after it.
    for (const [at, act] of round % 2 === 0 ? order : order.reverse()) {
      const us = await perPacket(act);
      if (round > 0) rounds[at]?.push(us);
    }
  }
  return rounds.map((times) => times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? NaN);
}

async function perPacket(act: () => unknown): Promise<number> {
  const begun = process.cpuUsage();
  for (let at = 1; at <= PACKETS; at++) {
    const result = act();
    if (result instanceof Promise) await result;
    if (at % BURST === 0) await turn();
  }
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / PACKETS;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
