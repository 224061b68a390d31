import { assertEquals, assertThrows } from "@std/assert";
import { GatewayIntentBits } from "discord-api-types/v10";
import fc from "fast-check";
import { type EventName, EVENTS, type GuildEventName } from "../../gateway/event.ts";
import {
  ALL_INTENTS,
  GatewayIntent,
  intentNames,
  INTENTS,
  intentsOf,
  NON_PRIVILEGED_INTENTS,
  PRIVILEGED_INTENTS,
  type WantedEvents,
} from "../../gateway/intent.ts";
import { assertProperty } from "../property.ts";

/** Discord's list of intents: bit, name, and P where it is privileged. */
const DOCUMENTED: readonly [bit: number, name: keyof typeof GatewayIntent, privileged?: "P"][] = [
  [0, "GUILDS"],
  [1, "GUILD_MEMBERS", "P"],
  [2, "GUILD_MODERATION"],
  [3, "GUILD_EXPRESSIONS"],
  [4, "GUILD_INTEGRATIONS"],
  [5, "GUILD_WEBHOOKS"],
  [6, "GUILD_INVITES"],
  [7, "GUILD_VOICE_STATES"],
  [8, "GUILD_PRESENCES", "P"],
  [9, "GUILD_MESSAGES"],
  [10, "GUILD_MESSAGE_REACTIONS"],
  [11, "GUILD_MESSAGE_TYPING"],
  [12, "DIRECT_MESSAGES"],
  [13, "DIRECT_MESSAGE_REACTIONS"],
  [14, "DIRECT_MESSAGE_TYPING"],
  [15, "MESSAGE_CONTENT", "P"],
  [16, "GUILD_SCHEDULED_EVENTS"],
  [20, "AUTO_MODERATION_CONFIGURATION"],
  [21, "AUTO_MODERATION_EXECUTION"],
  [24, "GUILD_MESSAGE_POLLS"],
  [25, "DIRECT_MESSAGE_POLLS"],
];

/** What discord-api-types has beyond ours, and why. */
const ONLY_IN_DISCORD_API_TYPES = new Map([
  ["GUILD_BANS", "an old name of GUILD_MODERATION"],
  ["GUILD_EMOJIS_AND_STICKERS", "an old name of GUILD_EXPRESSIONS"],
]);

for (const [bit, name, privileged] of DOCUMENTED) {
  Deno.test(`intent: ${name} is bit ${bit}${privileged ? ", privileged" : ""}`, () => {
    assertEquals(GatewayIntent[name], 2 ** bit);
    assertEquals(INTENTS.filter((row) => row.name === name).map((row) => ({ ...row })), [
      { name, bit, value: GatewayIntent[name], privileged: privileged === "P" },
    ]);
  });
}

Deno.test("intent: the table is complete and in order", () => {
  assertEquals(INTENTS.map((row) => row.name), DOCUMENTED.map(([, name]) => name));
});

Deno.test("intent: the sums are Discord's", () => {
  const sum = (rows: typeof INTENTS) => rows.reduce((bits, row) => bits + row.value, 0);
  assertEquals(ALL_INTENTS, sum(INTENTS));
  assertEquals(PRIVILEGED_INTENTS, sum(INTENTS.filter((row) => row.privileged)));
  assertEquals(NON_PRIVILEGED_INTENTS, sum(INTENTS.filter((row) => !row.privileged)));
  assertEquals(ALL_INTENTS, 53608447);
  assertEquals(PRIVILEGED_INTENTS, 33026);
  assertEquals(NON_PRIVILEGED_INTENTS, 53575421);
});

Deno.test("intent: names and values are those of discord-api-types, but for the listed ones", () => {
  const theirs = Object.entries(GatewayIntentBits)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => [name.replace(/(?<=.)([A-Z])/g, "_$1").toUpperCase(), value] as const);
  assertEquals(
    theirs.filter(([name]) => !Object.hasOwn(GatewayIntent, name)).map(([name]) => name).sort(),
    [...ONLY_IN_DISCORD_API_TYPES.keys()].sort(),
  );
  assertEquals<unknown>(
    GatewayIntent,
    Object.fromEntries(theirs.filter(([name]) => !ONLY_IN_DISCORD_API_TYPES.has(name))),
  );
});

const WANTED: readonly [what: string, wanted: WantedEvents, intents: string[]][] = [
  ["nothing", {}, []],
  ["undefined lists", { guildEvents: undefined, directMessageEvents: undefined, events: undefined }, []],
  ["messages in guilds, without their content", { guildEvents: ["MESSAGE_CREATE"] }, ["GUILD_MESSAGES"]],
  ["direct messages", { directMessageEvents: ["MESSAGE_CREATE"] }, ["DIRECT_MESSAGES"]],
  [
    "the same event from both places",
    { guildEvents: ["TYPING_START"], directMessageEvents: ["TYPING_START"] },
    ["GUILD_MESSAGE_TYPING", "DIRECT_MESSAGE_TYPING"],
  ],
  [
    "two events of one intent, and one twice",
    { guildEvents: ["GUILD_CREATE", "GUILD_DELETE", "GUILD_CREATE"] },
    ["GUILDS"],
  ],
  ["pins in guilds", { guildEvents: ["CHANNEL_PINS_UPDATE"] }, ["GUILDS"]],
  ["pins in direct messages", { directMessageEvents: ["CHANNEL_PINS_UPDATE"] }, ["DIRECT_MESSAGES"]],
  ["thread members, by the least privileged", { guildEvents: ["THREAD_MEMBERS_UPDATE"] }, ["GUILDS"]],
  ["members, which only a privileged one yields", { guildEvents: ["GUILD_MEMBER_ADD"] }, ["GUILD_MEMBERS"]],
  ["presences, likewise", { guildEvents: ["PRESENCE_UPDATE"] }, ["GUILD_PRESENCES"]],
  ["events that need none", { events: ["INTERACTION_CREATE", "READY", "RATE_LIMITED"] }, []],
];

for (const [what, wanted, intents] of WANTED) {
  Deno.test(`intent: worked out from ${what} [case 46]`, () => {
    assertEquals(intentNames(intentsOf(wanted)), intents);
  });
}

Deno.test("intent: wanting every event never asks for MESSAGE_CONTENT", () => {
  const names = Object.keys(EVENTS) as EventName[];
  const wanted = {
    guildEvents: names.filter((name) => EVENTS[name].guild.length > 0) as GuildEventName[],
    directMessageEvents: names.filter((name) => EVENTS[name].direct.length > 0),
    events: names.filter((name) => EVENTS[name].guild.length + EVENTS[name].direct.length === 0),
  } as WantedEvents;
  assertEquals(intentsOf(wanted), ALL_INTENTS - GatewayIntent.MESSAGE_CONTENT);
});

Deno.test("intent: a list yields what its names yield one by one", () => {
  const names = (Object.keys(EVENTS) as EventName[]).filter((name) => EVENTS[name].guild.length > 0);
  assertProperty(fc.property(fc.subarray(names as GuildEventName[]), (guildEvents) => {
    const oneByOne = guildEvents.reduce((bits, name) => bits | intentsOf({ guildEvents: [name] }), 0);
    assertEquals(intentsOf({ guildEvents }), oneByOne);
  }));
});

const REFUSED: readonly [wanted: unknown, message: string][] = [
  [{ guildEvents: ["MESSAGE_CRATE"] }, 'guildEvents must name events that Discord has: "MESSAGE_CRATE"'],
  [
    { directMessageEvents: ["toString"] },
    'directMessageEvents must name events that Discord has: "toString"',
  ],
  [{ events: ["ready"] }, 'events must name events that Discord has: "ready"'],
  [{ guildEvents: ["INTERACTION_CREATE"] }, 'INTERACTION_CREATE belongs in events: "guildEvents"'],
  [{ directMessageEvents: ["GUILD_CREATE"] }, 'GUILD_CREATE belongs in guildEvents: "directMessageEvents"'],
  [
    { events: ["MESSAGE_CREATE"] },
    'MESSAGE_CREATE belongs in guildEvents or directMessageEvents: "events"',
  ],
];

for (const [wanted, message] of REFUSED) {
  Deno.test(`intent: ${JSON.stringify(wanted)} is refused`, () => {
    const error = assertThrows(() => intentsOf(wanted as WantedEvents), TypeError);
    assertEquals(error.message, `Cannot derive intents: ${message}`);
  });
}

Deno.test("intent: every bit has a name", () => {
  assertEquals(intentNames(0), []);
  assertEquals(intentNames(ALL_INTENTS), DOCUMENTED.map(([, name]) => name));
  assertEquals(intentNames(PRIVILEGED_INTENTS), ["GUILD_MEMBERS", "GUILD_PRESENCES", "MESSAGE_CONTENT"]);
  assertEquals(intentNames(1 + (1 << 17) + (1 << 30)), ["GUILDS", "1 << 17", "1 << 30"]);
});

for (const bits of [-1, 1.5, NaN, 2 ** 31]) {
  Deno.test(`intent: ${bits} is no bit field`, () => {
    assertThrows(() => intentNames(bits), RangeError, `from 0 to 2^31 - 1: ${bits}`);
  });
}
