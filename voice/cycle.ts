/**
 * What keeps a voice connection up: the cycle of the join and of the sessions at one voice server after another.
 *
 * Two machines meet here. `VoiceJoin` says which voice server to connect to, and when the connection is over. One
 * `ServerSession` at a time runs on such a server. The receive streams last through all of them: a move, a region change or
 * a crash does not end them.
 */

import { Backoff } from "../ratelimit/backoff.ts";
import { Timer } from "../ratelimit/timer.ts";
import { wait } from "../ratelimit/wait.ts";
import { ReceiveStreams } from "./audio/receive_streams.ts";
import type { VoiceEvent } from "./gateway/state_io.ts";
import { VoiceJoin } from "./join.ts";
import { JoinLoop } from "./join_loop.ts";
import type { VoiceConnectionEvent, VoiceConnectionSettings } from "./options.ts";
import { VoiceProgress } from "./progress.ts";
import { ServerSession } from "./server_session.ts";
import type { VoiceStatus } from "./status.ts";
import { VoiceClosedError } from "./voice_closed_error.ts";
import { type VoiceTimedAction, VoiceTimeoutError } from "./voice_timeout_error.ts";
import type { VoiceServer } from "./wire/payload.ts";

/** The joins and sessions of one voice connection. */
export class VoiceCycle {
  /** The streams of received frames. */
  readonly streams: ReceiveStreams;
  readonly #settings: VoiceConnectionSettings;
  readonly #onChange: () => void;
  readonly #join: JoinLoop;
  readonly #backoff: Backoff;
  /** Aborted when the voice connection has ended. */
  readonly #ending = new AbortController();
  #session: ServerSession | null = null;
  #channelId: string | null = null;
  #status: VoiceStatus = { state: "joining" };
  readonly #progress = new VoiceProgress();
  #speaking = 0;
  /** What the last voice session failed with: the cause of an end that follows. */
  #lastError: Error | null = null;
  /** Waits for the first session to be ready. */
  #joined: { resolve(): void; reject(error: unknown): void } | null = null;

  /** Sends nothing yet. `onChange` is called whenever frames may or may not leave any more, and at the end. */
  constructor(settings: VoiceConnectionSettings, onChange: () => void) {
    const { options, gateway, platform, userId } = settings;
    const { guildId, channelId, selfMute, selfDeaf, joinTimeoutMs } = options;
    this.#settings = settings;
    this.#onChange = onChange;
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
    this.streams = new ReceiveStreams({
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

  /** Aborted when the voice connection has ended; the reason is the error of whatever waits for it. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The present session; `null` between two. */
  get session(): ServerSession | null {
    return this.#session;
  }

  /** The channel that the bot is in, `null` before the main gateway has said so. */
  get channelId(): string | null {
    return this.#channelId;
  }

  /** What the voice connection is doing. */
  get status(): VoiceStatus {
    return this.#status;
  }

  /** Sends the join. Resolves when the first session is ready, and leaves if that takes too long. */
  async start(deadlineMs: number): Promise<void> {
    const { platform } = this.#settings;
    const joined = new Promise<void>((resolve, reject) => this.#joined = { resolve, reject });
    const deadline = new Timer(platform);
    deadline.set(deadlineMs, () => {
      // It may have become ready in the same moment.
      if (this.#joined !== null) this.#fail(this.timeoutError("join voice", deadlineMs));
    });
    this.#guard(() => {
      this.#setStatus({ state: "joining" });
      this.#join.start();
    });
    try {
      await joined;
    } finally {
      deadline.clear();
    }
  }

  /** Says how the bot speaks, in this session and in those that follow. */
  speak(bits: number): void {
    this.#speaking = bits;
    this.#session?.speak(bits);
  }

  /** Asks for another channel. */
  move(channelId: string): void {
    this.#join.move(channelId);
  }

  /** Leaves the channel. Resolves when the leave was sent to the main gateway, or cannot be sent. */
  async leave(): Promise<void> {
    this.#join.leave();
    await this.#join.left;
  }

  /** The error of an action that sound was missing for. */
  timeoutError(action: VoiceTimedAction, deadlineMs: number): VoiceTimeoutError {
    const { missing, cause } = this.#progress;
    return new VoiceTimeoutError(missing, { action, deadlineMs, cause });
  }

  async #connect(server: VoiceServer): Promise<void> {
    const { platform } = this.#settings;
    const { signal } = this.#ending;
    this.#endSession();
    this.#join.sessionBegins();
    const session = this.#newSession(server);
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
      if (end.action === "rejoin") await wait(end.delayMs, { clock: platform, signal });
      if (this.#session !== session) return;
      if (end.action === "stop") this.#join.stop();
      else if (end.action === "rejoin") this.#join.rejoin();
      else this.#join.wait();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A session whose callbacks count only while it is the present one. */
  #newSession(server: VoiceServer): ServerSession {
    const { options, dial, openUdp, platform, createCipher } = this.#settings;
    const { dave = null, modes, discovery = {}, dialDeadlineMs } = options;
    const session: ServerSession = new ServerSession({
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
      onEvent: (event) => this.#guard(() => this.#session === session && this.#sessionEvent(event)),
      onPacket: (packet) => {
        if (this.#session === session) this.streams.packet(packet);
      },
      onChange: () => {
        if (this.#session === session) this.#changed();
      },
    });
    return session;
  }

  #endSession(): void {
    const session = this.#session;
    this.#session = null;
    session?.close();
    this.streams.restart();
  }

  #sessionEvent(event: VoiceEvent): void {
    if (event.type === "speaking") this.streams.named();
    this.#emit(event);
    this.#changed();
  }

  #changed(): void {
    this.#onChange();
    if (this.#session?.ready !== true) return;
    this.#joined?.resolve();
    this.#joined = null;
  }

  /** Leaves with an error that no machine accounts for, such as one of a callback. */
  #fail(cause: unknown): void {
    if (this.#ending.signal.aborted) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#finish(error);
    this.#join.leaveSilently();
  }

  #finish(error: Error | null): void {
    if (this.#ending.signal.aborted) return;
    const { onClosed } = this.#settings;
    const closed = error ?? new VoiceClosedError({ cause: "left", channelId: this.#channelId }, null);
    this.#ending.abort(closed);
    this.#join.close();
    this.#endSession();
    this.streams.close(error);
    this.#joined?.reject(closed);
    this.#joined = null;
    onClosed();
    this.#onChange();
    try {
      this.#setStatus({ state: "closed", error });
    } catch {
      // The connection has ended already.
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
