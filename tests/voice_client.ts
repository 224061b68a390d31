/**
 * A voice client without manners for the tests of the fake: it sends exactly what it is told, and keeps what it gets. With
 * davey in it, it follows the end-to-end encryption as a client has to.
 */

import { gcm } from "@noble/ciphers/aes.js";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import davey from "@snazzah/davey";
import type { Connection, ConnectionEnd } from "../shard/pipe/connection.ts";
import { FakeDiscord } from "./fake/fake_discord.ts";
import type { FakeDiscordOptions } from "./fake/options.ts";
import { VirtualClock } from "./fake/base/virtual_clock.ts";
import type { FakeVoice } from "./fake/voice/fake_voice.ts";
import type { FakeVoiceOptions } from "./fake/voice/options.ts";
import type { MemoryDatagramSocket } from "./fake/voice/media/memory_datagrams.ts";
import type { DatagramAddress, VoiceCredentials } from "./fake/voice/gateway/session.ts";

/** A message as it came. */
export interface VoiceMessage {
  readonly op: number;
  /** Of every shape, as it was parsed; the payload of a binary one. */
  readonly d: ReturnType<typeof JSON.parse>;
  readonly seq: number | null;
}

/** Two voice channels, a stage, a text channel, one for two, and one for nobody. */
export const VOICE_GUILDS: FakeDiscordOptions["guilds"] = [{
  id: "4000",
  channels: [
    { name: "general", id: "4010" },
    { name: "voice", type: 2, id: "4001" },
    { name: "other", type: 2, id: "4002" },
    { name: "stage", type: 13, id: "4003" },
    { name: "pair", type: 2, id: "4004", userLimit: 2 },
    { name: "closed", type: 2, id: "4005", closed: true },
  ],
  members: ["alice", "bob", "carol", "dave"],
}];

/** A fake with voice on a virtual clock. */
export class VoiceStage {
  readonly clock: VirtualClock;
  readonly discord: FakeDiscord;
  readonly voice: FakeVoice;

  private constructor(clock: VirtualClock, discord: FakeDiscord, voice: FakeVoice) {
    this.clock = clock;
    this.discord = discord;
    this.voice = voice;
  }

  static async open(options: FakeVoiceOptions = {}): Promise<VoiceStage> {
    const clock = new VirtualClock();
    const discord = new FakeDiscord({ clock, guilds: VOICE_GUILDS ?? [] });
    return new VoiceStage(clock, discord, await discord.openVoice(options));
  }

  /** Lets everything that is under way arrive. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  /** A client of a user, connected. */
  async client(user: string, channelId = "4001"): Promise<RawVoiceClient> {
    return await this.connect(this.voice.enter(user, { channelId }));
  }

  /** A client with any credentials. */
  async connect(credentials: VoiceCredentials): Promise<RawVoiceClient> {
    const connection = await this.voice.dial(`wss://${credentials.endpoint}/?v=8`);
    const client = new RawVoiceClient(this.voice, credentials, connection);
    await this.settle();
    return client;
  }

  /** A client of a user that has come as far as its description, and follows the encryption. */
  async speaker(user: string, channelId = "4001"): Promise<RawVoiceClient> {
    const client = await this.client(user, channelId);
    await client.handshake(this);
    return client;
  }

  violations(): string[] {
    return this.voice.journal.violations().map(({ rule }) => rule);
  }
}

/** One raw voice client in memory. */
export class RawVoiceClient {
  readonly credentials: VoiceCredentials;
  readonly messages: VoiceMessage[] = [];
  /** Frames that were heard, by SSRC, opened and decrypted where they were encrypted. */
  readonly heard: { readonly ssrc: number; readonly frame: number[] }[] = [];
  /** Datagrams as they came. */
  readonly datagrams: Uint8Array[] = [];
  /** What the encryption complained about. */
  readonly errors: string[] = [];
  readonly socket: MemoryDatagramSocket;
  connection: Connection;
  end: ConnectionEnd | null = null;
  session: InstanceType<typeof davey.DAVESession> | null = null;
  sequence = -1;
  mode = "aead_aes256_gcm_rtpsize";
  ssrc = 0;
  key = new Uint8Array(32);
  media: DatagramAddress = { address: "", port: 0 };
  daveVersion = 0;
  /** What it leaves out: no op 23 or no op 26, say. */
  readonly withheld = new Set<number>();
  /** The payload of the last op 28, also if it was left out. */
  lastCommit: Uint8Array | null = null;
  nonce = 0;
  rtpSequence = 65_530;
  timestamp = 4_294_960_000;
  readonly #users = new Map<number, string>();
  readonly #transitions = new Map<number, number>();

  constructor(voice: FakeVoice, credentials: VoiceCredentials, connection: Connection) {
    this.credentials = credentials;
    this.connection = connection;
    this.socket = voice.openSocket((datagram) => this.#datagram(datagram));
    this.attach(connection);
  }

  get id(): string {
    return this.credentials.userId;
  }

  /** The opcodes that came, in order. */
  get ops(): number[] {
    return this.messages.map(({ op }) => op);
  }

  /** Bodies of one opcode. */
  bodies(op: number): VoiceMessage["d"][] {
    return this.messages.filter((message) => message.op === op).map(({ d }) => d);
  }

  attach(connection: Connection): void {
    this.connection = connection;
    this.end = null;
    connection.attach({ frame: (frame) => this.#message(frame), end: (end) => this.end = end });
  }

  send(op: number, d?: unknown): void {
    this.connection.send(JSON.stringify({ op, d }));
  }

  sendBinary(op: number, payload: Uint8Array): void {
    if (this.withheld.has(op)) return;
    this.connection.send(Uint8Array.from([op, ...payload]));
  }

  identify(changes: Record<string, unknown> = {}): void {
    const { guildId, userId, sessionId, token } = this.credentials;
    const body = { server_id: guildId, user_id: userId, session_id: sessionId, token };
    this.send(0, { ...body, max_dave_protocol_version: 1, ...changes });
  }

  resume(changes: Record<string, unknown> = {}): void {
    const { guildId, sessionId, token } = this.credentials;
    this.send(7, { server_id: guildId, session_id: sessionId, token, seq_ack: this.sequence, ...changes });
  }

  discover(): void {
    const question = new Uint8Array(74);
    const view = new DataView(question.buffer);
    view.setUint16(0, 1);
    view.setUint16(2, 70);
    view.setUint32(4, this.ssrc);
    this.socket.send(question, this.media);
  }

  selectProtocol(changes: Record<string, unknown> = {}): void {
    const { address, port } = this.socket.address;
    this.send(1, { protocol: "udp", data: { address, port, mode: this.mode, ...changes } });
  }

  /** Identify to description. */
  async handshake(stage: VoiceStage): Promise<void> {
    this.identify();
    await stage.settle();
    this.discover();
    await stage.settle();
    this.selectProtocol();
    await stage.settle();
  }

  /** Op 5, and a frame. */
  say(frame: readonly number[], { plain = false }: { readonly plain?: boolean } = {}): void {
    this.send(5, { speaking: 1, delay: 0, ssrc: this.ssrc });
    this.sendFrame(frame, { plain });
  }

  sendFrame(frame: readonly number[], { plain = false }: { readonly plain?: boolean } = {}): void {
    const media = plain || this.daveVersion === 0 || !this.session
      ? Uint8Array.from(frame)
      : Uint8Array.from(this.session.encryptOpus(Buffer.from(frame)));
    this.socket.send(this.packet(media), this.media);
  }

  /** A packet of sound. */
  packet(media: Uint8Array): Uint8Array {
    const clear = new Uint8Array(12);
    const view = new DataView(clear.buffer);
    view.setUint16(0, 0x8078);
    view.setUint16(2, this.rtpSequence);
    view.setUint32(4, this.timestamp);
    view.setUint32(8, this.ssrc);
    this.rtpSequence = this.rtpSequence + 1 & 0xffff;
    this.timestamp = (this.timestamp + 960) % 2 ** 32;
    const nonce = new Uint8Array(4);
    new DataView(nonce.buffer).setUint32(0, this.nonce++);
    return Uint8Array.from([...clear, ...this.#cipher(nonce, clear).encrypt(media), ...nonce]);
  }

  #cipher(nonce: Uint8Array, clear: Uint8Array): ReturnType<typeof gcm> {
    const long = new Uint8Array(this.mode === "aead_aes256_gcm_rtpsize" ? 12 : 24);
    long.set(nonce);
    return this.mode === "aead_aes256_gcm_rtpsize"
      ? gcm(this.key, long, clear)
      : xchacha20poly1305(this.key, long, clear);
  }

  #message(frame: string | Uint8Array): void {
    const message: VoiceMessage = typeof frame === "string"
      ? { seq: null, d: undefined, ...JSON.parse(frame) }
      : { seq: (frame[0] ?? 0) << 8 | (frame[1] ?? 0), op: frame[2] ?? -1, d: frame.slice(3) };
    this.messages.push(message);
    if (message.seq !== null) this.sequence = message.seq;
    const { op, d } = message;
    if (op === 2) [this.ssrc, this.media] = [d.ssrc, { address: d.ip, port: d.port }];
    if (op === 4) [this.key, this.daveVersion] = [Uint8Array.from(d.secret_key), d.dave_protocol_version];
    if (op === 5) this.#users.set(d.ssrc, d.user_id);
    try {
      this.#dave(op, d);
    } catch (error) {
      this.errors.push(`op ${op}: ${error instanceof Error ? error.message : error}`);
    }
  }

  #dave(op: number, d: VoiceMessage["d"]): void {
    if (op === 4 && d.dave_protocol_version > 0 || op === 24 && d.epoch === 1) this.startOver();
    if (op === 25) this.session?.setExternalSender(Buffer.from(d));
    if (op === 21) {
      this.#transitions.set(d.transition_id, d.protocol_version);
      if (d.transition_id === 0) this.daveVersion = d.protocol_version;
      else this.confirm(d.transition_id);
    }
    if (op === 22) this.daveVersion = this.#transitions.get(d.transition_id) ?? this.daveVersion;
    if (op === 27) {
      const answer = this.session?.processProposals(d[0], Buffer.from(d.subarray(1)));
      if (answer?.commit) {
        this.lastCommit = Uint8Array.from([...answer.commit, ...answer.welcome ?? []]);
        this.sendBinary(28, this.lastCommit);
      }
    }
    if (op !== 29 && op !== 30) return;
    const transitionId = d[0] << 8 | d[1];
    this.#transitions.set(transitionId, 1);
    try {
      if (op === 29) this.session?.processCommit(Buffer.from(d.subarray(2)));
      else this.session?.processWelcome(Buffer.from(d.subarray(2)));
    } catch (error) {
      this.send(31, { transition_id: transitionId });
      this.startOver();
      throw error;
    }
    if (transitionId === 0) this.daveVersion = 1;
    else this.confirm(transitionId);
  }

  /** Op 23. */
  confirm(transitionId: number): void {
    if (!this.withheld.has(23)) this.send(23, { transition_id: transitionId });
  }

  /** A session without a group, and a fresh key package. */
  startOver(): void {
    const { userId, channelId } = this.credentials;
    if (this.session) this.session.reinit(1, userId, channelId);
    else this.session = new davey.DAVESession(1, userId, channelId);
    this.sendBinary(26, this.session.getSerializedKeyPackage());
  }

  #datagram(datagram: Uint8Array): void {
    this.datagrams.push(datagram);
    try {
      this.#sound(datagram);
    } catch {
      // Damaged on the way; the tests look at `datagrams`.
    }
  }

  #sound(datagram: Uint8Array): void {
    const [flags = 0, type = 0] = datagram;
    if (flags >> 6 !== 2 || (type & 0x7f) !== 120) return;
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
    const extended = (flags & 0x10) !== 0;
    const clear = datagram.slice(0, extended ? 16 : 12);
    const end = datagram.length - 4;
    const plain = this.#cipher(datagram.slice(end), clear).decrypt(datagram.slice(clear.length, end));
    const padding = (flags & 0x20) !== 0 ? plain.at(-1) ?? 0 : 0;
    const frame = plain.slice(extended ? 4 * view.getUint16(14) : 0, plain.length - padding);
    const ssrc = view.getUint32(8);
    this.heard.push({ ssrc, frame: this.#decrypted(ssrc, frame) });
  }

  #decrypted(ssrc: number, frame: Uint8Array): number[] {
    const isEncrypted = frame.at(-1) === 0xfa && frame.at(-2) === 0xfa;
    const user = this.#users.get(ssrc);
    if (!isEncrypted || !this.session || user === undefined) return [...frame];
    try {
      return [...this.session.decrypt(user, 0, Buffer.from(frame))];
    } catch (error) {
      this.errors.push(`decrypt: ${error instanceof Error ? error.message : error}`);
      return [];
    }
  }
}
