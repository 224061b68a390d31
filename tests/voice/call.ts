/** Voice connections on the fake Discord, in memory and in virtual time. */

import davey from "@snazzah/davey";
import {
  daveyProvider,
  joinVoice,
  type JoinVoiceOptions,
  type OpusPacket,
  type Voice,
  voice as wayIntoVoice,
  type VoiceConnection,
  type VoiceConnectionEvent,
  type VoiceOptions,
  type VoiceStatus,
} from "../../voice/mod.ts";
import { Shard } from "../../shard/mod.ts";
import {
  FakeDiscord,
  type FakeDiscordOptions,
  type FakeVoice,
  type FakeVoiceOptions,
  type UserGateway,
  VirtualClock,
} from "../fake/mod.ts";

/** The guild, and its voice channels. */
export const GUILD = "4000";
export const VOICE = "4101";
export const OTHER = "4102";
export const STAGE = "4103";
export const PAIR = "4104";
export const CLOSED = "4105";

const GUILDS: FakeDiscordOptions["guilds"] = [{
  id: GUILD,
  channels: [
    { name: "voice", type: 2, id: VOICE },
    { name: "other", type: 2, id: OTHER },
    { name: "stage", type: 13, id: STAGE },
    { name: "pair", type: 2, id: PAIR, userLimit: 2 },
    { name: "closed", type: 2, id: CLOSED, closed: true },
  ],
  members: ["alice", "bob", "carol"],
}];

/** A user in a call. */
export interface Speaker {
  readonly connection: VoiceConnection;
  readonly gateway: UserGateway;
  readonly statuses: readonly VoiceStatus[];
  readonly events: readonly VoiceConnectionEvent[];
  readonly id: string;
}

/** A Discord with voice, and its clock. */
export class Call implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly discord: FakeDiscord;
  readonly voice: FakeVoice;
  readonly #shards: Shard[] = [];

  private constructor(clock: VirtualClock, discord: FakeDiscord, voice: FakeVoice) {
    this.clock = clock;
    this.discord = discord;
    this.voice = voice;
  }

  static async open(
    options: FakeVoiceOptions = {},
    { guilds = [], ...rest }: Omit<FakeDiscordOptions, "clock"> = {},
  ): Promise<Call> {
    const clock = new VirtualClock();
    const discord = new FakeDiscord({ ...rest, clock, guilds: [...GUILDS ?? [], ...guilds] });
    return new Call(clock, discord, await discord.openVoice(options));
  }

  /** The options of every connection. The cipher is the one without promises, since virtual time does not wait for them. */
  get options(): Omit<JoinVoiceOptions, "userId"> {
    return { guildId: GUILD, channelId: VOICE, ...this.providerOptions };
  }

  /** The same for the voice provider. */
  get providerOptions(): Omit<VoiceOptions, "userId"> {
    const { voice: { dial, openUdp }, clock: platform } = this;
    const modes = ["aead_xchacha20_poly1305_rtpsize"] as const;
    return { dave: daveyProvider(davey), dial, openUdp, platform, modes };
  }

  /** The id of a member. */
  idOf(name: string): string {
    const member = this.discord.guilds[0]?.members.find(({ user }) => user.username === name);
    if (!member) throw new Error(`There is no such member: ${name}`);
    return member.user.id;
  }

  /** A member begins to join; the promise is not waited for. */
  joining(name: string, options: Partial<JoinVoiceOptions> = {}): {
    readonly joined: Promise<Speaker>;
    readonly gateway: UserGateway;
    readonly statuses: readonly VoiceStatus[];
    readonly events: readonly VoiceConnectionEvent[];
  } {
    const id = this.idOf(name);
    const gateway = this.voice.gatewayOf(name);
    const statuses: VoiceStatus[] = [];
    const events: VoiceConnectionEvent[] = [];
    const joined = joinVoice(gateway, {
      ...this.options,
      onStatus: (status) => void statuses.push(status),
      onEvent: (event) => void events.push(event),
      ...options,
    }).then((connection) => ({ connection, gateway, statuses, events, id }));
    return { joined, gateway, statuses, events };
  }

  /** A member joins. */
  async join(name: string, options: Partial<JoinVoiceOptions> = {}): Promise<Speaker> {
    return await this.arrive(this.joining(name, options).joined);
  }

  /** Lets time pass until a promise is settled. */
  async arrive<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => void (settled = true);
    work.then(done, done);
    await this.clock.runUntil(() => settled);
    return await work;
  }

  /** Lets time pass until all have the group's keys. */
  async secured(...speakers: readonly Speaker[]): Promise<void> {
    await this.clock.runUntil(() => speakers.every(({ connection }) => connection.dave?.phase === "secured"));
  }

  /** A shard of the bot, live. */
  async shard(
    options: Omit<VoiceOptions, "userId" | "signal"> = {},
  ): Promise<Shard<never, never, never, Voice>> {
    const { token, dial, fetch } = this.discord;
    const voice = wayIntoVoice({ ...this.providerOptions, ...options });
    const shard = new Shard({ token, intents: 1 << 7, voice, dial, fetch, platform: this.clock });
    this.#shards.push(shard);
    void shard.run(() => {});
    await this.clock.runUntil(() => shard.status.state === "live");
    return shard;
  }

  /** The rules that were broken, on both gateways. */
  get violations(): string[] {
    return [...this.voice.journal.violations(), ...this.discord.journal.violations()].map(({ rule }) => rule);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()));
    await this.discord.close();
  }
}

/** Reads a stream of packets into a list. */
export function record(stream: ReadableStream<OpusPacket>): {
  readonly packets: readonly OpusPacket[];
  /** Resolves with what the stream ended with, `null` without an error. */
  readonly end: Promise<unknown>;
  /** Listens no more. */
  stop(): Promise<void>;
} {
  const packets: OpusPacket[] = [];
  const reader = stream.getReader();
  const end = (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) packets.push(read.value);
  })().then(() => null, (error: unknown) => error);
  return { packets, end, stop: () => reader.cancel() };
}

/** Frames that can be told apart; none is silence. */
export function frames(count: number, tag = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => new Uint8Array([0xfc, tag, at >> 8, at & 0xff, 7, 7]));
}

/** Frames without the silence at the end. */
export function sound(packets: readonly OpusPacket[]): string[] {
  return packets.map(({ frame }) => frame.join()).filter((frame) => frame !== "248,255,254");
}
