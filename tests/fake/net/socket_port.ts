/**
 * One WebSocket on a TCP socket, the server's side: the codec joined to a byte stream, with all that can go wrong.
 *
 * The socket is taken structurally (what Deno, Bun and Node have in common of `node:net`). Frames wait here until the
 * socket drains, so a flood does not pile up in it twice.
 */

import type { Platform } from "../../../shard/pipe/platform.ts";
import type { LinkInput } from "./backend.ts";
import type { SocketFaults } from "../base/faults.ts";
import type { GatewayPort } from "../gateway/links.ts";
import {
  closePayload,
  encodeFrame,
  encodeText,
  FrameOpcode,
  WebSocketDecoder,
  type WebSocketEvent,
} from "./web_socket_frames.ts";

/** The part of a `node:net` socket that is used. */
export interface ByteSocket {
  /** Writes bytes; `false` asks to wait for `drain`. */
  write(bytes: Uint8Array, written?: () => void): boolean;
  /** Sends FIN after what was written. */
  end(): unknown;
  /** Gives the socket up. */
  destroy(): unknown;
  /** Stops reading. */
  pause(): unknown;
  /** Registers for an event. */
  on(event: string, listener: (data: Uint8Array) => void): unknown;
}

/** How long a peer may take to answer a close, or to read what precedes a cut, in ms. */
const LINGER_MS = 2000;
/** How many pieces a message and each of its frames are cut into. */
const FRAGMENTS = 3;

type Item = string | Uint8Array | { readonly cut: boolean };

/** The port of one connection. */
export class SocketPort implements GatewayPort {
  readonly #socket: ByteSocket;
  readonly #clock: Platform;
  readonly #faults: SocketFaults;
  readonly #decoder = new WebSocketDecoder();
  #input: LinkInput | null = null;
  /** What came before the core took part. */
  #early: WebSocketEvent[] = [];
  #outbox: Item[] = [];
  #sending = false;
  #stalled = false;
  #over = false;
  #linger: unknown = null;
  #drained: (() => void) | null = null;

  /** Starts listening to the socket at once. `first` goes out with the first frame, if the faults say so. */
  constructor(
    socket: ByteSocket,
    { clock, faults }: { readonly clock: Platform; readonly faults: SocketFaults },
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#faults = faults;
    socket.on("data", (bytes) => this.#received(bytes));
    socket.on("drain", () => this.#drained?.());
    socket.on("end", () => this.#stalled || socket.destroy());
    // A close always follows.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#over = true;
      this.#outbox = [];
      this.#drained?.();
      if (this.#linger !== null) this.#clock.clearTimeout(this.#linger);
      this.#input?.closed(null, "");
    });
  }

  /** The core takes part; it hears what has come already. */
  attach(input: LinkInput): void {
    this.#input = input;
    for (const event of this.#early.splice(0)) this.#handle(event);
  }

  /** Bytes that came together with the handshake. */
  received(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#received(bytes);
  }

  /** Sends bytes as they are: the response to the handshake. */
  sendBytes(bytes: Uint8Array): void {
    this.#put(bytes);
  }

  send(frame: string | Uint8Array): void {
    this.#put(typeof frame === "string" ? frame : encodeFrame(FrameOpcode.Binary, frame));
  }

  close(code: number, reason: string): void {
    this.#put(encodeFrame(FrameOpcode.Close, closePayload(code, reason)));
    this.#lingerThenDestroy();
  }

  cut(midFrame: boolean): void {
    this.#put({ cut: midFrame });
    this.#lingerThenDestroy();
  }

  stall(): void {
    this.#stalled = true;
    this.#outbox = [];
    this.#socket.pause();
  }

  // In.

  #received(bytes: Uint8Array): void {
    if (this.#stalled || this.#over) return;
    for (const event of this.#decoder.push(bytes)) {
      if (this.#input) this.#handle(event);
      else this.#early.push(event);
    }
  }

  #handle(event: WebSocketEvent): void {
    if (event.type === "text") this.#input?.receive(event.text);
    else if (event.type === "binary") this.#input?.receive(event.data);
    else if (event.type === "ping") this.#put(encodeFrame(FrameOpcode.Pong, event.data));
    else if (event.type === "error") {
      const { closeCode, message } = event.error;
      this.#input?.closed(closeCode, message);
      this.close(closeCode, message);
      this.#put({ cut: false });
    } else if (event.type === "close") {
      this.#input?.closed(event.code, event.reason);
      // The answer to their close, or, if ours came first, nothing but the end.
      if (this.#linger === null) this.#put(encodeFrame(FrameOpcode.Close, closePayload(event.code)));
      this.#put({ cut: false });
    }
  }

  // Out.

  #put(item: Item): void {
    if (this.#stalled || this.#over) return;
    this.#outbox.push(item);
    if (this.#sending) return;
    this.#sending = true;
    void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    // What is put in one turn may leave in one segment.
    if (this.#faults.coalesceHello) await null;
    for (let batch = this.#outbox; batch.length > 0; batch = this.#outbox) {
      this.#outbox = [];
      if (this.#faults.coalesceHello) batch = coalesced(batch);
      for (const item of batch) {
        if (this.#over || this.#stalled) break;
        if (isCut(item)) await this.#cutNow(item.cut);
        else for (const piece of this.#pieces(item)) await this.#write(piece);
      }
    }
    this.#sending = false;
  }

  #pieces(item: string | Uint8Array): Uint8Array[] {
    if (!this.#faults.splitFrames) return typeof item === "string" ? encodeText(item) : [item];
    const frames = typeof item === "string" ? encodeText(item, FRAGMENTS) : [item];
    // The first cut goes through the header.
    return frames.flatMap((frame) => [frame.subarray(0, 1), frame.subarray(1, 5), frame.subarray(5)])
      .filter((piece) => piece.length > 0);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const goOn = this.#socket.write(bytes);
    if (this.#faults.splitFrames) await nextTask();
    if (goOn || this.#over) return;
    await new Promise<void>((resolve) => this.#drained = resolve);
    this.#drained = null;
  }

  async #cutNow(midFrame: boolean): Promise<void> {
    const half = midFrame ? encodeText('{"t":"MESSAGE_CREATE","s":').at(0)?.subarray(0, 12) : undefined;
    // Destroying at once would take back what is on its way.
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#socket.write(half ?? new Uint8Array(), () => resolve());
    });
    this.#socket.destroy();
  }

  #lingerThenDestroy(): void {
    if (this.#over || this.#linger !== null) return;
    this.#linger = this.#clock.setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }
}

function isCut(item: Item): item is { readonly cut: boolean } {
  return typeof item !== "string" && !(item instanceof Uint8Array);
}

/** The handshake's answer and the first frame after it in one piece. */
function coalesced(batch: Item[]): Item[] {
  const [first, second, ...rest] = batch;
  if (!(first instanceof Uint8Array) || typeof second !== "string") return batch;
  const [frame = new Uint8Array()] = encodeText(second);
  const both = new Uint8Array(first.length + frame.length);
  both.set(first);
  both.set(frame, first.length);
  return [both, ...rest];
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
