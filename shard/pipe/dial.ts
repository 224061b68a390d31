/**
 * `WebSocket` → {@linkcode Connection}: the only file that touches a real socket.
 *
 * It hides these differences between runtimes: the default of `binaryType`; a failed dial reports an error, a close, or
 * both; an abnormal end has code 0 in Deno and 1006 elsewhere; with a dead peer the close event never fires; and events
 * of an abandoned socket still arrive. So the first of error and close counts, and after a local `close()` all events
 * are ignored.
 */

import { messageOf } from "../../ratelimit/unknown.ts";
import type { Clock } from "../../ratelimit/clock.ts";
import { KEEP_SESSION_CLOSE_CODE } from "../../gateway/close_code.ts";
import { type Connection, Pipe } from "./connection.ts";
import { systemPlatform } from "./platform.ts";

/** How a dial can fail: the server or network refused, the deadline passed, or the caller aborted. */
export type DialErrorCode = "ERR_DIAL_FAILED" | "ERR_DIAL_TIMEOUT" | "ERR_DIAL_ABORTED";

/**
 * A connection that could not be opened.
 *
 * @example
 * ```ts
 * import { DialError } from "@discordgateway/edge/shard";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const discord = new FakeDiscord();
 * discord.faults.rejectDials.push(503);
 * const error = await discord.dial("wss://gateway.discord.gg/?v=10&encoding=json").catch((error) => error);
 * if (!(error instanceof DialError) || error.code !== "ERR_DIAL_FAILED") throw error;
 * ```
 */
export class DialError extends Error {
  /** The name of the class. */
  override readonly name = "DialError";
  /** Stable identifier for switch statements. */
  readonly code: DialErrorCode;

  /** Made by {@linkcode dial}, or by a custom dial function, so that the shard retries. */
  constructor(message: string, options: { code: DialErrorCode; cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = options.code;
  }
}

/** What every dial function accepts. */
export interface DialOptions {
  /** Aborts the dial; the half-open socket is closed. */
  readonly signal?: AbortSignal;
  /**
   * How long the handshake may take, in ms.
   *
   * @default {30_000}
   */
  readonly deadlineMs?: number;
}

/** Opens a connection to a gateway URL; rejects with {@linkcode DialError}. A shard takes any such function. */
export type Dial = (url: string, options?: DialOptions) => Promise<Connection>;

/** The part of the standard `WebSocket` that is used; npm's `ws` fits, too. */
export interface WebSocketLike {
  /** Set to `"arraybuffer"` before anything arrives. */
  binaryType: string;
  /** The handshake is done. */
  onopen: ((event: never) => void) | null;
  /** A message arrived. */
  onmessage: ((event: never) => void) | null;
  /** Something failed. */
  onerror: ((event: never) => void) | null;
  /** The socket closed. */
  onclose: ((event: never) => void) | null;
  /** Sends a message, text or bytes. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
}

/** A constructor of {@linkcode WebSocketLike}s, for runtimes without a global one. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** What {@linkcode dial} accepts besides {@linkcode DialOptions}. */
export interface WebSocketDialOptions extends DialOptions {
  /** The constructor to use; the runtime's global `WebSocket` by default. */
  readonly WebSocket?: WebSocketConstructor;
  /** Keeps the deadline; the runtime's timers by default. */
  readonly clock?: Clock;
}

/** How long a handshake may take by default, in ms. */
const DEFAULT_DIAL_DEADLINE_MS = 30_000;

/**
 * Opens a WebSocket and returns it as a pipe.
 *
 * Frames that arrive together with the handshake are kept. The shard dials by itself; call this for your own event loop.
 *
 * @param url A gateway URL, as `gatewayUrl()` builds it.
 * @throws {DialError} `ERR_DIAL_FAILED`, `ERR_DIAL_TIMEOUT` or `ERR_DIAL_ABORTED`.
 * @throws {TypeError} If the runtime has no global `WebSocket` and none was given.
 *
 * @example
 * ```ts
 * import { dial, DialError } from "@discordgateway/edge/shard";
 *
 * const signal = AbortSignal.abort();
 * const error = await dial("ws://127.0.0.1:9/?v=10&encoding=json", { signal }).catch((error) => error);
 * if (!(error instanceof DialError) || error.code !== "ERR_DIAL_ABORTED") throw error;
 * ```
 */
export function dial(url: string, options: WebSocketDialOptions = {}): Promise<Connection> {
  const { signal, deadlineMs = DEFAULT_DIAL_DEADLINE_MS, clock = systemPlatform } = options;
  return new Promise((resolve, reject) => {
    const WebSocketClass = options.WebSocket ?? globalWebSocket();
    if (signal?.aborted) {
      return reject(
        new DialError("Cannot dial: aborted", { code: "ERR_DIAL_ABORTED", cause: signal.reason }),
      );
    }
    let socket: WebSocketLike;
    try {
      socket = new WebSocketClass(url);
    } catch (cause) {
      return reject(new DialError(`Cannot dial: ${messageOf(cause)}`, { code: "ERR_DIAL_FAILED", cause }));
    }
    socket.binaryType = "arraybuffer";

    const pipe = new Pipe({
      send: (frame) => socket.send(frame),
      close: (code, reason) => {
        socket.close(code, reason);
        silence(socket);
      },
    });

    const settle = () => {
      clock.clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const giveUp = (error: DialError) => {
      settle();
      silence(socket);
      try {
        // Some runtimes throw while the socket is still connecting; it is abandoned in any case.
        socket.close(KEEP_SESSION_CLOSE_CODE);
      } catch (closeError) {
        error.cause ??= closeError;
      }
      reject(error);
    };
    const onAbort = () =>
      giveUp(new DialError("Cannot dial: aborted", { code: "ERR_DIAL_ABORTED", cause: signal?.reason }));
    const timer = clock.setTimeout(() => {
      giveUp(new DialError(`Cannot dial: no response within ${deadlineMs} ms`, { code: "ERR_DIAL_TIMEOUT" }));
    }, deadlineMs);
    signal?.addEventListener("abort", onAbort, { once: true });

    // Messages may come before the code that awaits this promise runs: the pipe keeps them.
    socket.onmessage = (event: { data: unknown }) => {
      const { data } = event;
      if (typeof data === "string") pipe.push(data);
      else if (data instanceof ArrayBuffer) pipe.push(new Uint8Array(data));
      else if (ArrayBuffer.isView(data)) {
        pipe.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
    };
    socket.onopen = () => {
      settle();
      opened = true;
      resolve(pipe);
    };
    let opened = false;
    const lost = (code: number | null, reason: string, error?: Error) => {
      silence(socket);
      if (opened) return pipe.finish({ code, reason, by: "remote", ...(error && { error }) });
      settle();
      const why = reason || (code === null ? "the handshake failed" : `closed with ${code}`);
      reject(
        new DialError(`Cannot dial: ${why}`, { code: "ERR_DIAL_FAILED", ...(error && { cause: error }) }),
      );
    };
    socket.onerror = (event: { message?: unknown; error?: unknown }) => {
      const error = event.error instanceof Error ? event.error : new Error(errorText(event));
      lost(null, error.message, error);
    };
    socket.onclose = (event: { code: number; reason: string }) =>
      lost(receivedCode(event.code), event.reason);
  });
}

/** Codes that no peer sends: runtimes report them for a close without a code and for a lost connection. */
function receivedCode(code: number): number | null {
  return code === 0 || code === 1005 || code === 1006 ? null : code;
}

function silence(socket: WebSocketLike): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
  // Not null: npm's ws throws an error without a listener.
  socket.onerror = () => {};
}

function globalWebSocket(): WebSocketConstructor {
  const { WebSocket }: { readonly WebSocket?: unknown } = globalThis;
  if (!isConstructor(WebSocket)) {
    throw new TypeError("Cannot dial: this runtime has no global WebSocket, pass one in the options");
  }
  return WebSocket;
}

/** The declared type does not help: some runtimes' declarations lack the handler properties, which all of them have. */
function isConstructor(value: unknown): value is WebSocketConstructor {
  return typeof value === "function";
}

function errorText(event: { message?: unknown }): string {
  return typeof event.message === "string" && event.message ? event.message : "the socket failed";
}
