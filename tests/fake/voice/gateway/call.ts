/** The call of one channel: who is in it, what they are told of each other, and its end-to-end encryption. */

import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import { DaveCoordinator } from "../mls/dave_coordinator.ts";
import type { DaveCoordinatorOptions } from "../mls/coordinator_options.ts";
import type { VoiceLinks } from "./links.ts";
import type { VoiceSession } from "./session.ts";

/** What a call is made from. */
export interface VoiceCallOptions extends Omit<DaveCoordinatorOptions, "send" | "sendBinary" | "violation"> {
  /** Ways to the clients. */
  readonly links: VoiceLinks;
  /** The present, in ms. */
  readonly now: () => number;
}

/** The call of one channel. */
export class VoiceCall {
  /** The end-to-end encryption. */
  readonly dave: DaveCoordinator;
  readonly #links: VoiceLinks;
  readonly #sessions = new Map<string, VoiceSession>();

  /** Starts empty. */
  constructor(options: VoiceCallOptions) {
    const { links, now } = options;
    this.#links = links;
    const to = (userId: string, act: (session: VoiceSession) => void) => {
      const session = this.#sessions.get(userId);
      if (session) act(session);
    };
    this.dave = new DaveCoordinator({
      ...options,
      send: (userId, op, d) => to(userId, (session) => links.dispatch(session, op, d, now())),
      sendBinary: (userId, op, payload) =>
        to(userId, (session) => links.dispatchBinary(session, op, payload, now())),
      violation: (userId, rule) =>
        to(userId, (session) => links.violation(links.of(session) ?? null, null, rule, now())),
    });
  }

  /** Who is in it, in the order of their coming. */
  get sessions(): readonly VoiceSession[] {
    return [...this.#sessions.values()];
  }

  /** A client has identified: it hears who is there, and they hear of it. */
  enter(session: VoiceSession, now: number): void {
    const { userId } = session.credentials;
    const others = this.sessions;
    this.#sessions.set(userId, session);
    if (others.length > 0) {
      const ids = others.map((other) => other.credentials.userId);
      this.#links.dispatch(session, VoiceOpcode.ClientsConnect, { user_ids: ids }, now);
    }
    for (const other of others) {
      this.#links.dispatch(other, VoiceOpcode.ClientsConnect, { user_ids: [userId] }, now);
    }
  }

  /** A client has its description: it hears who speaks, and joins the encryption. */
  described(session: VoiceSession, now: number): void {
    session.described = true;
    for (const other of this.sessions) {
      if (other !== session && other.speaking !== 0) this.#tellSpeaking(session, other, now);
    }
    if (this.dave.version > 0) this.dave.join(session.credentials.userId);
  }

  /** Op 5. */
  speaks(session: VoiceSession, speaking: number, now: number): void {
    session.speaking = speaking;
    session.hasSpoken ||= speaking !== 0;
    if (session.hasSpoken) session.speakBy = Infinity;
    for (const other of this.sessions) if (other !== session) this.#tellSpeaking(other, session, now);
  }

  /** A client is gone for good. */
  leave(session: VoiceSession, now: number): void {
    const { userId } = session.credentials;
    if (this.#sessions.get(userId) !== session) return;
    this.#sessions.delete(userId);
    for (const other of this.sessions) {
      this.#links.dispatch(other, VoiceOpcode.ClientDisconnect, { user_id: userId }, now);
    }
    this.dave.leave(userId);
  }

  #tellSpeaking(to: VoiceSession, { credentials, ssrc, speaking }: VoiceSession, now: number): void {
    this.#links.dispatch(to, VoiceOpcode.Speaking, { speaking, ssrc, user_id: credentials.userId }, now);
  }
}
