/**
 * The fake on a port: HTTP and WebSocket by `node:http`, which Deno, Bun and Node have.
 *
 * The only file here that names a runtime's module; it is loaded when somebody listens.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Backend } from "./backend.ts";
import { toResponse } from "../rest/rest.ts";
import { type ByteSocket, SocketPort } from "./socket_port.ts";

/** Where to listen. */
export interface ListenOptions {
  /** The port; 0 takes a free one. @default {0} */
  readonly port?: number;
  /** The address. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** With a certificate, in PEM, it speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** The fake on a port. */
export interface FakeServer extends AsyncDisposable {
  /** The base URL of the REST API. */
  readonly api: string;
  /** The URL of the gateway, without a query. */
  readonly gatewayUrl: string;
  /** Stops listening and gives every socket up; resolves when nothing is left. */
  close(): Promise<void>;
}

/** Node's hash function, loaded with the rest of it. */
type CreateHash = typeof import("node:crypto").createHash;

const RESUME_PATH = "/resume";
const MAX_BODY_BYTES = 1 << 20;
/** RFC 6455, section 1.3. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Serves the fake. */
export async function listen(backend: Backend, options: ListenOptions): Promise<FakeServer> {
  const { port = 0, hostname = "127.0.0.1", tls } = options;
  // Not at the top: in a bundle for a runtime without these modules, the rest has to load.
  const [{ createServer }, { createServer: createTlsServer }, { createHash }] = await Promise.all([
    import("node:http"),
    import("node:https"),
    import("node:crypto"),
  ]);
  const sockets = new Set<ByteSocket>();
  const server = tls ? createTlsServer(tls) : createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  const address = server.address();
  const host = `${hostname}:${typeof address === "object" && address ? address.port : port}`;
  const gatewayUrl = `${tls ? "wss" : "ws"}://${host}`;

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("request", (request, response) => void answer(backend, gatewayUrl, request, response));
  server.on("upgrade", (request: IncomingMessage, socket: ByteSocket, head: Uint8Array) => {
    // Not every runtime reports it as a connection.
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    upgrade({ backend, gatewayUrl, createHash, request, socket, head });
  });

  let closed: Promise<void> | null = null;
  const close = () =>
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    });
  return {
    api: `${tls ? "https" : "http"}://${host}/api/v10`,
    gatewayUrl,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function answer(
  backend: Backend,
  gatewayUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === null) return;
  const { pathname } = new URL(request.url ?? "/", "http://fake.invalid");
  const { method = "GET", headers: { authorization = null } } = request;
  const reply = toResponse(backend.rest({ method, path: pathname, authorization, body }, gatewayUrl));
  response.writeHead(reply.status, Object.fromEntries(reply.headers));
  response.end(await reply.text());
}

/** The body as text, `null` if the client went away or sent far too much. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const decoder = new TextDecoder();
  let body = "";
  try {
    for await (const chunk of request) {
      body += decoder.decode(chunk, { stream: true });
      if (body.length <= MAX_BODY_BYTES) continue;
      request.destroy();
      return null;
    }
  } catch {
    return null;
  }
  return body + decoder.decode();
}

function upgrade({ backend, gatewayUrl, createHash, request, socket, head }: {
  readonly backend: Backend;
  readonly gatewayUrl: string;
  readonly createHash: CreateHash;
  readonly request: IncomingMessage;
  readonly socket: ByteSocket;
  readonly head: Uint8Array;
}): void {
  const url = new URL(request.url ?? "/", gatewayUrl).href;
  const key = request.headers["sec-websocket-key"];
  const isWebSocket = request.headers.upgrade?.toLowerCase() === "websocket" &&
    request.headers["sec-websocket-version"] === "13" && typeof key === "string" && key.length === 24;
  if (!isWebSocket) return reject(socket, 400);
  const fate = backend.dialFate(url);
  if (typeof fate === "number") return reject(socket, fate);
  if (fate === "black hole") {
    socket.on("error", () => {});
    return void socket.on("end", () => socket.destroy());
  }
  const port = new SocketPort(socket, backend);
  port.sendBytes(encoder.encode(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64")}\r\n\r\n`,
  ));
  port.attach(backend.connect(port, { url, resumeUrl: gatewayUrl + RESUME_PATH }));
  port.received(head);
}

const encoder = new TextEncoder();

function reject(socket: ByteSocket, status: number): void {
  socket.on("error", () => {});
  socket.write(
    encoder.encode(`HTTP/1.1 ${status} Rejected\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`),
    () => socket.destroy(),
  );
}
