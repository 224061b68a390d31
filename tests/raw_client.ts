/** A client without manners for the tests of the fake: it sends exactly what it is told, and keeps what it gets. */

import type { Connection, ConnectionEnd } from "../shard/pipe/connection.ts";
import { FakeDiscord } from "./fake/fake_discord.ts";
import type { FakeDiscordOptions } from "./fake/options.ts";
import { VirtualClock } from "./fake/base/virtual_clock.ts";

/** A payload as it came. */
export interface Payload {
  readonly op: number;
  /** Of every shape, as it was parsed. */
  readonly d: ReturnType<typeof JSON.parse>;
  readonly s: number | null;
  readonly t: string | null;
}

export const GATEWAY_URL = "wss://gateway.fake.invalid/?v=10&encoding=json";
export const RESUME_URL = "wss://resume.gateway.fake.invalid/?v=10&encoding=json";

/** All intents, privileged ones too. */
export const EVERY_INTENT = 53_608_447;

/** One raw connection in memory. */
export class RawClient {
  readonly texts: string[] = [];
  end: ConnectionEnd | null = null;
  readonly connection: Connection;
  readonly #token: string;

  constructor(connection: Connection, token: string) {
    this.connection = connection;
    this.#token = token;
    connection.attach({
      frame: (frame) => this.texts.push(String(frame)),
      end: (end) => this.end = end,
    });
  }

  get frames(): Payload[] {
    return this.texts.map((text) => JSON.parse(text));
  }

  /** The names of dispatches and the opcodes of all else, in order. */
  get heard(): string[] {
    return this.frames.map(({ t, op }) => t ?? `op ${op}`);
  }

  get lastSequence(): number {
    return Math.max(0, ...this.frames.map(({ s }) => s ?? 0));
  }

  /** The bodies of one event. */
  bodies(t: string): Payload["d"][] {
    return this.frames.filter((frame) => frame.t === t).map(({ d }) => d);
  }

  send(op: number, d?: unknown): void {
    this.connection.send(JSON.stringify({ op, d }));
  }

  identify(changes: Record<string, unknown> = {}): void {
    this.send(2, { token: this.#token, intents: 0, properties: {}, ...changes });
  }

  resume(sessionId: string, seq: number, changes: Record<string, unknown> = {}): void {
    this.send(6, { token: this.#token, session_id: sessionId, seq, ...changes });
  }
}

/** A fake on a virtual clock, and raw clients of it. */
export class Stage {
  readonly clock = new VirtualClock();
  readonly discord: FakeDiscord;

  constructor(options: FakeDiscordOptions = {}) {
    this.discord = new FakeDiscord({ clock: this.clock, ...options });
  }

  /** Lets everything that is under way arrive. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  async dial(url: string = GATEWAY_URL): Promise<RawClient> {
    const client = new RawClient(await this.discord.dial(url), this.discord.token);
    await this.settle();
    return client;
  }

  /** A client that has identified, with whatever follows. */
  async identified(changes: Record<string, unknown> = {}): Promise<RawClient> {
    const client = await this.dial();
    client.identify(changes);
    await this.settle();
    return client;
  }

  /** What the client was closed with after it had done this; `undefined` while it is open. */
  async closeCodeAfter(client: RawClient, action: () => void): Promise<number | null | undefined> {
    action();
    await this.settle();
    return client.end?.code;
  }
}
