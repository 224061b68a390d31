/** The token leaves in two frames and one header, and is found nowhere else. */

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { DialError, type Fetch, type GatewayCommand, Shard } from "../../mod.ts";
import { FakeDiscord, VirtualClock } from "../fake/mod.ts";
import { field, Play, type PlayOptions } from "./harness.ts";
import { Puppet } from "./puppet.ts";

const TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhOsTs.never-to-be-seen-in-any-output";
/** No part of it either. */
const PARTS = TOKEN.split(".");

/** Everything that can be made visible of a value. */
function shown(value: unknown): string {
  const inspected = Deno.inspect(value, {
    depth: 100,
    iterableLimit: 10_000,
    showHidden: true,
    strAbbreviateSize: 1_000_000,
  });
  return `${inspected}\n${JSON.stringify(value)}\n${String(value)}`;
}

/** Fails if the token is in it. */
function assertNoToken(what: string, value: unknown): void {
  const text = shown(value);
  for (const part of PARTS) assert(!text.includes(part), `the token is in ${what}: ${text.slice(0, 2_000)}`);
}

/** Every method of the console, each of which is to be silent. */
async function withoutConsole(run: () => Promise<void>): Promise<void> {
  const printed: unknown[][] = [];
  const methods = ["log", "info", "warn", "error", "debug", "trace"] as const;
  const before = methods.map((name) => console[name]);
  for (const name of methods) console[name] = (...args) => void printed.push(args);
  try {
    await run();
  } finally {
    for (const [index, name] of methods.entries()) console[name] = before[index]!;
  }
  assertEquals(printed, []);
}

function discordWithToken(clock: VirtualClock): FakeDiscord {
  return new FakeDiscord({ clock, token: TOKEN });
}

/** A play with the token, all its own errors included. */
function playWithToken(options: PlayOptions = {}): { play: Play; errors: unknown[] } {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const play = new Play({ clock, discord: discordWithToken(clock), ...options });
  return { play, errors };
}

Deno.test("shard: the token is in no status, event, session, inspection, journal or log of a full story [case 37]", async () => {
  await withoutConsole(async () => {
    const { play, errors } = playWithToken();
    const { discord, shard, clock } = play;
    const command: GatewayCommand = { op: 8, d: { guild_id: "1", query: "", limit: 1 } };
    const look = (what: string) => {
      assertNoToken(`the shard ${what}`, shard);
      assertNoToken(`its status ${what}`, shard.status);
      assertNoToken(`its session ${what}`, shard.session);
      assertNoToken(`its latency ${what}`, shard.latency);
      assertNoToken(`the fake's connections ${what}`, discord.connections);
    };

    look("before the start");
    discord.faults.rejectRequests = [500, 429];
    discord.faults.rejectDials = [503];
    await play.live();
    look("while live");
    await shard.send(command);
    await clock.advance(100_000);
    for (const disturb of ["drop", "reconnect", "invalidateSession", "stall"] as const) {
      play.connection[disturb]();
      await clock.advance(0);
      look(`after ${disturb}`);
      await clock.advance(200_000);
      look(`long after ${disturb}`);
    }
    play.connection.sendRaw("garbage");
    await clock.advance(100_000);
    play.connection.close(4002);
    await clock.advance(100_000);
    play.connection.close(4004);
    await clock.advance(0);
    look("after the end");
    errors.push(await play.finished, await shard.send(command).catch((error) => error));

    assert(play.statusesOf("disconnected").length >= 8);
    assertNoToken("the statuses", play.statuses);
    assertNoToken("the events", play.events);
    for (const error of errors) {
      assertInstanceOf(error, Error);
      assertNoToken("an error", error);
      assertNoToken("its stack", error.stack);
    }
    assertNoToken("the journal", discord.journal.entries);
    assertNoToken("the fake", discord);
    assertEquals(discord.journal.identifies().map(({ d }) => field(d, "token")), [
      "[token]",
      "[token]",
    ]);
  });
});

Deno.test("shard: the token leaves in IDENTIFY, RESUME and one header, and nothing else says it", async () => {
  const puppet = new Puppet();
  const asked: string[] = [];
  const { play } = playWithToken();
  const fetch: Fetch = (url, init) => {
    asked.push(url, JSON.stringify(init.headers));
    return play.discord.fetch(url, init);
  };
  const shard = new Play({ token: TOKEN, dial: puppet.dial, fetch, clock: play.clock });
  shard.start();
  await play.clock.advance(0);
  assertEquals(asked.filter((text) => text.includes(TOKEN)), [asked[1]]);
  assert(!puppet.socket.url.includes(TOKEN));
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  await shard.shard.send({ op: 3, d: { since: null, activities: [], status: "idle", afk: false } });
  puppet.socket.say(1);
  puppet.socket.say(7);
  await play.clock.advance(0);
  puppet.socket.hello();
  const frames = puppet.sockets.flatMap(({ sent }) => sent);
  assertEquals(frames.map(({ op }) => op), [2, 3, 1, 6]);
  assertEquals(frames.filter((frame) => shown(frame).includes(TOKEN)).map(({ op }) => op), [2, 6]);
  await shard.shard.close();
});

Deno.test("shard: no failure on the way quotes the token", async () => {
  const stories: readonly [string, PlayOptions, (play: Play) => void][] = [
    ["a wrong token at the REST API", {}, ({ discord }) => discord.faults.rejectRequests.push(401)],
    ["a fetch that throws", { fetch: () => Promise.reject(new TypeError("refused")) }, () => {}],
    ["a dial that fails", {
      dial: () => Promise.reject(new DialError("Cannot dial: refused", { code: "ERR_DIAL_FAILED" })),
    }, () => {}],
    ["a dial function with a bug", { dial: () => Promise.reject(new Error("bug")) }, () => {}],
    ["a limiter that refuses", { identifyLimiter: { take: () => false } }, () => {}],
    [
      "a limiter that fails",
      { identifyLimiter: { take: () => Promise.reject(new Error("down")) } },
      () => {},
    ],
    ["a URL that is none", { url: "http://nowhere" }, () => {}],
    ["intents that are not allowed", { intents: 1 << 30 }, () => {}],
  ];
  for (const [what, options, prepare] of stories) {
    const { play } = playWithToken(options);
    prepare(play);
    play.start();
    await play.clock.advance(1_000);
    await play.shard.close();
    assertNoToken(`the end of ${what}`, await play.finished);
    assertNoToken(`the statuses of ${what}`, play.statuses);
    assertNoToken(`the journal of ${what}`, play.discord.journal.entries);
  }
});

Deno.test("shard: a token that fits in no header is refused without being quoted", async () => {
  const { play } = playWithToken({ token: `${TOKEN}\n${TOKEN}` });
  play.start();
  await play.clock.advance(0);
  assertInstanceOf(await play.finished, TypeError);
  assertNoToken("the error", await play.finished);
  assertNoToken("the status", play.shard.status);
});

Deno.test("shard: options that are refused are not quoted with the token in them", () => {
  const wrong: readonly object[] = [
    { token: TOKEN },
    { token: [TOKEN], intents: 0 },
    { token: TOKEN, intents: 0, session: { sessionId: TOKEN } },
    { token: TOKEN, guildEvents: ["NO_SUCH_EVENT"] },
  ];
  for (const options of wrong) {
    const error = assertThrows(() => new Shard(options as ConstructorParameters<typeof Shard>[0]));
    assertNoToken("the error", error);
  }
});
