import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { encodeCommand, MAX_FRAME_BYTES } from "../../gateway/command.ts";
import { CommandError } from "../../gateway/errors.ts";
import type { GatewayCommand } from "../../gateway/payload.ts";
import { assertProperty } from "../property.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

/** What a program without types may hand in. */
const untyped = (command: unknown) => command as GatewayCommand;

/** A member request whose frame has exactly so many bytes, most of them in its query. */
function ofSize(bytes: number, filler = "x"): GatewayCommand {
  const request = (query: string): GatewayCommand => ({ op: 8, d: { guild_id: "1", query, limit: 0 } });
  const left = bytes - bytesOf(JSON.stringify(request("")));
  const count = Math.floor(left / bytesOf(filler));
  return request(filler.repeat(count) + "x".repeat(left - count * bytesOf(filler)));
}

const COMMANDS: readonly [command: GatewayCommand, frame: string][] = [
  [
    { op: 3, d: { since: null, activities: [{ name: "chess", type: 0 }], status: "online", afk: false } },
    '{"op":3,"d":{"since":null,"activities":[{"name":"chess","type":0}],"status":"online","afk":false}}',
  ],
  [
    { op: 4, d: { guild_id: "1", channel_id: null, self_mute: false, self_deaf: true } },
    '{"op":4,"d":{"guild_id":"1","channel_id":null,"self_mute":false,"self_deaf":true}}',
  ],
  [
    { op: 8, d: { guild_id: "1", query: "", limit: 0, nonce: "n" } },
    '{"op":8,"d":{"guild_id":"1","query":"","limit":0,"nonce":"n"}}',
  ],
  [{ op: 31, d: { guild_ids: ["1", "2"] } }, '{"op":31,"d":{"guild_ids":["1","2"]}}'],
  [
    { op: 43, d: { guild_id: "1", fields: ["status", "voice_start_time"] } },
    '{"op":43,"d":{"guild_id":"1","fields":["status","voice_start_time"]}}',
  ],
];

for (const [command, frame] of COMMANDS) {
  Deno.test(`command: op ${command.op} is written as opcode and body, nothing else`, () => {
    assertEquals(encodeCommand(command).frame, frame);
    assertEquals(encodeCommand(untyped({ ...command, s: 1, t: "X", extra: true })).frame, frame);
  });
}

for (const op of [0, 1, 2, 5, 6, 7, 9, 10, 11, 30, 99, -1, 3.5, NaN, "3", undefined]) {
  Deno.test(`command: opcode ${typeof op} ${op} is not the user's to send`, () => {
    const error = assertThrows(() => encodeCommand(untyped({ op, d: {} })), CommandError);
    assertEquals(error.message, `Cannot send a command: its opcode is one of 3, 4, 8, 31, 43: ${op}`);
  });
}

for (
  const [d, shown] of [[undefined, "undefined"], [null, "null"], ["x", "string"], [7, "number"], [
    true,
    "boolean",
  ], [
    [],
    "object",
  ]] as const
) {
  Deno.test(`command: ${JSON.stringify(d)} is no body`, () => {
    const error = assertThrows(() => encodeCommand(untyped({ op: 4, d })), CommandError);
    assertEquals(error.message, `Cannot send op 4: its body is an object: ${shown}`);
  });
}

Deno.test("command: a body with a bigint does not serialise, and the reason is kept", () => {
  const error = assertThrows(
    () => encodeCommand(untyped({ op: 4, d: { guild_id: 613425648685547541n } })),
    CommandError,
    "Cannot send op 4: its body does not serialise",
  );
  assertInstanceOf(error.cause, TypeError);
});

Deno.test("command: a body that contains itself does not serialise, and the reason is kept", () => {
  const d: Record<string, unknown> = { guild_ids: ["1"] };
  d.self = d;
  const error = assertThrows(() => encodeCommand(untyped({ op: 31, d })), CommandError);
  assertEquals(error.message, "Cannot send op 31: its body does not serialise");
  assertInstanceOf(error.cause, TypeError);
});

Deno.test("command: exactly 4096 bytes are fine, 4097 are not", () => {
  assertEquals(MAX_FRAME_BYTES, 4096);
  assertEquals(bytesOf(encodeCommand(ofSize(4096)).frame), 4096);

  const error = assertThrows(() => encodeCommand(ofSize(4097)), CommandError);
  assertEquals([error.code, error.bytes], ["ERR_PAYLOAD_TOO_LARGE", 4097]);
  assertEquals(error.message, "Cannot send op 8: a frame has at most 4096 bytes: 4097");
});

for (const [filler, bytes] of [["é", 2], ["€", 3], ["😀", 4]] as const) {
  Deno.test(`command: size is counted in bytes of UTF-8: ${filler} has ${bytes}`, () => {
    const fitting = encodeCommand(ofSize(4096, filler)).frame;
    assertEquals(bytesOf(fitting), 4096);
    const error = assertThrows(() => encodeCommand(ofSize(4097, filler)), CommandError);
    assertEquals([error.code, error.bytes], ["ERR_PAYLOAD_TOO_LARGE", 4097]);
  });
}

for (
  const [nonce, bytes] of [["n".repeat(32), 32], ["é".repeat(16), 32], ["😀".repeat(8), 32], ["", 0]] as const
) {
  Deno.test(`command: a nonce of ${nonce.length} units and ${bytes} bytes is fine`, () => {
    const { frame } = encodeCommand({ op: 8, d: { guild_id: "1", user_ids: ["2"], nonce } });
    assertEquals(JSON.parse(frame).d.nonce, nonce);
  });
}

for (
  const [nonce, bytes] of [["n".repeat(33), 33], ["é".repeat(16) + "n", 33], ["😀".repeat(9), 36]] as const
) {
  Deno.test(`command: a nonce of ${nonce.length} units and ${bytes} bytes would be ignored in silence: refused`, () => {
    const error = assertThrows(
      () => encodeCommand({ op: 8, d: { guild_id: "1", user_ids: ["2"], nonce } }),
      CommandError,
    );
    assertEquals(error.message, `Cannot send op 8: a nonce has at most 32 bytes: ${bytes}`);
  });
}

Deno.test("command: a nonce that is no string is refused", () => {
  for (const [nonce, type] of [["7", "number"], ["null", "object"]] as const) {
    const error = assertThrows(
      () => encodeCommand({ op: 8, d: { guild_id: "1", user_ids: ["2"], nonce: JSON.parse(nonce) } }),
      CommandError,
    );
    assertEquals(error.message, `Cannot send op 8: a nonce is a string: ${type}`);
  }
});

Deno.test("command: any body is a frame of at most 4096 bytes that reads back the same, or one error", () => {
  assertProperty(
    fc.property(fc.constantFrom(3, 4, 8, 31, 43), fc.dictionary(fc.string(), fc.anything()), (op, d) => {
      let frame: string;
      try {
        frame = encodeCommand(untyped({ op, d })).frame;
      } catch (error) {
        if (error instanceof CommandError) return;
        throw error;
      }
      assertEquals(JSON.stringify(JSON.parse(frame)), JSON.stringify(JSON.parse(JSON.stringify({ op, d }))));
    }),
  );
});
