/**
 * What happened, in order: everything that the client did, and what it was answered.
 *
 * A test asks it how the client behaved (how often it identified, with what it resumed, which rules it broke). It
 * stays small whatever happens: frames of one kind in a row are one entry with a count, bodies of dispatches are not
 * kept, and of each kind only the last entries remain. The token is cut out of everything before it is written down.
 */

/** What every entry has. */
export interface Entry {
  /** In ms on the fake's clock. */
  readonly at: number;
}

/** The client dialled. */
export interface DialEntry extends Entry {
  /** What kind of entry this is. */
  readonly kind: "dial";
  /** The URL that was dialled. */
  readonly url: string;
  /** What became of it. */
  readonly outcome: "open" | "rejected" | "black hole";
  /** The connection that it opened. */
  readonly connectionId?: number;
  /** The HTTP status that it was rejected with. */
  readonly status?: number;
}

/** What a client sent, as far as it could be read. */
export interface Received extends Entry {
  /** The connection that it came on. */
  readonly connectionId: number;
  /** Its opcode, `null` if it had none that could be read. */
  readonly op: number | null;
  /** Its body as parsed, with every token replaced; of a frame that could not be read, the beginning of its text. */
  readonly d: unknown;
}

/** The client sent a frame that is no heartbeat. */
export interface FrameEntry extends Received {
  /** What kind of entry this is. */
  readonly kind: "frame";
}

/** The client sent a heartbeat: kept apart, since they are many. */
export interface HeartbeatEntry extends Received {
  /** What kind of entry this is. */
  readonly kind: "heartbeat";
}

/** The fake sent frames of one kind, one after the other. */
export interface SentEntry extends Entry {
  /** What kind of entry this is. */
  readonly kind: "sent";
  /** The connection that they went to. */
  readonly connectionId: number;
  /** Their opcode, `null` for raw text. */
  readonly op: number | null;
  /** The event's name, `null` where it is no dispatch. */
  readonly t: string | null;
  /** How many they were. */
  readonly count: number;
  /** The sequence number of the first, `null` where it is no dispatch. */
  readonly firstSequence: number | null;
  /** The sequence number of the last, `null` where it is no dispatch. */
  readonly lastSequence: number | null;
}

/** A connection ended. */
export interface CloseEntry extends Entry {
  /** What kind of entry this is. */
  readonly kind: "close";
  /** The connection that ended. */
  readonly connectionId: number;
  /** Who ended it. */
  readonly by: "client" | "server";
  /** The close code, `null` for a cut without a close frame. */
  readonly code: number | null;
  /** The close reason, often empty. */
  readonly reason: string;
}

/** A session changed. */
export interface SessionEntry extends Entry {
  /** What kind of entry this is. */
  readonly kind: "session";
  /** The session, `null` where none came to be or the one named does not exist. */
  readonly sessionId: string | null;
  /** The connection that it was about. */
  readonly connectionId: number | null;
  /** What happened; `"token reset"` is what becomes of a bot that identifies too often in a day. */
  readonly change: "started" | "resumed" | "refused" | "ended" | "token reset";
  /** Why, in plain words. */
  readonly why: string;
}

/** The client called the REST API. */
export interface RestEntry extends Entry {
  /** What kind of entry this is. */
  readonly kind: "rest";
  /** The HTTP method. */
  readonly method: string;
  /** The path, from `/api/v10` on. */
  readonly path: string;
  /** The HTTP status of the response. */
  readonly status: number;
}

/** The client broke one of Discord's rules. */
export interface ViolationEntry extends Entry {
  /** What kind of entry this is. */
  readonly kind: "violation";
  /** The connection that it broke it on. */
  readonly connectionId: number;
  /** The close code that it cost, `null` where Discord looks away or answers otherwise. */
  readonly code: number | null;
  /** The rule, in plain words. */
  readonly rule: string;
}

/** One thing that happened. */
export type JournalEntry =
  | DialEntry
  | FrameEntry
  | HeartbeatEntry
  | SentEntry
  | CloseEntry
  | SessionEntry
  | RestEntry
  | ViolationEntry;

/** The kinds of entries. */
export type JournalKind = JournalEntry["kind"];

/** The entries of one kind. */
export type JournalEntryOf<Kind extends JournalKind> = Extract<JournalEntry, { readonly kind: Kind }>;

/** So many entries are kept of each kind; half of them are forgotten when it is reached. */
const KEPT_PER_KIND = 10_000;

/** Longer texts are cut. */
const MAX_TEXT = 4096;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * The record of what a client did.
 *
 * @example
 * ```ts
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const discord = new FakeDiscord();
 * const connection = await discord.dial("wss://gateway.discord.gg/?v=10&encoding=json");
 * connection.send('{"op":1,"d":null}');
 * if (discord.journal.heartbeats().length !== 1) throw new Error("unexpected");
 * if (discord.journal.identifies().length !== 0) throw new Error("unexpected");
 * connection.close(1000);
 * ```
 */
export class Journal {
  readonly #redact: (text: string) => string;
  readonly #byKind = new Map<JournalKind, { order: number; entry: JournalEntry }[]>();
  readonly #lastSent = new Map<number, Mutable<SentEntry>>();
  readonly #sentCounts = new Map<string, number>();
  #order = 0;
  #forgotten = 0;

  /** Made by the fake; `redact` cuts secrets out of a text. */
  constructor(redact: (text: string) => string = (text) => text) {
    this.#redact = redact;
  }

  /** Everything that is still kept, in order. */
  get entries(): readonly JournalEntry[] {
    return [...this.#byKind.values()].flat().sort((a, b) => a.order - b.order).map(({ entry }) => entry);
  }

  /** How many entries were forgotten because there were too many of their kind. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** The entries of one kind, in order. */
  of<Kind extends JournalKind>(kind: Kind): readonly JournalEntryOf<Kind>[] {
    return (this.#byKind.get(kind) ?? []).map(({ entry }) => entry).filter((entry) => isOf(kind, entry));
  }

  /** The dials, with what became of them. */
  dials(): readonly DialEntry[] {
    return this.of("dial");
  }

  /** The IDENTIFY frames. */
  identifies(): readonly FrameEntry[] {
    return this.of("frame").filter((entry) => entry.op === 2);
  }

  /** The RESUME frames. */
  resumes(): readonly FrameEntry[] {
    return this.of("frame").filter((entry) => entry.op === 6);
  }

  /** The heartbeats. */
  heartbeats(): readonly HeartbeatEntry[] {
    return this.of("heartbeat");
  }

  /** The rules that the client broke: none, if all is well. */
  violations(): readonly ViolationEntry[] {
    return this.of("violation");
  }

  /** How many dispatches were sent, replays included: of one event, or of all. */
  sent(event?: string): number {
    if (event !== undefined) return this.#sentCounts.get(event) ?? 0;
    return [...this.#sentCounts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Writes down what happened; used by the fake. */
  write(entry: Exclude<JournalEntry, SentEntry>): void {
    this.#push(withoutSecrets(entry, this.#redact));
    if (entry.kind === "close") this.#lastSent.delete(entry.connectionId);
  }

  /** Writes down a frame that was sent, as one entry with others of its kind; used by the fake. */
  writeSent(
    at: number,
    connectionId: number,
    op: number | null,
    t: string | null,
    sequence: number | null,
  ): void {
    if (t !== null) this.#sentCounts.set(t, (this.#sentCounts.get(t) ?? 0) + 1);
    const last = this.#lastSent.get(connectionId);
    if (last && last.op === op && last.t === t) {
      last.count++;
      last.lastSequence = sequence;
      return;
    }
    const entry: Mutable<SentEntry> = {
      kind: "sent",
      at,
      connectionId,
      op,
      t,
      count: 1,
      firstSequence: sequence,
      lastSequence: sequence,
    };
    this.#lastSent.set(connectionId, entry);
    this.#push(entry);
  }

  #push(entry: JournalEntry): void {
    let entries = this.#byKind.get(entry.kind);
    if (!entries) this.#byKind.set(entry.kind, entries = []);
    if (entries.length >= KEPT_PER_KIND) {
      entries.splice(0, KEPT_PER_KIND / 2);
      this.#forgotten += KEPT_PER_KIND / 2;
    }
    entries.push({ order: this.#order++, entry });
  }
}

function isOf<Kind extends JournalKind>(kind: Kind, entry: JournalEntry): entry is JournalEntryOf<Kind> {
  return entry.kind === kind;
}

/** A copy in which every string went through `redact`, and the value of every `token` is gone. */
function withoutSecrets<T>(value: T, redact: (text: string) => string): T;
function withoutSecrets(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === "string") return redact(value).slice(0, MAX_TEXT);
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, redact));
  if (typeof value !== "object" || value === null) return value;
  const copy: { [key: string]: unknown } = {};
  for (const [key, item] of Object.entries(value)) {
    // A client that sent a wrong token, perhaps a real one, would find it here.
    copy[redact(key)] = key === "token" ? "[token]" : withoutSecrets(item, redact);
  }
  return copy;
}
