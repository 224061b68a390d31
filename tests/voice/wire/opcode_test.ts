import { assertEquals, assertMatch } from "@std/assert";
import { VoiceOpcodes } from "discord-api-types/voice/v8";
import { VOICE_OPCODES, VoiceOpcode } from "../../../voice/core.ts";

/** Discord's table, a second time: S sent by a client, R received, B binary; those in brackets are not documented. */
const TABLE: readonly [code: number, name: string, travels: string][] = [
  [0, "Identify", "S"],
  [1, "SelectProtocol", "S"],
  [2, "Ready", "R"],
  [3, "Heartbeat", "SR"],
  [4, "SessionDescription", "R"],
  [5, "Speaking", "SR"],
  [6, "HeartbeatAck", "R"],
  [7, "Resume", "S"],
  [8, "Hello", "R"],
  [9, "Resumed", "R"],
  [11, "ClientsConnect", "R"],
  [12, "Video", "(R)"],
  [13, "ClientDisconnect", "R"],
  [14, "SessionUpdate", "(R)"],
  [15, "MediaSinkWants", "(R)"],
  [16, "VoiceBackendVersion", "(R)"],
  [17, "ChannelOptionsUpdate", "(R)"],
  [18, "ClientFlags", "(R)"],
  [19, "SpeedTest", "(R)"],
  [20, "ClientPlatform", "(R)"],
  [21, "DavePrepareTransition", "R"],
  [22, "DaveExecuteTransition", "R"],
  [23, "DaveTransitionReady", "S"],
  [24, "DavePrepareEpoch", "R"],
  [25, "DaveMlsExternalSender", "RB"],
  [26, "DaveMlsKeyPackage", "SB"],
  [27, "DaveMlsProposals", "RB"],
  [28, "DaveMlsCommitWelcome", "SB"],
  [29, "DaveMlsAnnounceCommitTransition", "RB"],
  [30, "DaveMlsWelcome", "RB"],
  [31, "DaveMlsInvalidCommitWelcome", "S"],
];

Deno.test("voice opcodes: the table is Discord's", () => {
  const rows = VOICE_OPCODES.map(({ code, name, sent, received, binary, documented }) => {
    const travels = `${sent ? "S" : ""}${received ? "R" : ""}${binary ? "B" : ""}`;
    return [code, name, documented ? travels : `(${travels})`];
  });
  assertEquals(rows, TABLE.map((row) => [...row]));
});

Deno.test("voice opcodes: the documented ones have the names and numbers of discord-api-types", () => {
  const documented = VOICE_OPCODES.filter((row) => row.documented).map(({ name, code }) => [name, code]);
  const theirs = Object.entries(VoiceOpcodes).filter(([, code]) => typeof code === "number");
  assertEquals<unknown[]>(documented, theirs);
});

Deno.test("voice opcodes: the constant and the table have the same entries", () => {
  const entries = Object.entries(VoiceOpcode).toSorted(([, a], [, b]) => a - b);
  assertEquals<unknown[]>(VOICE_OPCODES.map(({ name, code }) => [name, code]), entries);
  for (const { description } of VOICE_OPCODES) assertMatch(description, /^[A-Z].*[^.]$/);
});
