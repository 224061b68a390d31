/**
 * Puts the packets of one speaker in order, and says where some are missing.
 *
 * UDP lets packets overtake each other. A packet that comes early waits for those before it, until so many wait that the
 * missing ones are given up, or until the caller, which keeps the time, calls {@linkcode Sequencer.flush}.
 */

/** A packet with a number of 16 bits. */
export interface Numbered {
  /** Counts packets. */
  readonly sequence: number;
}

/** A packet in order. */
export interface InOrder<Packet> {
  /** The packet. */
  readonly packet: Packet;
  /** How many packets are missing before it. */
  readonly lost: number;
}

/** Packets that wait for one before them; with one more it is given up. */
const MAX_WAITING = 5;
const NUMBERS = 0x1_0000;
/** A jump by so many, in either direction, is a new start. */
const RESTART = 3_000;

/**
 * The packets of one speaker, in order.
 *
 * @typeParam Packet What is numbered.
 */
export class Sequencer<Packet extends Numbered> {
  /** The number of the next packet, `null` before the first. */
  #next: number | null = null;
  readonly #waiting = new Map<number, Packet>();
  #late = 0;

  /** Whether packets wait for one before them. */
  get holds(): boolean {
    return this.#waiting.size > 0;
  }

  /** Packets that came after they were given up, or twice. */
  get late(): number {
    return this.#late;
  }

  /** A packet came: gives those that are next in order. */
  push(packet: Packet): readonly InOrder<Packet>[] {
    const { sequence } = packet;
    this.#next ??= sequence;
    const ahead = distance(this.#next, sequence);
    if (Math.abs(ahead) > RESTART) {
      const before = this.flush();
      this.#next = sequence;
      return [...before, ...this.push(packet)];
    }
    if (ahead < 0 || this.#waiting.has(sequence)) {
      this.#late++;
      return [];
    }
    this.#waiting.set(sequence, packet);
    return this.#waiting.size > MAX_WAITING ? this.#skip() : this.#nextInOrder(0);
  }

  /** Gives all packets that wait, and gives up those missing between them. */
  flush(): readonly InOrder<Packet>[] {
    const out: InOrder<Packet>[] = [];
    while (this.holds) out.push(...this.#skip());
    return out;
  }

  /** Another source of the same speaker follows, with other numbers. */
  restart(): readonly InOrder<Packet>[] {
    const before = this.flush();
    this.#next = null;
    return before;
  }

  #skip(): readonly InOrder<Packet>[] {
    const next = this.#next ?? 0;
    const lost = Math.min(...[...this.#waiting.keys()].map((sequence) => distance(next, sequence)));
    this.#next = (next + lost) % NUMBERS;
    return this.#nextInOrder(lost);
  }

  #nextInOrder(lostBefore: number): readonly InOrder<Packet>[] {
    const out: InOrder<Packet>[] = [];
    for (let lost = lostBefore; this.#next !== null; lost = 0) {
      const packet = this.#waiting.get(this.#next);
      if (packet === undefined) break;
      this.#waiting.delete(this.#next);
      this.#next = (this.#next + 1) % NUMBERS;
      out.push({ packet, lost });
    }
    return out;
  }
}

/** How far `to` is ahead of `from`, negative if it is behind. */
function distance(from: number, to: number): number {
  const ahead = (to - from + NUMBERS) % NUMBERS;
  return ahead < NUMBERS / 2 ? ahead : ahead - NUMBERS;
}
