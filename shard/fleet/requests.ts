/**
 * Requests to Discord through the shards of a fleet: each through its guild's shard, and beyond the end of that shard.
 *
 * A shard that is replaced, in a restart or a reshard, ends its open requests. Here they are sent again, through the
 * guild's new shard, and only what is missing is delivered. A request about guilds of several shards is one request to
 * each of them, and their responses come in the order in which they arrive.
 */

import {
  type GatewayCommand,
  GatewayOpcode,
  type RequestChannelInfo,
  type RequestGuildMembers,
  shardIdOf,
} from "../../gateway/mod.ts";
import { CommandNotSentError, RequestError } from "../commands/errors.ts";
import { ShardNotHereError } from "./errors.ts";
import type { AnyShard } from "./options.ts";
import type { FleetSet } from "./shard_set.ts";
import type { FleetSlot } from "./shard_slot.ts";
import { type GuildMembersChunk, KnownChunks } from "../commands/guild_members.ts";
import type { ChannelInfo, SoundboardSounds } from "../commands/guild_requests.ts";
import type { RequestOptions, ResponseIterator } from "../commands/response_iterator.ts";

/** What requests need of their fleet. */
export interface FleetRequestsOptions {
  /** The set that new commands go through, as soon as the fleet knows its shards. */
  readonly set: (command: GatewayCommand, signal?: AbortSignal) => Promise<FleetSet>;
  /** Aborted when the fleet closes. */
  readonly closing: AbortSignal;
  /** Throws where a shard would refuse a request for members. */
  readonly check: (request: RequestGuildMembers) => void;
}

/** A slot of a set, and its shard that has the request. */
interface Asked {
  readonly slot: FleetSlot;
  readonly shard: AnyShard;
  /** A guild of that shard. */
  readonly guildId: string;
  /** The command of the request. */
  readonly command: GatewayCommand;
}

/** The open requests of a fleet. */
export class FleetRequests {
  readonly #options: FleetRequestsOptions;

  /** No request is open yet. */
  constructor(options: FleetRequestsOptions) {
    this.#options = options;
  }

  /** Op 8. */
  guildMembers(request: RequestGuildMembers, options: RequestOptions): ResponseIterator<GuildMembersChunk> {
    this.#options.check(request);
    return stoppable(options, (stoppableOptions) => this.#members(request, stoppableOptions));
  }

  /** Op 31. */
  soundboardSounds(guildIds: readonly string[], options: RequestOptions): ResponseIterator<SoundboardSounds> {
    return stoppable(options, (stoppableOptions) => this.#sounds([...new Set(guildIds)], stoppableOptions));
  }

  /** Op 43. */
  async channelInfo(
    guildId: string,
    fields: RequestChannelInfo["fields"],
    options: RequestOptions,
  ): Promise<ChannelInfo> {
    const command = { op: GatewayOpcode.RequestChannelInfo, d: { guild_id: guildId, fields } } as const;
    for (;;) {
      const asked = await this.#ask(command, guildId, options);
      try {
        return await asked.shard.requestChannelInfo(guildId, fields, options);
      } catch (error) {
        if (!await this.#goesOn(asked, error)) throw error;
      }
    }
  }

  async *#members(
    request: RequestGuildMembers,
    options: RequestOptions,
  ): AsyncGenerator<GuildMembersChunk, void, void> {
    const command = { op: GatewayOpcode.RequestGuildMembers, d: request } as const;
    const known = new KnownChunks();
    for (;;) {
      const asked = await this.#ask(command, request.guild_id, options);
      try {
        for await (const chunk of asked.shard.requestGuildMembers(request, options)) {
          if (known.add(chunk)) yield chunk;
        }
        return;
      } catch (error) {
        if (!await this.#goesOn(asked, error)) throw error;
      }
    }
  }

  /** Of guilds of any shards. */
  async *#sounds(
    guildIds: readonly string[],
    options: RequestOptions,
  ): AsyncGenerator<SoundboardSounds, void, void> {
    const [first] = guildIds;
    if (first === undefined) return;
    const command = soundsCommand(guildIds);
    const set = await this.#options.set(command, options.signal);
    const byShard = Map.groupBy(guildIds, (guildId) => shardIdOf(guildId, set.count));
    const parts = [...byShard.values()].map((part) => this.#soundsOfOne(part, options));
    yield* parts.length === 1 && parts[0] ? parts[0] : merged(parts, command, options.signal);
  }

  /** Of guilds that one shard has now. */
  async *#soundsOfOne(
    guildIds: readonly string[],
    options: RequestOptions,
  ): AsyncGenerator<SoundboardSounds, void, void> {
    const [first = ""] = guildIds;
    const asked = await this.#ask(soundsCommand(guildIds), first, options);
    const missing = new Set(guildIds);
    try {
      for await (const sounds of asked.shard.requestSoundboardSounds(guildIds, options)) {
        missing.delete(sounds.guild_id);
        yield sounds;
      }
    } catch (error) {
      if (!await this.#goesOn(asked, error)) throw error;
      // Which may belong to several shards by now.
      yield* this.#sounds([...missing], options);
    }
  }

  /** The shard to ask. */
  async #ask(command: GatewayCommand, guildId: string, { signal }: RequestOptions): Promise<Asked> {
    const set = await this.#options.set(command, signal);
    const shardId = shardIdOf(guildId, set.count);
    const slot = set.shards.get(shardId);
    if (!slot) throw new ShardNotHereError(shardId, set.count);
    return { slot, shard: slot.shard, guildId, command };
  }

  /** Whether the shard that was asked is gone, and the guild has another. */
  async #goesOn({ slot, shard, guildId, command }: Asked, error: unknown): Promise<boolean> {
    const isGone = error instanceof CommandNotSentError ||
      error instanceof RequestError && error.code === "ERR_REQUEST_CLOSED";
    if (!isGone || this.#options.closing.aborted) return false;
    if (await slot.hasReplaced(shard)) return true;
    const set = await this.#options.set(command);
    return set.shards.get(shardIdOf(guildId, set.count)) !== slot;
  }
}

function soundsCommand(guildIds: readonly string[]): GatewayCommand {
  return { op: GatewayOpcode.RequestSoundboardSounds, d: { guild_ids: guildIds } };
}

/** Responses whose iteration can be left at any time, also while it waits for one. */
function stoppable<Item>(
  options: RequestOptions,
  ask: (options: RequestOptions) => AsyncGenerator<Item, void, void>,
): ResponseIterator<Item> {
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal;
  const generator = ask({ ...options, signal });
  const responses: ResponseIterator<Item> = {
    next: async () => {
      try {
        return await generator.next();
      } catch (error) {
        if (stopping.signal.aborted) return { done: true, value: undefined };
        throw error;
      }
    },
    return: async () => {
      stopping.abort();
      return await generator.return().catch(() => ({ done: true, value: undefined }));
    },
    [Symbol.asyncIterator]: () => responses,
    [Symbol.asyncDispose]: async () => {
      await responses.return();
    },
  };
  return responses;
}

/** All responses as they come. Errors of some parts come last, when the others are complete. */
async function* merged<Item>(
  parts: readonly AsyncGenerator<Item, void, void>[],
  { op }: GatewayCommand,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, void, void> {
  const errors: unknown[] = [];
  const pending = new Map(parts.map((part) => [part, nextOf(part)]));
  while (pending.size > 0) {
    const { part, read, error } = await Promise.race(pending.values());
    if (read && !read.done) {
      pending.set(part, nextOf(part));
      yield read.value;
    } else {
      pending.delete(part);
      if (!read) errors.push(error);
    }
  }
  signal?.throwIfAborted();
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `Cannot complete op ${op} on every shard`);
}

interface Read<Item> {
  readonly part: AsyncGenerator<Item, void, void>;
  readonly read: IteratorResult<Item, void> | null;
  readonly error: unknown;
}

function nextOf<Item>(part: AsyncGenerator<Item, void, void>): Promise<Read<Item>> {
  return part.next().then(
    (read) => ({ part, read, error: null }),
    (error: unknown) => ({ part, read: null, error }),
  );
}
