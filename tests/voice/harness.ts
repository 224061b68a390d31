/**
 * Drives a voice state without a connection: a clock that moves only when a test says so and stops at each of the state's
 * own deadlines, a peer that acknowledges heartbeats, and a record of all that came out. Whatever a test is about, the
 * driver also holds the state to its tables.
 */

import type { VoiceEvent, VoicePhase } from "../../voice/mod.ts";
import {
  VOICE_ENDS,
  VOICE_TRANSITIONS,
  type VoiceEnd,
  type VoiceOutput,
  type VoiceServer,
  type VoiceSession,
  VoiceState,
  type VoiceStateOptions,
} from "../../voice/core.ts";

/** Searched for wherever it must not show. */
export const TOKEN = "secret-token-of-the-voice-server";

/** The bot's user id. */
export const SELF = "100";

/** Where the bot is told to connect. */
export const SERVER: VoiceServer = {
  endpoint: "rotterdam1.discord.media:2087",
  token: TOKEN,
  sessionId: "a1b2",
  guildId: "41771983423143937",
  channelId: "127121515262115840",
  userId: SELF,
};

/** A phase of a connection that lasts. */
export type OpenPhase = Exclude<VoicePhase, "closed">;

/** All phases of a connection that lasts. */
export const OPEN_PHASES: readonly OpenPhase[] = [
  "awaiting_hello",
  "identifying",
  "discovering",
  "selecting",
  "resuming",
  "live",
];

/** The key of the session, 32 bytes that cannot be taken for anything else. */
export const KEY: readonly number[] = Array.from({ length: 32 }, (_, at) => 200 + at);

/** A JSON message in Discord's layout, numbered or not. */
export function json(op: number, d?: unknown, seq?: number): string {
  return JSON.stringify({ op, d: d ?? null, ...(seq !== undefined && { seq }) });
}

/** A binary message of the server. */
export function binary(seq: number, op: number, ...payload: readonly number[]): Uint8Array {
  return Uint8Array.from([seq >> 8, seq & 0xff, op, ...payload]);
}

/** HELLO with one of the intervals that were seen. */
export function hello(intervalMs: number = 13_750): string {
  return json(8, { v: 8, heartbeat_interval: intervalMs });
}

/** READY as Discord sends it, with the interval that is not to be believed. */
export function ready(d: object = {}): string {
  const modes = [
    "aead_aes256_gcm_rtpsize",
    "aead_xchacha20_poly1305_rtpsize",
    "xsalsa20_poly1305_lite_rtpsize",
  ];
  return json(2, {
    ssrc: 12_871,
    ip: "66.22.243.5",
    port: 50_004,
    modes,
    heartbeat_interval: 1,
    experiments: [],
    streams: [],
    ...d,
  });
}

/** SESSION_DESCRIPTION. */
export function description(
  { version = 0, seq = 1, d = {} }: { version?: number; seq?: number; d?: object } = {},
): string {
  return json(4, {
    mode: "aead_aes256_gcm_rtpsize",
    secret_key: KEY,
    dave_protocol_version: version,
    audio_codec: "opus",
    media_session_id: "f00",
    ...d,
  }, seq);
}

/** A message that went out. */
export interface Sent {
  /** When, in ms. */
  readonly at: number;
  /** What for. */
  readonly what: string;
  /** The message. */
  readonly frame: string | Uint8Array;
}

/** A voice state, its clock, its peer and its journal. */
export class VoiceDriver {
  /** The state under test. */
  readonly state: VoiceState;
  /** Everything written, in order. */
  readonly sent: Sent[] = [];
  /** Every event handed to the user. */
  readonly events: VoiceEvent[] = [];
  /** Every output, in order. */
  readonly outputs: VoiceOutput[] = [];
  /** The present, in ms. */
  now: number;
  /** How long the peer takes to acknowledge a heartbeat, in ms; `null` = it never does. */
  acksAfterMs: number | null = 40;
  #ackAt = Infinity;
  #nonce = 0;
  #closes = 0;

  /** Opens a connection at 0, or at `now`. */
  constructor(options: Partial<VoiceStateOptions> = {}) {
    this.now = options.now ?? 0;
    this.state = new VoiceState({ server: SERVER, now: this.now, ...options });
  }

  /** How it ended; fails the test if it has not. */
  get end(): VoiceEnd {
    if (this.state.end === null) throw new Error(`The state has not ended: ${this.state.phase}`);
    return this.state.end;
  }

  /** The session that a resume is made from; fails the test if there is none. */
  get session(): VoiceSession {
    const session = this.state.end?.session ?? this.state.session;
    if (session === null) throw new Error(`There is no session: ${this.state.phase}`);
    return session;
  }

  /** The messages sent for one purpose, JSON parsed and bytes as an array. */
  sentFor(what: string): unknown[] {
    return this.sent.filter((sent) => sent.what === what).map(({ frame }) =>
      typeof frame === "string" ? JSON.parse(frame) : [...frame]
    );
  }

  /** Messages come in now, in order. */
  receive(...messages: readonly (string | Uint8Array)[]): readonly VoiceOutput[] {
    return messages.flatMap((message) => this.#watch(() => this.state.receive(message, this.now)));
  }

  /** Any other input. */
  input(act: (state: VoiceState) => readonly VoiceOutput[] | void): readonly VoiceOutput[] {
    return this.#watch(() => act(this.state) ?? []);
  }

  /** The caller has found its address. */
  address(): readonly VoiceOutput[] {
    return this.input((state) => state.selectProtocol({ address: "91.90.123.93", port: 54_148 }, this.now));
  }

  /** The socket ends. */
  ended(code: number | null): VoiceEnd {
    this.input((state) => state.connectionEnded({ code, reason: "" }));
    return this.end;
  }

  /** A new connection that resumes this one's session, HELLO received. */
  resumed(options: Partial<VoiceStateOptions> = {}): VoiceDriver {
    if (this.state.end === null) this.ended(null);
    const next = new VoiceDriver({ session: this.session, now: this.now, ...options });
    next.receive(hello());
    return next;
  }

  /** Calls `tick` now. */
  tick(): readonly VoiceOutput[] {
    return this.#watch(() => this.state.tick(this.now));
  }

  /** Moves the clock to the state's deadline and calls `tick`. */
  toDeadline(): readonly VoiceOutput[] {
    this.now = Math.max(this.now, this.state.deadline.at);
    return this.tick();
  }

  /** Lets time pass, stopping at each deadline and each acknowledgement on the way. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (let turns = 0; this.state.end === null; turns++) {
      if (turns > 1_000_000) throw new Error(`The state does not let time pass: ${this.now}`);
      const dueAt = this.state.deadline.at;
      const at = Math.min(dueAt, this.#ackAt);
      if (at > until) break;
      this.now = Math.max(this.now, at);
      if (this.#ackAt < dueAt) {
        this.#ackAt = Infinity;
        this.receive(json(6, { t: this.#nonce }));
      } else this.tick();
    }
    this.now = until;
  }

  #watch(act: () => readonly VoiceOutput[]): readonly VoiceOutput[] {
    const from = this.state.phase;
    const outputs = act();
    const to = this.state.phase;
    if (to === "closed" && from !== "closed") checkEnd(this.end, from);
    else if (to !== from && !Object.values(VOICE_TRANSITIONS[from] ?? {}).includes(to)) {
      throw new Error(`No row of VOICE_TRANSITIONS leads from ${from} to ${to}`);
    }
    for (const output of outputs) this.#note(output);
    return outputs;
  }

  #note(output: VoiceOutput): void {
    this.outputs.push(output);
    if (output.type === "event") this.events.push(output.event);
    if (output.type === "close" && ++this.#closes > 1) throw new Error("The connection was closed twice");
    if (output.type !== "send") return;
    this.sent.push({ at: this.now, what: output.what, frame: output.frame });
    if (output.what !== "heartbeat" || typeof output.frame !== "string") return;
    this.#nonce = JSON.parse(output.frame).d.t;
    if (this.acksAfterMs !== null) this.#ackAt = this.now + this.acksAfterMs;
  }
}

function checkEnd({ cause, phase }: VoiceEnd, from: VoicePhase): void {
  const ends: Readonly<Record<string, readonly VoicePhase[]>> = VOICE_ENDS;
  if (!ends[cause.startsWith("close_") ? "close_*" : cause]?.includes(from)) {
    throw new Error(`No row of VOICE_ENDS has ${cause} end ${from}`);
  }
  if (phase !== from) throw new Error(`The end says ${phase}, it was ${from}`);
}

/** A connection that has just come to a phase, at 0. */
export function inPhase(
  phase: OpenPhase,
  { version = 0, ...options }: Partial<VoiceStateOptions> & { readonly version?: number } = {},
): VoiceDriver {
  if (phase === "resuming") return inPhase("live", { version, ...options }).resumed();
  const driver = new VoiceDriver(options);
  const steps: readonly (() => void)[] = [
    () => driver.receive(hello()),
    () => driver.receive(ready()),
    () => driver.address(),
    () => driver.receive(description({ version })),
  ];
  for (const step of steps) {
    if (driver.state.phase === phase) break;
    step();
  }
  if (driver.state.phase !== phase) throw new Error(`Not ${phase}: ${driver.state.phase}`);
  return driver;
}
