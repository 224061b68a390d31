/**
 * One open request: its command is sent when the rate limit allows it, and responses come one by one, within a deadline.
 *
 * The deadline runs only while a response can be expected: from the moment the command was written and from each
 * response, not while the command waits for the rate limit, a sub-limit or a connection.
 */

import { Timer } from "../../ratelimit/timer.ts";
import type { GatewayCommand, GatewayDispatch } from "../../gateway/mod.ts";
import { field } from "../../gateway/field.ts";
import type { Clock, GatedQueueOptions, QueueGate } from "../../ratelimit/mod.ts";
import type { RequestOptions } from "./response_iterator.ts";
import type { RequestDefinition } from "./request_definition.ts";
import { RequestError } from "./errors.ts";

/** How long to wait for the next response by default, in ms. */
export const DEFAULT_DEADLINE_MS = 30_000;

/** UnknownOpcode and DecodeError: Discord did not understand a frame, and does not say which. */
const NOT_UNDERSTOOD: readonly number[] = [4001, 4002];
/** The first time it may have been another frame. */
const MAX_REFUSALS = 2;

/** What a request needs of its shard. */
export interface RequestContext {
  /** Times the deadline. */
  readonly clock: Clock;
  /** Sends a command when the rate limit allows it. */
  send(command: GatewayCommand, options: GatedQueueOptions): Promise<unknown>;
  /** The id of the current session. */
  sessionId(): string | null;
  /** Counts a command that was written; returns its number. */
  written(): number;
  /** Whether the deadline runs, given whether the command was written and whether all responses are read. */
  deadlineRuns(isAsked: boolean, isRead: boolean): boolean;
  /** A response of this size waits for the caller. */
  waits(size: number): void;
  /** The caller has taken it. */
  taken(size: number): void;
  /** No more responses will come. */
  over(): void;
}

/** One open request. */
export class PendingRequest<Item> {
  readonly #definition: RequestDefinition<Item>;
  readonly #options: RequestOptions;
  readonly #context: RequestContext;
  /** Takes the command out of the queue. */
  readonly #leaving = new AbortController();
  readonly #onAbort = () => this.#fail(this.#options.signal?.reason, { keepResponses: false });
  #waiting: { readonly response: Item; readonly size: number }[] = [];
  #end: { readonly error: unknown } | "complete" | null = null;
  #wake: (() => void) | null = null;
  readonly #timer: Timer;
  /** The session in which the command was written; `null` before. */
  #sentIn: string | null = null;
  #writtenAs = 0;
  /** The command waits in the queue. */
  #isQueued = false;
  /** The connection on which the command was written has ended, and no response has come since. */
  #mayBeLost = false;
  /** The command was written on this connection, and no response has come since. */
  #isFresh = false;
  /** How often in a row Discord closed a fresh connection because it did not understand a frame. */
  #refusals = 0;

  constructor(definition: RequestDefinition<Item>, options: RequestOptions, context: RequestContext) {
    this.#definition = definition;
    this.#options = options;
    this.#context = context;
    this.#timer = new Timer(context.clock);
  }

  get gate(): QueueGate {
    return this.#definition.gate;
  }

  get nonce(): unknown {
    return field(this.#definition.command.d, "nonce");
  }

  /** The number under which the command was written last. */
  get writtenAs(): number {
    return this.#writtenAs;
  }

  get mayBeLost(): boolean {
    // A command that waits to be sent again expects no response to the one before.
    return this.#mayBeLost || this.#isQueued;
  }

  start(): void {
    const { signal } = this.#options;
    if (signal?.aborted) return this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort);
    this.#send();
  }

  /** The next response; `null` if no more will come. One call at a time, which the generator ensures. */
  async next(): Promise<{ readonly response: Item } | null> {
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

  /** The caller has left. */
  stop(): void {
    this.#dropResponses();
    this.#finish("complete", { isOwed: this.#isOwed });
  }

  take(event: GatewayDispatch, size: number): boolean {
    if (this.#sentIn === null) return false;
    const read = this.#definition.read(event);
    if (read === "foreign") return false;
    if (this.#end !== null) {
      this.#forget();
      return true;
    }
    this.#mayBeLost = this.#isFresh = false;
    this.#refusals = 0;
    if (read !== "known") {
      this.#waiting.push({ response: read.response, size });
      this.#context.waits(size);
      this.#wake?.();
    }
    if (this.#definition.complete) this.#finish("complete");
    else this.retime();
    return true;
  }

  /** Whether a RATE_LIMITED refers to this request. Without a nonce it is the first that was sent and has no response. */
  isLimitedBy({ op, nonce, guildId }: Readonly<Record<"op" | "nonce" | "guildId", unknown>>): boolean {
    const { command: { op: ownOp, d }, progress } = this.#definition;
    if (op !== ownOp || this.#sentIn === null || this.#isQueued) return false;
    if (nonce !== undefined && nonce !== null) return this.nonce === nonce;
    const ownGuild = field(d, "guild_id");
    return progress.received === 0 &&
      (ownGuild === undefined || guildId === undefined || ownGuild === guildId);
  }

  resend(): void {
    if (this.#end !== null) this.#forget();
    else this.#send();
  }

  connected(): void {
    // The replay has brought what was missing.
    if (this.#end !== null) return this.#forget();
    if (this.#sentIn !== null && !this.#isQueued) {
      if (this.#sentIn !== this.#context.sessionId()) return this.#send();
      // The command may have been written on this connection already.
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
    const isAsked = this.#sentIn !== null && !this.#isQueued;
    if (this.#end !== null || !this.#context.deadlineRuns(isAsked, this.#waiting.length === 0)) return;
    const { deadlineMs = DEFAULT_DEADLINE_MS } = this.#options;
    this.#timer.set(deadlineMs, () => this.#silent(deadlineMs));
  }

  #silent(deadlineMs: number): void {
    if (this.#mayBeLost) return this.#send();
    const { command, progress } = this.#definition;
    const why = `the next response comes within ${deadlineMs} ms`;
    this.#fail(new RequestError(why, { code: "ERR_REQUEST_DEADLINE", command, progress }));
  }

  #send(): void {
    if (this.#end !== null) return;
    const { command, gate } = this.#definition;
    const { priority = "low" } = this.#options;
    this.#isQueued = true;
    this.#mayBeLost = this.#isFresh = false;
    this.retime();
    const onAdmitted = () => {
      this.#isQueued = false;
      this.#isFresh = true;
      this.#sentIn = this.#context.sessionId();
      this.#writtenAs = this.#context.written();
      this.#definition.sent();
      this.retime();
    };
    this.#context.send(command, { gate, priority, onAdmitted, signal: this.#leaving.signal })
      // The connection ended with this write: send it on the next one.
      .catch((error) => this.#isQueued ? this.#fail(error) : this.#send());
  }

  #fail(error: unknown, { keepResponses = true }: { readonly keepResponses?: boolean } = {}): void {
    if (this.#end !== null) return;
    if (!keepResponses) this.#dropResponses();
    this.#finish({ error }, { isOwed: !keepResponses && this.#isOwed });
  }

  #dropResponses(): void {
    for (const { size } of this.#waiting.splice(0)) this.#context.taken(size);
  }

  /** Discord has the command, and its response could reach another request. */
  get #isOwed(): boolean {
    const { ambiguous, complete } = this.#definition;
    return ambiguous && !complete && this.#sentIn !== null && !this.#isQueued && !this.#mayBeLost;
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

  /** After the end: the response came, or will not come any more. */
  #forget(): void {
    this.retime();
    this.#context.over();
  }
}
