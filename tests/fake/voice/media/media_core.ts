/**
 * The UDP server, without sockets: it answers questions for an address, and forwards the sound of each client to all
 * others in the call.
 *
 * Each client has a key of its own, so a packet is opened and sealed anew on the way. In between it lies open, and is
 * looked at: where the call is end-to-end encrypted, no frame may be in the clear.
 */

import type { Journal } from "../../base/journal.ts";
import { type Bytes, concat } from "../mls/codec.ts";
import { nonceOf, openPacket, sealPacket } from "./packet_cipher.ts";
import { checkSound, clearBytesOf, frameOf, isEncrypted, isSilence, type SoundHistory } from "./rtp_check.ts";
import type { VoiceCall } from "../gateway/call.ts";
import { takeVoiceFault, type VoiceFaults } from "../gateway/faults.ts";
import type { VoiceLinks } from "../gateway/links.ts";
import type { VoiceRegistry } from "../gateway/registry.ts";
import type { DatagramAddress, VoiceSession } from "../gateway/session.ts";

/** What the media server counts. */
export interface MediaCounts {
  /** Packets of sound that came and were good. */
  received: number;
  /** Packets that left, to all receivers together. */
  forwarded: number;
  /** Packets whose frame was in the clear though the call is encrypted: none, if all is well. */
  plain: number;
  /** Packets whose frame was encrypted. */
  encrypted: number;
  /** Packets that could not be opened. */
  unopened: number;
  /** Packets with a nonce that had been used. */
  replayed: number;
  /** Datagrams from nobody who is known. */
  strange: number;
  /** Questions for an address. */
  discoveries: number;
  /** Datagrams that keep the way open. */
  keepAlives: number;
}

/** What the media server is made from. */
export interface MediaCoreOptions {
  /** Everything is written down here. */
  readonly journal: Journal;
  /** What goes wrong. */
  readonly faults: VoiceFaults;
  /** Who may send. */
  readonly registry: VoiceRegistry;
  /** Their connections, to be closed for a broken rule. */
  readonly links: VoiceLinks;
  /** The call of a channel. */
  readonly callOf: (channelId: string) => VoiceCall;
  /** Sends a datagram from the media server of an endpoint. */
  readonly send: (endpoint: string, datagram: Bytes, to: DatagramAddress) => void;
  /** Whether packets arrive as they were sent, so that what is missing is the client's doing. */
  readonly isInOrder: () => boolean;
  /** A deadline has changed. */
  readonly changed: () => void;
}

interface Stream extends SoundHistory {
  readonly nonces: Set<number>;
  /** Counts what is sent to this client. */
  nextNonce: number;
  sent: number;
  lastReportAt: number;
}

const DISCOVERY_BYTES = 74;
const DISCOVERY_BODY_BYTES = 70;
const KEEP_ALIVE_BYTES = 8;
/** How long after the first packet op 5 may come: it takes another way. */
const SPEAK_WITHIN_MS = 1000;
/** How often a sender's report goes out, in ms. */
const REPORT_PERIOD_MS = 5000;
/** Nonces under one key that are remembered. */
const REMEMBERED_NONCES = 200_000;

/** Discovery and forwarding. */
export class MediaCore {
  /** What has been counted. */
  readonly counts: MediaCounts = {
    received: 0,
    forwarded: 0,
    plain: 0,
    encrypted: 0,
    unopened: 0,
    replayed: 0,
    strange: 0,
    discoveries: 0,
    keepAlives: 0,
  };
  readonly #options: MediaCoreOptions;
  readonly #streams = new WeakMap<VoiceSession, Stream>();

  /** Nothing has come yet. */
  constructor(options: MediaCoreOptions) {
    this.#options = options;
  }

  /** A datagram came to the media server of an endpoint. */
  receive(endpoint: string, datagram: Uint8Array, from: DatagramAddress, now: number): void {
    const bytes = Uint8Array.from(datagram);
    if (bytes.length === DISCOVERY_BYTES && bytes[0] === 0) {
      return this.#discovery(endpoint, bytes, from, now);
    }
    if (bytes.length === KEEP_ALIVE_BYTES) {
      this.counts.keepAlives++;
      if (!this.#options.faults.muteKeepAlives) this.#options.send(endpoint, bytes, from);
      return;
    }
    const ssrc = bytes.length >= 12 ? new DataView(bytes.buffer).getUint32(8) : -1;
    const session = this.#sessionOf(endpoint, ssrc);
    const isHis = session?.address?.address === from.address && session.address.port === from.port;
    if (!session || !isHis || !session.mode) this.counts.strange++;
    else this.#sound(session, session.mode, bytes, now);
  }

  #discovery(endpoint: string, question: Bytes, from: DatagramAddress, now: number): void {
    this.counts.discoveries++;
    const { faults, send } = this.#options;
    const view = new DataView(question.buffer);
    const ssrc = view.getUint32(4);
    const session = this.#sessionOf(endpoint, ssrc);
    if (!session || view.getUint16(0) !== 1 || view.getUint16(2) !== DISCOVERY_BODY_BYTES) {
      this.counts.strange++;
      return;
    }
    if (question.subarray(8).some((byte) => byte !== 0)) {
      this.#violation(session, "a discovery has zeros where the response has the address", now);
    }
    if (takeVoiceFault(faults, "silentDiscovery")) return;
    session.address = from;
    const answer = question.slice();
    answer[1] = 2;
    answer.set(new TextEncoder().encode(from.address), 8);
    new DataView(answer.buffer).setUint16(DISCOVERY_BYTES - 2, from.port);
    if (faults.strayDatagrams) {
      const forAnother = answer.slice();
      new DataView(forAnother.buffer).setUint32(4, ssrc + 1);
      forAnother.set(new TextEncoder().encode("198.51.100.1"), 8);
      for (const stray of [Uint8Array.of(0), answer.slice(0, 40), question, forAnother]) {
        send(endpoint, stray, from);
      }
    }
    send(endpoint, answer, from);
  }

  #sound(session: VoiceSession, mode: string, packet: Bytes, now: number): void {
    const stream = this.#streamOf(session);
    const clearBytes = clearBytesOf(packet);
    const opened = clearBytes === null ? null : openPacket({ mode, key: session.key }, packet, clearBytes);
    if (opened === null) {
      this.counts.unopened++;
      return;
    }
    const nonce = nonceOf(packet);
    if (stream.nonces.has(nonce)) {
      this.counts.replayed++;
      return;
    }
    stream.nonces.add(nonce);
    if (stream.nonces.size > REMEMBERED_NONCES) stream.nonces.clear();
    if ((packet[1] ?? 0) >= 200 && (packet[1] ?? 0) <= 206) return;
    const frame = frameOf(packet, opened);
    const fault = checkSound(packet, stream);
    if (fault !== null && this.#options.isInOrder()) this.#violation(session, fault, now);
    if (!session.hasSpoken && session.speakBy === Infinity) {
      session.speakBy = now + SPEAK_WITHIN_MS;
      this.#options.changed();
    }
    const call = this.#options.callOf(session.credentials.channelId);
    if (isEncrypted(frame)) this.counts.encrypted++;
    else if (!isSilence(frame) && !call.dave.mayBePlain(now)) {
      this.counts.plain++;
      this.#violation(session, "no frame leaves in the clear where DAVE has version 1", now);
      return;
    }
    this.counts.received++;
    for (const other of call.sessions) if (other !== session) this.#forward(packet, frame, other, now);
  }

  /** As Discord's packets are: with a header extension, and padding now and then. */
  #forward(packet: Bytes, frame: Uint8Array, to: VoiceSession, now: number): void {
    if (!to.address || !to.mode || !to.described) return;
    const { faults, send } = this.#options;
    const stream = this.#streamOf(to);
    const key = { mode: to.mode, key: to.key };
    const clear = packet.slice(0, 12);
    clear[0] = 0x80;
    let head: Uint8Array = clear;
    let plain: Uint8Array = frame;
    if (!faults.bareRtp) {
      const padding = stream.sent % 3 === 2 ? 1 + stream.sent % 4 : 0;
      clear[0] = padding > 0 ? 0xb0 : 0x90;
      const level = Uint8Array.of(0x10, 0xff, 0, 0);
      const pad = Uint8Array.from({ length: padding }, (_, at) => at === padding - 1 ? padding : 0);
      head = concat(clear, Uint8Array.of(0xbe, 0xde, 0, 1));
      plain = concat(level, frame, pad);
    }
    stream.sent++;
    this.counts.forwarded++;
    const { endpoint } = to.credentials;
    send(endpoint, sealPacket(key, { clear: head, plain, nonce: stream.nextNonce++ }), to.address);
    if (faults.bareRtp || now - stream.lastReportAt < REPORT_PERIOD_MS) return;
    stream.lastReportAt = now;
    const report = Uint8Array.of(0x80, 200, 0, 6, ...packet.subarray(8, 12));
    // Its nonces are the upper half of the numbers.
    const nonce = 0x8000_0000 + stream.nextNonce++;
    send(endpoint, sealPacket(key, { clear: report, plain: new Uint8Array(20), nonce }), to.address);
  }

  #sessionOf(endpoint: string, ssrc: number): VoiceSession | undefined {
    return this.#options.registry.sessions.find((session) =>
      session.ssrc === ssrc && session.credentials.endpoint === endpoint
    );
  }

  #streamOf(session: VoiceSession): Stream {
    let stream = this.#streams.get(session);
    if (!stream) {
      stream = { nonces: new Set(), nextNonce: 0, sent: 0, lastReportAt: -Infinity, last: null };
      this.#streams.set(session, stream);
    }
    return stream;
  }

  #violation(session: VoiceSession, rule: string, now: number): void {
    const { links } = this.#options;
    links.violation(links.of(session) ?? null, null, rule, now);
  }
}
