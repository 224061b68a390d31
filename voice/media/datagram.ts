/** What media needs of UDP, as types alone: `udp.ts` has the runtime's own, tests have one in memory. */

import type { DiscoveredAddress } from "./discovery.ts";

/** Receives what comes on a socket. */
export interface DatagramSink {
  /** A datagram of the server came. */
  receive(datagram: Uint8Array): void;
  /** The socket has failed, and is closed. */
  failed(error: Error): void;
}

/** A socket to one server. */
export interface DatagramSocket {
  /** Sends a datagram; one that cannot be sent is lost. Never throws. */
  send(datagram: Uint8Array): void;
  /** Closes the socket; nothing comes after that. */
  close(): void;
}

/** Opens a socket to a server. A voice connection takes any such function. */
export type OpenUdp = (server: DiscoveredAddress, sink: DatagramSink) => Promise<DatagramSocket>;
