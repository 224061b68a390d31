/** Which commands are refused before they join the queue: those for which Discord would close the connection. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CommandError, type GatewayCommand } from "../../../gateway/mod.ts";
import { checkCommand } from "../../../shard/commands/check.ts";
import { commandFault } from "../../fake/gateway/command_check.ts";
import { assertProperty } from "../../property.ts";

/** What a program without types, or a request over HTTP, may hand in. */
const untyped = (command: unknown) => command as GatewayCommand;

/** A good body of each opcode. */
const GOOD: Readonly<Record<number, Readonly<Record<string, unknown>>>> = {
  3: { since: null, activities: [{ name: "chess", type: 0 }], status: "online", afk: false },
  4: { guild_id: "1", channel_id: "2", self_mute: false, self_deaf: true },
  8: { guild_id: "1", query: "", limit: 0, presences: true, nonce: "n" },
  31: { guild_ids: ["1", "2"] },
  43: { guild_id: "1", fields: ["status", "voice_start_time"] },
};
const BY_ID = { guild_id: "1", user_ids: "2" };

for (const [op, d] of Object.entries(GOOD)) {
  Deno.test(`command check: a good body of op ${op} passes, with fields of the future, too`, () => {
    checkCommand(untyped({ op: Number(op), d }));
    checkCommand(untyped({ op: Number(op), d: { ...d, a_new_field: 1 } }));
  });
}

const BAD: readonly (readonly [op: number, field: string, value: unknown, message: string])[] = [
  [3, "since", undefined, "since is an integer from 0 on or null: missing"],
  [3, "since", "now", 'since is an integer from 0 on or null: "now"'],
  [3, "since", -1, "since is an integer from 0 on or null: -1"],
  [3, "activities", undefined, "activities is a list of objects with a name and a type: missing"],
  [3, "activities", "chess", 'activities is a list of objects with a name and a type: "chess"'],
  [
    3,
    "activities",
    [{ name: "x" }],
    'activities is a list of objects with a name and a type: [{"name":"x"}]',
  ],
  [3, "activities", [null], "activities is a list of objects with a name and a type: [null]"],
  [3, "status", "banana", 'status is one of online, dnd, idle, invisible, offline: "banana"'],
  [3, "afk", 0, "afk is true or false: 0"],
  [4, "guild_id", 613425648685547, "guild_id is an id: 613425648685547"],
  [4, "guild_id", "general", 'guild_id is an id: "general"'],
  [4, "channel_id", undefined, "channel_id is an id or null: missing"],
  [4, "self_mute", undefined, "self_mute is true or false: missing"],
  [4, "self_deaf", null, "self_deaf is true or false: null"],
  [8, "guild_id", ["1"], 'guild_id is an id: ["1"]'],
  [8, "query", 7, "query is a string: 7"],
  [8, "query", undefined, "user_ids is an id or a list of up to 100: missing"],
  [8, "limit", undefined, "limit is an integer from 0 on: missing"],
  [8, "limit", "all", 'limit is an integer from 0 on: "all"'],
  [8, "user_ids", ["2"], 'user_ids is missing: ["2"]'],
  [8, "presences", 1, "presences is true or false or missing: 1"],
  [8, "nonce", 1, "a nonce is a string: number"],
  [31, "guild_ids", undefined, "guild_ids is a list of ids: missing"],
  [31, "guild_ids", "1", 'guild_ids is a list of ids: "1"'],
  [31, "guild_ids", [1], "guild_ids is a list of ids: [1]"],
  [43, "guild_id", undefined, "guild_id is an id: missing"],
  [43, "fields", "status", 'fields is a list of status and voice_start_time: "status"'],
  [43, "fields", ["topic"], 'fields is a list of status and voice_start_time: ["topic"]'],
  [43, "fields", () => {}, "fields is a list of status and voice_start_time: undefined"],
];
for (const [op, field, value, message] of BAD) {
  Deno.test(`command check: op ${op}: ${message}`, () => {
    const d = { ...GOOD[op], [field]: value };
    const error = assertThrows(() => checkCommand(untyped({ op, d })), CommandError);
    assertEquals(error.message, `Cannot send op ${op}: ${message}`);
  });
}

Deno.test("command check: members are asked for by one id, or by up to 100", () => {
  checkCommand(untyped({ op: 8, d: BY_ID }));
  const ids = (count: number) => Array.from({ length: count }, (_, at) => `${at}`);
  checkCommand(untyped({ op: 8, d: { ...BY_ID, user_ids: ids(100) } }));
  assertThrows(() => checkCommand(untyped({ op: 8, d: { ...BY_ID, user_ids: ids(101) } })), CommandError);
});

Deno.test("command check: passes what the fake Discord takes, and nothing that it closes the connection for", () => {
  const value = fc.constantFrom<unknown>(
    ...[
      undefined,
      null,
      true,
      false,
      0,
      1,
      -1,
      0.5,
      "",
      "1",
      "x",
      "online",
      "offline",
      [],
      ["1"],
      ["x"],
      [1],
      {},
    ],
    ...[["status"], [{ name: "x", type: 0 }], [{ name: 1, type: 0 }], [{ type: 0 }], [null]],
  );
  const command = fc.constantFrom(3, 4, 8, 31, 43).chain((op) => {
    const names = [...new Set([...Object.keys(GOOD[op] ?? {}), ...op === 8 ? ["user_ids"] : []])];
    const body = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    return body.map((changed) => ({ op, d: { ...op === 8 ? {} : GOOD[op], ...changed } }));
  });
  assertProperty(fc.property(command, ({ op, d }: { op: number; d: Record<string, unknown> }) => {
    let refused = false;
    try {
      checkCommand(untyped({ op, d }));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      refused = true;
    }
    assertEquals(refused, commandFault(op, d) !== null);
  }));
});
