/** Two gateway clients that nobody here wrote, behind one face. They see only an address, as they would see Discord's. */

import { REST } from "@discordjs/rest";
import { type SessionInfo, WebSocketManager, WebSocketShardEvents } from "@discordjs/ws";
import { createGatewayManager } from "@discordeno/gateway";
import { GatewayIntentBits } from "discord-api-types/v10";
import type { FakeServer } from "../fake/mod.ts";

/** What a test wants of such a client. */
export interface Peer extends AsyncDisposable {
  /** The names of the dispatches that came out of it; of messages their content. */
  readonly heard: readonly string[];
  /** How many acknowledged heartbeats it has reported. */
  readonly acknowledged: () => number;
  /** What its first connections were closed with, as it heard it. */
  readonly closeCodes: readonly number[];
  /** Connects, and resolves when it says that it is ready. */
  connect(): Promise<void>;
  /** Sends any payload, at once, past the client's own rate limit. */
  send(payload: { op: number; d: unknown }): void;
}

const INTENTS = GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.MessageContent;

interface Dispatch {
  readonly t?: string | null;
  readonly d?: unknown;
}

function heardAs({ t, d }: Dispatch): string {
  const isMessage = t === "MESSAGE_CREATE" && typeof d === "object" && d !== null && "content" in d;
  return isMessage ? String(d.content) : String(t);
}

/** @discordjs/ws with @discordjs/rest, the pair behind discord.js. */
export function discordjs({ api }: FakeServer, token: string): Peer {
  const rest = new REST({
    api: api.replace(/\/v10$/, ""),
    version: "10",
    // Its housekeeping runs for ever.
    handlerSweepInterval: 0,
    hashSweepInterval: 0,
  }).setToken(token);
  // By default all managers of a process keep their sessions in one place.
  let session: SessionInfo | null = null;
  const manager = new WebSocketManager({
    token,
    intents: INTENTS,
    rest,
    retrieveSessionInfo: () => session,
    updateSessionInfo: (_shardId, info) => void (session = info),
  });
  const heard: string[] = [];
  const closeCodes: number[] = [];
  let acknowledged = 0;
  manager.on(WebSocketShardEvents.Dispatch, (payload) => void heard.push(heardAs(payload)));
  manager.on(WebSocketShardEvents.Closed, (code) => void closeCodes.push(code));
  manager.on(WebSocketShardEvents.HeartbeatComplete, () => void acknowledged++);
  return {
    heard,
    closeCodes,
    acknowledged: () => acknowledged,
    connect: () => manager.connect(),
    // Op 1 goes past its queue.
    send: (payload) => void manager.send(0, payload as Parameters<typeof manager.send>[1]),
    [Symbol.asyncDispose]: async () => {
      await manager.destroy({ reason: "the test is over" });
      rest.clearHashSweeper();
      rest.clearHandlerSweeper();
    },
  };
}

/** @discordeno/gateway. */
export function discordeno({ gatewayUrl }: FakeServer, token: string): Peer {
  const heard: string[] = [];
  const closeCodes: number[] = [];
  let acknowledged = 0;
  const silent = () => {};
  const manager = createGatewayManager({
    token,
    intents: INTENTS,
    url: gatewayUrl,
    connection: {
      url: gatewayUrl,
      shards: 1,
      sessionStartLimit: { total: 1000, remaining: 1000, resetAfter: 0, maxConcurrency: 1 },
    },
    resharding: { enabled: false, shardsFullPercentage: 80, checkInterval: -1 },
    // There is only one shard: nobody to wait with the next one for.
    spawnShardDelay: 0,
    logger: { debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
    events: {
      // Everything comes here, HELLO and acknowledgements too.
      message: (_shard, payload) => void (payload.t && heard.push(heardAs(payload))),
      heartbeatAck: () => void acknowledged++,
    },
  });
  return {
    heard,
    closeCodes,
    acknowledged: () => acknowledged,
    connect: async () => {
      await manager.spawnShards();
      manager.shards.get(0)?.socket?.addEventListener("close", ({ code }) => closeCodes.push(code));
    },
    send: (payload) => manager.shards.get(0)?.socket?.send(JSON.stringify(payload)),
    [Symbol.asyncDispose]: () => manager.shutdown(1000, "the test is over"),
  };
}
