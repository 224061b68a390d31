/**
 * A gateway without a mind of its own: a test sees each socket that a shard opens, and says everything that comes out
 * of it, also what no Discord would say, and also after the end.
 */

import { type ConnectionEnd, type Dial, DialError, Pipe } from "../../shard/mod.ts";
import { dispatch, frame } from "../gateway/harness.ts";

/** One socket that the shard opened. */
export class PuppetSocket {
  /** The URL that was dialled. */
  readonly url: string;
  /** The frames that the shard sent, parsed. */
  readonly sent: { readonly op: number; readonly d: unknown }[] = [];
  /** Each call of the socket's `close()`. */
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  /** The socket's other end. */
  readonly pipe: Pipe;
  /** What `send()` throws, where it does. */
  sendError: Error | null = null;
  /** What `close()` throws, where it does. */
  closeError: Error | null = null;

  constructor(url: string) {
    this.url = url;
    this.pipe = new Pipe({
      send: (text) => {
        if (this.sendError) throw this.sendError;
        this.sent.push(JSON.parse(String(text)));
      },
      close: (code, reason) => {
        this.closes.push({ code, reason });
        if (this.closeError) throw this.closeError;
      },
    });
  }

  /** The opcodes of what the shard sent. */
  get ops(): number[] {
    return this.sent.map(({ op }) => op);
  }

  /** Says a payload that is no dispatch. */
  say(op: number, d: unknown = null): void {
    this.pipe.push(frame(op, d));
  }

  /** Says any text. */
  sayRaw(text: string): void {
    this.pipe.push(text);
  }

  /** Says HELLO. */
  hello(intervalMs = 40_000): void {
    this.say(10, { heartbeat_interval: intervalMs });
  }

  /** Says READY. */
  ready(sessionId = "abc", resumeUrl: string | null = "wss://resume.test"): void {
    this.dispatch("READY", 1, { session_id: sessionId, resume_gateway_url: resumeUrl });
  }

  /** Says a dispatch. */
  dispatch(name: string, s: number, d: unknown = {}): void {
    this.pipe.push(dispatch(name, s, d));
  }

  /** The socket ends, by the peer or the network. */
  lose(end: Partial<ConnectionEnd> = {}): void {
    this.pipe.finish({ code: null, reason: "", by: "remote", ...end });
  }
}

/** Opens {@linkcode PuppetSocket}s. */
export class Puppet {
  /** All sockets, in the order of their dials. */
  readonly sockets: PuppetSocket[] = [];
  /** Give it to a shard. */
  readonly dial: Dial = (url) => {
    if (this.refuse > 0) {
      this.refuse--;
      return Promise.reject(new DialError("Cannot dial: refused", { code: "ERR_DIAL_FAILED" }));
    }
    const socket = new PuppetSocket(url);
    this.sockets.push(socket);
    return Promise.resolve(socket.pipe);
  };
  /** So many next dials fail. */
  refuse = 0;

  /** The newest socket. */
  get socket(): PuppetSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("No socket was dialled");
    return socket;
  }
}
