import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SessionRecordError } from "../../gateway/errors.ts";
import { parseSessionRecord } from "../../gateway/session.ts";
import { assertProperty } from "../property.ts";
import { SESSION } from "./harness.ts";

Deno.test("session: a record survives the way through JSON unchanged", () => {
  assertEquals(parseSessionRecord(JSON.parse(JSON.stringify(SESSION))), SESSION);
});

Deno.test("session: sequence 0 and a missing URL (null) are fine", () => {
  const record = { ...SESSION, sequence: 0, resumeGatewayUrl: null };
  assertEquals(parseSessionRecord(record), record);
});

Deno.test("session: what does not belong to a record is left out", () => {
  assertEquals(parseSessionRecord({ ...SESSION, token: "not ours to keep" }), SESSION);
});

const WRONG: readonly [what: string, value: unknown, message: string][] = [
  ["null", null, "it is an object: object"],
  ["undefined", undefined, "it is an object: undefined"],
  ["a text", "{}", "it is an object: {}"],
  ["a number", 5, "it is an object: 5"],
  ["a list", [], "sessionId is a string: undefined"],
  ["no session id", { ...SESSION, sessionId: undefined }, "sessionId is a string: undefined"],
  ["an empty session id", { ...SESSION, sessionId: "" }, "sessionId is a string: "],
  ["a number as session id", { ...SESSION, sessionId: 7 }, "sessionId is a string: 7"],
  ["no sequence", { ...SESSION, sequence: undefined }, "sequence is an integer from 0: undefined"],
  ["a sequence of null", { ...SESSION, sequence: null }, "sequence is an integer from 0: object"],
  ["a negative sequence", { ...SESSION, sequence: -1 }, "sequence is an integer from 0: -1"],
  ["a broken sequence", { ...SESSION, sequence: 1.5 }, "sequence is an integer from 0: 1.5"],
  ["a text as sequence", { ...SESSION, sequence: "7" }, "sequence is an integer from 0: 7"],
  [
    "an inexact sequence",
    { ...SESSION, sequence: 2 ** 53 },
    "sequence is an integer from 0: 9007199254740992",
  ],
  ["no URL", { ...SESSION, resumeGatewayUrl: undefined }, "resumeGatewayUrl is a URL or null: undefined"],
  [
    "no proper URL",
    { ...SESSION, resumeGatewayUrl: "gateway" },
    "resumeGatewayUrl is a URL or null: gateway",
  ],
  ["no shard", { ...SESSION, shardId: undefined }, "shardId is an integer below shardCount: undefined"],
  ["a negative shard", { ...SESSION, shardId: -1 }, "shardId is an integer below shardCount: -1"],
  ["a shard beyond the last", { ...SESSION, shardId: 1 }, "shardId is an integer below shardCount: 1"],
  ["no shards at all", { ...SESSION, shardCount: 0 }, "shardCount is an integer from 1: 0"],
  ["half a shard", { ...SESSION, shardCount: 1.5 }, "shardCount is an integer from 1: 1.5"],
];

for (const [what, value, message] of WRONG) {
  Deno.test(`session: a record with ${what} is refused by name`, () => {
    const error = assertThrows(() => parseSessionRecord(value), SessionRecordError);
    assertEquals(error.message, `Cannot use the session record: ${message}`);
  });
}

Deno.test("session: any value is a record or refused with the one documented error", () => {
  assertProperty(fc.property(fc.anything(), (value) => {
    try {
      parseSessionRecord(value);
    } catch (error) {
      if (!(error instanceof SessionRecordError)) throw error;
    }
  }));
});
