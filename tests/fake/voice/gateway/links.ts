/** The fake's ends of all connections to the voice gateway, and what can be done to one. */

import { VOICE_CLOSE_CODES, VoiceCloseCode } from "../../../../voice/wire/close_code.ts";
import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import type { Refusal } from "../../gateway/identify_check.ts";
import type { Journal } from "../../base/journal.ts";
import type { GatewayPort } from "../../gateway/links.ts";
import type { VoiceFaults } from "./faults.ts";
import type { VoiceSession } from "./session.ts";

/** One connection. */
export interface VoiceLink {
  /** Counted from 1. */
  readonly id: number;
  /** The URL that was dialled. */
  readonly url: string;
  /** How answers leave. */
  readonly port: GatewayPort;
  /** How far the client has come. */
  state: "fresh" | "identified";
  /** The session that is on it. */
  session: VoiceSession | null;
  /** Neither closed nor cut, as far as the fake knows. */
  open: boolean;
  /** Dead to the client. */
  stalled: boolean;
  /** The next heartbeat comes before this, in ms. */
  heartbeatBy: number;
}

/** What the links are made from. */
export interface VoiceLinksOptions {
  /** Everything is written down here. */
  readonly journal: Journal;
  /** What goes wrong. */
  readonly faults: VoiceFaults;
  /** What HELLO says, in ms. */
  readonly heartbeatInterval: number;
}

/** How long a client may be silent, in heartbeat intervals. */
const SILENT_INTERVALS = 1.5;

/** All connections; time passes only through `now`. */
export class VoiceLinks {
  readonly #options: VoiceLinksOptions;
  readonly #open = new Set<VoiceLink>();
  readonly #bySession = new Map<VoiceSession, VoiceLink>();
  #lastId = 0;

  /** Starts without any. */
  constructor(options: VoiceLinksOptions) {
    this.#options = options;
  }

  /** The open ones, oldest first. */
  get open(): readonly VoiceLink[] {
    return [...this.#open];
  }

  /** The next instant at which `tick` has something to do, `Infinity` if there is none. */
  get deadline(): number {
    let at = Infinity;
    for (const link of this.#open) if (!link.stalled) at = Math.min(at, link.heartbeatBy);
    return at;
  }

  /** Adds a connection. */
  add(port: GatewayPort, url: string, now: number): VoiceLink {
    const link: VoiceLink = {
      id: ++this.#lastId,
      url,
      port,
      state: "fresh",
      session: null,
      open: true,
      stalled: false,
      heartbeatBy: Infinity,
    };
    this.#open.add(link);
    this.#options.journal.write({ kind: "dial", at: now, url, outcome: "open", connectionId: link.id });
    return link;
  }

  /** The connection of a session. */
  of(session: VoiceSession): VoiceLink | undefined {
    return this.#bySession.get(session);
  }

  /** A session goes on with this connection; the one that it had is cut. */
  attach(link: VoiceLink, session: VoiceSession, now: number): void {
    const old = this.#bySession.get(session);
    if (old) this.drop(old, false, now);
    this.#bySession.set(session, link);
    session.lostAt = null;
    link.session = session;
    link.state = "identified";
  }

  /** Cuts those that have fallen silent. */
  tick(now: number): void {
    for (const link of this.open) {
      if (link.stalled || now < link.heartbeatBy) continue;
      this.violation(link, null, "a heartbeat comes in every interval", now);
      this.drop(link, false, now);
    }
  }

  /** The client closed, or was lost (`null`); its session waits for a resume. */
  closedByClient(link: VoiceLink, code: number | null, reason: string, now: number): void {
    if (!link.open) return;
    this.#options.journal.write({
      kind: "close",
      at: now,
      connectionId: link.id,
      by: "client",
      code,
      reason,
    });
    this.#detach(link, now);
  }

  /** Sends HELLO; from here heartbeats are due. */
  hello(link: VoiceLink, now: number): void {
    const { heartbeatInterval } = this.#options;
    this.send(link, VoiceOpcode.Hello, { v: 8, heartbeat_interval: heartbeatInterval }, now);
    link.heartbeatBy = now + heartbeatInterval * SILENT_INTERVALS;
  }

  /** A heartbeat came. */
  heartbeat(link: VoiceLink, nonce: number, now: number): void {
    if (link.heartbeatBy < Infinity) {
      link.heartbeatBy = now + this.#options.heartbeatInterval * SILENT_INTERVALS;
    }
    if (!this.#options.faults.muteAcks) this.send(link, VoiceOpcode.HeartbeatAck, { t: nonce }, now);
  }

  /** Sends a message that is not numbered. */
  send(link: VoiceLink, op: number, d: unknown, now: number): void {
    this.sendRaw(link, JSON.stringify({ op, d }), now, op);
  }

  /** Numbers a message and sends it; without a connection it waits for a resume. */
  dispatch(session: VoiceSession, op: number, d: unknown, now: number): void {
    const { frame, sequence } = session.number(op, d);
    const link = this.#bySession.get(session);
    if (link) this.sendRaw(link, frame, now, op, sequence);
  }

  /** The same with bytes. */
  dispatchBinary(session: VoiceSession, op: number, payload: Uint8Array, now: number): void {
    const { frame, sequence } = session.numberBinary(op, payload);
    const link = this.#bySession.get(session);
    if (link) this.sendRaw(link, frame, now, op, sequence);
  }

  /** Sends any frame. */
  sendRaw(
    link: VoiceLink,
    frame: string | Uint8Array,
    now: number,
    op: number | null = null,
    sequence: number | null = null,
  ): void {
    if (!link.open || link.stalled) return;
    link.port.send(frame);
    this.#options.journal.writeSent(now, link.id, op, null, sequence);
  }

  /** Closes with a code. */
  close(link: VoiceLink, code: number, ownReason: string | undefined, now: number): void {
    if (!link.open) return;
    const reason = ownReason ?? voiceCloseReason(code);
    this.#options.journal.write({
      kind: "close",
      at: now,
      connectionId: link.id,
      by: "server",
      code,
      reason,
    });
    this.#detach(link, now);
    link.port.close(code, reason);
  }

  /** Cuts the connection. */
  drop(link: VoiceLink, midFrame: boolean, now: number): void {
    if (!link.open) return;
    const [code, reason] = [null, ""];
    this.#options.journal.write({
      kind: "close",
      at: now,
      connectionId: link.id,
      by: "server",
      code,
      reason,
    });
    this.#detach(link, now);
    link.port.cut(midFrame);
  }

  /** Makes the connection dead to the client, which hears nothing of it. */
  stall(link: VoiceLink): void {
    link.stalled = true;
    link.port.stall();
  }

  /** A rule was broken that costs the connection. */
  refuse(link: VoiceLink, { code, rule }: Refusal, now: number): void {
    this.violation(link, code, rule, now);
    this.close(link, code, undefined, now);
  }

  /** A rule was broken. */
  violation(link: VoiceLink | null, code: number | null, rule: string, now: number): void {
    this.#options.journal.write({ kind: "violation", at: now, connectionId: link?.id ?? 0, code, rule });
  }

  #detach(link: VoiceLink, now: number): void {
    link.open = false;
    this.#open.delete(link);
    const { session } = link;
    if (session === null) return;
    link.session = null;
    this.#bySession.delete(session);
    session.lostAt = now;
  }
}

/** What Discord says along with a close code, in the words of its table. */
function voiceCloseReason(code: number): string {
  const name = VOICE_CLOSE_CODES.find((row) => row.code === code)?.name ?? "";
  return code === VoiceCloseCode.Disconnected
    ? "Disconnected."
    : name && `${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")}.`;
}
