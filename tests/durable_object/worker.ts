/**
 * The worker of the tests in workerd: a bot in a Durable Object, whose handler reports each message to the test.
 *
 * Without `extends DurableObject`, so that it type-checks here; only RPC would need that.
 */

import { type DurableObjectStateLike, ShardHost } from "@discordgateway/edge/durable-object";
import { dial } from "@discordgateway/edge/shard";

/** Bindings. */
export interface Env {
  /** The bot's token. */
  readonly TOKEN: string;
  /** The fake's gateway. */
  readonly GATEWAY: string;
  /** Where the handler reports to. */
  readonly REPORT: string;
  /** Time between alarms, in ms. */
  readonly ALARM_EVERY_MS: string;
  /** Time between writes of the sequence, in ms. */
  readonly SAVE_EVERY_MS: string;
  /** Events that may wait for the handler. */
  readonly MAX_QUEUED_EVENTS: string;
  /** The version of the code. */
  readonly VERSION: string;
}

interface Namespace {
  idFromName(name: string): unknown;
  get(id: unknown): { fetch(request: Request): Promise<Response> };
}

/** The bot's object. */
export class Bot {
  readonly #ctx: DurableObjectStateLike & { abort(reason?: string): void };
  readonly #env: Env;
  readonly #host: ShardHost<"MESSAGE_CREATE">;

  /** Called by the runtime. */
  constructor(ctx: DurableObjectStateLike & { abort(reason?: string): void }, env: Env) {
    this.#ctx = ctx;
    this.#env = env;
    // Each incarnation puts its id into the URL, so that the fake's journal alone shows which one has connected.
    const run = crypto.randomUUID();
    this.#host = new ShardHost(ctx, {
      token: env.TOKEN,
      url: env.GATEWAY,
      guildEvents: ["MESSAGE_CREATE"],
      intents: 1 << 15,
      alarmEveryMs: Number(env.ALARM_EVERY_MS),
      saveEveryMs: Number(env.SAVE_EVERY_MS),
      maxQueuedEvents: Number(env.MAX_QUEUED_EVENTS),
      dial: (url, options) => dial(`${url}&run=${run}`, options),
      handler: (event, { signal }) =>
        this.#report(event.t, "content" in event.d ? event.d.content : "", signal),
    });
  }

  /** `POST die` kills the object; the rest is the host's. */
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/die") {
      this.#ctx.abort("killed by the test");
    }
    return await this.#host.fetch(request);
  }

  /** The watchdog. */
  alarm(info: unknown): Promise<void> {
    return this.#host.alarm(info);
  }

  async #report(name: string, content: string, signal: AbortSignal): Promise<void> {
    const response = await fetch(this.#env.REPORT, {
      method: "POST",
      body: JSON.stringify({ name, content, version: this.#env.VERSION }),
      signal,
    });
    await response.text();
    if (!response.ok) throw new Error(`The test responded with status ${response.status}`);
  }
}

export default {
  /** Forwards every request to the only object. */
  fetch(request: Request, env: Env & { readonly BOT: Namespace }): Promise<Response> {
    return env.BOT.get(env.BOT.idFromName("bot")).fetch(request);
  },
};
