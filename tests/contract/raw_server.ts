/**
 * WebSocket servers written for the tests, for what no well-behaved server does: they take TCP connections on loopback and do to
 * each what the test says, byte by byte.
 */

import {
  encodeFrame,
  FrameOpcode,
  WebSocketDecoder,
  type WebSocketEvent,
} from "../fake/net/web_socket_frames.ts";

/** One TCP connection that a client made. */
export class RawConnection {
  /** What the client has sent since the handshake. */
  readonly received: WebSocketEvent[] = [];
  /** The client's side is gone: FIN or RST. */
  gone = false;
  readonly #tcp: Deno.Conn;
  readonly #decoder = new WebSocketDecoder();

  constructor(tcp: Deno.Conn) {
    this.#tcp = tcp;
  }

  /** Reads the client's request and returns the bytes that accept it; nothing is sent yet. */
  async acceptance(): Promise<Uint8Array> {
    const request = await this.request();
    const key = /^sec-websocket-key: (.+)\r$/im.exec(request)?.[1] ?? "";
    const hash = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key + ACCEPT_SUFFIX));
    const accept = btoa(String.fromCharCode(...new Uint8Array(hash)));
    return new TextEncoder().encode(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  }

  /** Reads the client's request. */
  async request(): Promise<string> {
    let request = "";
    const buffer = new Uint8Array(4096);
    while (!request.endsWith("\r\n\r\n")) {
      const count = await this.#tcp.read(buffer);
      if (count === null) throw new Error("The client hung up in the middle of its request");
      request += new TextDecoder().decode(buffer.subarray(0, count));
    }
    return request;
  }

  /** Completes the handshake, and listens from then on. */
  async accept(): Promise<void> {
    await this.write(await this.acceptance());
    void this.listen();
  }

  /** Takes whatever the client sends, and answers none of it. */
  async listen(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count = await this.#tcp.read(buffer); count !== null; count = await this.#tcp.read(buffer)) {
        this.received.push(...this.#decoder.push(buffer.subarray(0, count)));
      }
    } catch {
      // A reset is an end like any other.
    }
    this.gone = true;
  }

  /** Sends bytes as they are. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#tcp.write(bytes.subarray(at));
  }

  /** Sends a close frame, and keeps the connection. */
  async writeClose(code: number): Promise<void> {
    await this.write(encodeFrame(FrameOpcode.Close, new Uint8Array([code >> 8, code & 0xff])));
  }

  /** Drops the connection. */
  end(): void {
    try {
      this.#tcp.close();
    } catch {
      // It is closed already.
    }
  }
}

const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A TCP server on loopback. */
export class RawServer implements Disposable {
  /** Where to dial it. */
  readonly url: string;
  /** Every connection that there was, oldest first. */
  readonly connections: RawConnection[] = [];
  readonly #listener: Deno.Listener;

  /** Listens on a free port, and hands each connection to `handle`. */
  constructor(handle: (connection: RawConnection) => Promise<void>) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = this.#listener.addr as Deno.NetAddr;
    this.url = `ws://127.0.0.1:${port}/?v=10&encoding=json`;
    void this.#serve(handle);
  }

  async #serve(handle: (connection: RawConnection) => Promise<void>): Promise<void> {
    for await (const tcp of this.#listener) {
      const connection = new RawConnection(tcp);
      this.connections.push(connection);
      void handle(connection);
    }
  }

  /** Stops listening and drops every connection. */
  [Symbol.dispose](): void {
    for (const connection of this.connections) connection.end();
    this.#listener.close();
  }
}
