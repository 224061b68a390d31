/** A fake Discord in another process, as the programs on every runtime see it. Nothing here but `fetch`. */

import type { FakeDiscordOptions, Faults, MessageOptions } from "../fake/mod.ts";
import type { Counts, Made, Mishap, Seen, Trust, Wish } from "./control.ts";

/** The other side of `control.ts`. */
export class RemoteDiscord {
  /** The one valid token. */
  readonly token: string;
  /** Base URL of the REST API. */
  readonly api: string;
  /** URL of the gateway. */
  readonly gatewayUrl: string;
  /** The first guild. */
  readonly guildId: string;
  /** The rules that are meant to be broken. */
  toleratedViolations: readonly string[] = [];
  /** A connection of it plays dead, and will never notice its end. */
  hasStalled = false;
  /** It is gone. */
  hasEnded = false;
  readonly #control: string;
  readonly #id: number;

  private constructor(control: string, { id, token, api, gatewayUrl, guildId }: Made) {
    this.#control = control;
    this.#id = id;
    this.token = token;
    this.api = api;
    this.gatewayUrl = gatewayUrl;
    this.guildId = guildId;
  }

  /** Has one made by the remote control at this URL. */
  static async make(
    control: string,
    options: FakeDiscordOptions,
    tls?: Trust,
  ): Promise<RemoteDiscord> {
    return new RemoteDiscord(
      control,
      await ask<Made>(control, { ask: "make", options, ...(tls && { tls }) }),
    );
  }

  /** A member writes. */
  async message(content: string, options: Omit<MessageOptions, "content"> = {}): Promise<void> {
    await ask(this.#control, { ask: "message", id: this.#id, message: { ...options, content } });
  }

  /** Sends any event. */
  async dispatch(name: string, data: unknown): Promise<void> {
    await ask(this.#control, { ask: "dispatch", id: this.#id, name, data });
  }

  /** Sends very many messages. */
  async flood(count: number): Promise<void> {
    await ask(this.#control, { ask: "flood", id: this.#id, count });
  }

  /** Does something to the newest connection. */
  async befall(mishap: Mishap): Promise<void> {
    this.hasStalled ||= mishap.do === "stall";
    await ask(this.#control, { ask: "mishap", id: this.#id, mishap });
  }

  /** Switches faults. */
  async fault(faults: Partial<Faults>): Promise<void> {
    await ask(this.#control, { ask: "faults", id: this.#id, faults });
  }

  /** What has happened there; waits, if asked to, until so much has. */
  async seen(atLeast?: Counts): Promise<Seen> {
    return await ask<Seen>(this.#control, { ask: "seen", id: this.#id, ...(atLeast && { atLeast }) });
  }

  /** Ends it: nobody listens at its addresses any more, and every socket is gone. */
  async end(): Promise<void> {
    if (this.hasEnded) return;
    this.hasEnded = true;
    await ask(this.#control, { ask: "end", id: this.#id });
  }
}

async function ask<Answer>(control: string, wish: Wish): Promise<Answer> {
  const response = await fetch(control, { method: "POST", body: JSON.stringify(wish) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`The fake cannot ${wish.ask}: ${answer}`);
  return answer;
}
