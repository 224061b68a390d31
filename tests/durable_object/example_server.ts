/** The Worker of `examples/durable_object/` in workerd, in front of a fake Discord, and its control routes. */

import type { FleetHostStatus } from "@discordgateway/edge/durable-object";
import { until } from "../contract/until.ts";
import { FakeDiscord, type FakeDiscordOptions } from "../fake/mod.ts";
import { WorkerdServer } from "../runtimes/workerd_server.ts";

/** The secret of the control routes. */
export const SECRET = "a secret for the control routes";
/** Unlike any other text, so that a leak is found anywhere. */
export const TOKEN = "example.token.that-must-not-be-seen";

/** The response of a route. */
export interface TextResponse {
  /** HTTP status. */
  readonly status: number;
  /** Headers. */
  readonly headers: Headers;
  /** The whole body. */
  readonly text: string;
}

/** The Worker and its fake Discord. */
export class ExampleServer implements AsyncDisposable {
  /** The fake Discord. */
  readonly discord: FakeDiscord;
  /** The URL of the Worker. */
  readonly url: URL;
  /** All responses to `ask`. */
  readonly responses: TextResponse[] = [];
  readonly #workerd: WorkerdServer;

  private constructor(discord: FakeDiscord, workerd: WorkerdServer) {
    this.discord = discord;
    this.#workerd = workerd;
    this.url = workerd.url;
  }

  /** Starts both; the shards wait for `POST /start`. */
  static async start(options: FakeDiscordOptions = {}): Promise<ExampleServer> {
    const discord = new FakeDiscord({ token: TOKEN, maxConcurrency: 16, ...options });
    const { api } = await discord.listen();
    const workerd = await WorkerdServer.start("examples/durable_object/worker.ts", {
      durableObjects: { COORDINATOR: "Coordinator", SHARD: "ShardObject" },
      bindings: {
        DISCORD_TOKEN: TOKEN,
        CONTROL_SECRET: SECRET,
        DISCORD_API: api,
        ALARM_EVERY_MS: "2000",
        OVERLAP_MS: "1000",
      },
    });
    return new ExampleServer(discord, workerd);
  }

  /** Requests a path; with the secret, unless other headers are given. */
  async ask(path: string, init: RequestInit = {}): Promise<TextResponse> {
    const response = await fetch(new URL(path, this.url), {
      headers: { authorization: `Bearer ${SECRET}` },
      redirect: "manual",
      ...init,
    });
    const { status, headers } = response;
    const read = { status, headers, text: await response.text() };
    this.responses.push(read);
    return read;
  }

  /** Gives an order; throws if it is not accepted. */
  async order(path: string, body: unknown): Promise<void> {
    const { status, text } = await this.ask(path, { method: "POST", body: JSON.stringify(body) });
    if (status !== 200) throw new Error(`Cannot give the order ${path}: ${status} ${text}`);
  }

  /** The fleet's status. */
  async status(): Promise<FleetHostStatus> {
    return JSON.parse((await this.ask("/status")).text);
  }

  /** Starts the shards, and waits until all have a session. */
  async live(shards: number): Promise<void> {
    await this.order("/start", { shards });
    await until(`${shards} sessions`, () => this.discord.sessions.length === shards);
  }

  /** Ends the Worker, and returns its log. */
  async stop(): Promise<string> {
    return await this.#workerd.stop();
  }

  /** Ends both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workerd.stop();
    await this.discord.close();
  }
}
