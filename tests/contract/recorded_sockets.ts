/** The runtime's own `WebSocket` with a witness: which sockets there were, and with what each was closed. */

import { until } from "./until.ts";

/** One call of `WebSocket.close()`. */
export interface CloseCall {
  /** The code, `undefined` if none was given. */
  readonly code: number | undefined;
  /** The reason, `undefined` if none was given. */
  readonly reason: string | undefined;
}

/** A family of sockets. */
export class RecordedSockets implements AsyncDisposable {
  /** All of them, oldest first. */
  readonly sockets: WebSocket[] = [];
  /** What `close()` was called with, on any of them. */
  readonly closeCalls: CloseCall[] = [];
  /** The constructor to hand to `dial()`. */
  readonly WebSocket: new (url: string) => WebSocket;

  /** Starts without sockets. */
  constructor() {
    const { sockets, closeCalls } = this;
    this.WebSocket = class extends WebSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }

      override close(code?: number, reason?: string): void {
        closeCalls.push({ code, reason });
        super.close(code, reason);
      }
    };
  }

  /** Waits until the runtime has let go of each. The code under test never waits for that; a leak check has to. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until("every socket is closed", () => {
      return this.sockets.every(({ readyState }) => readyState === WebSocket.CLOSED);
    });
  }
}
