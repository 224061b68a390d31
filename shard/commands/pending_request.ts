/**
 * One question that is open: asked in its turn, answered one by one, within a deadline.
 *
 * The deadline runs only while an answer can be expected: from the moment the command was written and from each answer,
 * not while it waits for a turn, a sub-limit or a connection.
 */

import { Timer } from "../../ratelimit/timer.ts";
import type { GatewayCommand, GatewayDispatch } from "../../gateway/mod.ts";
import { field } from "../../gateway/field.ts";
import type { Clock, GatedQueueOptions, QueueGate } from "../../ratelimit/mod.ts";
import type { RequestOptions } from "./response_iterator.ts";
import type { RequestDefinition } from "./request_definition.ts";
import { RequestError } from "./errors.ts";

/** How long to wait for the next answer by default, in ms. */
export const DEFAULT_DEADLINE_MS = 30_000;

/** UnknownOpcode and DecodeError: Discord did not understand what was sent, and does not say what. */
const NOT_UNDERSTOOD: readonly number[] = [4001, 4002];
/** Once it may have been another frame's fault. */
const MAX_REFUSALS = 2;

/** What one request needs. */
export interface RequestContext {
  /** Times the deadline. */
  readonly clock: Clock;
  /** Sends a command in its turn. */
  send(command: GatewayCommand, options: GatedQueueOptions): Promise<unknown>;
  /** The present session's id. */
  sessionId(): string | null;
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
export class PendingRequest<Answer> {
  readonly #definition: RequestDefinition<Answer>;
  readonly #options: RequestOptions;
  readonly #context: RequestContext;
  /** Takes the command out of the queue. */
  readonly #leaving = new AbortController();
  readonly #onAbort = () => this.#fail(this.#options.signal?.reason, { keepResponses: false });
  #waiting: { readonly answer: Answer; readonly size: number }[] = [];
  #end: { readonly error: unknown } | "complete" | null = null;
  #wake: (() => void) | null = null;
  readonly #timer: Timer;
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

  constructor(definition: RequestDefinition<Answer>, options: RequestOptions, host: RequestContext) {
    this.#definition = definition;
    this.#options = options;
    this.#context = host;
    this.#timer = new Timer(host.clock);
  }

  get gate(): QueueGate {
    return this.#definition.gate;
  }

  get nonce(): unknown {
    return field(this.#definition.command.d, "nonce");
  }

  /** As which of all questions it was written last. */
  get writtenAs(): number {
    return this.#writtenAs;
  }

  get mayBeLost(): boolean {
    // What waits to be asked again expects nothing of what was asked before.
    return this.#mayBeLost || this.#isQueued;
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
        this.#context.taken(next.size);
        if (!this.#timer.isSet) this.retime();
        return next;
      }
      if (this.#end === "complete" || this.#definition.complete) return null;
      if (this.#end) throw this.#end.error;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Nobody is interested any more. */
  stop(): void {
    this.#dropResponses();
    this.#finish("complete", { isOwed: this.#isOwed });
  }

  take(event: GatewayDispatch, size: number): boolean {
    if (this.#askedIn === null) return false;
    const read = this.#definition.read(event);
    if (read === "foreign") return false;
    if (this.#end !== null) {
      this.#forget();
      return true;
    }
    this.#mayBeLost = this.#isFresh = false;
    this.#refusals = 0;
    if (read !== "known") {
      this.#waiting.push({ answer: read.answer, size });
      this.#context.waits(size);
      this.#wake?.();
    }
    if (this.#definition.complete) this.#finish("complete");
    else this.retime();
    return true;
  }

  /** Whether a RATE_LIMITED is about this one. Without a nonce it is the first that was asked and has no answer. */
  isMeant({ op, nonce, guildId }: Readonly<Record<"op" | "nonce" | "guildId", unknown>>): boolean {
    const { command: { op: ownOp, d }, progress } = this.#definition;
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
      if (this.#askedIn !== this.#context.sessionId()) return this.#ask();
      // Its turn may have come on this connection already.
      this.#mayBeLost = !this.#isFresh;
    }
    this.retime();
  }

  disconnected(closeCode: number | null): void {
    const isSuspect = this.#isFresh && closeCode !== null && NOT_UNDERSTOOD.includes(closeCode);
    this.#isFresh = false;
    if (isSuspect && ++this.#refusals >= MAX_REFUSALS) {
      const { command, progress } = this.#definition;
      const why = `Discord closes with ${closeCode} each time it is asked`;
      return this.#fail(new RequestError(why, { code: "ERR_REQUEST_REFUSED", command, progress }));
    }
    this.retime();
  }

  closed(cause: unknown): void {
    if (this.#end !== null) return this.#forget();
    if (this.#isQueued) return;
    const { command, progress } = this.#definition;
    this.#fail(
      new RequestError("the shard is closed", { code: "ERR_REQUEST_CLOSED", command, progress, cause }),
    );
  }

  /** Starts the deadline anew, or stops it. */
  retime(): void {
    this.#timer.clear();
    const isAsked = this.#askedIn !== null && !this.#isQueued;
    if (this.#end !== null || !this.#context.ticks(isAsked, this.#waiting.length === 0)) return;
    const { deadlineMs = DEFAULT_DEADLINE_MS } = this.#options;
    this.#timer.set(deadlineMs, () => this.#silent(deadlineMs));
  }

  #silent(deadlineMs: number): void {
    if (this.#mayBeLost) return this.#ask();
    const { command, progress } = this.#definition;
    const why = `the next answer comes within ${deadlineMs} ms`;
    this.#fail(new RequestError(why, { code: "ERR_REQUEST_DEADLINE", command, progress }));
  }

  #ask(): void {
    if (this.#end !== null) return;
    const { command, gate } = this.#definition;
    const { priority = "low" } = this.#options;
    this.#isQueued = true;
    this.#mayBeLost = this.#isFresh = false;
    this.retime();
    const onAdmitted = () => {
      this.#isQueued = false;
      this.#isFresh = true;
      this.#askedIn = this.#context.sessionId();
      this.#writtenAs = this.#context.written();
      this.#definition.asked();
      this.retime();
    };
    this.#context.send(command, { gate, priority, onAdmitted, signal: this.#leaving.signal })
      // Written in vain: the connection ended with it, and the next one is asked.
      .catch((error) => this.#isQueued ? this.#fail(error) : this.#ask());
  }

  #fail(error: unknown, { keepResponses = true }: { readonly keepResponses?: boolean } = {}): void {
    if (this.#end !== null) return;
    if (!keepResponses) this.#dropResponses();
    this.#finish({ error }, { isOwed: !keepResponses && this.#isOwed });
  }

  #dropResponses(): void {
    for (const { size } of this.#waiting.splice(0)) this.#context.taken(size);
  }

  /** Discord has the question, and will answer it to somebody. */
  get #isOwed(): boolean {
    const { ambiguous, complete } = this.#definition;
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
      this.#timer.set(deadlineMs, () => this.#forget());
    } else this.#context.over();
    this.#wake?.();
  }

  /** After the end: its answer came, or will not come any more. */
  #forget(): void {
    this.retime();
    this.#context.over();
  }
}
