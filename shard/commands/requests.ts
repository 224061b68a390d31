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

import { CommandError, type GatewayCommand, type GatewayDispatch } from "../../gateway/mod.ts";
import { field } from "../../gateway/field.ts";
import type { QueueGate } from "../../ratelimit/mod.ts";
import { answersOf, type RequestOptions, type ResponseIterator } from "./response_iterator.ts";
import { DEFAULT_RETRY_MS } from "./limits.ts";
import type { RequestDefinition } from "./request_definition.ts";
import { DEFAULT_DEADLINE_MS, PendingRequest, type RequestContext } from "./pending_request.ts";
import type { WantedNames } from "../events/wanted_names.ts";

/** What requests need of their shard. */
export interface RequestsOptions extends Pick<RequestContext, "clock" | "send" | "sessionId"> {
  /** The names that the connection hands out. Answers are added while a request is open. */
  readonly wanted: WantedNames;
  /** The length of the frames that may wait for those who asked, in UTF-16 units. */
  readonly maxSize: number;
  /** Shuts a gate until this instant, in ms. */
  shut(gate: QueueGate, instant: number): void;
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
  /** Those that are not answered in full, each with what ends that its answers are wanted. */
  readonly #open = new Map<PendingRequest<unknown>, () => void>();
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
  ask<Answer>(definition: RequestDefinition<Answer>, options: RequestOptions): ResponseIterator<Answer> {
    const { deadlineMs = DEFAULT_DEADLINE_MS } = options;
    if (!(deadlineMs > 0)) {
      throw new RangeError(`Cannot wait for an answer: deadlineMs must be a positive number: ${deadlineMs}`);
    }
    const request = new PendingRequest(definition, options, {
      ...this.#options,
      written: () => ++this.#written,
      ticks: (isAsked, isRead) => this.#pace === "parked" ? isRead : this.#pace === "live" && isAsked,
      waits: (size) => this.#resize(1, size),
      taken: (size) => this.#resize(-1, -size),
      over: () => {
        const unwant = this.#open.get(request);
        this.#open.delete(request);
        unwant?.();
      },
    });
    return answersOf(this.#answers(definition, request), () => request.stop());
  }

  /** Asks, and waits for the one answer. */
  async askOnce<Answer>(definition: RequestDefinition<Answer>, options: RequestOptions): Promise<Answer> {
    for await (const answer of this.ask(definition, options)) return answer;
    throw new TypeError(
      `Cannot answer op ${definition.command.op}: its question was complete before it was asked`,
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
  rateLimited(d: unknown, now: number, gateOfGuild: (guildId: string) => QueueGate): void {
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
    for (const request of this.#open.keys()) request.connected();
  }

  /** The connection ended. */
  disconnected({ parked, closeCode }: ConnectionLost): void {
    this.#pace = parked ? "parked" : "stopped";
    for (const request of this.#open.keys()) request.disconnected(closeCode);
  }

  /** Resolves as soon as no answers wait any more. One at a time. */
  drained(): Promise<void> {
    if (this.#length === 0 || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  /** The shard closed: whoever was asked will not answer any more. Who still waits to ask learns of it as such. */
  close(cause: unknown): void {
    this.#isClosed = true;
    for (const request of this.#open.keys()) request.closed(cause);
    this.#drained?.();
  }

  async *#answers<Answer>(
    definition: RequestDefinition<Answer>,
    request: PendingRequest<Answer>,
  ): AsyncGenerator<Answer, void, void> {
    try {
      if (!definition.complete) {
        this.#checkNonce(definition.command);
        this.#open.set(request, this.#options.wanted.want([definition.event, "RATE_LIMITED"]));
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
  #bySurety(): PendingRequest<unknown>[] {
    return [...this.#open.keys()].sort((one, other) =>
      Number(one.mayBeLost) - Number(other.mayBeLost) || one.writtenAs - other.writtenAs
    );
  }

  #checkNonce({ op, d }: GatewayCommand): void {
    const nonce = field(d, "nonce");
    if (nonce === undefined || ![...this.#open.keys()].some((each) => each.nonce === nonce)) return;
    throw new CommandError(`Cannot send op ${op}: a request with this nonce is open already`);
  }

  #resize(count: number, size: number): void {
    this.#length += count;
    this.#size += size;
    if (this.#length > 0) return;
    this.#drained?.();
    this.#drained = null;
  }
}
