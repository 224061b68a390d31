/**
 * How a voice session begins or resumes: the steps from HELLO to SESSION_DESCRIPTION or RESUMED, what each of them writes,
 * and how long the voice server may take for it.
 */

import { ProtocolError } from "../../gateway/errors.ts";
import type { Machine } from "../../gateway/machine.ts";
import { identify, resume, selectProtocol } from "../wire/commands.ts";
import type { EncryptionMode, MediaServer } from "../wire/payload.ts";
import { readDescription, readReady } from "../wire/read.ts";
import type { DaveLink } from "./dave_link.ts";
import type { VoiceDeadline, VoiceEnd, VoiceOutput, VoiceStateOptions } from "./state_io.ts";
import type { VoicePhase, VoiceStateEndCause, VoiceTrigger } from "./transitions.ts";

/** The machine of a voice connection. */
export type VoiceMachine = Machine<VoicePhase, VoiceTrigger, VoiceEnd>;

const TIMEOUT_MS = 20_000;
const MODES: readonly EncryptionMode[] = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"];

const NOTHING: readonly VoiceOutput[] = [];

/** Nothing is due. */
export const NO_DEADLINE: VoiceDeadline = { at: Infinity, reason: "none" };

/** The handshake of one connection. */
export class VoiceHandshake {
  readonly #options: VoiceStateOptions;
  readonly #machine: VoiceMachine;
  readonly #link: DaveLink;
  /** From READY, or from the session to resume. */
  #media: { readonly ssrc: number; readonly mode: EncryptionMode | null } | null;
  #resumable: boolean;
  #next: VoiceDeadline;

  /** Waits for HELLO. */
  constructor(options: VoiceStateOptions, machine: VoiceMachine, link: DaveLink) {
    const { session = null, now, helloTimeoutMs = TIMEOUT_MS } = options;
    this.#options = options;
    this.#machine = machine;
    this.#link = link;
    this.#media = session === null ? null : { ssrc: session.ssrc, mode: null };
    this.#resumable = session !== null;
    this.#next = { at: now + helloTimeoutMs, reason: "hello" };
  }

  /** This client's RTP source, `null` before READY. */
  get ssrc(): number | null {
    return this.#media?.ssrc ?? null;
  }

  /** There has been a description: another connection can continue from here. */
  get resumable(): boolean {
    return this.#resumable;
  }

  /** When the present step is given up, and which. */
  get next(): VoiceDeadline {
    return this.#next;
  }

  /** The cause of an end if the server took too long; otherwise `null`. */
  exceeded(now: number): VoiceStateEndCause | null {
    if (now < this.#next.at) return null;
    switch (this.#next.reason) {
      case "hello":
        return "hello_timeout";
      case "ready":
        return "ready_timeout";
      case "resumed":
        return "resumed_timeout";
      default:
        return "session_description_timeout";
    }
  }

  /** The first HELLO: identifies, or resumes after the last sequence number received. */
  hello(sequence: number, now: number): readonly VoiceOutput[] {
    const { server, readyTimeoutMs = TIMEOUT_MS } = this.#options;
    if (this.#resumable) {
      this.#machine.step("HELLO, session");
      this.replayed(now);
      return [resume(server, sequence)];
    }
    this.#machine.step("HELLO, no session");
    this.#next = { at: now + readyTimeoutMs, reason: "ready" };
    return [identify(server, this.#link.dave.maxVersion)];
  }

  /**
   * READY. Its `heartbeat_interval` is wrong, as Discord documents: the one of HELLO counts.
   *
   * @returns An error if there is no encryption mode that both sides support.
   */
  ready(d: unknown): readonly VoiceOutput[] | ProtocolError {
    if (this.#machine.phase !== "identifying") return NOTHING;
    const { ssrc, ip, port, modes } = readReady(d);
    const mode = (this.#options.modes ?? MODES).find((one) => modes.includes(one));
    if (mode === undefined) {
      return new ProtocolError(`Cannot encrypt media: no offered mode is supported: ${modes}`);
    }
    const media: MediaServer = { ssrc, ip, port, mode };
    this.#media = media;
    this.#machine.step("READY");
    // The caller decides how long the discovery may take; heartbeats keep the connection meanwhile.
    this.#next = NO_DEADLINE;
    return [{ type: "discover", media }];
  }

  /**
   * The address is known from which media comes.
   *
   * @throws {TypeError} If it was not asked for.
   */
  selectProtocol(
    address: { readonly address: string; readonly port: number },
    now: number,
  ): readonly VoiceOutput[] {
    const { phase } = this.#machine;
    const mode = this.#media?.mode;
    if (!mode || !this.#machine.step("address")) {
      throw new TypeError(`Cannot select the protocol: no address was asked for: ${phase}`);
    }
    const { descriptionTimeoutMs = TIMEOUT_MS } = this.#options;
    this.#next = { at: now + descriptionTimeoutMs, reason: "session_description" };
    return [selectProtocol(address, mode)];
  }

  /** SESSION_DESCRIPTION: the session is live. */
  description(d: unknown): readonly VoiceOutput[] {
    const mode = this.#media?.mode;
    if (this.#machine.phase !== "selecting" || !mode) return NOTHING;
    const { key, version } = readDescription(d, mode);
    const outputs = this.#link.describe(version);
    this.#machine.step("SESSION_DESCRIPTION");
    this.#next = NO_DEADLINE;
    this.#resumable = true;
    return [{ type: "key", mode, key }, live(false, version), ...outputs];
  }

  /** A message came while the server replays: it may take its time again for the next one. */
  replayed(now: number): void {
    this.#next = { at: now + (this.#options.resumedTimeoutMs ?? TIMEOUT_MS), reason: "resumed" };
  }

  /** RESUMED: the session is live again. */
  resumed(): readonly VoiceOutput[] {
    if (!this.#machine.step("RESUMED")) return NOTHING;
    this.#next = NO_DEADLINE;
    return [live(true, this.#link.dave.version), ...this.#link.resumed()];
  }
}

function live(resumed: boolean, daveVersion: number): VoiceOutput {
  return { type: "event", event: { type: "live", resumed, daveVersion } };
}
