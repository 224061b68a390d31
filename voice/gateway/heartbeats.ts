/**
 * The heartbeats of one voice gateway connection: when they are due, how long they take, and which messages of the
 * end-to-end encryption they confirm. What went out before a heartbeat has arrived when that heartbeat is acknowledged.
 */

import { field } from "../../gateway/field.ts";
import { Heartbeat } from "../../gateway/heartbeat.ts";
import { Latency, type LatencyReading } from "../../gateway/latency.ts";
import { heartbeat } from "../wire/commands.ts";
import type { VoiceSend } from "../wire/payload.ts";
import type { DaveSend } from "../dave/io.ts";

/** The first heartbeat comes a whole interval after HELLO: voice connections do not come in waves that jitter would break. */
const NO_JITTER = 1;

/** Heartbeats and what they confirm. */
export class VoiceHeartbeats {
  readonly #latency = new Latency();
  readonly #unconfirmed: DaveSend[] = [];
  #heartbeat: Heartbeat | null = null;
  /** How many of the unconfirmed went out before the last heartbeat. */
  #beforeHeartbeat = 0;
  /** The nonce of the heartbeat that waits for its acknowledgement. */
  #nonce: number | null = null;

  /** HELLO has come. */
  get started(): boolean {
    return this.#heartbeat !== null;
  }

  /** When the next heartbeat is due; `Infinity` before HELLO. */
  get nextAt(): number {
    return this.#heartbeat?.nextAt ?? Infinity;
  }

  /** Nothing at all was heard since the last heartbeat. */
  get silent(): boolean {
    return this.#heartbeat?.silent ?? false;
  }

  /** How long heartbeats took to be acknowledged. */
  get latency(): LatencyReading {
    return this.#latency.reading;
  }

  /** Messages of the end-to-end encryption that nothing has confirmed yet. */
  get unconfirmed(): readonly DaveSend[] {
    return this.#unconfirmed;
  }

  /** HELLO: how often to heartbeat, or from now on. */
  start(intervalMs: number, now: number): void {
    if (this.#heartbeat === null) this.#heartbeat = new Heartbeat(intervalMs, now, NO_JITTER);
    else this.#heartbeat.changeInterval(intervalMs, now);
  }

  /** Something was heard. */
  heard(): void {
    this.#heartbeat?.heard();
  }

  /** A message of the end-to-end encryption goes out. */
  sent(message: DaveSend): void {
    this.#unconfirmed.push(message);
  }

  /** The heartbeat to write now. */
  send(sequence: number, now: number): VoiceSend {
    this.#heartbeat?.sent(now);
    this.#latency.sent(now);
    this.#nonce = Math.round(now);
    this.#beforeHeartbeat = this.#unconfirmed.length;
    return heartbeat(this.#nonce, sequence);
  }

  /** Op 6. Only the last heartbeat's acknowledgement measures; any other is a sign of life like every message. */
  acknowledged(d: unknown, now: number): boolean {
    if (this.#nonce === null || field(d, "t") !== this.#nonce) return false;
    this.#nonce = null;
    this.#unconfirmed.splice(0, this.#beforeHeartbeat);
    this.#beforeHeartbeat = 0;
    return this.#latency.acknowledged(now);
  }
}
