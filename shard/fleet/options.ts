/** What a fleet is made from, and the shards that are made from it. */

import {
  type DirectMessageEventName,
  GatewayIntent,
  type GuildEventName,
  intentsOf,
  type SessionRecord,
  type UngatedEventName,
} from "../../gateway/mod.ts";
import type { FleetEvent } from "./event.ts";
import type { ShardSelection } from "./plan.ts";
import type { ShardOptions } from "../options.ts";
import { Shard } from "../shard.ts";
import type { ShardStatus } from "../status.ts";
import type { VoiceProvider } from "../voice_provider.ts";

/** Which shard a status is of. */
export interface FleetShardStatus {
  /** The shard's number. */
  readonly shardId: number;
  /** How many shards the bot is split into; during a reshard there are shards of two counts. */
  readonly shardCount: number;
  /** What it is doing. */
  readonly status: ShardStatus;
}

/** What a fleet is made from: what each of its shards is made from, and which shards these are. */
export interface FleetOptions<
  Guild extends GuildEventName = never,
  DirectMessage extends DirectMessageEventName = never,
  Ungated extends UngatedEventName = never,
  Voice extends VoiceProvider | undefined = VoiceProvider | undefined,
> extends Omit<ShardOptions<Guild, DirectMessage, Ungated, Voice>, "shard" | "session" | "onStatus"> {
  /**
   * Which shards: as many as Discord recommends, all of a number, or some of them where other processes run the others.
   * Sessions that are restored decide on the count, as they are good for no other; `reshard` changes it then.
   *
   * @default {"recommended"}
   */
  readonly shards?: "recommended" | number | ShardSelection;
  /** Saved sessions to resume, as `sessions` and `close` give them; shards without one identify. */
  readonly sessions?: readonly SessionRecord[];
  /** Called whenever the status of a shard changes. If it throws, that shard stops with that error. */
  readonly onStatus?: (status: FleetShardStatus) => void;
}

/** A shard, whatever events it is for. */
export type AnyShard = Shard<GuildEventName, DirectMessageEventName, UngatedEventName>;

/** Options of a fleet, whatever events it is for. */
export type AnyFleetOptions = FleetOptions<GuildEventName, DirectMessageEventName, UngatedEventName>;

/** What a set of shards has in common beyond the options. */
export interface ShardSetOptions {
  /** How many shards the bot is split into. */
  readonly count: number;
  /** The gateway's URL; `null` to have each shard ask. */
  readonly url: string | null;
  /** Whether to hear of READY and of guilds, whoever else wants to. */
  readonly watched: boolean;
}

/** Makes one shard of a set. */
export function makeShard(
  options: AnyFleetOptions,
  set: ShardSetOptions & {
    readonly shardId: number;
    readonly session: SessionRecord | null;
    readonly onStatus: (status: ShardStatus) => void;
  },
): AnyShard {
  const { shards: _shards, sessions: _sessions, ...shardOptions } = options;
  return new Shard<GuildEventName, DirectMessageEventName, UngatedEventName>({
    ...shardOptions,
    ...(set.watched && watchedEvents(options)),
    ...(set.url !== null && { url: set.url }),
    shard: [set.shardId, set.count],
    session: set.session,
    onStatus: set.onStatus,
  });
}

/** The events asked for and those that tell of a session's guilds; no intent is added for them. */
function watchedEvents(options: AnyFleetOptions): Partial<AnyFleetOptions> {
  const { guildEvents, directMessageEvents, events, intents = 0 } = options;
  if (!guildEvents && !directMessageEvents && !events) return {};
  const all = intents | intentsOf({
    ...(guildEvents && { guildEvents }),
    ...(directMessageEvents && { directMessageEvents }),
    ...(events && { events }),
  });
  const withGuilds = (all & GatewayIntent.GUILDS) !== 0;
  return {
    events: [...events ?? [], "READY"],
    ...(withGuilds && { guildEvents: [...guildEvents ?? [], "GUILD_CREATE", "GUILD_DELETE"] }),
  };
}

/** Whether somebody asked for this event: a set that is watched hears of more. */
export function wantedItems(options: AnyFleetOptions): (item: FleetEvent) => boolean {
  const { guildEvents, directMessageEvents, events } = options;
  if (!guildEvents && !directMessageEvents && !events) return () => true;
  const names = new Set<string>([...guildEvents ?? [], ...directMessageEvents ?? [], ...events ?? []]);
  // Events of our own have no opcode.
  return ({ event }) => event.op === null || names.has(event.t);
}
