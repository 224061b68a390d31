import { FrameError } from "../../../gateway/mod.ts";
import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  encodeVoiceBinary,
  isSequenceAfter,
  parseVoiceBinary,
  parseVoicePayload,
  readDaveBinary,
} from "../../../voice/core.ts";
import { assertProperty } from "../../property.ts";

Deno.test("voice frame: a JSON payload with and without a number", () => {
  assertEquals(parseVoicePayload('{"op":13,"d":{"user_id":"1"},"seq":10}'), {
    op: 13,
    d: { user_id: "1" },
    seq: 10,
  });
  assertEquals(parseVoicePayload('{"op":6,"d":{"t":1}}'), { op: 6, d: { t: 1 }, seq: null });
  assertEquals(parseVoicePayload('{"op":9,"d":null,"seq":0}').seq, 0);
  assertEquals(parseVoicePayload('{"op":9,"d":null,"seq":null}').seq, null);
});

for (
  const [what, text] of [
    ["no JSON", "{"],
    ["nothing", ""],
    ["an array", "[]"],
    ["null", "null"],
    ["no opcode", "{}"],
    ["an opcode in a string", '{"op":"8"}'],
    ["a broken opcode", '{"op":8.5}'],
    ["a number in a string", '{"op":8,"seq":"1"}'],
  ] as const
) {
  Deno.test(`voice frame: ${what} is a FrameError that does not quote the text`, () => {
    const error = assertThrows(() => parseVoicePayload(text), FrameError);
    assertEquals([error.code, error.cause], ["ERR_FRAME", undefined]);
  });
}

Deno.test("voice frame: a key in broken JSON shows in no error", () => {
  const text = '{"op":4,"d":{"secret_key":[201,202,203';
  const error = assertThrows(() => parseVoicePayload(text), FrameError);
  assertFalse(Deno.inspect(error).includes("202"));
});

Deno.test("voice frame: a binary message is a number, an opcode, a payload", () => {
  const { seq, op, payload } = parseVoiceBinary(Uint8Array.from([0x01, 0x02, 29, 0, 7, 0xaa]));
  assertEquals([seq, op, [...payload]], [258, 29, [0, 7, 0xaa]]);
  assertEquals(parseVoiceBinary(Uint8Array.from([0xff, 0xff, 25])).payload.length, 0);
});

for (const length of [0, 1, 2]) {
  Deno.test(`voice frame: a binary message of ${length} bytes is a FrameError`, () => {
    assertThrows(() => parseVoiceBinary(new Uint8Array(length)), FrameError, `${length}`);
  });
}

Deno.test("voice frame: a binary message is read where a view begins, and outlives the buffer's next use", () => {
  const buffer = Uint8Array.from([9, 9, 0, 1, 30, 5, 6]);
  const { payload } = parseVoiceBinary(buffer.subarray(2));
  buffer.fill(0);
  assertEquals([...payload], [5, 6]);
});

Deno.test("voice frame: a Buffer, whose slices are no copies, is copied all the same", () => {
  const buffer = Buffer.from([0, 1, 29, 0, 7, 5, 6]);
  const { op, payload } = parseVoiceBinary(buffer);
  const message = readDaveBinary(op, Buffer.from(payload.buffer));
  buffer.fill(0);
  payload.fill(0);
  assertEquals(message, { op: 29, transitionId: 7, commit: Uint8Array.of(5, 6) });
});

Deno.test("voice frame: a message to the server has no number", () => {
  assertEquals([...encodeVoiceBinary(26)], [26]);
  assertEquals([...encodeVoiceBinary(28, Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3))], [
    28,
    1,
    2,
    3,
  ]);
});

Deno.test("voice frame: the DAVE messages have their fields where Discord puts them", () => {
  const read = (op: number, ...payload: number[]) => readDaveBinary(op, Uint8Array.from(payload));
  assertEquals(read(25, 1, 2), { op: 25, externalSender: Uint8Array.of(1, 2) });
  assertEquals(read(27, 0, 5), { op: 27, operation: "append", proposals: Uint8Array.of(5) });
  assertEquals(read(27, 1, 5), { op: 27, operation: "revoke", proposals: Uint8Array.of(5) });
  assertEquals(read(29, 1, 0, 5), { op: 29, transitionId: 256, commit: Uint8Array.of(5) });
  assertEquals(read(30, 0, 0, 5), { op: 30, transitionId: 0, welcome: Uint8Array.of(5) });
  assertEquals([read(27), read(27, 2), read(29, 1), read(30)], [null, null, null, null]);
  assertEquals([read(26, 1), read(28, 1), read(99, 1)], [null, null, null]);
});

Deno.test("voice frame: sequence numbers go around", () => {
  assertProperty(fc.property(fc.nat(0xffff), fc.integer({ min: 1, max: 0x7fff }), (from, ahead) => {
    const later = (from + ahead) & 0xffff;
    return isSequenceAfter(later, from) && !isSequenceAfter(from, later) && !isSequenceAfter(from, from);
  }));
});

Deno.test("voice frame: whatever bytes come, they are read or a FrameError", () => {
  assertProperty(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
    try {
      const { op, payload } = parseVoiceBinary(bytes);
      readDaveBinary(op, payload);
    } catch (error) {
      return error instanceof FrameError && bytes.length < 3;
    }
    return true;
  }));
  assertProperty(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    try {
      return Number.isInteger(parseVoicePayload(text).op);
    } catch (error) {
      return error instanceof FrameError;
    }
  }));
});
