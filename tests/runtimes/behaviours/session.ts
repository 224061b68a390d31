/** A session over its connections: identify, dispatch, heartbeats, and every way in which a connection is lost. */

import { MemoryIdentifyLimiter } from "../../../ratelimit/mod.ts";
import { ShardStoppedError } from "../../../shard/mod.ts";
import { FileSessionStore, restoreShard } from "../../../shard/stores/mod.ts";
import type { Mishap } from "../control.ts";
import { expect, expectEqual } from "../expect.ts";
import { PATIENT, type Play } from "../scene.ts";
import { COUNTED_CLOCK, until } from "../timers.ts";
import type { Behaviour } from "./behaviour.ts";

/** The fake gives half an interval of grace: so long may a busy machine stall a process. */
const BEAT_MS = 8_000;

/** Behaviours of a shard's session. */
export const SESSION: readonly Behaviour[] = [
  {
    name: "identify: GET /gateway/bot, IDENTIFY, READY",
    run: async (scene) => {
      const discord = await scene.discord();
      // By default, where there is one.
      const own = scene.surroundings.WebSocket === undefined && { dial: null };
      const { shard, statuses } = await scene.live(discord, { ...own });
      const { requests, dials, identifies } = await discord.seen();
      expectEqual(requests, ["/api/v10/gateway/bot"]);
      expectEqual(dials, [{ url: `${discord.gatewayUrl}/?v=10&encoding=json`, outcome: "open" }]);
      expectEqual(identifies.length, 1);
      expectEqual(statuses.map(({ state }) => state), [
        "locating",
        "dialing",
        "awaiting_hello",
        "awaiting_permit",
        "identifying",
        "live",
      ]);
      expectEqual([shard.session?.shardId, shard.session?.shardCount], [0, 1]);
      await shard.close();
      expectEqual((await discord.seen({ connections: 0 })).sessions, 0);
    },
  },
  {
    name: "identify: DISCORD_API in the environment points elsewhere",
    needs: "setEnvironment",
    run: async (scene) => {
      const discord = await scene.discord();
      scene.surroundings.abilities.setEnvironment?.("DISCORD_API", discord.api);
      const { shard } = await scene.live(discord, { api: null });
      expectEqual((await discord.seen()).requests, ["/api/v10/gateway/bot"]);
      await shard.close();
    },
  },
  {
    name: "identify: a token that Discord refuses is a typed error",
    run: async (scene) => {
      const discord = await scene.discord();
      const { over } = scene.play(discord, { token: "another.bot.token", url: discord.gatewayUrl });
      const error = await over;
      expect(error instanceof ShardStoppedError, `${error}`);
      expectEqual([error.code, error.closeCode], ["ERR_SHARD_STOPPED", 4004]);
      discord.toleratedViolations = ["the token is the bot's"];
    },
  },
  {
    name: "dispatch: wanted events in order, others dropped before their JSON is parsed",
    run: async (scene) => {
      const discord = await scene.discord();
      const { heard, shard, statuses } = await scene.live(discord);
      const contents = Array.from({ length: 200 }, (_, index) => `message ${index}`);
      for (const content of contents.slice(0, 3)) await discord.message(content);
      await discord.dispatch("MESSAGE_DELETE", { id: "1", channel_id: "2", guild_id: discord.guildId });
      await discord.befall({ do: "sendRaw", text: '{"t":"MESSAGE_DELETE","s":7,"op":0,"d":{"not":JSON}}' });
      await discord.message("last");
      await until("the last message", () => heard.includes("last"));
      expectEqual(heard, ["READY", "GUILD_CREATE", ...contents.slice(0, 3), "last"]);
      expectEqual(statuses.at(-1)?.state, "live");
      await shard.close();
    },
  },
  {
    name: "dispatch: a frame of a megabyte, in fragments",
    run: async (scene) => {
      const discord = await scene.discord();
      await discord.fault({ splitFrames: true });
      const { shard, heard } = await scene.live(discord);
      const content = "0123456789abcdef".repeat(1 << 16);
      await discord.message(content);
      await until("the message", () => heard.length === 3);
      expect(heard[2] === content, "it is whole");
      await shard.close();
    },
  },
  {
    name: "heartbeat: in every interval, by the runtime's own clock",
    run: async (scene) => {
      const discord = await scene.discord({ heartbeatInterval: BEAT_MS });
      const play = await scene.live(discord);
      const { shard } = play;
      const { heartbeats } = await discord.seen({ heartbeats: 3 });
      const [first = 0, , third = 0] = heartbeats;
      // The fake has cut whoever is late; that nobody hurries is seen here.
      expect(third - first > BEAT_MS, `three heartbeats came within ${third - first} ms`);
      expectEqual(causes(play), []);
      await until("a reading", () => (shard.latency?.acknowledged ?? 0) > 0);
      await shard.close();
    },
  },
  {
    name: "heartbeat: at once when Discord asks for one",
    run: async (scene) => {
      const discord = await scene.discord();
      // The first is due after a random part of the interval: far away.
      const { shard } = await scene.live(discord, { platform: PATIENT });
      await discord.befall({ do: "requestHeartbeat" });
      expectEqual((await discord.seen({ heartbeats: 1 })).heartbeats.length, 1);
      await shard.close();
    },
  },
  resumes("cut → resume: what was missed comes exactly once", { do: "drop" }, "connection_lost"),
  resumes("close 4000 → resume", { do: "close", code: 4000 }, "close_4000"),
  resumes("op 7 → resume", { do: "reconnect" }, "reconnect"),
  resumes("op 9 true → resume", { do: "invalidateSession", resumable: true }, "invalid_session_resumable"),
  resumes("unreadable frame → resume", { do: "sendRaw", text: "not JSON" }, "frame_error"),
  resumes(
    "zombie → resume: a silent peer is found out by its heartbeats",
    { do: "stall" },
    "zombie",
    BEAT_MS,
  ),
  {
    name: "op 9 false → SESSION_GAP, then a new session",
    run: async (scene) => {
      const discord = await scene.discord();
      // With more room than usual: on a busy machine two frames may arrive closer together than they left.
      const identifyLimiter = new MemoryIdentifyLimiter({ clock: COUNTED_CLOCK, periodMs: 8_000 });
      const { heard, shard } = await scene.live(discord, { identifyLimiter });
      const before = shard.session?.sessionId;
      await discord.befall({ do: "invalidateSession", resumable: false });
      await until("a new session", () => heard.filter((t) => t === "GUILD_CREATE").length === 2);
      expectEqual(heard, ["READY", "GUILD_CREATE", "SESSION_GAP", "READY", "GUILD_CREATE"]);
      expect(shard.session?.sessionId !== before, "the session is another");
      const { identifies, resumes } = await discord.seen();
      expectEqual([identifies.length, resumes.length], [2, 0]);
      await shard.close();
    },
  },
  {
    name: "restart → resume: a session record from another shard",
    run: async (scene) => {
      const discord = await scene.discord();
      const before = await scene.live(discord);
      await discord.message("one");
      await until("one", () => before.heard.includes("one"));
      const record = await before.shard.close({ keepSession: true });
      await discord.message("two");
      const session = JSON.parse(JSON.stringify(record));
      const after = await scene.live(discord, { session });
      await discord.message("three");
      await until("three", () => after.heard.includes("three"));
      expectEqual(after.heard, ["two", "RESUMED", "three"]);
      const { identifies, resumes } = await discord.seen();
      expectEqual([identifies.length, resumes.length], [1, 1]);
      await after.shard.close();
    },
  },
  {
    name: "restart → resume: a session in a file",
    needs: "disk",
    run: async (scene) => {
      const { disk } = scene.surroundings.abilities;
      expect(disk, "it needs a disk");
      const discord = await scene.discord();
      const store = new FileSessionStore(`${disk.folder}/session.json`, disk.files);
      const heard: string[] = [];
      for (let life = 1; life <= 2; life++) {
        const shard = await restoreShard(store, scene.options(discord));
        for await (const event of shard) {
          if (event.t === "GUILD_CREATE") await discord.message("one");
          if (event.t !== "MESSAGE_CREATE") continue;
          heard.push(event.d.content);
          shard.acknowledge();
          break;
        }
        if (life === 1) await discord.message("two");
      }
      expectEqual(heard, ["one", "two"]);
      const { identifies, resumes } = await discord.seen({ connections: 0 });
      expectEqual([identifies.length, resumes.length], [1, 1]);
    },
  },
];

/** Something happens to the connection; messages before, meanwhile and after come exactly once, in one session. */
function resumes(name: string, mishap: Mishap, cause: string, heartbeatInterval = 41_250): Behaviour {
  return {
    name,
    run: async (scene) => {
      const discord = await scene.discord({ heartbeatInterval });
      const play = await scene.live(discord);
      await discord.message("before");
      await until("before", () => play.heard.includes("before"));
      await discord.befall(mishap);
      await discord.message("meanwhile");
      await until("RESUMED", () => play.heard.includes("RESUMED"));
      await discord.message("after");
      await until("after", () => play.heard.includes("after"));
      expectEqual(play.heard.toSorted(), [
        "GUILD_CREATE",
        "READY",
        "RESUMED",
        "after",
        "before",
        "meanwhile",
      ]);
      expectEqual(causes(play), [cause]);
      const { identifies, resumes } = await discord.seen();
      expectEqual([identifies.length, resumes.length], [1, 1]);
      await play.shard.close();
    },
  };
}

function causes({ statuses }: Play): string[] {
  return statuses.flatMap((status) => status.state === "disconnected" ? [status.cause] : []);
}
