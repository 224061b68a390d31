/**
 * A bot's connection to a guild's voice channels, as a program sees it: what it plays, receives and reads. `VoiceCycle` keeps it up.
 */

import type { LatencyReading } from "../gateway/latency.ts";
import { Player } from "./audio/player.ts";
import type { OpusPacket, ReceiveOptions } from "./audio/receive_streams.ts";
import { VoiceCycle } from "./cycle.ts";
import { callOutlet } from "./call_outlet.ts";
import type { DavePhase } from "./dave/io.ts";
import { VoiceMediaError } from "./media/media_error.ts";
import type { PlayOptions, VoiceConnectionSettings, VoiceCounters } from "./options.ts";
import type { VoiceStatus } from "./status.ts";
import { assertDeadline } from "./voice_timeout_error.ts";

const MICROPHONE = 1;

/**
 * A bot's connection to a guild's voice channels. Made by `joinVoice()`.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections
 *
 * @example
 * ```ts
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 * import { joinVoice, type VoiceConnection } from "@discordgateway/edge/voice";
 *
 * const stage = { name: "stage", type: 13, id: "41" };            // needs no end-to-end encryption
 * await using discord = new FakeDiscord({ guilds: [{ id: "40", channels: [stage], members: ["alice", "bob"] }] });
 * const voice = await discord.openVoice();
 * const options = { guildId: "40", channelId: "41", dial: voice.dial, openUdp: voice.openUdp };
 * await using alice: VoiceConnection = await joinVoice(voice.gatewayOf("alice"), options);
 * const bob = await joinVoice(voice.gatewayOf("bob"), options);
 *
 * const [bobsId = ""] = alice.userIds;
 * const reader = alice.receive(bobsId).getReader();
 * await bob.play([new Uint8Array([0xfc, 1, 2, 3])]);
 * const { value } = await reader.read();
 * if (value?.frame.join() !== "252,1,2,3" || value.lost !== 0) throw new Error("unexpected");
 * await bob.close();
 * ```
 */
export class VoiceConnection implements AsyncDisposable {
  readonly #settings: VoiceConnectionSettings;
  readonly #cycle: VoiceCycle;
  #player: Player | null = null;

  /** Used by `joinVoice`. */
  constructor(settings: VoiceConnectionSettings) {
    this.#settings = settings;
    this.#cycle = new VoiceCycle(settings, () => this.#player?.wake());
  }

  /** Sends the join. Resolves when the session is ready, and leaves if that takes too long; used by `joinVoice`. */
  async start(deadlineMs: number): Promise<void> {
    await this.#cycle.start(deadlineMs);
  }

  /** The guild's id. */
  get guildId(): string {
    return this.#settings.options.guildId;
  }

  /** The channel that the bot is in, `null` before the main gateway has said so. */
  get channelId(): string | null {
    return this.#cycle.channelId;
  }

  /** What the connection is doing. */
  get status(): VoiceStatus {
    return this.#cycle.status;
  }

  /** The others in the call. */
  get userIds(): readonly string[] {
    return this.#cycle.session?.roster?.userIds ?? [];
  }

  /** The end-to-end encryption: its phase, and thirty digits to compare with others; `null` before a session. */
  get dave():
    | { readonly phase: DavePhase; readonly epoch: bigint | null; readonly privacyCode: string }
    | null {
    const dave = this.#cycle.session?.dave;
    return dave ? { phase: dave.phase, epoch: dave.epoch, privacyCode: dave.privacyCode } : null;
  }

  /** How long heartbeats of the voice gateway took to be acknowledged; `null` without a connection. */
  get latency(): LatencyReading | null {
    return this.#cycle.session?.latency ?? null;
  }

  /** Counts of packets and frames. */
  get counters(): VoiceCounters {
    const media = this.#cycle.session?.media;
    return {
      sent: media?.sent ?? 0,
      media: media?.counters ?? null,
      dave: this.#cycle.session?.dave?.counters ?? null,
    };
  }

  /**
   * Plays Opus frames of 20 ms, each at its time. Resolves when the last one and the silence after it were sent.
   *
   * The source is read 200 ms ahead. While there is no connection, or there are no keys, it is not read; while nobody else is
   * in the call, frames count as played. One source at a time.
   *
   * @throws {VoiceMediaError} `ERR_VOICE_MEDIA_UNSUPPORTED`: the connection was made without media.
   * @throws {TypeError} Something is being played already.
   * @throws {RangeError} `deadlineMs` is negative or no number.
   * @throws {VoiceTimeoutError} No frame could be sent for `deadlineMs`; names what was missing.
   * @throws {VoiceClosedError} The voice connection ended first.
   * @throws {OpusFrameError} The source gave a value that is no Opus frame.
   * @throws What the source throws, or the signal's reason.
   */
  async play(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { signal, speaking = MICROPHONE, deadlineMs = 60_000 }: PlayOptions = {},
  ): Promise<void> {
    this.#assertMedia("play");
    assertDeadline("play", deadlineMs);
    if (this.#player) throw new TypeError("Cannot play: something is being played already");
    const cycle = this.#cycle;
    cycle.signal.throwIfAborted();
    const player = new Player({
      source,
      outlet: callOutlet({
        session: () => cycle.session,
        speaks: (speaks) => cycle.speak(speaks ? speaking : 0),
      }),
      clock: this.#settings.platform,
      signal: signal ? AbortSignal.any([signal, cycle.signal]) : cycle.signal,
      deadlineMs,
      tooLong: () => cycle.timeoutError("play", deadlineMs),
    });
    this.#player = player;
    try {
      await player.run();
    } finally {
      this.#player = null;
    }
  }

  /**
   * The Opus frames of a user, from now on: in order, with marks where some are missing. A reader that is too slow
   * loses the oldest. The stream lasts as long as the voice connection, whether the user is there or not; it errors with
   * {@linkcode VoiceClosedError} unless the program closes the voice connection itself.
   *
   * @throws {VoiceMediaError} `ERR_VOICE_MEDIA_UNSUPPORTED`: the connection was made without media.
   * @throws {TypeError} If the user is listened to already.
   */
  receive(userId: string, options: ReceiveOptions = {}): ReadableStream<OpusPacket> {
    this.#assertMedia("receive");
    return this.#cycle.streams.stream(userId, options);
  }

  /** Asks for another channel of the guild. The response is an event: `moved` or `not_moved`. */
  move(channelId: string): void {
    this.#cycle.move(channelId);
  }

  /** Leaves the channel. Resolves when the leave was sent to the main gateway, or cannot be sent. */
  async close(): Promise<void> {
    await this.#cycle.leave();
  }

  /** The same as {@linkcode VoiceConnection.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertMedia(what: string): void {
    if (this.#settings.openUdp !== null) return;
    throw new VoiceMediaError(`Cannot ${what}: the voice connection was made without media`, {
      code: "ERR_VOICE_MEDIA_UNSUPPORTED",
    });
  }
}
