import { assert, assertEquals, assertMatch } from "@std/assert";
import { VoiceCloseCodes } from "discord-api-types/voice/v8";
import { describeVoiceCloseCode, VoiceCloseCode } from "../../../voice/mod.ts";
import { VOICE_CLOSE_CODES } from "../../../voice/core.ts";

const CODES = [
  ...[4001, 4002, 4003, 4004, 4005, 4006, 4009, 4011, 4012, 4013, 4014, 4015, 4016, 4017, 4020, 4021, 4022],
];

Deno.test("voice close codes: the table has Discord's codes, and the one that it does not document", () => {
  assertEquals(VOICE_CLOSE_CODES.map((row) => row.code), CODES);
  assertEquals(VOICE_CLOSE_CODES.filter((row) => !row.documented).map((row) => row.code), [4013]);
  assertEquals(
    VOICE_CLOSE_CODES.filter((row) => row.documented).map(({ name, code }) => [name, code]),
    Object.entries(VoiceCloseCode),
  );
});

Deno.test("voice close codes: discord-api-types knows none that the table lacks", () => {
  const theirs = Object.values(VoiceCloseCodes).filter((code) => typeof code === "number");
  assert(theirs.length > 10);
  assertEquals(theirs.filter((code) => !CODES.includes(code)), []);
});

for (const code of CODES) {
  Deno.test(`voice close codes: ${code} is explained in a sentence`, () => {
    assertMatch(describeVoiceCloseCode(code), new RegExp(`^${code} [A-Z][A-Za-z]+: [A-Z].*[^.]$`));
  });
}

Deno.test("voice close codes: a code nobody knows says so", () => {
  assertEquals(describeVoiceCloseCode(4999), "4999: not in Discord's voice table");
});
