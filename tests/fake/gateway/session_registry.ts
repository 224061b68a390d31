/** All sessions of the bot: started, found again for a resume, timed out, and handed the events that they may have. */

import { admits, lets, type Route, routeOf, withoutContent } from "./event_filter.ts";
import type { Journal } from "../base/journal.ts";
import { type NumberedFrame, Session, type SessionShape } from "./session.ts";
import { GatewayIntent } from "../../../gateway/intent.ts";

/** Where an event goes, when its body does not say it. */
export interface DispatchOptions {
  /** Only to sessions of this shard, whatever shard the guild belongs to. */
  readonly shardId?: number;
  /** The guild that the event is about, where its body has no `guild_id`. */
  readonly guildId?: string;
}

/** What the registry needs to know. */
export interface SessionRegistryOptions {
  /** The bot's own id. */
  readonly botId: string;
  /** Dispatches kept per session. */
  readonly replayLimit: number;
  /** How long a session outlives its connection, in ms. */
  readonly sessionTimeoutMs: number;
  /** Where starts and ends are written down. */
  readonly journal: Journal;
  /** A session is over. */
  readonly sessionEnded: (sessionId: string) => void;
  /** Sends a numbered frame to the session's connection, if it has one. */
  readonly deliver: (session: Session, frame: NumberedFrame, now: number) => void;
}

/** The sessions by id; time passes only through `now`. */
export class SessionRegistry {
  readonly #options: SessionRegistryOptions;
  readonly #sessions = new Map<string, Session>();

  /** Starts without sessions. */
  constructor(options: SessionRegistryOptions) {
    this.#options = options;
  }

  /** The sessions that could be resumed or are connected, oldest first. */
  list(now: number): readonly Session[] {
    for (const session of this.#sessions.values()) {
      const { lostAt } = session;
      if (lostAt !== null && now - lostAt >= this.#options.sessionTimeoutMs) {
        this.end(session, `it had no connection for ${this.#options.sessionTimeoutMs} ms`, now);
      }
    }
    return [...this.#sessions.values()];
  }

  /** The session with this id, if it still exists. */
  find(id: string, now: number): Session | undefined {
    return this.list(now).find((session) => session.id === id);
  }

  /** Starts a session on a connection. */
  start(shape: SessionShape, connectionId: number, now: number): Session {
    const session = new Session(shape, this.#options.replayLimit);
    this.#sessions.set(session.id, session);
    this.#write(session, "started", "identified", connectionId, now);
    return session;
  }

  /** The session lost its connection; it waits for a resume. */
  lose(session: Session, now: number): void {
    session.lostAt = now;
  }

  /** The session is no more: it cannot be resumed. */
  end(session: Session, why: string, now: number, connectionId: number | null = null): void {
    if (!this.#sessions.delete(session.id)) return;
    this.#write(session, "ended", why, connectionId, now);
    this.#options.sessionEnded(session.id);
  }

  /** From now on no session that exists can be resumed. */
  expire(): void {
    for (const session of this.#sessions.values()) session.expired = true;
  }

  /** Hands an event to every session that may have it; returns to how many. */
  dispatch(name: string, data: unknown, options: DispatchOptions, now: number): number {
    const { botId } = this.#options;
    const route = routeOf(name, data, botId, options.guildId);
    let full: string | undefined;
    let empty: string | undefined;
    let count = 0;
    for (const session of this.list(now)) {
      if (!this.#reaches(route, session, options.shardId)) continue;
      const withContent = (session.intents & GatewayIntent.MESSAGE_CONTENT) !== 0;
      const body = withContent
        ? full ??= serialised(data)
        : empty ??= serialised(withoutContent(name, data, route.guildId, botId));
      this.#options.deliver(session, session.number(name, body), now);
      count++;
    }
    return count;
  }

  /** Hands an event to one session, whatever its intents. */
  send(session: Session, name: string, data: unknown, now: number): void {
    this.#options.deliver(session, session.number(name, serialised(data)), now);
  }

  /** The guilds that were withheld come. */
  sendGuilds(session: Session, now: number): void {
    for (const [guildId, body] of session.withheld) {
      session.withheld.delete(guildId);
      if ((session.intents & GatewayIntent.GUILDS) !== 0) this.send(session, "GUILD_CREATE", body(), now);
    }
  }

  #reaches(route: Route, session: Session, shardId: number | undefined): boolean {
    if (route.guildId !== null && session.withheld.has(route.guildId)) return false;
    if (shardId === undefined) return lets(route, session.intents, session.shard);
    return session.shard[0] === shardId && admits(route, session.intents);
  }

  #write(
    session: Session,
    change: "started" | "ended",
    why: string,
    connectionId: number | null,
    at: number,
  ): void {
    this.#options.journal.write({ kind: "session", at, sessionId: session.id, connectionId, change, why });
  }
}

function serialised(data: unknown): string {
  return JSON.stringify(data) ?? "null";
}
