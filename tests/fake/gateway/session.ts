/**
 * A session: what survives a connection.
 *
 * It numbers its dispatches from 1 (READY) and keeps them as finished frames for a replay, also while no connection
 * has it. Only so many are kept, in a ring; whoever resumes from before them is refused.
 */

/** A session as a test sees it. */
export interface FakeSession {
  /** Discord's `session_id`. */
  readonly id: string;
  /** The shard's number and how many there are. */
  readonly shard: readonly [id: number, count: number];
  /** The intents that it identified with. */
  readonly intents: number;
  /** The sequence number of its last dispatch, sent or waiting. */
  readonly sequence: number;
  /** Whether it has a connection. */
  readonly connected: boolean;
  /** How many dispatches were numbered in it, by event: replays do not count. */
  readonly counts: ReadonlyMap<string, number>;
}

/** What a session is made from. */
export interface SessionShape {
  /** Discord's `session_id`. */
  readonly id: string;
  /** The shard's number and how many there are. */
  readonly shard: readonly [id: number, count: number];
  /** Whether IDENTIFY named the shard. */
  readonly namedShard: boolean;
  /** The intents. */
  readonly intents: number;
}

/** One numbered frame. */
export interface NumberedFrame {
  /** Its number. */
  readonly s: number;
  /** The event's name. */
  readonly t: string;
  /** The frame as it is sent. */
  readonly text: string;
}

/** The state of one session, free of connections and time. */
export class Session implements FakeSession {
  readonly id: string;
  readonly shard: readonly [id: number, count: number];
  readonly namedShard: boolean;
  readonly intents: number;
  /** When its connection was lost, in ms; `null` while it has one. */
  lostAt: number | null = null;
  /** A resume will be refused. */
  expired = false;
  /** Guilds that READY has named and that have not come yet, each with the body of its GUILD_CREATE. */
  readonly withheld: Map<string, () => unknown> = new Map();
  readonly #counts = new Map<string, number>();
  readonly #replayLimit: number;
  readonly #ring: NumberedFrame[] = [];
  #sequence = 0;

  /** Starts without any dispatch. */
  constructor(shape: SessionShape, replayLimit: number) {
    this.id = shape.id;
    this.shard = shape.shard;
    this.namedShard = shape.namedShard;
    this.intents = shape.intents;
    this.#replayLimit = replayLimit;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get connected(): boolean {
    return this.lostAt === null;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Gives the dispatch its number, and keeps it. `d` is its body as JSON. */
  number(t: string, d: string): NumberedFrame {
    const s = ++this.#sequence;
    this.#counts.set(t, (this.#counts.get(t) ?? 0) + 1);
    // The order of the keys is Discord's.
    const frame: NumberedFrame = { s, t, text: `{"t":${JSON.stringify(t)},"s":${s},"op":0,"d":${d}}` };
    this.#ring[(s - 1) % this.#replayLimit] = frame;
    return frame;
  }

  /** The dispatches after this number, `null` if they are not kept any more. READY and RESUMED are never replayed. */
  after(sequence: number): NumberedFrame[] | null {
    if (this.#sequence - sequence > this.#replayLimit) return null;
    const frames: NumberedFrame[] = [];
    for (let s = sequence + 1; s <= this.#sequence; s++) {
      const frame = this.#ring[(s - 1) % this.#replayLimit];
      if (frame && frame.t !== "READY" && frame.t !== "RESUMED") frames.push(frame);
    }
    return frames;
  }
}
