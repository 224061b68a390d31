/** A connection to the voice gateway as a test sees it: what it is, and what can be done to it. */

import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import type { VoiceLink, VoiceLinks } from "./links.ts";
import type { FakeVoiceSession } from "./session.ts";

/** One live connection to the fake's voice gateway; its methods are the story that a test plays. */
export interface FakeVoiceConnection {
  /** Counted from 1 in the order of the dials. */
  readonly id: number;
  /** The URL that was dialled. */
  readonly url: string;
  /** Whether it is still open. */
  readonly open: boolean;
  /** The session that is on it. */
  readonly session: FakeVoiceSession | undefined;
  /** Cuts the connection without a close frame; the session stays. */
  drop(): void;
  /** Makes it dead: it never reads, never answers a close, sends nothing. */
  stall(): void;
  /** Closes with a code, and the name of it unless another reason is given. The session stays. */
  close(code: number, reason?: string): void;
  /** Op 8 (again). */
  hello(): void;
  /** Op 3: asks for a heartbeat at once. */
  requestHeartbeat(): void;
  /** Numbers any message and sends it. */
  dispatch(op: number, d: unknown): void;
  /** Sends any frame. */
  sendRaw(frame: string | Uint8Array): void;
}

/** A {@linkcode FakeVoiceConnection} on a link. */
export class VoiceLinkHandle implements FakeVoiceConnection {
  readonly #links: VoiceLinks;
  readonly #link: VoiceLink;
  readonly #perform: (action: (now: number) => void) => void;

  /** Made by the fake. */
  constructor(links: VoiceLinks, link: VoiceLink, perform: (action: (now: number) => void) => void) {
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

  get session(): FakeVoiceSession | undefined {
    return this.#link.session ?? undefined;
  }

  drop(): void {
    this.#perform((now) => this.#links.drop(this.#link, false, now));
  }

  stall(): void {
    this.#perform(() => this.#links.stall(this.#link));
  }

  close(code: number, reason?: string): void {
    this.#perform((now) => this.#links.close(this.#link, code, reason, now));
  }

  hello(): void {
    this.#perform((now) => this.#links.hello(this.#link, now));
  }

  requestHeartbeat(): void {
    this.#perform((now) => this.#links.send(this.#link, VoiceOpcode.Heartbeat, null, now));
  }

  dispatch(op: number, d: unknown): void {
    const { session } = this.#link;
    if (!session) throw new TypeError("Cannot dispatch: the connection has no session");
    this.#perform((now) => this.#links.dispatch(session, op, d, now));
  }

  sendRaw(frame: string | Uint8Array): void {
    this.#perform((now) => this.#links.sendRaw(this.#link, frame, now));
  }
}
