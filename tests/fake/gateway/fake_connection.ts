/** A connection as a test sees it: what it is, and what can be done to it. */

import type { Link, Links } from "./links.ts";
import type { FakeSession } from "./session.ts";

/** One live connection to the fake; its methods are the story that a test plays. */
export interface FakeConnection {
  /** Counted from 1 in the order of the dials. */
  readonly id: number;
  /** The URL that was dialled. */
  readonly url: string;
  /** Whether it is still open. */
  readonly open: boolean;
  /** The shard that it identified or resumed as. */
  readonly shard: readonly [id: number, count: number] | undefined;
  /** The session that is on it. */
  readonly session: FakeSession | undefined;
  /** Cuts the connection without a close frame, on a port after half a frame if told. The session stays. */
  drop(options?: { readonly midFrame?: boolean }): void;
  /** Makes it dead: it never reads, never answers a close, sends nothing. */
  stall(): void;
  /** Closes with a code, and Discord's own reason for it unless another is given. */
  close(code: number, reason?: string): void;
  /** Op 1: asks for a heartbeat at once. */
  requestHeartbeat(): void;
  /** Op 7: asks to reconnect and resume. Who does not is closed after 5 s. */
  reconnect(): void;
  /** Op 9: the session is invalid; without an argument `d` is missing. Unless it is resumable, it is over. */
  invalidateSession(resumable?: boolean): void;
  /** Sends the guilds that `faults.withholdGuilds` has kept back. */
  sendGuilds(): void;
  /** Sends any text as a frame. */
  sendRaw(text: string): void;
  /** Op 10 (again). */
  hello(): void;
}

/** A {@linkcode FakeConnection} on a link. */
export class LinkHandle implements FakeConnection {
  readonly #links: Links;
  readonly #link: Link;
  readonly #perform: (action: (now: number) => void) => void;

  constructor(links: Links, link: Link, perform: (action: (now: number) => void) => void) {
    this.#links = links;
    this.#link = link;
    this.#perform = perform;
  }

  get id(): number {
    return this.#link.id;
  }

  get url(): string {
    return this.#link.url;
  }

  get open(): boolean {
    return this.#link.open;
  }

  get shard(): readonly [id: number, count: number] | undefined {
    return this.#link.session?.shard;
  }

  get session(): FakeSession | undefined {
    return this.#link.session ?? undefined;
  }

  drop({ midFrame = false }: { readonly midFrame?: boolean } = {}): void {
    this.#perform((now) => this.#links.drop(this.#link, midFrame, now));
  }

  stall(): void {
    this.#perform(() => this.#links.stall(this.#link));
  }

  close(code: number, reason?: string): void {
    this.#perform((now) => this.#links.close(this.#link, code, reason, now));
  }

  requestHeartbeat(): void {
    this.#perform((now) => this.#links.send(this.#link, 1, null, now));
  }

  reconnect(): void {
    this.#perform((now) => this.#links.reconnect(this.#link, now));
  }

  invalidateSession(resumable?: boolean): void {
    this.#perform((now) => this.#links.invalidate(this.#link, resumable, "the test invalidated it", now));
  }

  sendGuilds(): void {
    this.#perform((now) => {
      const { session } = this.#link;
      if (session) this.#links.sessions.sendGuilds(session, now);
    });
  }

  sendRaw(text: string): void {
    this.#perform((now) => this.#links.sendRaw(this.#link, text, now));
  }

  hello(): void {
    this.#perform((now) => this.#links.hello(this.#link, now));
  }
}
