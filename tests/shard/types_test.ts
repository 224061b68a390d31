/**
 * What the compiler knows of a shard's events. The assertions are types: this file compiles, or the tests do not run.
 *
 * Nothing here connects; a function that is checked and never called holds what would run.
 */

import { assertEquals } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import {
  type EventData,
  type EventName,
  GatewayIntent,
  type SessionGapEvent,
  Shard,
  type ShardEvent,
} from "../../mod.ts";

/** Is checked, not called. */
function compiles(_: () => unknown): void {}

/** The type of what comes out of a shard. */
type EventOf<Source> = Source extends AsyncIterable<infer Event> ? Event : never;

const TOKEN = "token";

const shard = new Shard({
  token: TOKEN,
  guildEvents: ["MESSAGE_CREATE", "GUILD_CREATE"],
  directMessageEvents: ["MESSAGE_CREATE", "TYPING_START"],
  events: ["READY"],
});

Deno.test("types: event.d narrows by event.t", () => {
  compiles(async () => {
    for await (const event of shard) {
      switch (event.t) {
        case "MESSAGE_CREATE":
          assertType<IsExact<typeof event.d, EventData<"MESSAGE_CREATE">>>(true);
          assertType<IsExact<typeof event.d.content, string>>(true);
          assertType<IsExact<typeof event.s, number>>(true);
          // @ts-expect-error a message has no members list
          event.d.members;
          break;
        case "GUILD_CREATE":
          assertType<IsExact<typeof event.d, EventData<"GUILD_CREATE">>>(true);
          event.d.members;
          break;
        case "TYPING_START":
          assertType<IsExact<typeof event.d.user_id, string>>(true);
          break;
        case "READY":
          assertType<IsExact<typeof event.d.session_id, string>>(true);
          break;
        case "SESSION_GAP":
          assertType<IsExact<typeof event, SessionGapEvent>>(true);
          assertType<IsExact<typeof event.s, null>>(true);
          break;
        default:
          assertType<IsExact<typeof event, never>>(true);
      }
    }
  });
});

Deno.test("types: comparing with an event that was not asked for is an error", () => {
  compiles(async () => {
    for await (const event of shard) {
      // @ts-expect-error MESSAGE_DELETE was not named
      if (event.t === "MESSAGE_DELETE") return;
      // @ts-expect-error the name is misspelt
      if (event.t === "MESSAGE_CREAT") return;
      // @ts-expect-error RESUMED is handled by the shard; it comes out where it is asked for
      if (event.t === "RESUMED") return;
    }
  });
});

Deno.test("types: without narrowing d is every event's, so nothing of one is reachable", () => {
  compiles(async () => {
    for await (const event of shard) {
      // @ts-expect-error only some of the events have a content
      event.d.content;
    }
  });
});

Deno.test("types: the three consumers see the same union", () => {
  type Event = ShardEvent<"MESSAGE_CREATE" | "GUILD_CREATE" | "TYPING_START" | "READY">;
  assertType<IsExact<EventOf<typeof shard>, Event>>(true);
  assertType<IsExact<typeof shard.events, ReadableStream<Event>>>(true);
  compiles(() =>
    shard.run((event) => {
      assertType<IsExact<typeof event, Event>>(true);
      // @ts-expect-error MESSAGE_DELETE was not named
      if (event.t === "MESSAGE_DELETE") return;
    })
  );
});

Deno.test("types: SESSION_GAP is always in the union", () => {
  const one = new Shard({ token: TOKEN, guildEvents: ["TYPING_START"] });
  const none = new Shard({ token: TOKEN, intents: 0 });
  assertType<IsExact<EventOf<typeof one>["t"], "TYPING_START" | "SESSION_GAP">>(true);
  assertType<"SESSION_GAP" extends EventOf<typeof none>["t"] ? true : false>(true);
});

Deno.test("types: intents alone give every event", () => {
  const all = new Shard({ token: TOKEN, intents: GatewayIntent.GUILDS | GatewayIntent.GUILD_MESSAGES });
  assertType<IsExact<EventOf<typeof all>, ShardEvent>>(true);
  assertType<IsExact<EventOf<typeof all>["t"], EventName | "SESSION_GAP">>(true);
  compiles(async () => {
    for await (const event of all) {
      if (event.t === "GUILD_ROLE_DELETE") assertType<IsExact<typeof event.d.role_id, string>>(true);
      // @ts-expect-error no such event
      if (event.t === "guildRoleDelete") return;
    }
  });
});

Deno.test("types: intents beside names widen nothing", () => {
  const some = new Shard({
    token: TOKEN,
    guildEvents: ["MESSAGE_CREATE"],
    intents: GatewayIntent.MESSAGE_CONTENT,
  });
  assertType<IsExact<EventOf<typeof some>, ShardEvent<"MESSAGE_CREATE">>>(true);
});

Deno.test("types: a name in the wrong list is an error", () => {
  compiles(() => {
    // @ts-expect-error guilds have events of their own; READY needs no intent
    new Shard({ token: TOKEN, guildEvents: ["READY"] });
    // @ts-expect-error there are no guilds in direct messages
    new Shard({ token: TOKEN, directMessageEvents: ["GUILD_CREATE"] });
    // @ts-expect-error MESSAGE_CREATE is gated by an intent: in guilds, or in direct messages
    new Shard({ token: TOKEN, events: ["MESSAGE_CREATE"] });
    // @ts-expect-error Discord's own spelling
    new Shard({ token: TOKEN, guildEvents: ["messageCreate"] });
  });
});

Deno.test("types: the token is required", () => {
  compiles(() => {
    // @ts-expect-error no token
    new Shard({ guildEvents: ["MESSAGE_CREATE"] });
  });
});

Deno.test("types: a list that was made elsewhere keeps its names", () => {
  const guildEvents = ["MESSAGE_CREATE", "MESSAGE_DELETE"] as const;
  const listed = new Shard({ token: TOKEN, guildEvents });
  assertType<IsExact<EventOf<typeof listed>["t"], "MESSAGE_CREATE" | "MESSAGE_DELETE" | "SESSION_GAP">>(true);
  assertEquals(listed.status.state, "idle");
});

Deno.test("types: commands are checked by their opcode", () => {
  compiles(async () => {
    await shard.send({ op: 3, d: { since: null, activities: [], status: "online", afk: false } });
    await shard.send({ op: 43, d: { guild_id: "1", fields: ["status", "voice_start_time"] } });
    // @ts-expect-error a heartbeat is not the user's to send
    await shard.send({ op: 1, d: null });
    // @ts-expect-error no such status
    await shard.send({ op: 3, d: { since: null, activities: [], status: "asleep", afk: false } });
  });
});

Deno.test("types: responses to requests are Discord's own bodies, and widen no event", () => {
  compiles(async () => {
    for await (const chunk of shard.requestGuildMembers({ guild_id: "1", query: "", limit: 0 })) {
      assertType<IsExact<typeof chunk, EventData<"GUILD_MEMBERS_CHUNK">>>(true);
    }
    for await (const sounds of shard.requestSoundboardSounds(["1"])) {
      assertType<IsExact<typeof sounds, EventData<"SOUNDBOARD_SOUNDS">>>(true);
    }
    const info = await shard.requestChannelInfo("1", ["status"]);
    assertType<IsExact<typeof info, EventData<"CHANNEL_INFO">>>(true);
    // @ts-expect-error either a query or ids
    shard.requestGuildMembers({ guild_id: "1", query: "", limit: 0, user_ids: ["2"] });
    // @ts-expect-error a query needs a limit
    shard.requestGuildMembers({ guild_id: "1", query: "" });
    // @ts-expect-error no such field
    await shard.requestChannelInfo("1", ["name"]);
    const outcome = await shard.send({ op: 31, d: { guild_ids: [] } });
    assertType<IsExact<typeof outcome, "sent" | "superseded">>(true);
  });
});

Deno.test("types: the status is told apart by its state", () => {
  const { status } = shard;
  if (status.state === "disconnected") {
    assertType<IsExact<typeof status.delayMs, number>>(true);
    assertType<IsExact<typeof status.action, "identify" | "resume">>(true);
  }
  // @ts-expect-error no such state
  assertEquals(status.state === "connected", false);
});
