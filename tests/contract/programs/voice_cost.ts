/**
 * What one packet of sound costs here: its end-to-end encryption, its transport encryption by either cipher, and its way
 * into a UDP socket. Prints one line of JSON, in microseconds.
 */

import process from "node:process";
import davey from "@snazzah/davey";
import { FakeDiscord } from "../../fake/mod.ts";
import { openUdp } from "../../../voice/udp.ts";
import {
  createTransportCipher,
  type DaveProvider,
  type DaveSession,
  daveyProvider,
  encodeRtpHeader,
  joinVoice,
  RtpClock,
} from "../../../voice/mod.ts";

const PACKETS = 20_000;
/** A usual frame of speech, in bytes. */
const FRAME = Uint8Array.from({ length: 160 }, (_, at) => at * 7 & 0xff);

const sealed = await encryptedSession();
const daveUs = await perPacket(() => void sealed.encrypt(FRAME));
const encrypted = Uint8Array.from(sealed.encrypt(FRAME));
const sendUs = await sendCost();
const gcmUs = await sealCost("aead_aes256_gcm_rtpsize");
const xChaChaUs = await sealCost("aead_xchacha20_poly1305_rtpsize");
console.log(JSON.stringify({ daveUs, gcmUs, xChaChaUs, sendUs }));

/** A session with keys: two clients form a group through the fake, in memory. */
async function encryptedSession(): Promise<DaveSession> {
  const discord = new FakeDiscord({
    guilds: [{ id: "4000", channels: [{ name: "voice", type: 2, id: "4101" }], members: ["alice", "bob"] }],
  });
  const voice = await discord.openVoice();
  const provider = daveyProvider(davey);
  const sessions: DaveSession[] = [];
  const dave: DaveProvider = {
    maxVersion: provider.maxVersion,
    create: (options) => {
      const session = provider.create(options);
      sessions.push(session);
      return session;
    },
  };
  const { dial, openUdp } = voice;
  const options = { guildId: "4000", channelId: "4101", dave, dial, openUdp };
  const members = [
    await joinVoice(voice.gatewayOf("alice"), options),
    await joinVoice(voice.gatewayOf("bob"), options),
  ];
  while (!members.every((member) => member.dave?.phase === "secured")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // No close: a session that has left has no keys.
  const [session] = sessions;
  if (!session?.ready) throw new Error("There is no session with keys");
  for (const member of members) await member.close();
  await discord.close();
  return session;
}

async function sealCost(
  mode: "aead_aes256_gcm_rtpsize" | "aead_xchacha20_poly1305_rtpsize",
): Promise<number> {
  const cipher = await createTransportCipher({ mode, key: new Uint8Array(32).fill(7) });
  const clock = new RtpClock({ sequence: 0, timestamp: 0, ssrc: 7 });
  return await perPacket(() => cipher.seal(encodeRtpHeader(clock.next()), encrypted));
}

async function sendCost(): Promise<number> {
  const { createSocket } = process.getBuiltinModule("node:dgram");
  const sink = createSocket("udp4");
  await new Promise<void>((resolve) => sink.bind(0, "127.0.0.1", resolve));
  const { port } = sink.address();
  const socket = await openUdp({ address: "127.0.0.1", port }, { receive: () => {}, failed: () => {} });
  const packet = new Uint8Array(encrypted.length + 32);
  // In between the socket gets to do what it has put off.
  const us = await perPacket((at) => {
    socket.send(packet);
    return at % 50 === 49 ? new Promise<void>((resolve) => setTimeout(resolve, 0)) : undefined;
  });
  socket.close();
  sink.close();
  return us;
}

/** Microseconds for one, the first ones left out. */
async function perPacket(act: (at: number) => unknown): Promise<number> {
  for (let at = 0; at < PACKETS / 10; at++) await act(at);
  const begun = performance.now();
  for (let at = 0; at < PACKETS; at++) {
    const result = act(at);
    if (result instanceof Promise) await result;
  }
  return (performance.now() - begun) * 1_000 / PACKETS;
}
