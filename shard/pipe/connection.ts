/**
 * The pipe: one socket as `{ readable, writable, closed, close() }`.
 *
 * A connection has **one sink**. The socket's message handler passes each frame directly to the attached sink; the
 * shard attaches its loop. `readable` is the standard interface of the same mechanism: a sink that enqueues, made on
 * first access. Frames that arrive before a sink is attached wait in order, so that frames that come with the handshake
 * are not lost.
 */

import { isSendableCloseCode, KEEP_SESSION_CLOSE_CODE } from "../../gateway/close_code.ts";

/** The data of one WebSocket message: text, or bytes if a compression was negotiated. */
export type Frame = string | Uint8Array;

/** How a connection ended; `code` is `null` if the peer sent no close code (a lost connection, an error, 1005, 1006, 0). */
export interface ConnectionEnd {
  /** The close code received or sent, `null` if there was none. */
  readonly code: number | null;
  /** The close reason, often empty. */
  readonly reason: string;
  /** Which side ended it: a local `close()`, or the peer or the network. */
  readonly by: "local" | "remote";
  /** The error that the transport reported, if it reported one. */
  readonly error?: Error;
}

/** Receives the output of a connection: any number of frames, then one end. */
export interface ConnectionSink {
  /** A frame arrived. */
  frame(frame: Frame): void;
  /** The connection ended; nothing follows. */
  end(end: ConnectionEnd): void;
}

/** The socket's side of a pipe: sends frames and the close. Both may throw; the error reaches the caller. */
export interface ConnectionPort {
  /** Sends one frame now. */
  send(frame: string | Uint8Array<ArrayBuffer>): void;
  /** Starts the close and abandons the socket, without waiting for the peer's close frame. */
  close(code: number, reason: string): void;
}

/**
 * A WebSocket as a pipe.
 *
 * Read either through {@linkcode Connection.attach} or through {@linkcode Connection.readable}; both deliver the same.
 */
export interface Connection {
  /** The frames as a stream, closed when the connection ends. Asking for it attaches its sink. */
  readonly readable: ReadableStream<Frame>;
  /** Takes text frames to send; closing it ends the Discord session (1000), aborting it keeps the session. */
  readonly writable: WritableStream<string>;
  /** Resolves once with how it ended: at once after a local `close()`. Never rejects. */
  readonly closed: Promise<ConnectionEnd>;
  /** Passes every waiting and future frame to `sink`. A connection takes one sink, once. */
  attach(sink: ConnectionSink): void;
  /** Sends one frame now; throws what the socket throws. */
  send(frame: string | Uint8Array<ArrayBuffer>): void;
  /** Closes with 1000 or 3000–4999 and abandons the socket. A second call, or one after the end, does nothing. */
  close(code?: number, reason?: string): void;
}

/**
 * An operation on a connection that has ended already.
 *
 * @example
 * ```ts
 * import { ConnectionClosedError, connectionPair } from "@discordgateway/edge/shard";
 *
 * const [client] = connectionPair();
 * client.close(1000);
 * try {
 *   client.send("too late");
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof ConnectionClosedError) || error.end.code !== 1000) throw error;
 * }
 * ```
 */
export class ConnectionClosedError extends Error {
  /** The name of the class. */
  override readonly name = "ConnectionClosedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_CONNECTION_CLOSED";
  /** How the connection ended. */
  readonly end: ConnectionEnd;

  /** Made by the connection. */
  constructor(end: ConnectionEnd) {
    super(
      `Cannot send: the connection has ended (${end.code ?? "no close code"}${
        end.reason && `, ${end.reason}`
      })`,
    );
    this.end = end;
  }
}

/**
 * The mechanism behind every {@linkcode Connection}: a runtime's socket calls `push` and `finish`, the user's side
 * reads and sends. The first end counts; later reports of the socket have no effect.
 *
 * @example
 * ```ts
 * import { Pipe } from "@discordgateway/edge/shard";
 *
 * const sent: unknown[] = [];
 * const pipe = new Pipe({ send: (frame) => sent.push(frame), close: () => {} });
 * pipe.push('{"op":10}');                       // arrives before a sink is attached: kept
 * const received: unknown[] = [];
 * pipe.attach({ frame: (frame) => received.push(frame), end: () => {} });
 * pipe.send('{"op":1,"d":null}');
 * pipe.close(4200, "back soon");
 * const end = await pipe.closed;
 * if (received.length !== 1 || sent.length !== 1 || end.code !== 4200) throw new Error("unexpected");
 * ```
 */
export class Pipe implements Connection {
  readonly closed: Promise<ConnectionEnd>;
  readonly #port: ConnectionPort;
  #sink: ConnectionSink | null = null;
  /** Frames that wait for a sink; `null` once the sink takes each as it comes. */
  #waiting: Frame[] | null = [];
  #end: ConnectionEnd | null = null;
  #resolveClosed!: (end: ConnectionEnd) => void;
  #readable: ReadableStream<Frame> | null = null;
  #writable: WritableStream<string> | null = null;

  /** Wraps one socket's outgoing side. */
  constructor(port: ConnectionPort) {
    this.#port = port;
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
  }

  /** Input from the socket: a message arrived. Ignored after the end. */
  push(frame: Frame): void {
    if (this.#end) return;
    if (this.#waiting) this.#waiting.push(frame);
    else this.#sink?.frame(frame);
  }

  /** Input from the socket: it closed or failed. Only the first end counts. */
  finish(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#resolveClosed(end);
    this.#sink?.end(end);
  }

  attach(sink: ConnectionSink): void {
    if (this.#sink) throw new TypeError("Cannot attach: the connection has a sink already");
    this.#sink = sink;
    const ended = this.#end;
    // A frame that comes meanwhile joins the end of what is iterated over.
    for (const frame of this.#waiting ?? []) {
      // The sink may have closed the connection while it took the frame before this one.
      if (this.#end !== ended) break;
      sink.frame(frame);
    }
    this.#waiting = null;
    if (ended) sink.end(ended);
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.#end) throw new ConnectionClosedError(this.#end);
    this.#port.send(frame);
  }

  close(code = 1000, reason = ""): void {
    if (!isSendableCloseCode(code)) {
      throw new RangeError(`Cannot close: the code must be 1000 or in 3000-4999: ${code}`);
    }
    if (this.#end) return;
    // If the socket's close() throws, the connection is still open and the caller may try again.
    this.#port.close(code, reason);
    this.finish({ code, reason, by: "local" });
  }

  get readable(): ReadableStream<Frame> {
    let cancelled = false;
    return this.#readable ??= new ReadableStream<Frame>({
      start: (controller) => {
        this.attach({
          // A cancelled stream is closed already, even if the socket could not be.
          frame: (frame) => cancelled || controller.enqueue(frame),
          end: () => cancelled || controller.close(),
        });
      },
      cancel: () => {
        cancelled = true;
        this.close(KEEP_SESSION_CLOSE_CODE);
      },
    });
  }

  get writable(): WritableStream<string> {
    return this.#writable ??= new WritableStream<string>({
      write: (frame) => this.send(frame),
      close: () => this.close(1000),
      abort: () => this.close(KEEP_SESSION_CLOSE_CODE),
    });
  }
}
