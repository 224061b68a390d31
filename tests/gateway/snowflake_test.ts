import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { isId, shardIdOf } from "../../gateway/snowflake.ts";
import { assertProperty } from "../property.ts";

const VECTORS: readonly [guildId: string | bigint, shardCount: number, shardId: number][] = [
  ["613425648685547541", 16, 8],
  [613425648685547541n, 16, 8],
  ["613425648685547541", 1, 0],
  ["0", 7, 0],
  [(1n << 22n) - 1n, 7, 0],
  [1n << 22n, 7, 1],
  [6n << 22n, 7, 6],
  [7n << 22n, 7, 0],
  // 2^64 - 1, where a number would have lost 11 bits.
  ["18446744073709551615", 1000, Number(4398046511103n % 1000n)],
];

for (const [guildId, shardCount, shardId] of VECTORS) {
  Deno.test(`snowflake: guild ${guildId} as a ${typeof guildId} of ${shardCount} shards is on shard ${shardId} [case 46]`, () => {
    assertEquals(shardIdOf(guildId, shardCount), shardId);
  });
}

Deno.test("snowflake: the timestamp part of the documented guild is 146252071544", () => {
  // With more shards than timestamps, the shard is the timestamp itself.
  assertEquals(shardIdOf("613425648685547541", Number.MAX_SAFE_INTEGER), 146252071544);
});

Deno.test("snowflake: the shard is in range and follows from the binary digits of the id", () => {
  assertProperty(
    fc.property(fc.bigInt(0n, (1n << 64n) - 1n), fc.integer({ min: 1, max: 100_000 }), (id, count) => {
      const shard = shardIdOf(id, count);
      assert(Number.isInteger(shard) && shard >= 0 && shard < count);
      assertEquals(shardIdOf(`${id}`, count), shard);
      // Horner's rule over the 42 upper bits, in small numbers only.
      let expected = 0;
      for (const digit of id.toString(2).padStart(64, "0").slice(0, 42)) {
        expected = (expected * 2 + Number(digit)) % count;
      }
      assertEquals(shard, expected);
    }),
  );
});

Deno.test("snowflake: four shards split into 0, 4 and 8 of 12 and 1 to 3 of 4 have each guild once [case 46]", () => {
  const owners: readonly [id: number, count: number][] = [[0, 12], [4, 12], [8, 12], [1, 4], [2, 4], [3, 4]];
  assertProperty(fc.property(fc.bigInt(0n, (1n << 64n) - 1n), (guild) => {
    assertEquals(owners.filter(([id, count]) => shardIdOf(guild, count) === id).length, 1);
  }));
});

const REFUSED: readonly [guildId: unknown, shardCount: unknown, kind: typeof TypeError, message: string][] = [
  [613425648685547541, 16, TypeError, "must be a string of digits or a bigint: number"],
  [null, 16, TypeError, "must be a string of digits or a bigint: object"],
  [undefined, 16, TypeError, "must be a string of digits or a bigint: undefined"],
  ["", 16, TypeError, 'must be a string of digits or a bigint: ""'],
  ["-1", 16, TypeError, 'must be a string of digits or a bigint: "-1"'],
  [" 1", 16, TypeError, 'must be a string of digits or a bigint: " 1"'],
  ["1\n", 16, TypeError, "must be a string of digits or a bigint"],
  ["0x10", 16, TypeError, 'must be a string of digits or a bigint: "0x10"'],
  ["1e3", 16, TypeError, 'must be a string of digits or a bigint: "1e3"'],
  ["١", 16, TypeError, 'must be a string of digits or a bigint: "١"'],
  ["18446744073709551616", 16, RangeError, "must fit in 64 bits without a sign: 18446744073709551616"],
  [-1n, 16, RangeError, "must fit in 64 bits without a sign: -1"],
  ["1", 0, RangeError, "must be an integer of at least 1: 0"],
  ["1", -4, RangeError, "must be an integer of at least 1: -4"],
  ["1", 1.5, RangeError, "must be an integer of at least 1: 1.5"],
  ["1", NaN, RangeError, "must be an integer of at least 1: NaN"],
  ["1", Infinity, RangeError, "must be an integer of at least 1: Infinity"],
  ["1", "16", RangeError, "must be an integer of at least 1: 16"],
];

for (const [guildId, shardCount, kind, message] of REFUSED) {
  Deno.test(`snowflake: ${typeof guildId} ${guildId} of ${typeof shardCount} ${shardCount} is refused`, () => {
    assertThrows(() => shardIdOf(guildId as string, shardCount as number), kind, message);
  });
}

Deno.test("snowflake: an id is a string of decimal digits, nothing else", () => {
  for (const id of ["0", "613425648685547541"]) assert(isId(id));
  for (const value of ["", "abc", "-1", "1 ", "1\n", "0x1", "１", 1, 1n, null, undefined, ["1"], {}]) {
    assert(!isId(value));
  }
});
