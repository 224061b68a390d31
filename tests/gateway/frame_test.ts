import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FrameError } from "../../gateway/errors.ts";
import { type FrameDecoder, frameText, parsePayload } from "../../gateway/frame.ts";
import { assertProperty } from "../property.ts";

const bytes = new TextEncoder().encode('{"op":11}');

Deno.test("frame: text passes as it is", () => {
  assertEquals(frameText('{"op":11}', null), '{"op":11}');
  assertEquals(frameText("", null), "");
});

Deno.test("frame: text passes the decoder by", () => {
  const decoder: FrameDecoder = {
    decode: () => {
      throw new Error("not to be called");
    },
  };
  assertEquals(frameText("{}", decoder), "{}");
});

Deno.test("frame: bytes without a decoder are an error that gives their number [case 24]", () => {
  const error = assertThrows(() => frameText(bytes, null), FrameError);
  assertEquals(error.message, "Cannot read a frame: bytes came where text is due: 9 bytes");
});

Deno.test("frame: bytes go through the decoder, which may need more of them", () => {
  const parts: string[] = [];
  const decoder: FrameDecoder = {
    decode(part) {
      parts.push(new TextDecoder().decode(part));
      return parts.length < 3 ? null : parts.join("");
    },
  };
  assertEquals(frameText(bytes.subarray(0, 4), decoder), null);
  assertEquals(frameText(bytes.subarray(4, 5), decoder), null);
  assertEquals(frameText(bytes.subarray(5), decoder), '{"op":11}');
});

Deno.test("frame: a decoder's failure is a FrameError that keeps its cause", () => {
  const cause = new TypeError("corrupt");
  const decoder: FrameDecoder = {
    decode: () => {
      throw cause;
    },
  };
  const error = assertThrows(() => frameText(bytes, decoder), FrameError);
  assertEquals(error.message, "Cannot read a frame: it does not decode: 9 bytes");
  assertStrictEquals(error.cause, cause);
});

Deno.test("frame: 64 Mi characters are looked at, one more is not", () => {
  const longest = "x".repeat(64 * 1024 * 1024);
  assertEquals(frameText(longest, null)?.length, 67_108_864);
  const error = assertThrows(() => frameText(longest + "x", null), FrameError);
  assertEquals(error.message, "Cannot read a frame: it is longer than 67108864: 67108865");
});

Deno.test("frame: a long text is refused as well when it comes out of a decoder", () => {
  const decoder: FrameDecoder = { decode: () => "x".repeat(64 * 1024 * 1024 + 1) };
  assertThrows(() => frameText(bytes, decoder), FrameError, "it is longer than 67108864");
});

const PAYLOADS: readonly [
  what: string,
  text: string,
  op: number,
  d: unknown,
  s: number | null,
  t: string | null,
][] = [
  ["a dispatch", '{"t":"A","s":5,"op":0,"d":{"x":1}}', 0, { x: 1 }, 5, "A"],
  ["a dispatch numbered 0", '{"t":"A","s":0,"op":0,"d":{}}', 0, {}, 0, "A"],
  ["keys in another order", '{"d":{"op":9},"s":5,"t":"A","op":0}', 0, { op: 9 }, 5, "A"],
  ["white space", ' {\n "op" : 11 ,\t"d" : null, "s": null, "t": null } ', 11, null, null, null],
  ["an opcode alone", '{"op":11}', 11, undefined, null, null],
  ["no body", '{"op":9,"s":null,"t":null}', 9, undefined, null, null],
  ["no number", '{"op":9,"d":false,"t":null}', 9, false, null, null],
  ["an escaped key", '{"\\u006fp":7,"d":null}', 7, null, null, null],
  ["an escaped name", '{"t":"A\\u0042","s":1,"op":0,"d":{}}', 0, {}, 1, "AB"],
  ["an unknown opcode", '{"op":69,"d":[1]}', 69, [1], null, null],
  ["more keys than known", '{"op":11,"x":{}}', 11, undefined, null, null],
];

for (const [what, text, op, d, s, t] of PAYLOADS) {
  Deno.test(`frame: a payload with ${what} is read`, () => {
    const payload = parsePayload(text);
    assertEquals([payload.op, payload.d, payload.s, payload.t], [op, d, s, t]);
  });
}

const NO_JSON = ["", " ", "{", "op", '{"op":11', "{'op':11}", '{"op":11}}', '{"op":01}', "undefined", "\0"];

for (const text of NO_JSON) {
  Deno.test(`frame: ${JSON.stringify(text)} is no JSON`, () => {
    const error = assertThrows(() => parsePayload(text), FrameError);
    assertEquals(error.message, `Cannot read a frame: it is no JSON: ${text.length} characters`);
    assertInstanceOf(error.cause, SyntaxError);
  });
}

for (const text of ["null", "7", '"op"', "true", "[]", '[{"op":11}]']) {
  Deno.test(`frame: ${text} is no payload`, () => {
    assertThrows(() => parsePayload(text), FrameError, "Cannot read a frame: a payload is an object");
  });
}

const WRONG_TYPES: readonly [text: string, types: string][] = [
  ["{}", "undefined, object, object"],
  ['{"op":null}', "object, object, object"],
  ['{"op":"0"}', "string, object, object"],
  ['{"op":1.5}', "number, object, object"],
  ['{"op":1e400}', "number, object, object"],
  ['{"op":true}', "boolean, object, object"],
  ['{"op":0,"s":"5","t":"A"}', "number, string, string"],
  ['{"op":0,"s":1.5,"t":"A"}', "number, number, string"],
  ['{"op":0,"s":{},"t":"A"}', "number, object, string"],
  ['{"op":0,"s":5,"t":7}', "number, number, number"],
  ['{"op":0,"s":5,"t":["A"]}', "number, number, object"],
];

for (const [text, types] of WRONG_TYPES) {
  Deno.test(`frame: ${text} has a wrong type in its header`, () => {
    const error = assertThrows(() => parsePayload(text), FrameError);
    assertEquals(
      error.message,
      `Cannot read a frame: op is an integer, s an integer or null, t a string or null: ${types}`,
    );
  });
}

Deno.test("frame: every prefix of a frame is refused, the whole is read", () => {
  const text = '{"t":"MESSAGE_CREATE","s":42,"op":0,"d":{"content":"\\"op\\":7 é😀"}}';
  for (let length = 0; length < text.length; length++) {
    assertThrows(() => parsePayload(text.slice(0, length)), FrameError);
  }
  assertEquals(parsePayload(text).s, 42);
  assertThrows(() => parsePayload(text + text), FrameError, "it is no JSON");
});

Deno.test("frame: any text is a payload or a FrameError, nothing else", () => {
  const header = fc.oneof(fc.constant(null), fc.integer(), fc.double(), fc.string(), fc.object());
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.record({ op: header, d: fc.jsonValue(), s: header, t: header }, { requiredKeys: [] }).map((p) =>
      JSON.stringify(p)
    ),
  );
  assertProperty(fc.property(text, (text) => {
    try {
      const { op, s, t } = parsePayload(text);
      assertEquals(Number.isInteger(op), true);
      assertEquals(s === null || Number.isInteger(s), true);
      assertEquals(t === null || typeof t === "string", true);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
    }
  }));
});
