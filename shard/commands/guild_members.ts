/** Members of a guild: the request (op 8), and the chunks that respond to it. */

import {
  CommandError,
  type EventData,
  GatewayIntent,
  GatewayOpcode,
  type IntentName,
  type RequestGuildMembers,
} from "../../gateway/mod.ts";
import { checkFields } from "./check.ts";
import { type CommandLimits, subLimitOf } from "./limits.ts";
import { MissingOptionError } from "./errors.ts";
import type { RequestDefinition } from "./request_definition.ts";

/** One response to a request for members: up to 1000 of them, which one it is, and how many there are. */
export type GuildMembersChunk = EventData<"GUILD_MEMBERS_CHUNK">;

/** What a request for members needs of its shard. */
export interface GuildMembersContext {
  /** The intents of the shard. */
  readonly intents: number;
  /** The sub-limits of the shard. */
  readonly limits: CommandLimits;
  /** The nonce, if the request has none. */
  readonly nonce: string;
}

/**
 * Checks a request, and defines it.
 *
 * @throws {CommandError} Discord would not accept it.
 * @throws {MissingOptionError} Discord would ignore it, or a part of it.
 */
export function guildMembersRequest(
  request: RequestGuildMembers,
  { intents, limits, nonce: ownNonce }: GuildMembersContext,
): RequestDefinition<GuildMembersChunk> {
  const { guild_id, query, limit, user_ids, presences, nonce = ownNonce } = request;
  const command = { op: GatewayOpcode.RequestGuildMembers, d: { ...request, nonce } } as const;
  checkFields(command.op, command.d);
  if (user_ids?.length === 0) throw new CommandError("Cannot send op 8: user_ids has at least one id");
  if (query === "" && limit === 0 && (intents & GatewayIntent.GUILD_MEMBERS) === 0) {
    throw missingIntent("the full list", "GUILD_MEMBERS");
  }
  if (presences === true && (intents & GatewayIntent.GUILD_PRESENCES) === 0) {
    throw missingIntent("a list with presences", "GUILD_PRESENCES");
  }
  const gate = subLimitOf(command, limits) ?? { key: `some members ${guild_id}` };
  /** The chunks that were delivered. */
  const known = new KnownChunks();
  /** The indexes of the chunks that came; after a lost session they come anew. */
  const received = new Set<number>();
  let expected: number | null = null;
  return {
    command,
    event: "GUILD_MEMBERS_CHUNK",
    gate,
    get progress() {
      return { received: received.size, expected, missing: [] };
    },
    get complete() {
      return expected !== null && received.size >= expected;
    },
    // The nonce tells requests apart.
    ambiguous: false,
    sent() {
      received.clear();
      expected = null;
    },
    read(event) {
      if (event.t !== "GUILD_MEMBERS_CHUNK" || event.d.nonce !== nonce) return "foreign";
      const { chunk_index: index, chunk_count: count } = event.d;
      received.add(index);
      // No match is one empty chunk; whether `chunk_count` is then 0 or 1 is not documented.
      expected = count >= 1 ? count : 1;
      return known.add(event.d) ? { response: event.d } : "known";
    },
  };
}

function missingIntent(what: string, intent: IntentName): MissingOptionError {
  return new MissingOptionError(
    `Cannot request guild members: ${what} needs an intent that the shard has not: ${intent}`,
    intent,
  );
}

/** The chunks that were delivered, so that a list that is requested anew delivers only the rest. */
export class KnownChunks {
  readonly #marks = new Map<number, string>();

  /** Notes a chunk; `false` if it was delivered before. */
  add(chunk: GuildMembersChunk): boolean {
    const mark = markOf(chunk);
    if (this.#marks.get(chunk.chunk_index) === mark) return false;
    this.#marks.set(chunk.chunk_index, mark);
    return true;
  }
}

/**
 * Tells whether a chunk that comes again, because the list was requested anew, is the one that was delivered. Members
 * join and leave, which moves the borders of the chunks: a chunk that has changed is delivered again rather than missed.
 */
function markOf({ members = [], chunk_count, not_found = [] }: GuildMembersChunk): string {
  return [chunk_count, members.length, members[0]?.user?.id, members.at(-1)?.user?.id, not_found.length]
    .join();
}
