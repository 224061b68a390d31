/**
 * One voice session at one voice server, over as many connections as it takes.
 *
 * The cycle is *dial → loop → verdict → wait*. The verdict *resume* is followed here, and the media goes on meanwhile. Any
 * other verdict ends this session, and its owner decides with the main gateway what follows.
 */

import { KEEP_SESSION_CLOSE_CODE } from "../gateway/close_code.ts";
import type { LatencyReading } from "../gateway/latency.ts";
import { abortable } from "../shard/pipe/abortable.ts";
import type { Connection } from "../shard/pipe/connection.ts";
import { DialError } from "../shard/pipe/dial.ts";
import type { Dave } from "./dave/dave.ts";
import { VoiceLoop } from "./loop.ts";
import { Media } from "./media/media.ts";
import { VoiceMediaError } from "./media/media_error.ts";
import type { VoiceRoster } from "./wire/roster.ts";
import { VoiceState } from "./gateway/state.ts";
import type { VoiceSession } from "./gateway/state_io.ts";
import type { MediaServer } from "./wire/payload.ts";
import type { ServerSessionEnd, ServerSessionOptions } from "./server_session_io.ts";
import { wait } from "../ratelimit/wait.ts";
import { VOICE_VERDICTS, voiceVerdict } from "./gateway/verdict.ts";
import type { VoiceVerdictAction } from "./wire/close_code.ts";

/** How a connection ended, after which the session may go on. */
interface Verdict extends Omit<ServerSessionEnd, "action"> {
  readonly action: VoiceVerdictAction;
}

/** How a connection ended, or why there was none. */
interface Ended extends Pick<ServerSessionEnd, "cause" | "closeCode" | "error"> {
  readonly session: VoiceSession | null;
  readonly proven: boolean;
  readonly wasLive: boolean;
}

/** The address that a client without media reports. */
const NO_MEDIA = { address: "0.0.0.0", port: 9 };

/** One voice session. */
export class ServerSession {
  readonly #options: ServerSessionOptions;
  readonly #ending = new AbortController();
  #session: VoiceSession | null = null;
  #state: VoiceState | null = null;
  #loop: VoiceLoop | null = null;
  #media: Media | null = null;
  #mediaError: Error | null = null;
  #failedResumes = 0;
  /** The speaking bits that are wanted, and those last sent. */
  #speaking = 0;
  #saidSpeaking = 0;
  #hasSpoken = false;

  /** Nothing is opened yet. */
  constructor(options: ServerSessionOptions) {
    this.#options = options;
  }

  /** Who is in the call; `null` before there is one. */
  get roster(): VoiceRoster | null {
    return this.#state?.roster ?? this.#session?.roster ?? null;
  }

  /** The end-to-end encryption; `null` before there is a call. */
  get dave(): Dave | null {
    return this.#state?.dave ?? this.#session?.dave ?? null;
  }

  /** The media; `null` before READY, and where there is none. */
  get media(): Media | null {
    return this.#media;
  }

  /** How long heartbeats took to be acknowledged. */
  get latency(): LatencyReading | null {
    return this.#state?.latency ?? null;
  }

  /** The session has its description, and its media is open where there is to be media. */
  get ready(): boolean {
    return this.#loop?.phase === "live" && (this.#options.openUdp === null || this.#media?.open === true);
  }

  /** Runs until it ends; `null` if it was closed. Rejects if it cannot even be attempted. */
  async run(): Promise<ServerSessionEnd | null> {
    const { signal } = this.#ending;
    const { platform } = this.#options;
    try {
      for (;;) {
        const ended = this.#mediaError ? this.#withoutMedia(this.#mediaError) : await this.#connect();
        if (signal.aborted) return null;
        const end = this.#decide(ended);
        if (end.action !== "resume") return { ...end, action: end.action };
        await wait(end.delayMs, { clock: platform, signal });
        if (signal.aborted) return null;
      }
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    } finally {
      this.close();
    }
  }

  /** Sends how this client speaks, now or as soon as the session is live. */
  speak(bits: number): void {
    this.#speaking = bits;
    this.#saySpeaking();
  }

  /** Whether op 5 was sent with a bit: Discord allows packets only after that. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** The end-to-end encryption may have something to send. */
  poke(): void {
    this.#loop?.poke();
  }

  /** Ends the session: closes the connection for good, and the media with it. */
  close(): void {
    if (!this.#ending.signal.aborted) this.#ending.abort(new Error("The voice session has ended"));
    this.#loop?.close();
    this.#media?.close();
  }

  async #connect(): Promise<Ended> {
    const { server, dial, dialDeadlineMs, onStatus } = this.#options;
    const { signal } = this.#ending;
    let connection: Connection;
    try {
      // The port belongs to the endpoint.
      const url = `wss://${server.endpoint}/?v=8`;
      onStatus({ state: "dialing", url, action: this.#session === null ? "identify" : "resume" });
      const dialing = dial(url, {
        signal,
        ...(dialDeadlineMs !== undefined && { deadlineMs: dialDeadlineMs }),
      });
      connection = await abortable(dialing, signal, (late) => late.close(KEEP_SESSION_CLOSE_CODE));
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      return { ...this.#unconnected, cause: "dial_failed", error };
    }
    if (signal.aborted) {
      connection.close(KEEP_SESSION_CLOSE_CODE);
      throw signal.reason;
    }
    return await this.#converse(connection);
  }

  #converse(connection: Connection): Promise<Ended> {
    const { server, state: options, platform, onStatus, onEvent, onChange } = this.#options;
    const state = new VoiceState({ ...options, server, now: platform.now(), session: this.#session });
    let wasLive = false;
    return new Promise((resolve) => {
      const loop = new VoiceLoop({
        connection,
        state,
        platform,
        onOutput: (output) => {
          if (output.type === "discover") this.#discover(output.media);
          else if (output.type === "key") void this.#media?.setKey(output.mode, output.key);
          else onEvent(output.event);
        },
        onPhase: () => {
          const { phase } = state;
          if (phase === "closed") return;
          if (phase === "live") {
            wasLive = true;
            this.#saySpeaking();
          }
          onStatus({ state: phase });
          onChange();
          if (this.#mediaError) this.#loop?.mediaFailed(this.#mediaError);
        },
        onEnd: (end) => {
          this.#session = end.session;
          this.#state = null;
          this.#loop = null;
          resolve({ ...end, wasLive });
          onChange();
        },
      });
      this.#state = state;
      this.#loop = loop;
      onStatus({ state: "awaiting_hello" });
      // Reported before the start: the callback may close the session, and with it the loop.
      if (this.#ending.signal.aborted) loop.close();
      loop.start();
    });
  }

  /** Looks up what follows. */
  #decide({ cause, closeCode, error, proven, wasLive }: Ended): Verdict {
    const { backoff, onStatus } = this.#options;
    if (proven) backoff.reset();
    this.#failedResumes = wasLive ? 0 : this.#failedResumes + 1;
    const resumable = this.#session !== null;
    const { action, delay, why } = isFinal(error)
      ? { ...VOICE_VERDICTS.no_common_mode, why: "Media is not possible here" }
      : voiceVerdict({ cause, resumable, failedResumes: this.#failedResumes });
    const waits = action === "resume" || action === "rejoin";
    const isFirst = backoff.attempts === 0;
    const backoffMs = waits ? backoff.next() : 0;
    const delayMs = delay === "none" && isFirst ? 0 : backoffMs;
    onStatus({ state: "disconnected", cause, why, closeCode, error, action, delayMs });
    return { action, cause, why, closeCode, error, delayMs };
  }

  get #unconnected(): Pick<Ended, "session" | "closeCode" | "proven" | "wasLive"> {
    return { session: this.#session, closeCode: null, proven: false, wasLive: false };
  }

  #withoutMedia(error: Error): Ended {
    return { ...this.#unconnected, cause: "media_failed", error };
  }

  #discover(server: MediaServer): void {
    const { openUdp, discovery, createCipher, platform, onPacket, onChange } = this.#options;
    if (openUdp === null) return this.#loop?.found(NO_MEDIA);
    this.#media = new Media({
      server,
      openUdp,
      discovery,
      createCipher,
      platform,
      onFound: (address) => this.#loop?.found(address),
      onOpen: onChange,
      onPacket,
      onFailed: (error) => {
        this.#mediaError = error;
        this.#loop?.mediaFailed(error);
        onChange();
      },
    });
    void this.#media.start();
  }

  #saySpeaking(): void {
    if (this.#speaking === this.#saidSpeaking || !this.#loop?.speaking(this.#speaking)) return;
    this.#saidSpeaking = this.#speaking;
    this.#hasSpoken ||= this.#speaking !== 0;
  }
}

/** Another attempt would end in the same way. */
function isFinal(error: Error | null): boolean {
  return error instanceof VoiceMediaError &&
    (error.code === "ERR_VOICE_MEDIA_UNSUPPORTED" || error.code === "ERR_VOICE_MEDIA_PERMISSION");
}
