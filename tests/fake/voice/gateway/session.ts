/**
 * A voice session: what survives a connection to the voice gateway.
 *
 * It numbers its messages, JSON and binary in one sequence of 16 bits, and keeps the last of them for a resume.
 */

import type { Bytes } from "../mls/codec.ts";

/** Where a client is told to connect, and as whom: what VOICE_STATE_UPDATE and VOICE_SERVER_UPDATE say together. */
export interface VoiceCredentials {
  /** Host and port of the voice gateway. */
  readonly endpoint: string;
  /** The token for this admission. */
  readonly token: string;
  /** The voice session's id. */
  readonly sessionId: string;
  /** The guild's id. */
  readonly guildId: string;
  /** The channel's id. */
  readonly channelId: string;
  /** The user's id. */
  readonly userId: string;
}

/** Where datagrams come from and go to. */
export interface DatagramAddress {
  /** The IP address. */
  readonly address: string;
  /** The port. */
  readonly port: number;
}

/** A voice session as a test sees it. */
export interface FakeVoiceSession {
  /** Whose it is, and where. */
  readonly credentials: VoiceCredentials;
  /** Its RTP source. */
  readonly ssrc: number;
  /** The encryption mode that it selected; `null` before that. */
  readonly mode: string | null;
  /** Where its media comes from, as its discovery showed. */
  readonly address: DatagramAddress | null;
  /** The last bits of op 5. */
  readonly speaking: number;
  /** Whether it has a connection. */
  readonly connected: boolean;
  /** The number of its last numbered message, sent or waiting; -1 before the first. */
  readonly sequence: number;
}

/** What a session is made from. */
export interface VoiceSessionShape {
  /** Whose it is, and where. */
  readonly credentials: VoiceCredentials;
  /** Its RTP source. */
  readonly ssrc: number;
  /** The key of the transport encryption, 32 bytes. */
  readonly key: Bytes;
  /** The DAVE version that it speaks. */
  readonly maxDaveVersion: number;
  /** The number of its first numbered message. */
  readonly firstSequence: number;
  /** How many messages are kept. */
  readonly replayLimit: number;
}

interface NumberedMessage {
  readonly sequence: number;
  readonly op: number;
  readonly frame: string | Bytes;
}

/** How many sequence numbers there are. */
const SEQUENCES = 0x1_0000;

/** The state of one voice session, free of connections and time. */
export class VoiceSession implements FakeVoiceSession {
  readonly credentials: VoiceCredentials;
  readonly ssrc: number;
  readonly key: Bytes;
  readonly maxDaveVersion: number;
  mode: string | null = null;
  address: DatagramAddress | null = null;
  speaking = 0;
  /** Op 5 has said a bit at least once. */
  hasSpoken = false;
  /** It has its description, and is in the call. */
  described = false;
  /** Its first packet of sound came before op 5, which has to follow by then, in ms. */
  speakBy = Infinity;
  /** When its connection was lost, in ms; `null` while it has one. */
  lostAt: number | null = null;
  /** What is the next number. */
  #next: number;
  readonly #first: number;
  readonly #replayLimit: number;
  #kept: NumberedMessage[] = [];
  #numbered = 0;

  /** Starts without any message. */
  constructor(shape: VoiceSessionShape) {
    this.credentials = shape.credentials;
    this.ssrc = shape.ssrc;
    this.key = shape.key;
    this.maxDaveVersion = shape.maxDaveVersion;
    this.#first = this.#next = shape.firstSequence;
    this.#replayLimit = shape.replayLimit;
  }

  get connected(): boolean {
    return this.lostAt === null;
  }

  get sequence(): number {
    return this.#numbered === 0 ? -1 : (this.#next + SEQUENCES - 1) % SEQUENCES;
  }

  /** Gives a JSON message its number, and keeps it. */
  number(op: number, d: unknown): NumberedMessage {
    const sequence = this.#next;
    return this.#keep({ sequence, op, frame: JSON.stringify({ op, d, seq: sequence }) });
  }

  /** Gives a binary message its number, and keeps it. */
  numberBinary(op: number, payload: Uint8Array): NumberedMessage {
    const sequence = this.#next;
    const frame = new Uint8Array(3 + payload.length);
    frame.set([sequence >> 8, sequence & 0xff, op]);
    frame.set(payload, 3);
    return this.#keep({ sequence, op, frame });
  }

  /** The messages after this number, -1 for all; `null` if they are not kept any more, or it never had such a number. */
  after(sequence: number): readonly NumberedMessage[] | null {
    const isAtStart = sequence === -1 || sequence === (this.#first + SEQUENCES - 1) % SEQUENCES;
    if (isAtStart && this.#kept.length === this.#numbered) return this.#kept;
    const at = this.#kept.findLastIndex((message) => message.sequence === sequence);
    return at < 0 ? null : this.#kept.slice(at + 1);
  }

  /** Whether a client can have heard a message of this number. */
  hasNumbered(sequence: number): boolean {
    return sequence === -1 || this.#kept.some((message) => message.sequence === sequence) ||
      this.#numbered > this.#replayLimit;
  }

  #keep(message: NumberedMessage): NumberedMessage {
    this.#next = (this.#next + 1) % SEQUENCES;
    this.#numbered++;
    this.#kept.push(message);
    if (this.#kept.length > this.#replayLimit) this.#kept = this.#kept.slice(-this.#replayLimit);
    return message;
  }
}
