/**
 * UDP, by the module `node:dgram` that every runtime with UDP has: the only file that touches a real datagram socket.
 *
 * It hides two differences: one runtime has the module, and its calls have no effect; another checks permissions where
 * the error cannot be caught, so they are requested before. The module is looked up by its name at run time: a program
 * without media loads nothing.
 */

import type { DatagramSink, DatagramSocket } from "./datagram.ts";
import type { DiscoveredAddress } from "./discovery.ts";
import { VoiceMediaError } from "./media_error.ts";

/** The part of a socket of `node:dgram` that is used. */
interface Socket {
  on(event: "message", listener: (datagram: Uint8Array, from: DiscoveredAddress) => void): unknown;
  on(event: "error", listener: (error: Error & { readonly code?: unknown }) => void): unknown;
  bind(port: number, address: string, callback: () => void): unknown;
  connect(port: number, address: string, callback: (error?: Error) => void): unknown;
  send(datagram: Uint8Array): unknown;
  close(): unknown;
}

interface DgramModule {
  createSocket(family: "udp4" | "udp6"): Socket;
}

interface NetDescriptor {
  readonly name: "net";
  readonly host: string;
}

/** The globals that tell whether there is UDP. */
interface Surroundings {
  /** There everywhere: TypeScript rejects a type that has nothing in common with its source. */
  readonly globalThis: unknown;
  readonly navigator?: { readonly userAgent?: string };
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
  readonly Deno?: {
    readonly permissions: { request(descriptor: NetDescriptor): Promise<{ readonly state: string }> };
  };
}

/** The runtime whose module has no effect. */
const STUBBED = "Cloudflare-Workers";
const ANY_PORT = 0;

/**
 * Checks that media is possible here, before a join is sent that would fail for it.
 *
 * @throws {VoiceMediaError} `ERR_VOICE_MEDIA_UNSUPPORTED` where there is no UDP, `ERR_VOICE_MEDIA_PERMISSION` where the
 * program may not bind a socket.
 *
 * @example
 * ```ts
 * import { assertUdp } from "@discordgateway/edge/voice";
 *
 * await assertUdp(); // in a runtime with UDP, and with the permission to bind 0.0.0.0
 * ```
 */
export async function assertUdp(): Promise<void> {
  dgram();
  await assertPermission("0.0.0.0:0");
}

/**
 * Opens a UDP socket to a media server. Datagrams from other addresses are dropped.
 *
 * @throws {VoiceMediaError} No UDP, no permission, or no socket.
 *
 * @example
 * ```ts
 * import { openUdp } from "@discordgateway/edge/voice";
 *
 * const socket = await openUdp({ address: "127.0.0.1", port: 50_000 }, { receive: () => {}, failed: () => {} });
 * socket.send(new Uint8Array([1, 2, 3])); // lost, if nothing listens
 * socket.close();
 * ```
 */
export async function openUdp(server: DiscoveredAddress, sink: DatagramSink): Promise<DatagramSocket> {
  const { address, port } = server;
  const isV6 = address.includes(":");
  const { createSocket } = dgram();
  const anyAddress = isV6 ? "::" : "0.0.0.0";
  await assertPermission(`${hostOf(anyAddress)}:${ANY_PORT}`);
  await assertPermission(`${hostOf(address)}:${port}`);
  const socket = createSocket(isV6 ? "udp6" : "udp4");
  let state: "opening" | "open" | "closed" = "opening";
  const close = () => {
    if (state === "closed") return;
    state = "closed";
    socket.close();
  };
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) => {
      close();
      reject(socketError(cause));
    };
    socket.on("error", (error) => {
      if (state === "opening") return failed(error);
      // Nothing listens there at the moment: a datagram is lost. The voice gateway decides what becomes of the session.
      if (state === "closed" || error.code === "ECONNREFUSED") return;
      close();
      sink.failed(socketError(error));
    });
    socket.on("message", (datagram, from) => {
      // Not every runtime lets the kernel filter. IPv6 is not compared: one address can be written in many ways.
      const isStranger = !isV6 && (from.address !== address || from.port !== port);
      if (state === "open" && !isStranger) sink.receive(datagram);
    });
    socket.bind(ANY_PORT, anyAddress, () => {
      socket.connect(port, address, (error) => error ? failed(error) : resolve());
    });
  });
  state = "open";
  return {
    send: (datagram) => {
      // A datagram that cannot be sent is lost; without a callback no error is raised for it.
      if (state === "open") socket.send(datagram);
    },
    close,
  };
}

function dgram(): DgramModule {
  const { navigator, process }: Surroundings = globalThis;
  const module = navigator?.userAgent === STUBBED ? undefined : process?.getBuiltinModule?.("node:dgram");
  if (!isDgram(module)) {
    throw new VoiceMediaError("Cannot open a UDP socket: this runtime has none", {
      code: "ERR_VOICE_MEDIA_UNSUPPORTED",
    });
  }
  return module;
}

function isDgram(module: unknown): module is DgramModule {
  return typeof module === "object" && module !== null && "createSocket" in module;
}

/** In Deno a socket without the permission fails where the error cannot be caught. */
async function assertPermission(host: string): Promise<void> {
  const { Deno }: Surroundings = globalThis;
  if (Deno === undefined) return;
  const { state } = await Deno.permissions.request({ name: "net", host });
  if (state === "granted") return;
  throw new VoiceMediaError(
    `Cannot open a UDP socket: the program may not use the network address: ${host}`,
    {
      code: "ERR_VOICE_MEDIA_PERMISSION",
    },
  );
}

function hostOf(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function socketError(cause: Error): VoiceMediaError {
  return new VoiceMediaError(`Cannot use the UDP socket: ${cause.message}`, {
    code: "ERR_VOICE_MEDIA_SOCKET",
    cause,
  });
}
