/**
 * The fake's ends of all connections, and what can be done to one: a frame sent, a close, a cut, a stall.
 *
 * A *link* is one connection. It is `fresh` until it has identified or resumed, then `live`; op 9 makes it fresh again,
 * and an IDENTIFY that is left without a response makes it `unanswered`.
 */

import { GatewayCloseCode } from "../../../gateway/close_code.ts";
import { GatewayOpcode } from "../../../gateway/opcode.ts";
import type { Faults } from "../base/faults.ts";
import type { Refusal } from "./identify_check.ts";
import type { Journal } from "../base/journal.ts";
import type { NumberedFrame, Session } from "./session.ts";
import { SessionRegistry } from "./session_registry.ts";
import { closeReason, endsSession, inAnotherOrder } from "./wire.ts";

/** How answers leave. Nothing of it may call back in the same turn. */
export interface GatewayPort {
  /** Sends a frame: text, or bytes. */
  send(frame: string | Uint8Array): void;
  /** Sends a close frame and ends the connection. */
  close(code: number, reason: string): void;
  /** Ends the connection without a close frame, with half a frame before that if told. */
  cut(midFrame: boolean): void;
  /** Never reads, answers or sends again. */
  stall(): void;
}

/** Where a client dialled, and where it is to resume. */
export interface LinkUrls {
  /** The URL that was dialled. */
  readonly url: string;
  /** The bare URL that READY names for a resume. */
  readonly resumeUrl: string;
}

/** One connection. */
export interface Link extends LinkUrls {
  /** Counted from 1. */
  readonly id: number;
  /** How answers leave. */
  readonly port: GatewayPort;
  /** When the frames of the last minute came, in ms. */
  readonly frameTimes: number[];
  /** How far the client has come. */
  state: "fresh" | "unanswered" | "live";
  /** The session that is on it. */
  session: Session | null;
  /** Neither closed nor cut, as far as the fake knows. */
  open: boolean;
  /** Dead to the client. */
  stalled: boolean;
  /** The next heartbeat comes before this, in ms. */
  heartbeatBy: number;
  /** After op 7 the client is gone before this, in ms. */
  goneBy: number;
}

/** What the links are made from. */
export interface LinksOptions {
  /** Everything is written down here. */
  readonly journal: Journal;
  /** What goes wrong. */
  readonly faults: Faults;
  /** The bot's own id. */
  readonly botId: string;
  /** What HELLO says, in ms. */
  readonly heartbeatInterval: number;
  /** Dispatches kept per session. */
  readonly replayLimit: number;
  /** How long a session outlives its connection, in ms. */
  readonly sessionTimeoutMs: number;
  /** A session is over. */
  readonly sessionEnded: (sessionId: string) => void;
}

/** How long a client may be silent, in heartbeat intervals. */
const SILENT_INTERVALS = 1.5;
/** How long a client may go on after op 7, in ms. */
const RECONNECT_PATIENCE_MS = 5000;

/** All connections and the sessions on them; time passes only through `now`. */
export class Links {
  /** The bot's sessions, with and without connections. */
  readonly sessions: SessionRegistry;
  readonly #options: LinksOptions;
  readonly #open = new Set<Link>();
  readonly #bySession = new Map<Session, Link>();
  #lastId = 0;

  /** Starts without any. */
  constructor(options: LinksOptions) {
    this.#options = options;
    this.sessions = new SessionRegistry({ ...options, deliver: (...args) => this.#deliver(...args) });
  }

  /** The open ones, oldest first. */
  get open(): readonly Link[] {
    return [...this.#open];
  }

  /** The next instant at which `tick` has something to do, `Infinity` if there is none. */
  get deadline(): number {
    let at = Infinity;
    for (const link of this.#open) if (!link.stalled) at = Math.min(at, link.heartbeatBy, link.goneBy);
    return at;
  }

  /** Adds a connection. */
  add(port: GatewayPort, { url, resumeUrl }: LinkUrls, now: number): Link {
    const link: Link = {
      id: ++this.#lastId,
      url,
      resumeUrl,
      port,
      frameTimes: [],
      state: "fresh",
      session: null,
      open: true,
      stalled: false,
      heartbeatBy: Infinity,
      goneBy: Infinity,
    };
    this.#open.add(link);
    this.#options.journal.write({ kind: "dial", at: now, url, outcome: "open", connectionId: link.id });
    return link;
  }

  /** The session that had lost its connection, or has another one, goes on with this one. */
  attach(link: Link, session: Session, now: number): void {
    const old = this.#bySession.get(session);
    if (old) {
      old.session = null;
      this.close(old, GatewayCloseCode.UnknownError, "Session resumed on another connection", now);
    }
    this.#bySession.set(session, link);
    session.lostAt = null;
    link.session = session;
    link.state = "live";
  }

  /** Cuts those whose time is up. */
  tick(now: number): void {
    for (const link of this.open) {
      if (link.stalled) continue;
      if (now >= link.heartbeatBy) {
        this.violation(link, null, "a heartbeat comes in every interval", now);
        this.drop(link, false, now);
      } else if (now >= link.goneBy) {
        this.refuse(link, { code: GatewayCloseCode.UnknownError, rule: "op 7 is followed at once" }, now);
      }
    }
  }

  /** The client closed, or was lost (`null`). */
  closedByClient(link: Link, code: number | null, reason: string, now: number): void {
    if (!link.open) return;
    this.#options.journal.write({
      kind: "close",
      at: now,
      connectionId: link.id,
      by: "client",
      code,
      reason,
    });
    // What a stalled connection is told does not arrive.
    const ends = !link.stalled && (code === 1000 || code === 1001);
    this.#detach(link, ends ? `the client closed with ${code}` : null, now);
  }

  /** Sends HELLO; from here heartbeats are due. */
  hello(link: Link, now: number): void {
    const { heartbeatInterval } = this.#options;
    this.send(link, GatewayOpcode.Hello, { heartbeat_interval: heartbeatInterval, _trace: ["fake"] }, now);
    link.heartbeatBy = now + heartbeatInterval * SILENT_INTERVALS;
  }

  /** A heartbeat came. */
  heartbeat(link: Link, now: number): void {
    if (link.heartbeatBy < Infinity) {
      link.heartbeatBy = now + this.#options.heartbeatInterval * SILENT_INTERVALS;
    }
    if (!this.#options.faults.muteAcks) this.send(link, GatewayOpcode.HeartbeatAck, null, now);
  }

  /** Op 7. */
  reconnect(link: Link, now: number): void {
    this.send(link, GatewayOpcode.Reconnect, null, now);
    link.goneBy = now + RECONNECT_PATIENCE_MS;
  }

  /** Op 9; `undefined` leaves `d` out. Unless it is resumable, the session ends. */
  invalidate(link: Link, resumable: boolean | undefined, why: string, now: number): void {
    if (!link.open) return;
    const { session } = link;
    link.state = "fresh";
    link.session = null;
    if (session) {
      this.#bySession.delete(session);
      this.sessions.lose(session, now);
      if (!resumable) this.sessions.end(session, why, now, link.id);
    }
    this.send(link, GatewayOpcode.InvalidSession, resumable, now);
  }

  /** Sends a frame that is no dispatch. */
  send(link: Link, op: number, d: unknown, now: number): void {
    const body = d === undefined ? "" : `,"d":${JSON.stringify(d)}`;
    this.sendRaw(link, `{"t":null,"s":null,"op":${op}${body}}`, now, op);
  }

  /** Sends a dispatch of the link's session. */
  sendDispatch(link: Link, frame: NumberedFrame, now: number): void {
    if (!link.open || link.stalled) return;
    link.port.send(this.#options.faults.reorderKeys ? inAnotherOrder(frame.text) : frame.text);
    this.#options.journal.writeSent(now, link.id, GatewayOpcode.Dispatch, frame.t, frame.s);
  }

  /** Sends any text. */
  sendRaw(link: Link, text: string, now: number, op: number | null = null): void {
    if (!link.open || link.stalled) return;
    link.port.send(op !== null && this.#options.faults.reorderKeys ? inAnotherOrder(text) : text);
    this.#options.journal.writeSent(now, link.id, op, null, null);
  }

  /** Closes with a code; by some codes the session ends as well. */
  close(link: Link, code: number, ownReason: string | undefined, now: number): void {
    if (!link.open) return;
    const reason = ownReason ?? closeReason(code);
    this.#options.journal.write({
      kind: "close",
      at: now,
      connectionId: link.id,
      by: "server",
      code,
      reason,
    });
    this.#detach(link, endsSession(code) ? `its connection was closed with ${code}` : null, now);
    link.port.close(code, reason);
  }

  /** Cuts the connection; the session stays. */
  drop(link: Link, midFrame: boolean, now: number): void {
    if (!link.open) return;
    const reason = "";
    this.#options.journal.write({
      kind: "close",
      at: now,
      connectionId: link.id,
      by: "server",
      code: null,
      reason,
    });
    this.#detach(link, null, now);
    link.port.cut(midFrame);
  }

  /** Makes the connection dead to the client, which hears nothing of it. */
  stall(link: Link): void {
    link.stalled = true;
    link.port.stall();
  }

  /** A rule was broken that costs the connection. */
  refuse(link: Link, { code, rule }: Refusal, now: number): void {
    this.violation(link, code, rule, now);
    this.close(link, code, undefined, now);
  }

  /** A rule was broken. */
  violation(link: Link, code: number | null, rule: string, now: number): void {
    this.#options.journal.write({ kind: "violation", at: now, connectionId: link.id, code, rule });
  }

  #deliver(session: Session, frame: NumberedFrame, now: number): void {
    const link = this.#bySession.get(session);
    if (link) this.sendDispatch(link, frame, now);
  }

  #detach(link: Link, endOfSession: string | null, now: number): void {
    link.open = false;
    this.#open.delete(link);
    const { session } = link;
    if (session === null) return;
    link.session = null;
    this.#bySession.delete(session);
    this.sessions.lose(session, now);
    if (endOfSession !== null) this.sessions.end(session, endOfSession, now, link.id);
  }
}
