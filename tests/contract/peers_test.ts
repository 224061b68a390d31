/** The fake against clients that nobody here wrote: what they take for Discord has to be like it. */

import { assert, assertEquals } from "@std/assert";
import { type FakeConnection, FakeDiscord, type FakeServer } from "../fake/mod.ts";
import { discordeno, discordjs, type Peer } from "./peers.ts";
import { until } from "./until.ts";

/** Both keep timers of their own for a while after the end: for their identify limits, their buckets, their requests. */
const NOT_OUR_TIMERS = { sanitizeOps: false, sanitizeResources: false };

interface PeerCase {
  readonly makePeer: (server: FakeServer, token: string) => Peer;
  /** An end of the connection after which it resumes. */
  readonly interrupt: (connection: FakeConnection) => void;
  /** The rules that it may break by itself when its session is invalidated. */
  readonly rulesBroken: readonly string[];
}

const PEERS: { readonly [name: string]: PeerCase } = {
  // A cut is no reason for it to resume: it gives the session up (see LOSSES).
  "@discordjs/ws": {
    makePeer: discordjs,
    interrupt: (connection) => connection.close(4000),
    rulesBroken: [],
  },
  "@discordeno/gateway": {
    makePeer: discordeno,
    interrupt: (connection) => connection.drop(),
    rulesBroken: [
      "IDENTIFY goes to the gateway URL, not to the resume URL",
      // Its random 1-5 s after op 9 are not measured from its last identify.
      "one IDENTIFY per 5 s and shard % max_concurrency",
    ],
  },
};

for (const [name, { makePeer, interrupt }] of Object.entries(PEERS)) {
  Deno.test({
    name: `peers: ${name} identifies, hears, heartbeats, is interrupted and resumes, and breaks no rule`,
    ...NOT_OUR_TIMERS,
    fn: async () => {
      // Any shorter, and @discordeno/gateway reserves all of its 120 frames for heartbeats, and spins.
      await using discord = new FakeDiscord({ heartbeatInterval: 2_500 });
      await using peer = makePeer(await discord.listen(), discord.token);
      await peer.connect();
      await until("READY and the guild", () => peer.heard.length === 2);
      discord.sendMessage({ content: "one" });
      discord.sendMessage({ content: "two" });
      await until("two messages", () => peer.heard.length === 4);
      await until("a heartbeat, acknowledged", () => peer.acknowledged() > 0);

      const [connection] = discord.connections;
      assert(connection);
      interrupt(connection);
      discord.sendMessage({ content: "three" });
      discord.sendMessage({ content: "four" });
      await until("RESUMED", () => peer.heard.includes("RESUMED"));
      discord.sendMessage({ content: "five" });
      await until("the last message", () => peer.heard.includes("five"));

      assertEquals(peer.heard, ["READY", "GUILD_CREATE", "one", "two", "three", "four", "RESUMED", "five"]);
      const { journal } = discord;
      assertEquals([journal.identifies().length, journal.resumes().length], [1, 1]);
      assertEquals(journal.of("session").map(({ change }) => change), ["started", "resumed"]);
      assertEquals(journal.violations(), []);
      const [, resume] = journal.dials();
      assert(resume?.url.includes("/resume?"), resume?.url);
    },
  });

  Deno.test({
    name: `peers: ${name} sends more than 120 frames and is closed with 4008`,
    ...NOT_OUR_TIMERS,
    fn: async () => {
      await using discord = new FakeDiscord();
      await using peer = makePeer(await discord.listen(), discord.token);
      await peer.connect();
      await until("READY", () => peer.heard.includes("READY"));
      // IDENTIFY was the first.
      for (let count = 0; count < 119; count++) peer.send({ op: 1, d: 1 });
      await until("119 heartbeats", () => discord.journal.heartbeats().length === 119);
      assertEquals(discord.journal.violations(), []);
      peer.send({ op: 1, d: 1 });
      await until("the close", () => peer.closeCodes.length > 0);
      assertEquals([discord.journal.of("close")[0]?.code, peer.closeCodes[0]], [4008, 4008]);
      assertEquals(discord.journal.violations().map(({ code }) => code), [4008]);
    },
  });

  Deno.test({
    name: `peers: ${name} sends more than 4096 bytes and is closed with 4002`,
    ...NOT_OUR_TIMERS,
    fn: async () => {
      await using discord = new FakeDiscord();
      await using peer = makePeer(await discord.listen(), discord.token);
      await peer.connect();
      await until("READY", () => peer.heard.includes("READY"));
      const guildId = discord.guilds[0]?.id;
      peer.send({ op: 8, d: { guild_id: guildId, query: "x".repeat(4_100), limit: 1 } });
      await until("the close", () => peer.closeCodes.length > 0);
      assertEquals([discord.journal.of("close")[0]?.code, peer.closeCodes[0]], [4002, 4002]);
      assertEquals(discord.journal.violations().map(({ code }) => code), [4002]);
      // It takes that as Discord's word, and resumes.
      await until("the next session", () => discord.journal.of("session").length >= 2);
    },
  });
}

/** How a first session is lost. @discordjs/ws takes a cut, too, for a reason to begin anew. */
const LOSSES: readonly (readonly [name: string, lose: (connection: FakeConnection) => void])[] = [
  ["@discordjs/ws", (connection) => connection.invalidateSession(false)],
  ["@discordjs/ws", (connection) => connection.drop()],
  ["@discordeno/gateway", (connection) => connection.invalidateSession(false)],
];

Deno.test({
  name:
    "peers: they heartbeat and reconnect when asked to, and begin anew without a session, five seconds later",
  ...NOT_OUR_TIMERS,
  fn: async () => {
    // At the same time: each has to wait.
    await Promise.all(LOSSES.map(async ([name, lose]) => {
      const peerCase = PEERS[name];
      assert(peerCase);
      await using discord = new FakeDiscord();
      await using peer = peerCase.makePeer(await discord.listen(), discord.token);
      await peer.connect();
      await until("READY", () => peer.heard.includes("READY"));
      const [first] = discord.connections;
      first?.requestHeartbeat();
      await until("the heartbeat", () => discord.journal.heartbeats().length > 0);
      first?.reconnect();
      await until("RESUMED", () => peer.heard.includes("RESUMED"));
      discord.sendMessage({ content: "still there" });
      await until("the message", () => peer.heard.includes("still there"));
      const [second] = discord.connections;
      assert(second?.session);
      lose(second);
      await until("READY again", () => peer.heard.filter((t) => t === "READY").length === 2);
      for (const { rule } of discord.journal.violations()) assert(peerCase.rulesBroken.includes(rule), rule);
    }));
  },
});
