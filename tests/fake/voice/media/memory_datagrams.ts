/** Datagrams in memory: sockets of clients, each with an address of its own. Nothing arrives in the turn in which it was sent. */

import type { DatagramAddress } from "../gateway/session.ts";

/** A client's socket. */
export interface MemoryDatagramSocket {
  /** Where its datagrams come from, as the media server sees it. */
  readonly address: DatagramAddress;
  /** Sends a datagram; where nobody listens it is lost. */
  send(datagram: Uint8Array, to: DatagramAddress): void;
  /** Nothing comes any more, and nothing leaves. */
  close(): void;
}

/** Takes what comes to a socket. */
export type DatagramListener = (datagram: Uint8Array<ArrayBuffer>, from: DatagramAddress) => void;

/** The addresses of clients, kept for documentation. */
const CLIENT_ADDRESS = "192.0.2.1";
const FIRST_PORT = 40_000;
/** How many promise turns a datagram takes: what went before it on a WebSocket in memory has arrived by then. */
const TURNS = 40;

/** Everything that listens in memory. */
export class MemoryDatagrams {
  readonly #listeners = new Map<string, DatagramListener>();
  #nextPort = FIRST_PORT;

  /** A server listens. */
  listen(address: DatagramAddress, listener: DatagramListener): void {
    this.#listeners.set(nameOf(address), listener);
  }

  /** Opens a socket for a client. */
  open(listener: DatagramListener): MemoryDatagramSocket {
    const address = { address: CLIENT_ADDRESS, port: this.#nextPort++ };
    this.listen(address, listener);
    return {
      address,
      send: (datagram, to) => {
        if (this.#listeners.get(nameOf(address)) === listener) this.deliver(datagram, address, to);
      },
      close: () => void this.#listeners.delete(nameOf(address)),
    };
  }

  /** Brings a datagram from one address to another. */
  deliver(datagram: Uint8Array, from: DatagramAddress, to: DatagramAddress): void {
    const copy = Uint8Array.from(datagram);
    void (async () => {
      for (let turn = 0; turn < TURNS; turn++) await null;
      this.#listeners.get(nameOf(to))?.(copy, from);
    })();
  }
}

function nameOf({ address, port }: DatagramAddress): string {
  return `${address}:${port}`;
}
