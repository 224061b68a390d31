/**
 * Intents: the bits of the identify that decide which events Discord sends.
 *
 * The user names events, and the bits follow from the event table; whoever wants a bit of their own adds it manually.
 * All tables are plain literals, so a bundler drops those that nobody reads.
 */

import {
  type DirectMessageEventName,
  type EventName,
  EVENTS,
  type GuildEventName,
  isEventName,
  type UngatedEventName,
} from "./event.ts";

/**
 * The intents by Discord's names, each as its bit's value.
 *
 * @see https://docs.discord.com/developers/events/gateway#list-of-intents
 *
 * @example
 * ```ts
 * import { GatewayIntent, intentsOf } from "@discordgateway/edge/gateway";
 *
 * const intents = intentsOf({ guildEvents: ["MESSAGE_CREATE"] }) | GatewayIntent.MESSAGE_CONTENT;
 * if (intents !== 512 + 32768) throw new Error(`unexpected: ${intents}`);
 * ```
 */
export const GatewayIntent = {
  GUILDS: 1,
  GUILD_MEMBERS: 2,
  GUILD_MODERATION: 4,
  GUILD_EXPRESSIONS: 8,
  GUILD_INTEGRATIONS: 16,
  GUILD_WEBHOOKS: 32,
  GUILD_INVITES: 64,
  GUILD_VOICE_STATES: 128,
  GUILD_PRESENCES: 256,
  GUILD_MESSAGES: 512,
  GUILD_MESSAGE_REACTIONS: 1024,
  GUILD_MESSAGE_TYPING: 2048,
  DIRECT_MESSAGES: 4096,
  DIRECT_MESSAGE_REACTIONS: 8192,
  DIRECT_MESSAGE_TYPING: 16384,
  MESSAGE_CONTENT: 32768,
  GUILD_SCHEDULED_EVENTS: 65536,
  AUTO_MODERATION_CONFIGURATION: 1048576,
  AUTO_MODERATION_EXECUTION: 2097152,
  GUILD_MESSAGE_POLLS: 16777216,
  DIRECT_MESSAGE_POLLS: 33554432,
} as const;

/** One of the intents in the constant of the same name. */
export type GatewayIntent = typeof GatewayIntent[keyof typeof GatewayIntent];

/** The name of an intent. */
export type IntentName = keyof typeof GatewayIntent;

/** What there is to know about one intent. */
export interface IntentRow {
  /** Discord's name for it. */
  readonly name: IntentName;
  /** The position of its bit. */
  readonly bit: number;
  /** The bit's value, `1 << bit`. */
  readonly value: GatewayIntent;
  /** Whether it has to be enabled in the developer portal; asking for it without is answered by close code 4014. */
  readonly privileged: boolean;
}

/**
 * Every intent that a bot may ask for, in ascending order.
 *
 * @see https://docs.discord.com/developers/events/gateway#list-of-intents
 *
 * @example
 * ```ts
 * import { INTENTS } from "@discordgateway/edge/gateway";
 *
 * const privileged = INTENTS.filter((row) => row.privileged).map((row) => row.name);
 * if (privileged.join() !== "GUILD_MEMBERS,GUILD_PRESENCES,MESSAGE_CONTENT") throw new Error("unexpected");
 * ```
 */
export const INTENTS: readonly IntentRow[] = [
  { name: "GUILDS", bit: 0, value: 1, privileged: false },
  { name: "GUILD_MEMBERS", bit: 1, value: 2, privileged: true },
  { name: "GUILD_MODERATION", bit: 2, value: 4, privileged: false },
  { name: "GUILD_EXPRESSIONS", bit: 3, value: 8, privileged: false },
  { name: "GUILD_INTEGRATIONS", bit: 4, value: 16, privileged: false },
  { name: "GUILD_WEBHOOKS", bit: 5, value: 32, privileged: false },
  { name: "GUILD_INVITES", bit: 6, value: 64, privileged: false },
  { name: "GUILD_VOICE_STATES", bit: 7, value: 128, privileged: false },
  { name: "GUILD_PRESENCES", bit: 8, value: 256, privileged: true },
  { name: "GUILD_MESSAGES", bit: 9, value: 512, privileged: false },
  { name: "GUILD_MESSAGE_REACTIONS", bit: 10, value: 1024, privileged: false },
  { name: "GUILD_MESSAGE_TYPING", bit: 11, value: 2048, privileged: false },
  { name: "DIRECT_MESSAGES", bit: 12, value: 4096, privileged: false },
  { name: "DIRECT_MESSAGE_REACTIONS", bit: 13, value: 8192, privileged: false },
  { name: "DIRECT_MESSAGE_TYPING", bit: 14, value: 16384, privileged: false },
  { name: "MESSAGE_CONTENT", bit: 15, value: 32768, privileged: true },
  { name: "GUILD_SCHEDULED_EVENTS", bit: 16, value: 65536, privileged: false },
  { name: "AUTO_MODERATION_CONFIGURATION", bit: 20, value: 1048576, privileged: false },
  { name: "AUTO_MODERATION_EXECUTION", bit: 21, value: 2097152, privileged: false },
  { name: "GUILD_MESSAGE_POLLS", bit: 24, value: 16777216, privileged: false },
  { name: "DIRECT_MESSAGE_POLLS", bit: 25, value: 33554432, privileged: false },
];

/**
 * Every intent that a bot may ask for, the privileged ones included.
 *
 * @example
 * ```ts
 * import { ALL_INTENTS } from "@discordgateway/edge/gateway";
 *
 * if (ALL_INTENTS !== 53608447) throw new Error(`unexpected: ${ALL_INTENTS}`);
 * ```
 */
export const ALL_INTENTS: number = 53608447;

/**
 * The intents that have to be enabled in the developer portal: GUILD_MEMBERS, GUILD_PRESENCES and MESSAGE_CONTENT.
 *
 * @see https://docs.discord.com/developers/events/gateway#privileged-intents
 *
 * @example
 * ```ts
 * import { GatewayIntent, PRIVILEGED_INTENTS } from "@discordgateway/edge/gateway";
 *
 * if ((PRIVILEGED_INTENTS & GatewayIntent.GUILD_MEMBERS) === 0) throw new Error("unexpected");
 * ```
 */
export const PRIVILEGED_INTENTS: number = 33026;

/**
 * Every intent that needs nobody's permission.
 *
 * @example
 * ```ts
 * import { ALL_INTENTS, NON_PRIVILEGED_INTENTS, PRIVILEGED_INTENTS } from "@discordgateway/edge/gateway";
 *
 * if ((NON_PRIVILEGED_INTENTS | PRIVILEGED_INTENTS) !== ALL_INTENTS) throw new Error("unexpected");
 * ```
 */
export const NON_PRIVILEGED_INTENTS: number = 53575421;

/** The events that somebody wants, by where they happen. */
export interface WantedEvents {
  /** Events wanted from guilds. */
  readonly guildEvents?: readonly GuildEventName[] | undefined;
  /** Events wanted from direct messages. */
  readonly directMessageEvents?: readonly DirectMessageEventName[] | undefined;
  /** Events wanted that need no intent. */
  readonly events?: readonly UngatedEventName[] | undefined;
}

/**
 * The intents to identify with so that the wanted events come, and as few others as possible.
 *
 * Where several intents let an event through, the least privileged is taken. MESSAGE_CONTENT is never among them:
 * without it messages come with an empty `content`, so add `GatewayIntent.MESSAGE_CONTENT` where it is needed.
 *
 * @throws {TypeError} If a name is unknown, or given where it can't happen.
 *
 * @example
 * ```ts
 * import { intentNames, intentsOf } from "@discordgateway/edge/gateway";
 *
 * const intents = intentsOf({
 *   guildEvents: ["GUILD_CREATE", "MESSAGE_CREATE"],
 *   directMessageEvents: ["MESSAGE_CREATE"],
 *   events: ["INTERACTION_CREATE"],
 * });
 * if (intentNames(intents).join() !== "GUILDS,GUILD_MESSAGES,DIRECT_MESSAGES") throw new Error("unexpected");
 * ```
 */
export function intentsOf(wanted: WantedEvents): number {
  let bits = 0;
  for (const name of wanted.guildEvents ?? []) bits |= intentFor(name, "guildEvents");
  for (const name of wanted.directMessageEvents ?? []) bits |= intentFor(name, "directMessageEvents");
  for (const name of wanted.events ?? []) bits |= intentFor(name, "events");
  return bits;
}

/** What the types promise is checked again, for callers without types. */
function intentFor(name: EventName, list: keyof WantedEvents): number {
  if (!isEventName(name)) {
    throw new TypeError(`Cannot derive intents: ${list} must name events that Discord has: "${name}"`);
  }
  const gates: { guild: readonly IntentName[]; direct: readonly IntentName[] } = EVENTS[name];
  const intents = new Map<keyof WantedEvents, IntentName | undefined>();
  if (gates.guild.length > 0) intents.set("guildEvents", gates.guild[0]);
  if (gates.direct.length > 0) intents.set("directMessageEvents", gates.direct[0]);
  if (intents.size === 0) intents.set("events", undefined);
  if (!intents.has(list)) {
    throw new TypeError(
      `Cannot derive intents: ${name} belongs in ${[...intents.keys()].join(" or ")}: "${list}"`,
    );
  }
  const intent = intents.get(list);
  return intent ? GatewayIntent[intent] : 0;
}

/**
 * The names of the intents in a bit field, in ascending order; a bit that is nobody's comes as `1 << n`.
 *
 * @throws {RangeError} If it is not an integer from 0 to 2^31 - 1.
 *
 * @example
 * ```ts
 * import { intentNames } from "@discordgateway/edge/gateway";
 *
 * if (intentNames(512 + 32768).join() !== "GUILD_MESSAGES,MESSAGE_CONTENT") throw new Error("unexpected");
 * if (intentNames(1 << 17).join() !== "1 << 17") throw new Error("unexpected");
 * ```
 */
export function intentNames(bits: number): string[] {
  if (!Number.isInteger(bits) || bits < 0 || bits > 0x7fffffff) {
    throw new RangeError(`Cannot name intents: the bits must be an integer from 0 to 2^31 - 1: ${bits}`);
  }
  const names: string[] = [];
  for (let bit = 0; bit < 31; bit++) {
    if ((bits & (1 << bit)) === 0) continue;
    names.push(INTENTS.find((row) => row.bit === bit)?.name ?? `1 << ${bit}`);
  }
  return names;
}
