import { assertEquals } from "@std/assert";
import { GatewayOpcodes } from "discord-api-types/v10";
import { GatewayOpcode, isCommandOpcode, OPCODES } from "../../gateway/opcode.ts";

/** Discord's documentation, row by row: S = the client sends, R = the client receives, C = the user may send. */
const DOCUMENTED: readonly [code: number, name: keyof typeof GatewayOpcode, use: string][] = [
  [0, "Dispatch", "R"],
  [1, "Heartbeat", "SR"],
  [2, "Identify", "S"],
  [3, "PresenceUpdate", "SC"],
  [4, "VoiceStateUpdate", "SC"],
  [6, "Resume", "S"],
  [7, "Reconnect", "R"],
  [8, "RequestGuildMembers", "SC"],
  [9, "InvalidSession", "R"],
  [10, "Hello", "R"],
  [11, "HeartbeatAck", "R"],
  [31, "RequestSoundboardSounds", "SC"],
  [43, "RequestChannelInfo", "SC"],
];

for (const [code, name, use] of DOCUMENTED) {
  Deno.test(`opcode: ${code} is ${name}, used as ${use}`, () => {
    assertEquals(GatewayOpcode[name], code);
    const rows = OPCODES.filter((row) => row.code === code);
    assertEquals(rows.length, 1);
    const { sent, received, command } = rows[0]!;
    assertEquals(rows[0]!.name, name);
    assertEquals({ sent, received, command }, {
      sent: use.includes("S"),
      received: use.includes("R"),
      command: use.includes("C"),
    });
    assertEquals(isCommandOpcode(code), use.includes("C"));
  });
}

Deno.test("opcode: the table is complete, in order, and every row says what it does", () => {
  assertEquals(OPCODES.map((row) => row.code), DOCUMENTED.map(([code]) => code));
  assertEquals<unknown>(GatewayOpcode, Object.fromEntries(DOCUMENTED.map(([code, name]) => [name, code])));
  assertEquals(OPCODES.filter((row) => row.description.length === 0), []);
});

Deno.test("opcode: names and numbers are those of discord-api-types, with no exception", () => {
  const theirs = Object.entries(GatewayOpcodes).filter(([, code]) => typeof code === "number");
  assertEquals<unknown>(GatewayOpcode, Object.fromEntries(theirs));
});

Deno.test("opcode: no other number is a command", () => {
  const commands = [3, 4, 8, 31, 43];
  for (let op = -1; op <= 100; op++) assertEquals(isCommandOpcode(op), commands.includes(op), `op ${op}`);
  for (const op of [NaN, Infinity, 3.5]) assertEquals(isCommandOpcode(op), false, `op ${op}`);
});
