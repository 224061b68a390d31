/** Clients that nobody here wrote, against the fake: what they take for Discord, it has to be. */

import { createGatewayManager, type GatewayManager } from "@discordeno/gateway";
import { REST } from "npm:@discordjs/rest@^2.6.0";
import { WebSocketManager, WebSocketShardEvents } from "@discordjs/ws";
import { PresenceUpdateStatus } from "discord-api-types/v10";
import { assert, assertEquals } from "@std/assert";
import { FakeDiscord } from "./fake_discord.ts";

/** A GUILD_MESSAGES bot that reads content, in the guilds. */
const INTENTS = 1 | 512 | 32_768;
/** Short, so that heartbeats are seen. With one of 1 s, @discordeno/gateway finds no room for anything else, and hangs. */
const HEARTBEAT_INTERVAL = 3000;

/** What both clients are put through. */
interface Client {
  /** The names of the dispatches that came out of it. */
  readonly events: string[];
  connect(): Promise<void>;
  /** Sends a presence with an activity of this name, past no limit of the client's own. */
  sendPresence(name: string): void;
  close(): Promise<void>;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${what} did not happen within ten seconds`);
}

async function putThrough(
  discord: FakeDiscord,
  client: Client,
  brokenRule: { act: () => void; code: number },
): Promise<void> {
  const { events } = client;
  const { journal } = discord;
  await client.connect();
  await until("GUILD_CREATE", () => events.includes("GUILD_CREATE"));
  assertEquals(events, ["READY", "GUILD_CREATE"]);
  assertEquals(journal.identifies().length, 1);

  discord.sendMessage({ content: "hello" });
  await until("MESSAGE_CREATE", () => events.length === 3);
  discord.connections[0]?.requestHeartbeat();
  await until("a heartbeat, and one on demand", () => journal.heartbeats().length >= 2);

  // Op 7, with a message that is missed: the client resumes by itself.
  discord.connections[0]?.reconnect();
  discord.sendMessage({ content: "meanwhile" });
  await until("RESUMED", () => events.includes("RESUMED"));
  assertEquals([journal.identifies().length, journal.resumes().length], [1, 1]);
  assert(journal.dials().at(-1)?.url.includes("/resume?"));
  // Whether it took the message before it went, or by the replay: once.
  assertEquals(events.filter((name) => name === "MESSAGE_CREATE").length, 2);
  assertEquals(journal.violations(), []);

  brokenRule.act();
  await until("the close", () => journal.of("close").some(({ code }) => code === brokenRule.code));
  assertEquals(journal.violations().map(({ code }) => code), [brokenRule.code]);
  await until("the second RESUMED", () => events.filter((name) => name === "RESUMED").length === 2);
  assertEquals(journal.identifies().length, 1);
  await client.close();
}

Deno.test("other clients: @discordjs/ws lives through identify, heartbeats, a resume and an oversize payload", async () => {
  await using discord = new FakeDiscord({ heartbeatInterval: HEARTBEAT_INTERVAL });
  const server = await discord.listen();
  const client = new DiscordJs(discord.token, server.api.replace(/\/v10$/, ""));
  await putThrough(discord, client, { act: () => client.sendPresence("x".repeat(5000)), code: 4002 });
});

Deno.test({
  name: "other clients: @discordeno/gateway lives through identify, heartbeats, a resume and too many frames",
  // The timer of its rate limit runs on for a minute.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using discord = new FakeDiscord({ heartbeatInterval: HEARTBEAT_INTERVAL });
    const server = await discord.listen();
    const client = new Discordeno(discord.token, server.gatewayUrl);
    const flood = () => {
      for (let count = 0; count < 121; count++) client.sendPresence("quick");
    };
    await putThrough(discord, client, { act: flood, code: 4008 });
  },
});

class DiscordJs implements Client {
  readonly events: string[] = [];
  readonly #manager: WebSocketManager;
  readonly #rest: REST;

  constructor(token: string, api: string) {
    this.#rest = new REST({ api, version: "10" }).setToken(token);
    this.#manager = new WebSocketManager({ token, intents: INTENTS, rest: this.#rest });
    this.#manager.on(WebSocketShardEvents.Dispatch, ({ t }) => void this.events.push(t));
    this.#manager.on(WebSocketShardEvents.Error, () => {});
  }

  connect(): Promise<void> {
    return this.#manager.connect();
  }

  sendPresence(name: string): void {
    const d = {
      since: null,
      activities: [{ name, type: 0 }],
      status: PresenceUpdateStatus.Online,
      afk: false,
    };
    void this.#manager.send(0, { op: 3, d });
  }

  async close(): Promise<void> {
    await this.#manager.destroy();
    // It would sweep for ever.
    this.#rest.clearHashSweeper();
    this.#rest.clearHandlerSweeper();
  }
}

class Discordeno implements Client {
  readonly events: string[] = [];
  readonly #manager: GatewayManager;

  constructor(token: string, url: string) {
    const silent = () => {};
    this.#manager = createGatewayManager({
      token,
      intents: INTENTS,
      url,
      resharding: { enabled: false, shardsFullPercentage: 80, checkInterval: 28_800_000 },
      logger: { debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
      events: { message: (_shard, { t }) => void (t && this.events.push(t)) },
    });
  }

  connect(): Promise<void> {
    return this.#manager.spawnShards();
  }

  sendPresence(name: string): void {
    const d = { since: null, activities: [{ name, type: 0 }], status: "online", afk: false };
    this.#manager.shards.get(0)?.socket?.send(JSON.stringify({ op: 3, d }));
  }

  close(): Promise<void> {
    // Its own code for this: after 1000 it would resume.
    return this.#manager.shutdown(3000, "done");
  }
}
