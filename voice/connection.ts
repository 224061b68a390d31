/**
 * A bot's connection to a guild's voice channels: joined through the main gateway, kept alive over voice servers and connections, with
 * what is played and what is heard.
 *
 * Three machines meet here. `VoiceJoin` says which voice server is to be connected to, and when it is over. One
 * `ServerSession` at a time lives on such a server. `Player` and `ReceiveStreams` last through the whole call: whatever is played
 * goes on after a move, a region change or a crash, and a stream of what somebody says does not end with them.
 */

import type { LatencyReading } from "../gateway/latency.ts";
import { Backoff } from "../ratelimit/backoff.ts";
import type { DavePhase } from "./dave/io.ts";
import type { PlayOptions, VoiceConnectionEvent, VoiceConnectionSettings, VoiceCounters } from "./options.ts";
import { type OpusPacket, type ReceiveOptions, ReceiveStreams } from "./audio/receive_streams.ts";
import { VoiceJoin } from "./join.ts";
import { JoinLoop } from "./join_loop.ts";
import { callOutlet } from "./call_outlet.ts";
import { VoiceMediaError } from "./media/media_error.ts";
import { Player } from "./audio/player.ts";
import { VoiceProgress } from "./progress.ts";
import { ServerSession } from "./server_session.ts";
import { wait } from "../ratelimit/wait.ts";
import type { VoiceEvent } from "./gateway/state_io.ts";
import type { VoiceServer } from "./wire/payload.ts";
import type { VoiceStatus } from "./status.ts";
import { VoiceClosedError } from "./voice_closed_error.ts";
import { assertDeadline, type VoiceTimedAction, VoiceTimeoutError } from "./voice_timeout_error.ts";

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
  readonly #join: JoinLoop;
  readonly #streams: ReceiveStreams;
  readonly #backoff: Backoff;
  /** Aborted when it is over. */
  readonly #ending = new AbortController();
  #session: ServerSession | null = null;
  #channelId: string | null = null;
  #status: VoiceStatus = { state: "joining" };
  readonly #progress = new VoiceProgress();
  #player: Player | null = null;
  #speaking = 0;
  /** What the last voice session ended with: the cause of an end that follows. */
  #lastError: Error | null = null;
  /** Waits for the first session to be ready. */
  #joined: { resolve(): void; reject(error: unknown): void } | null = null;
  #closedError: Error | null = null;

  /** Used by `joinVoice`. */
  constructor(settings: VoiceConnectionSettings) {
    const { options, gateway, platform, userId } = settings;
    const { guildId, channelId, selfMute, selfDeaf, joinTimeoutMs } = options;
    this.#settings = settings;
    this.#backoff = new Backoff({ random: () => platform.random() });
    const join = new VoiceJoin({
      guildId,
      channelId,
      userId,
      now: platform.now(),
      ...(selfMute !== undefined && { selfMute }),
      ...(selfDeaf !== undefined && { selfDeaf }),
      ...(joinTimeoutMs !== undefined && { timeoutMs: joinTimeoutMs }),
    });
    this.#join = new JoinLoop({
      join,
      gateway,
      clock: platform,
      ending: this.#ending.signal,
      onConnect: (server) => void this.#connect(server),
      onDisconnect: () => {
        this.#endSession();
        this.#setStatus({ state: "joining" });
      },
      onNotMoved: (channelId) => this.#emit({ type: "not_moved", channelId }),
      onEnd: (end) => this.#finish(end.cause === "left" ? null : new VoiceClosedError(end, this.#lastError)),
      onError: (error) => this.#fail(error),
    });
    this.#streams = new ReceiveStreams({
      clock: platform,
      userOf: (ssrc) => this.#session?.roster?.userOf(ssrc) ?? null,
      decrypt: (user, frame) => {
        const dave = this.#session?.dave;
        if (!dave) return { frame: null, dropped: "unknown_sender" };
        const received = dave.decrypt(user, frame, platform.now());
        if (dave.recoveryDue) this.#session?.poke();
        return received;
      },
    });
  }

  /** Sends the join. Resolves when the session is ready, and leaves if that takes too long; used by `joinVoice`. */
  async start(deadlineMs: number): Promise<void> {
    const { platform } = this.#settings;
    const joined = new Promise<void>((resolve, reject) => this.#joined = { resolve, reject });
    const tooLong = () => {
      // It may have become ready in the same moment.
      if (this.#joined !== null) this.#fail(this.#timeoutError("join voice", deadlineMs));
    };
    const timer = deadlineMs === Infinity ? null : platform.setTimeout(tooLong, deadlineMs);
    this.#guard(() => {
      this.#setStatus({ state: "joining" });
      this.#join.start();
    });
    try {
      await joined;
    } finally {
      if (timer !== null) platform.clearTimeout(timer);
    }
  }

  /** The guild's id. */
  get guildId(): string {
    return this.#settings.options.guildId;
  }

  /** The channel that the bot is in, `null` before the main gateway has said so. */
  get channelId(): string | null {
    return this.#channelId;
  }

  /** What the connection is doing. */
  get status(): VoiceStatus {
    return this.#status;
  }

  /** The others in the call. */
  get userIds(): readonly string[] {
    return this.#session?.roster?.userIds ?? [];
  }

  /** The end-to-end encryption: whether it is on, and thirty digits to compare with others; `null` before a session. */
  get dave():
    | { readonly phase: DavePhase; readonly epoch: bigint | null; readonly privacyCode: string }
    | null {
    const dave = this.#session?.dave;
    return dave ? { phase: dave.phase, epoch: dave.epoch, privacyCode: dave.privacyCode } : null;
  }

  /** How long heartbeats of the voice gateway took to be acknowledged; `null` without a connection. */
  get latency(): LatencyReading | null {
    return this.#session?.latency ?? null;
  }

  /** How many packets went which way. */
  get counters(): VoiceCounters {
    const media = this.#session?.media;
    return {
      sent: media?.sent ?? 0,
      media: media?.counters ?? null,
      dave: this.#session?.dave?.counters ?? null,
    };
  }

  /**
   * Plays Opus frames of 20 ms, each at its time. Resolves when the last one, and the silence after it, has gone out.
   *
   * The source is read only a little ahead. While nothing may leave, for want of a connection or of the group's keys, it is
   * left alone; while nobody else is in the call, frames count as played. One source at a time.
   *
   * @throws {VoiceMediaError} `ERR_VOICE_MEDIA_UNSUPPORTED`: the connection was made without media.
   * @throws {TypeError} Something is being played already.
   * @throws {RangeError} `deadlineMs` is negative or no number.
   * @throws {VoiceTimeoutError} Nothing could leave for `deadlineMs`; names what was missing.
   * @throws {VoiceClosedError} The voice connection ended first.
   * @throws {OpusFrameError} The source gave something else than Opus frames.
   * @throws What the source throws, or the signal's reason.
   */
  async play(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { signal, speaking = MICROPHONE, deadlineMs = 60_000 }: PlayOptions = {},
  ): Promise<void> {
    this.#assertMedia("play");
    assertDeadline("play", deadlineMs);
    if (this.#player) throw new TypeError("Cannot play: something is being played already");
    if (this.#closedError) throw this.#closedError;
    const stop = signal ? AbortSignal.any([signal, this.#ending.signal]) : this.#ending.signal;
    const player = new Player({
      source,
      outlet: callOutlet({
        session: () => this.#session,
        speaks: (speaks) => {
          this.#speaking = speaks ? speaking : 0;
          this.#session?.speak(this.#speaking);
        },
      }),
      clock: this.#settings.platform,
      signal: stop,
      deadlineMs,
      tooLong: () => this.#timeoutError("play", deadlineMs),
    });
    this.#player = player;
    try {
      await player.run();
    } finally {
      this.#player = null;
    }
  }

  /**
   * The Opus frames of a user, from now on: in order, with marks where some are missing. Whoever does not read them in time
   * loses the oldest. The stream lasts as long as the voice connection, whether the user is there or not; it errors with
   * {@linkcode VoiceClosedError} unless the program closes the voice connection itself.
   *
   * @throws {VoiceMediaError} `ERR_VOICE_MEDIA_UNSUPPORTED`: the connection was made without media.
   * @throws {TypeError} If the user is listened to already.
   */
  receive(userId: string, options: ReceiveOptions = {}): ReadableStream<OpusPacket> {
    this.#assertMedia("receive");
    return this.#streams.stream(userId, options);
  }

  /** Asks for another channel of the guild. What comes of it is an event: `moved` or `not_moved`. */
  move(channelId: string): void {
    this.#join.move(channelId);
  }

  /** Leaves the channel. Resolves when the main gateway has been told, or cannot be told. */
  async close(): Promise<void> {
    this.#join.leave();
    await this.#join.left;
  }

  /** The same as {@linkcode VoiceConnection.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connect(server: VoiceServer): Promise<void> {
    const { options, dial, openUdp, platform, createCipher } = this.#settings;
    this.#endSession();
    this.#join.sessionBegins();
    const { dave = null, modes, discovery = {}, dialDeadlineMs } = options;
    const session = new ServerSession({
      server,
      state: { dave, ...(modes && { modes }) },
      dial,
      ...(dialDeadlineMs !== undefined && { dialDeadlineMs }),
      openUdp,
      discovery,
      createCipher,
      platform,
      backoff: this.#backoff,
      onStatus: (status) => this.#guard(() => this.#session === session && this.#setStatus(status)),
      onEvent: (event) => this.#guard(() => this.#session === session && this.#callEvent(event)),
      onPacket: (packet) => {
        if (this.#session === session) this.#streams.packet(packet);
      },
      onChange: () => {
        if (this.#session === session) this.#changed();
      },
    });
    this.#session = session;
    session.speak(this.#speaking);
    const before = this.#channelId;
    this.#channelId = server.channelId;
    if (before !== null && before !== server.channelId) {
      this.#guard(() => this.#emit({ type: "moved", channelId: server.channelId }));
    }
    try {
      const end = await session.run();
      if (end === null || this.#session !== session) return;
      this.#lastError = end.error;
      const { signal } = this.#ending;
      if (end.action === "rejoin") await wait(end.delayMs, { clock: platform, signal });
      if (this.#session !== session) return;
      if (end.action === "stop") this.#join.stop();
      else if (end.action === "rejoin") this.#join.rejoin();
      else this.#join.wait();
    } catch (error) {
      this.#fail(error);
    }
  }

  #endSession(): void {
    const session = this.#session;
    this.#session = null;
    session?.close();
    this.#streams.restart();
  }

  #callEvent(event: VoiceEvent): void {
    if (event.type === "speaking") this.#streams.named();
    this.#emit(event);
    this.#changed();
  }

  #changed(): void {
    this.#player?.wake();
    if (this.#session?.ready !== true) return;
    this.#joined?.resolve();
    this.#joined = null;
  }

  #assertMedia(what: string): void {
    if (this.#settings.openUdp !== null) return;
    throw new VoiceMediaError(`Cannot ${what}: the voice connection was made without media`, {
      code: "ERR_VOICE_MEDIA_UNSUPPORTED",
    });
  }

  #timeoutError(action: VoiceTimedAction, deadlineMs: number): VoiceTimeoutError {
    const { missing, cause } = this.#progress;
    return new VoiceTimeoutError(missing, { action, deadlineMs, cause });
  }

  /** Something threw that is nobody's business here: leaves with it. */
  #fail(cause: unknown): void {
    if (this.#closedError || this.#ending.signal.aborted) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#finish(error);
    this.#join.leaveSilently();
  }

  #finish(error: Error | null): void {
    if (this.#ending.signal.aborted) return;
    const { onClosed } = this.#settings;
    this.#closedError = error ?? new VoiceClosedError({ cause: "left", channelId: this.#channelId }, null);
    this.#ending.abort(this.#closedError);
    this.#join.close();
    this.#endSession();
    this.#streams.close(error);
    this.#joined?.reject(this.#closedError);
    this.#joined = null;
    onClosed();
    this.#player?.wake();
    try {
      this.#setStatus({ state: "closed", error });
    } catch {
      // It is over already.
    }
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  #emit(event: VoiceConnectionEvent): void {
    this.#settings.options.onEvent?.(event);
  }

  #setStatus(status: VoiceStatus): void {
    this.#status = status;
    this.#progress.status(status);
    this.#settings.options.onStatus?.(status);
  }
}
