/**
 * Discord's 64-bit ids, and which shard a guild belongs to.
 *
 * An id does not fit in a JavaScript number, so it is a string or a bigint everywhere, and numbers are refused.
 */

/**
 * Whether this is an id as Discord writes it in JSON: a string of decimal digits.
 *
 * @example
 * ```ts
 * import { isId } from "@discordgateway/edge/gateway";
 *
 * if (!isId("613425648685547541") || isId("abc") || isId(1)) throw new Error("unexpected");
 * ```
 */
export function isId(value: unknown): value is string {
  return typeof value === "string" && /^\d+$/.test(value);
}

const LARGEST = 0xffff_ffff_ffff_ffffn;

/**
 * The shard that receives a guild's events: the id's timestamp part modulo the number of shards.
 *
 * Voice commands for the guild have to go through this shard. Events without a guild come to shard 0.
 *
 * @see https://docs.discord.com/developers/events/gateway#sharding
 *
 * @throws {TypeError} If the id is neither a string of decimal digits nor a bigint.
 * @throws {RangeError} If the id does not fit in 64 bits, or the count is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import { shardIdOf } from "@discordgateway/edge/gateway";
 *
 * if (shardIdOf("613425648685547541", 16) !== 8) throw new Error("unexpected");
 * ```
 */
export function shardIdOf(guildId: string | bigint, shardCount: number): number {
  if (!Number.isSafeInteger(shardCount) || shardCount < 1) {
    throw new RangeError(
      `Cannot find the shard: the shard count must be an integer of at least 1: ${shardCount}`,
    );
  }
  return Number((snowflake(guildId) >> 22n) % BigInt(shardCount));
}

function snowflake(id: string | bigint): bigint {
  if (typeof id !== "bigint" && !isId(id)) {
    const value = typeof id === "string" ? `"${id}"` : typeof id;
    throw new TypeError(
      `Cannot find the shard: the guild id must be a string of digits or a bigint: ${value}`,
    );
  }
  const value = BigInt(id);
  if (value < 0n || value > LARGEST) {
    throw new RangeError(`Cannot find the shard: the guild id must fit in 64 bits without a sign: ${id}`);
  }
  return value;
}
