/**
 * Requests to Discord, and the events that respond to them.
 *
 * A command requests (op 8, 31, 43), and any number of dispatches respond, between all other events. While a request is
 * open, the connection delivers the events that respond to it, whether the user named them or not. They go to the
 * request, and to the user's events only if the user named them.
 *
 * A request waits in the queue like any command. Its deadline runs only while a response can be expected: from the
 * moment the command was written and from each response, not while it waits for the rate limit, a sub-limit or a
 * connection. What can happen meanwhile:
 *
 * - *RATE_LIMITED*: the gate is shut for as long as Discord says, and the command is sent again;
 * - *the connection is replaced, the session is resumed*: the replay brings what is missing. If nothing comes, the
 *   command may have been lost with the connection, and is sent once more;
 * - *the session is lost*: the command is sent again in the new one;
 * - *Discord closes with 4001 or 4002*: it did not understand a frame. A request that was just sent and has no response
 *   is sent again once, and no more: each time may cost an identify;
 * - *the caller leaves*: if another request could take the response for its own, the response is still awaited, and
 *   dropped;
 * - *the consumer is behind and the session is parked*: the deadline runs in any case. A handler that waits for a
 *   response would otherwise wait forever, because the shard waits for that handler.
 */

import { CommandError, type GatewayCommand, type GatewayDispatch } from "../../gateway/mod.ts";
import { field } from "../../gateway/field.ts";
import type { QueueGate } from "../../ratelimit/mod.ts";
import { type RequestOptions, type ResponseIterator, responseIterator } from "./response_iterator.ts";
import { DEFAULT_RETRY_MS } from "./limits.ts";
import type { RequestDefinition } from "./request_definition.ts";
import { DEFAULT_DEADLINE_MS, PendingRequest, type RequestContext } from "./pending_request.ts";
import type { WantedNames } from "../events/wanted_names.ts";

/** What requests need of their shard. */
export interface RequestsOptions extends Pick<RequestContext, "clock" | "send" | "sessionId"> {
  /** The names of the events that the connection delivers; those of responses are added while a request is open. */
  readonly wanted: WantedNames;
  /** The length of the responses that may wait for their callers, in UTF-16 units. */
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
  /** Requests without all of their responses, each with the function that stops wanting its events. */
  readonly #open = new Map<PendingRequest<unknown>, () => void>();
  /** How many responses wait for their callers, and the length of their frames. */
  #length = 0;
  #size = 0;
  /** How many commands were written, repeated ones included. */
  #written = 0;
  #session: "stopped" | "live" | "parked" = "stopped";
  #drained: (() => void) | null = null;
  #isClosed = false;

  /** No request is open yet. */
  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** Whether a request is open: only then events have to be offered. */
  get active(): boolean {
    return this.#open.size > 0;
  }

  /**
   * Sends the command when the first response is asked for; delivers responses as they come.
   *
   * @throws {RangeError} `deadlineMs` is no positive number.
   */
  request<Item>(definition: RequestDefinition<Item>, options: RequestOptions): ResponseIterator<Item> {
    const { deadlineMs = DEFAULT_DEADLINE_MS } = options;
    if (!(deadlineMs > 0)) {
      throw new RangeError(`Cannot wait for a response: deadlineMs must be a positive number: ${deadlineMs}`);
    }
    const request = new PendingRequest(definition, options, {
      ...this.#options,
      written: () => ++this.#written,
      deadlineRuns: (isAsked, isRead) =>
        this.#session === "parked" ? isRead : this.#session === "live" && isAsked,
      waits: (size) => this.#resize(1, size),
      taken: (size) => this.#resize(-1, -size),
      over: () => {
        const unwant = this.#open.get(request);
        this.#open.delete(request);
        unwant?.();
      },
    });
    return responseIterator(this.#responses(definition, request), () => request.stop());
  }

  /** Sends the command, and waits for the one response. */
  async requestOne<Item>(definition: RequestDefinition<Item>, options: RequestOptions): Promise<Item> {
    for await (const response of this.request(definition, options)) return response;
    throw new TypeError(
      `Cannot request op ${definition.command.op}: it expects no response`,
    );
  }

  /** Takes an event. Returns `false` once the limit of what may wait is reached; the event itself is always taken. */
  take(event: GatewayDispatch, size: number): boolean {
    // An event without a body is no response.
    if (field(event, "d") === null) return true;
    for (const request of this.#byLikelihood()) if (request.take(event, size)) break;
    return this.#size < this.#options.maxSize;
  }

  /** How many responses wait for their callers. */
  get length(): number {
    return this.#length;
  }

  /** Discord refused a command as too early: its request sends it again, not before the time that Discord names. */
  rateLimited(d: unknown, now: number, limitOfGuild: (guildId: string) => QueueGate): void {
    const retryAfter = field(d, "retry_after");
    const retryMs = typeof retryAfter === "number" && retryAfter >= 0 && retryAfter < Infinity
      ? Math.ceil(retryAfter * 1000)
      : DEFAULT_RETRY_MS;
    const [op, meta] = [field(d, "opcode"), field(d, "meta")];
    const [nonce, guildId] = [field(meta, "nonce"), field(meta, "guild_id")];
    const request = this.#byLikelihood().find((each) => each.isLimitedBy({ op, nonce, guildId }));
    if (request) this.#options.shut(request.gate, now + retryMs);
    else if (op === 8 && typeof guildId === "string") {
      this.#options.shut(limitOfGuild(guildId), now + retryMs);
    }
    request?.resend();
  }

  /** The session is usable, on a new connection. */
  connected(): void {
    this.#session = "live";
    for (const request of this.#open.keys()) request.connected();
  }

  /** The connection ended. */
  disconnected({ parked, closeCode }: ConnectionLost): void {
    this.#session = parked ? "parked" : "stopped";
    for (const request of this.#open.keys()) request.disconnected(closeCode);
  }

  /** Resolves as soon as no response waits any more. One call at a time. */
  drained(): Promise<void> {
    if (this.#length === 0 || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  /** The shard closed: no response will come any more. Commands that still wait in the queue are rejected there. */
  close(cause: unknown): void {
    this.#isClosed = true;
    for (const request of this.#open.keys()) request.closed(cause);
    this.#drained?.();
  }

  async *#responses<Item>(
    definition: RequestDefinition<Item>,
    request: PendingRequest<Item>,
  ): AsyncGenerator<Item, void, void> {
    try {
      if (!definition.complete) {
        this.#checkNonce(definition.command);
        this.#open.set(request, this.#options.wanted.want([definition.event, "RATE_LIMITED"]));
        request.start();
      }
      for (let next = await request.next(); next; next = await request.next()) yield next.response;
    } finally {
      request.stop();
    }
  }

  /**
   * In the order in which the commands were written, but requests whose command may be lost come last: a response names
   * its guild, not its request, and Discord responds to what was sent on this connection.
   */
  #byLikelihood(): PendingRequest<unknown>[] {
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
