import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { type FrameHeader, scanHeader } from "../../gateway/header.ts";
import { assertProperty } from "../property.ts";

const header = (op: number, s: number | null = null, t: string | null = null): FrameHeader => ({ op, s, t });

const READ: readonly [text: string, header: FrameHeader][] = [
  // Discord's own layout.
  ['{"t":"MESSAGE_CREATE","s":42,"op":0,"d":{"id":"1"}}', header(0, 42, "MESSAGE_CREATE")],
  ['{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}', header(10)],
  ['{"t":null,"s":null,"op":11,"d":null}', header(11)],
  // Other orders, as long as the body comes after the three.
  ['{"op":0,"s":42,"t":"A","d":{}}', header(0, 42, "A")],
  ['{"s":42,"op":0,"t":"A","d":{}}', header(0, 42, "A")],
  // No body: nothing can come after, so what is missing is missing.
  ['{"op":11}', header(11)],
  ['{"t":null,"op":7}', header(7)],
  ['{"s":5,"t":"A","op":0}', header(0, 5, "A")],
  // The body is not looked at, whatever it is.
  ['{"t":"A","s":1,"op":0,"d":{"content":"\\"op\\":7,\\"s\\":99"}}', header(0, 1, "A")],
  ['{"t":"A","s":1,"op":0,"d":{"op":7,"s":99,"t":"B"}}', header(0, 1, "A")],
  ['{"t":"A","s":1,"op":0,"d":{"broken', header(0, 1, "A")],
  ['{"t":"A","s":1,"op":0,"d": "white space behind the colon"}', header(0, 1, "A")],
  // Numbers and names at their limits.
  ['{"t":"A","s":0,"op":0,"d":{}}', header(0, 0, "A")],
  ['{"t":"A","s":999999999999999,"op":0,"d":{}}', header(0, 999_999_999_999_999, "A")],
  ['{"t":"","s":1,"op":0,"d":{}}', header(0, 1, "")],
  ['{"t":"ÄÖ😀","s":1,"op":0,"d":{}}', header(0, 1, "ÄÖ😀")],
  ['{"t":"null","s":1,"op":0,"d":{}}', header(0, 1, "null")],
  // A key twice: the last one counts, as it does for JSON.parse.
  ['{"op":1,"op":2,"s":null,"t":null,"d":null}', header(2)],
];

for (const [text, expected] of READ) {
  Deno.test(`header: read from ${text}`, () => assertEquals(scanHeader(text), expected));
}

const LEFT_TO_THE_PARSE: readonly [why: string, text: string][] = [
  ["nothing", ""],
  ["a brace alone", "{"],
  ["an empty object", "{}"],
  ["white space before a key", '{ "op":11}'],
  ["white space behind a colon", '{"op": 11}'],
  ["white space before a comma", '{"op":11 ,"d":null}'],
  ["white space behind a comma", '{"op":11, "d":null}'],
  ["a line break at the end", '{"op":11}\n'],
  ["something behind the end", '{"op":11}{"op":7}'],
  ["the body first", '{"d":{},"t":"A","s":1,"op":0}'],
  ["the body before s", '{"t":"A","op":0,"d":{},"s":1}'],
  ["the body before t", '{"s":1,"op":0,"d":{},"t":"A"}'],
  ["the body before op", '{"t":"A","s":1,"d":{},"op":0}'],
  ["another key", '{"x":1,"op":0,"d":{}}'],
  ["a longer key", '{"ops":1,"op":0,"d":{}}'],
  ["a key that starts alike", '{"td":1,"op":0,"d":{}}'],
  ["an empty key", '{"":1,"op":0,"d":{}}'],
  ["an escaped key", '{"\\u006fp":11}'],
  ["an escape in the name", '{"t":"A\\u0042","s":1,"op":0,"d":{}}'],
  ["a quote in the name", '{"t":"A\\"B","s":1,"op":0,"d":{}}'],
  ["a name that imitates a header", '{"t":"A\\",\\"op\\":7,\\"d\\":","s":1,"op":0,"d":{}}'],
  ["a name that ends in a backslash", '{"t":"A\\\\","s":1,"op":0,"d":{}}'],
  ["a name without an end", '{"t":"MESSAGE'],
  ["a number as name", '{"t":5,"s":1,"op":0,"d":{}}'],
  ["a text as opcode", '{"t":"A","s":1,"op":"0","d":{}}'],
  ["a text as number", '{"t":"A","s":"1","op":0,"d":{}}'],
  ["no opcode at all", '{"t":"A","s":1,"d":{}}'],
  ["no opcode and no body", '{"t":"A","s":1}'],
  ["null as opcode", '{"op":null,"s":1,"t":"A","d":{}}'],
  ["half a null", '{"t":nul,"s":1,"op":0,"d":{}}'],
  ["a negative number", '{"t":"A","s":-1,"op":0,"d":{}}'],
  ["a negative zero", '{"t":"A","s":-0,"op":0,"d":{}}'],
  ["a broken number", '{"t":"A","s":1.5,"op":0,"d":{}}'],
  ["an exponent", '{"t":"A","s":1e3,"op":0,"d":{}}'],
  ["16 digits, not exact in a double any more", '{"t":"A","s":9007199254740993,"op":0,"d":{}}'],
  ["true", '{"op":true,"d":{}}'],
  ["nothing behind a colon", '{"op":'],
  ["a comma at the end", '{"op":11,}'],
  ["no quote before a key", '{xop":11}'],
  ["no quote behind a key", '{"sx:1,"t":null,"op":0,"d":{}}'],
  ["no quote behind op", '{"opx:11}'],
  ["no colon", '{"op";11}'],
  ["no comma", '{"op":0;"s":1;"t":null;"d":{}}'],
  ["another word than null", '{"t":nope,"s":1,"op":0,"d":{}}'],
  ["a list", '[{"op":11}]'],
  ["a text", '"op":11'],
  ["a byte order mark", '\ufeff{"op":11}'],
];

for (const [why, text] of LEFT_TO_THE_PARSE) {
  Deno.test(`header: ${why} is left to the full parse: ${JSON.stringify(text)}`, () => {
    assertEquals(scanHeader(text), null);
  });
}

/** A payload as JSON.stringify writes it: any body, its keys in any order, some missing, perhaps more, and white space. */
const usual = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight: 4 });
const rare = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight: 1 });
const payloadText = fc.record({
  op: fc.oneof(usual(fc.nat(50)), rare(fc.integer()), rare(fc.jsonValue())),
  s: fc.oneof(usual(fc.option(fc.nat())), rare(fc.maxSafeInteger()), rare(fc.double()), rare(fc.jsonValue())),
  t: fc.oneof(usual(fc.constantFrom(null, "READY", "MESSAGE_CREATE")), rare(fc.string({ unit: "binary" }))),
  d: fc.jsonValue(),
  more: fc.oneof(usual(fc.constant({})), rare(fc.dictionary(fc.string(), fc.jsonValue()))),
}, { requiredKeys: ["op", "more"] }).chain(({ more, ...payload }) => {
  const entries = Object.entries({ ...more, ...payload });
  return fc.tuple(
    fc.shuffledSubarray(entries, { minLength: entries.length }),
    fc.oneof(usual(fc.constant(undefined)), rare(fc.constantFrom(1, "\t"))),
  );
}).map(([entries, indent]) => JSON.stringify(Object.fromEntries(entries), null, indent));

Deno.test("header: null, or exactly what the full parse would say, for any payload in any layout", () => {
  let read = 0;
  assertProperty(
    fc.property(payloadText, (text) => {
      const scanned = scanHeader(text);
      if (scanned === null) return;
      read++;
      const { op, s = null, t = null } = JSON.parse(text);
      assertEquals(scanned, { op, s, t });
    }),
    { numRuns: 2_000 },
  );
  assertGreater(read, 100, "enough payloads can be scanned to prove something");
});

Deno.test("header: Discord's own layout is always scanned", () => {
  const name = fc.stringMatching(/^[A-Z_]{1,40}$/);
  assertProperty(fc.property(name, fc.nat(), fc.jsonValue(), (t, s, d) => {
    assertEquals(scanHeader(JSON.stringify({ t, s, op: 0, d })), { op: 0, s, t });
  }));
});

Deno.test("header: a prefix of a frame is null or says the same as the whole", () => {
  assertProperty(fc.property(payloadText, (text) => {
    const whole = scanHeader(text);
    for (let length = 0; length < text.length; length++) {
      const prefix = scanHeader(text.slice(0, length));
      if (prefix !== null) assertEquals(prefix, whole);
      scanHeader(text.slice(length));
    }
  }));
});

Deno.test("header: any text is taken without an error", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    '"',
    ":",
    ",",
    "op",
    "s",
    "t",
    "d",
    "null",
    "0",
    "7",
    "\\",
    " ",
    "\0",
    "é",
  );
  const adversarial = fc.array(pieces, { maxLength: 30 }).map((pieces) => pieces.join(""));
  assertProperty(
    fc.property(fc.oneof(adversarial, fc.string({ unit: "binary" })), (text) => {
      const scanned = scanHeader(text);
      if (scanned !== null) assertEquals(scanned.op >= 0, true);
    }),
    { numRuns: 2_000 },
  );
});
