/**
 * Questions to Discord and their answers, matched to one another.
 *
 * A command asks (op 8, 31, 43), and any number of dispatches answer, in between everything else. While a request is
 * open, the events that answer it are wanted from the connection, whether the user named them or not; they go to the
 * request, and into the user's events only where the user did.
 *
 * A request waits for its turn like any command. Its deadline runs only while an answer can be expected: from the
 * moment it was written and from each answer, not while it waits for a turn, a sub-limit or a connection. What happens
 * on the way:
 *
 * - *RATE_LIMITED*: its gate is shut for as long as Discord says, and it is asked again;
 * - *the connection is replaced, the session goes on*: the replay brings what is missing. Should nothing come, the
 *   command may have been lost with the connection, and is asked once more;
 * - *the session is lost*: it is asked again on the new one;
 * - *Discord closes with 4001 or 4002*: something that was sent made no sense to it. Whoever has just asked and has no
 *   answer is asked again once, and no more: each time may cost an identify;
 * - *whoever asked gives up*: where another could take the answer for its own, it is still waited for, and dropped;
 * - *the consumer is behind and the session parked*: the deadline runs in any case. Who handles an event by waiting for
 *   an answer would otherwise wait for ever, since the shard waits for the event to be handled.
 */

import { CommandError, GatewayCloseCode, type GatewayCommand, type GatewayDispatch } from "../gateway/mod.ts";
import type { Clock, Gate, GatedTurnOptions } from "../ratelimit/mod.ts";
import { DEFAULT_RETRY_MS } from "./command_gates.ts";
import { RequestError, type RequestProgress } from "./request_errors.ts";

/** Options of every request. */
export interface RequestOptions {
  /** Ends the request at any time; the iterator throws the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * How long to wait for the next answer, in ms, from the moment the command was written and from each answer.
   * `Infinity` waits as long as it takes.
   *
   * @default {30_000}
   */
  readonly deadlineMs?: number;
  /**
   * Commands of high priority go before those of low priority.
   *
   * @default {"low"}
   */
  readonly priority?: "high" | "low";
}

/**
 * The answers to a request as they come: for `for await`, or `Array.fromAsync`.
 *
 * Leaving the loop ends the request; so does `return()`, also while an answer is waited for.
 */
export interface Answers<Answer> extends AsyncIterableIterator<Answer, void, void>, AsyncDisposable {
  /** The next answer. */
  next(): Promise<IteratorResult<Answer, void>>;
  /** Ends the request. */
  return(): Promise<IteratorResult<Answer, void>>;
  /** The same object. */
  [Symbol.asyncIterator](): Answers<Answer>;
  /** Ends the request. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** One question: what asks it, what answers it, and when it is answered in full. */
export interface Question<Answer> {
  /** Asks it. */
  readonly command: GatewayCommand;
  /** The event that answers it. */
  readonly event: "GUILD_MEMBERS_CHUNK" | "SOUNDBOARD_SOUNDS" | "CHANNEL_INFO";
  /** Shut when Discord says that this was asked too often. */
  readonly gate: Gate;
  /** How far it is. */
  readonly progress: RequestProgress;
  /** Nothing more is to come. */
  readonly complete: boolean;
  /** Its answer could be taken for that to another question, and say something else. */
  readonly ambiguous: boolean;
  /** The command was written: its answer begins from the start. */
  asked(): void;
  /** Reads an event; `"foreign"` if it answers something else, `"known"` if it brings nothing new. */
  read(event: GatewayDispatch): { readonly answer: Answer } | "foreign" | "known";
}

/** What requests need of their shard. */
export interface RequestsOptions {
  /** Times the deadlines. */
  readonly clock: Clock;
  /** The names that the connection hands out; `null` = all. Answers are added while a request is open. */
  readonly wanted: Set<string> | null;
  /** The length of the frames that may wait for those who asked, in UTF-16 units. */
  readonly maxSize: number;
  /** Sends a command in its turn. */
  send(command: GatewayCommand, options: GatedTurnOptions): Promise<unknown>;
  /** Shuts a gate until this instant, in ms. */
  shut(gate: Gate, instant: number): void;
  /** The present session's id. */
  sessionId(): string | null;
}

/** How a connection ended, as far as requests are concerned. */
export interface ConnectionLost {
  /** The session waits at Discord until the consumer has caught up. */
  readonly parked: boolean;
  /** Discord's close code; `null` where there was none. */
  readonly closeCode: number | null;
}

/** All open requests of one shard. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #userWants: ReadonlySet<string>;
  readonly #open = new Set<Request<unknown>>();
  /** Answers that wait for those who asked, and the length of their frames. */
  #length = 0;
  #size = 0;
  /** How many questions were written, those asked again included. */
  #written = 0;
  #pace: "stopped" | "live" | "parked" = "stopped";
  #drained: (() => void) | null = null;
  #isClosed = false;

  /** Nothing is asked yet. */
  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#userWants = new Set(options.wanted ?? []);
  }

  /** Whether anything is open: only then events have to be offered. */
  get active(): boolean {
    return this.#open.size > 0;
  }

  /**
   * Asks when the first answer is asked for; hands out answers as they come.
   *
   * @throws {RangeError} `deadlineMs` is no positive number.
   */
  ask<Answer>(question: Question<Answer>, options: RequestOptions): Answers<Answer> {
    const { deadlineMs = DEFAULT_DEADLINE_MS } = options;
    if (!(deadlineMs > 0)) {
      throw new RangeError(`Cannot wait for an answer: deadlineMs must be a positive number: ${deadlineMs}`);
    }
    const request = new Request(question, options, {
      ...this.#options,
      written: () => ++this.#written,
      ticks: (isAsked, isRead) => this.#pace === "parked" ? isRead : this.#pace === "live" && isAsked,
      waits: (size) => this.#resize(1, size),
      taken: (size) => this.#resize(-1, -size),
      over: () => {
        if (this.#open.delete(request)) this.#wantAnswers();
      },
    });
    const generator = this.#answers(question, request);
    const answers: Answers<Answer> = {
      next: () => generator.next(),
      // A generator by itself would first wait for the answer that is due.
      return: () => {
        request.stop();
        return generator.return();
      },
      [Symbol.asyncIterator]: () => answers,
      [Symbol.asyncDispose]: async () => {
        await answers.return();
      },
    };
    return answers;
  }

  /** Asks, and waits for the one answer. */
  async askOnce<Answer>(question: Question<Answer>, options: RequestOptions): Promise<Answer> {
    for await (const answer of this.ask(question, options)) return answer;
    throw new TypeError(
      `Cannot answer op ${question.command.op}: its question was complete before it was asked`,
    );
  }

  /** Offers an event. Returns `false` once the limit of what may wait is reached; the event itself is always taken. */
  take(event: GatewayDispatch, size: number): boolean {
    // Whatever has no body answers nothing.
    if (field(event, "d") === null) return true;
    for (const request of this.#bySurety()) if (request.take(event, size)) break;
    return this.#size < this.#options.maxSize;
  }

  /** How many answers wait for those who asked. */
  get length(): number {
    return this.#length;
  }

  /** Discord says that something was asked too often: whoever it was asks again, not before the time it names. */
  rateLimited(d: unknown, now: number, gateOfGuild: (guildId: string) => Gate): void {
    const retryAfter = field(d, "retry_after");
    const retryMs = typeof retryAfter === "number" && retryAfter >= 0 && retryAfter < Infinity
      ? Math.ceil(retryAfter * 1000)
      : DEFAULT_RETRY_MS;
    const [op, meta] = [field(d, "opcode"), field(d, "meta")];
    const [nonce, guildId] = [field(meta, "nonce"), field(meta, "guild_id")];
    const request = this.#bySurety().find((each) => each.isMeant({ op, nonce, guildId }));
    if (request) this.#options.shut(request.gate, now + retryMs);
    else if (op === 8 && typeof guildId === "string") this.#options.shut(gateOfGuild(guildId), now + retryMs);
    request?.askAgain();
  }

  /** The session is usable, on a new connection. */
  connected(): void {
    this.#pace = "live";
    for (const request of this.#open) request.connected();
  }

  /** The connection ended. */
  disconnected({ parked, closeCode }: ConnectionLost): void {
    this.#pace = parked ? "parked" : "stopped";
    for (const request of this.#open) request.disconnected(closeCode);
  }

  /** Resolves as soon as no answers wait any more. One at a time. */
  drained(): Promise<void> {
    if (this.#length === 0 || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  /** The shard closed: whoever was asked will not answer any more. Who still waits to ask learns of it as such. */
  close(cause: unknown): void {
    this.#isClosed = true;
    for (const request of this.#open) request.closed(cause);
    this.#drained?.();
  }

  async *#answers<Answer>(
    question: Question<Answer>,
    request: Request<Answer>,
  ): AsyncGenerator<Answer, void, void> {
    try {
      if (!question.complete) {
        this.#checkNonce(question.command);
        this.#open.add(request);
        this.#wantAnswers();
        request.start();
      }
      for (let next = await request.next(); next; next = await request.next()) yield next.answer;
    } finally {
      request.stop();
    }
  }

  /**
   * In the order in which they were written, which is that of their priorities, but whoever may have asked in vain comes
   * last: an answer names its guild, not its question, and what was asked on this connection is answered.
   */
  #bySurety(): Request<unknown>[] {
    return [...this.#open].sort((one, other) =>
      Number(one.mayBeLost) - Number(other.mayBeLost) || one.writtenAs - other.writtenAs
    );
  }

  #checkNonce({ op, d }: GatewayCommand): void {
    const nonce = field(d, "nonce");
    if (nonce === undefined || ![...this.#open].some((each) => each.nonce === nonce)) return;
    throw new CommandError(`Cannot send op ${op}: a request with this nonce is open already`);
  }

  #resize(count: number, size: number): void {
    this.#length += count;
    this.#size += size;
    if (this.#length > 0) return;
    this.#drained?.();
    this.#drained = null;
  }

  #wantAnswers(): void {
    const { wanted } = this.#options;
    if (wanted === null) return;
    const needed = new Set<string>();
    for (const { event } of this.#open) needed.add(event).add("RATE_LIMITED");
    for (const name of ANSWERS) {
      if (needed.has(name)) wanted.add(name);
      else if (!this.#userWants.has(name)) wanted.delete(name);
    }
  }
}

const ANSWERS = ["GUILD_MEMBERS_CHUNK", "SOUNDBOARD_SOUNDS", "CHANNEL_INFO", "RATE_LIMITED"];

/** What one request needs. */
interface RequestHost extends Pick<RequestsOptions, "clock" | "send" | "sessionId"> {
  /** The command was written; returns as which of all. */
  written(): number;
  /** Whether the deadline runs, for a request whose command was written or not, whose answers are read or wait. */
  ticks(isAsked: boolean, isRead: boolean): boolean;
  /** An answer of this size waits. */
  waits(size: number): void;
  /** It waits no more. */
  taken(size: number): void;
  /** Nothing more is to come. */
  over(): void;
}

/** One open request. */
class Request<Answer> {
  readonly #question: Question<Answer>;
  readonly #options: RequestOptions;
  readonly #host: RequestHost;
  /** Takes the command out of the queue. */
  readonly #leaving = new AbortController();
  readonly #onAbort = () => this.#fail(this.#options.signal?.reason, { keepAnswers: false });
  #waiting: { readonly answer: Answer; readonly size: number }[] = [];
  #end: { readonly error: unknown } | "complete" | null = null;
  #wake: (() => void) | null = null;
  #timer: unknown = null;
  /** The session in which it was asked; `null` before. */
  #askedIn: string | null = null;
  #writtenAs = 0;
  /** Its command waits for its turn. */
  #isQueued = false;
  /** The connection on which it was asked is gone, and nothing has come since. */
  #mayBeLost = false;
  /** It was asked on this connection, and nothing has come since. */
  #isFresh = false;
  /** How often in a row Discord closed the connection as if it had not understood, while it was fresh. */
  #refusals = 0;

  constructor(question: Question<Answer>, options: RequestOptions, host: RequestHost) {
    this.#question = question;
    this.#options = options;
    this.#host = host;
  }

  get event(): string {
    return this.#question.event;
  }

  get gate(): Gate {
    return this.#question.gate;
  }

  get nonce(): unknown {
    return field(this.#question.command.d, "nonce");
  }

  /** As which of all questions it was written last. */
  get writtenAs(): number {
    return this.#writtenAs;
  }

  get mayBeLost(): boolean {
    return this.#mayBeLost;
  }

  start(): void {
    const { signal } = this.#options;
    if (signal?.aborted) return this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort);
    this.#ask();
  }

  /** The next answer; `null` where nothing more is to come. One call at a time: a generator sees to that. */
  async next(): Promise<{ readonly answer: Answer } | null> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next) {
        this.#host.taken(next.size);
        if (this.#timer === null) this.retime();
        return next;
      }
      if (this.#end === "complete" || this.#question.complete) return null;
      if (this.#end) throw this.#end.error;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Nobody is interested any more. */
  stop(): void {
    this.#dropAnswers();
    this.#finish("complete", { isOwed: this.#isOwed });
  }

  take(event: GatewayDispatch, size: number): boolean {
    if (this.#askedIn === null) return false;
    const read = this.#question.read(event);
    if (read === "foreign") return false;
    if (this.#end !== null) {
      this.#forget();
      return true;
    }
    this.#mayBeLost = this.#isFresh = false;
    this.#refusals = 0;
    if (read !== "known") {
      this.#waiting.push({ answer: read.answer, size });
      this.#host.waits(size);
      this.#wake?.();
    }
    if (this.#question.complete) this.#finish("complete");
    else this.retime();
    return true;
  }

  /** Whether a RATE_LIMITED is about this one. Without a nonce it is the first that was asked and has no answer. */
  isMeant({ op, nonce, guildId }: Readonly<Record<"op" | "nonce" | "guildId", unknown>>): boolean {
    const { command: { op: ownOp, d }, progress } = this.#question;
    if (op !== ownOp || this.#askedIn === null || this.#isQueued) return false;
    if (nonce !== undefined && nonce !== null) return this.nonce === nonce;
    const ownGuild = field(d, "guild_id");
    return progress.received === 0 &&
      (ownGuild === undefined || guildId === undefined || ownGuild === guildId);
  }

  askAgain(): void {
    if (this.#end !== null) this.#forget();
    else this.#ask();
  }

  connected(): void {
    // The replay has brought what was to come.
    if (this.#end !== null) return this.#forget();
    if (this.#askedIn !== null && !this.#isQueued) {
      if (this.#askedIn !== this.#host.sessionId()) return this.#ask();
      this.#mayBeLost = true;
    }
    this.retime();
  }

  disconnected(closeCode: number | null): void {
    const isSuspect = this.#isFresh && closeCode !== null && NOT_UNDERSTOOD.includes(closeCode);
    this.#isFresh = false;
    if (isSuspect && ++this.#refusals >= MAX_REFUSALS) {
      const { command, progress } = this.#question;
      const why = `Discord closes with ${closeCode} each time it is asked`;
      return this.#fail(new RequestError(why, { code: "ERR_REQUEST_REFUSED", command, progress }));
    }
    this.retime();
  }

  closed(cause: unknown): void {
    if (this.#end !== null) return this.#forget();
    if (this.#isQueued) return;
    const { command, progress } = this.#question;
    this.#fail(
      new RequestError("the shard is closed", { code: "ERR_REQUEST_CLOSED", command, progress, cause }),
    );
  }

  /** Starts the deadline anew, or stops it. */
  retime(): void {
    const { clock } = this.#host;
    if (this.#timer !== null) clock.clearTimeout(this.#timer);
    this.#timer = null;
    const isAsked = this.#askedIn !== null && !this.#isQueued;
    if (this.#end !== null || !this.#host.ticks(isAsked, this.#waiting.length === 0)) return;
    const { deadlineMs = DEFAULT_DEADLINE_MS } = this.#options;
    if (deadlineMs === Infinity) return;
    this.#timer = clock.setTimeout(() => {
      this.#timer = null;
      this.#silent(deadlineMs);
    }, deadlineMs);
  }

  #silent(deadlineMs: number): void {
    if (this.#mayBeLost) return this.#ask();
    const { command, progress } = this.#question;
    const why = `the next answer comes within ${deadlineMs} ms`;
    this.#fail(new RequestError(why, { code: "ERR_REQUEST_DEADLINE", command, progress }));
  }

  #ask(): void {
    if (this.#end !== null) return;
    const { command, gate } = this.#question;
    const { priority = "low" } = this.#options;
    this.#isQueued = true;
    this.#mayBeLost = this.#isFresh = false;
    this.retime();
    const onTurn = () => {
      this.#isQueued = false;
      this.#isFresh = true;
      this.#askedIn = this.#host.sessionId();
      this.#writtenAs = this.#host.written();
      this.#question.asked();
      this.retime();
    };
    this.#host.send(command, { gate, priority, onTurn, signal: this.#leaving.signal })
      // Written in vain: the connection ended with it, and the next one is asked.
      .catch((error) => this.#isQueued ? this.#fail(error) : this.#ask());
  }

  #fail(error: unknown, { keepAnswers = true }: { readonly keepAnswers?: boolean } = {}): void {
    if (this.#end !== null) return;
    if (!keepAnswers) this.#dropAnswers();
    this.#finish({ error }, { isOwed: !keepAnswers && this.#isOwed });
  }

  #dropAnswers(): void {
    for (const { size } of this.#waiting.splice(0)) this.#host.taken(size);
  }

  /** Discord has the question, and will answer it to somebody. */
  get #isOwed(): boolean {
    const { ambiguous, complete } = this.#question;
    return ambiguous && !complete && this.#askedIn !== null && !this.#isQueued && !this.#mayBeLost;
  }

  #finish(
    end: { readonly error: unknown } | "complete",
    { isOwed = false }: { readonly isOwed?: boolean } = {},
  ): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#leaving.abort();
    this.retime();
    if (isOwed) {
      const { deadlineMs = DEFAULT_DEADLINE_MS } = this.#options;
      this.#timer = this.#host.clock.setTimeout(() => this.#forget(), deadlineMs);
    } else this.#host.over();
    this.#wake?.();
  }

  /** After the end: its answer came, or will not come any more. */
  #forget(): void {
    this.retime();
    this.#host.over();
  }
}

const DEFAULT_DEADLINE_MS = 30_000;

/** With these Discord says that it did not understand what was sent, and not what. */
const NOT_UNDERSTOOD: readonly number[] = [GatewayCloseCode.UnknownOpcode, GatewayCloseCode.DecodeError];
/** Once it may have been another frame's fault. */
const MAX_REFUSALS = 2;

function field(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
}
