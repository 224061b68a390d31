/** One direction of the way between clients and the media server, with everything that befalls datagrams on it. */

import type { Platform } from "../../../../shard/pipe/platform.ts";

/** What befalls datagrams; shares of 1. All may be changed at any time. */
export interface NetworkConditions {
  /** How many are lost. @default {0} */
  loss: number;
  /** How many come twice. @default {0} */
  duplicates: number;
  /** How many are overtaken by those behind them. @default {0} */
  reordering: number;
  /** How many have one bit changed, in the tag at that. @default {0} */
  corruption: number;
  /** How many are cut short. @default {0} */
  truncation: number;
  /** Each is late by up to so many ms. @default {0} */
  jitterMs: number;
  /** Each takes at least so many ms. @default {0} */
  delayMs: number;
}

/** How late one is that is overtaken, in ms: three packets of sound. */
const OVERTAKEN_BY_MS = 60;
/** The tag is in front of the nonce of four bytes. */
const TAG_FROM_END = 5;

/** Carries datagrams under conditions; the dice are its own, so the same seed and packets meet the same fate. */
export class LossyNetwork implements NetworkConditions {
  loss = 0;
  duplicates = 0;
  reordering = 0;
  corruption = 0;
  truncation = 0;
  jitterMs = 0;
  delayMs = 0;
  readonly #clock: Platform;
  readonly #timers = new Set<unknown>();
  #seed: number;

  /** Starts as a way on which nothing happens. */
  constructor(clock: Platform, seed: number) {
    this.#clock = clock;
    this.#seed = seed | 0;
  }

  /** Whether nothing befalls anything. */
  get isIdeal(): boolean {
    const { loss, duplicates, reordering, corruption, truncation, jitterMs, delayMs } = this;
    return loss + duplicates + reordering + corruption + truncation + jitterMs + delayMs === 0;
  }

  /** Carries a datagram; `arrive` is called at once, later, twice, or never. */
  carry(datagram: Uint8Array, arrive: (datagram: Uint8Array) => void): void {
    if (this.#happens(this.loss)) return;
    let carried = datagram;
    if (this.#happens(this.corruption)) {
      carried = datagram.map((byte, at) => at === datagram.length - TAG_FROM_END ? byte ^ 1 : byte);
    }
    if (this.#happens(this.truncation)) {
      carried = carried.slice(0, Math.floor(this.#dice() * carried.length));
    }
    const isOvertaken = this.#happens(this.reordering);
    const copies = this.#happens(this.duplicates) ? 2 : 1;
    const late = this.delayMs + this.#dice() * this.jitterMs + (isOvertaken ? OVERTAKEN_BY_MS : 0);
    for (let copy = 0; copy < copies; copy++) this.#after(late, () => arrive(carried));
  }

  /** Gives up what is under way. */
  close(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
  }

  #after(ms: number, arrive: () => void): void {
    if (ms <= 0) return arrive();
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      arrive();
    }, ms);
    this.#timers.add(timer);
  }

  #happens(share: number): boolean {
    return share > 0 && this.#dice() < share;
  }

  #dice(): number {
    // mulberry32, as in the virtual clock.
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
