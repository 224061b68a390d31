/**
 * A media server's UDP socket, by `node:dgram`, which Deno, Bun and Node have.
 *
 * The only file of voice here that names a runtime's module; it is loaded when somebody listens.
 */

import type { DatagramAddress } from "../gateway/session.ts";

/** A UDP socket that is bound. */
export interface UdpServer {
  /** Where it is bound. */
  readonly address: DatagramAddress;
  /** Sends a datagram; errors are as lost as datagrams. */
  send(datagram: Uint8Array, to: DatagramAddress): void;
  /** Gives the socket up. */
  close(): Promise<void>;
}

/** Binds a UDP socket to a free port. */
export async function openUdpServer(
  hostname: string,
  receive: (datagram: Uint8Array, from: DatagramAddress) => void,
): Promise<UdpServer> {
  // Not at the top: in a bundle for a runtime without this module, the rest has to load.
  const { createSocket } = await import("node:dgram");
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, hostname, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  let closed = false;
  // The peer may be gone: that is the peer's business.
  socket.on("error", () => {});
  socket.on("message", (datagram, { address, port }) => {
    if (!closed) receive(datagram, { address, port });
  });
  const { address, port } = socket.address();
  return {
    address: { address, port },
    send: (datagram, to) => closed || socket.send(datagram, to.port, to.address, () => {}),
    close: () => {
      if (closed) return Promise.resolve();
      closed = true;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}
