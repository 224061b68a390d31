import { assert, assertEquals, assertMatch } from "@std/assert";
import { GatewayCloseCodes } from "discord-api-types/v10";
import fc from "fast-check";
import {
  CLOSE_CODES,
  describeCloseCode,
  END_SESSION_CLOSE_CODE,
  GatewayCloseCode,
  isSendableCloseCode,
  KEEP_SESSION_CLOSE_CODE,
} from "../../gateway/close_code.ts";
import { assertProperty } from "../property.ts";

/** Discord's documentation, row by row, and the removed 4006. */
const DOCUMENTED: readonly [code: number, name: string, fatal: boolean][] = [
  [4000, "UnknownError", false],
  [4001, "UnknownOpcode", false],
  [4002, "DecodeError", false],
  [4003, "NotAuthenticated", false],
  [4004, "AuthenticationFailed", true],
  [4005, "AlreadyAuthenticated", false],
  [4006, "SessionNoLongerValid", false],
  [4007, "InvalidSeq", false],
  [4008, "RateLimited", false],
  [4009, "SessionTimedOut", false],
  [4010, "InvalidShard", true],
  [4011, "ShardingRequired", true],
  [4012, "InvalidAPIVersion", true],
  [4013, "InvalidIntents", true],
  [4014, "DisallowedIntents", true],
];

/** What our table has beyond discord-api-types, and why. */
const BEYOND_DISCORD_API_TYPES = new Map([
  [4006, "Discord has removed it, but compatible servers may still send it"],
]);

for (const [code, name, fatal] of DOCUMENTED) {
  Deno.test(`close code: ${code} is ${name}, ${fatal ? "fatal" : "not fatal"}, and is explained`, () => {
    const rows = CLOSE_CODES.filter((row) => row.code === code);
    assertEquals(rows.length, 1);
    const row = rows[0]!;
    assertEquals([row.name, row.fatal], [name, fatal]);
    assertMatch(row.explanation, /^[A-Z].{30,}[^.]$/);
    assertEquals(describeCloseCode(code), `${code} ${name}: ${row.explanation}`);
  });
}

for (const code of [null, 0, 1005, 1006]) {
  Deno.test(`close code: ${code} means that there was none`, () => {
    assertEquals(describeCloseCode(code), "no close code: The connection was cut");
  });
}

for (const [code, name] of [[1000, "NormalClosure"], [1001, "GoingAway"], [1011, "InternalError"]] as const) {
  Deno.test(`close code: ${code}, not Discord's own, is ${name}`, () => {
    assertMatch(describeCloseCode(code), new RegExp(`^${code} ${name}: `));
  });
}

for (const code of [4015, 4016, 4999, 2999]) {
  Deno.test(`close code: ${code}, unknown to a bot, is described by its number`, () => {
    assertMatch(describeCloseCode(code), new RegExp(`^${code}: The code has no meaning known`));
  });
}

Deno.test("close code: the table is complete and in order", () => {
  assertEquals(CLOSE_CODES.map((row) => row.code), DOCUMENTED.map(([code]) => code));
});

Deno.test("close code: names and numbers are those of discord-api-types, but for the listed ones", () => {
  const theirs = Object.entries(GatewayCloseCodes).filter(([, code]) => typeof code === "number");
  assertEquals<unknown>(GatewayCloseCode, Object.fromEntries(theirs));
  const rows = CLOSE_CODES.filter((row) => !BEYOND_DISCORD_API_TYPES.has(row.code));
  assertEquals<unknown>(
    Object.fromEntries(rows.map((row) => [row.name, row.code])),
    Object.fromEntries(theirs),
  );
});

Deno.test("close code: both codes that we send can be sent, and neither is one of Discord's", () => {
  assertEquals([END_SESSION_CLOSE_CODE, KEEP_SESSION_CLOSE_CODE], [1000, 4200]);
  for (const code of [END_SESSION_CLOSE_CODE, KEEP_SESSION_CLOSE_CODE]) {
    assert(isSendableCloseCode(code));
    assertEquals(CLOSE_CODES.filter((row) => row.code === code), []);
  }
});

for (
  const [code, sendable] of [
    [1000, true],
    [3000, true],
    [4999, true],
    [999, false],
    [1001, false],
    [1005, false],
    [1006, false],
    [1012, false],
    [2999, false],
    [5000, false],
    [0, false],
    [-4000, false],
    [4000.5, false],
    [NaN, false],
    [Infinity, false],
  ] as const
) {
  Deno.test(`close code: ${code} ${sendable ? "can" : "can't"} be given to WebSocket.close()`, () => {
    assertEquals(isSendableCloseCode(code), sendable);
  });
}

Deno.test("close code: every number can be described", () => {
  assertProperty(fc.property(fc.integer({ min: 0, max: 65535 }), (code) => {
    const text = describeCloseCode(code);
    assert(text.startsWith(`${code}`) || text.startsWith("no close code"), text);
  }));
});
