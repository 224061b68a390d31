import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../fake/base/virtual_clock.ts";
import {
  closePayload,
  encodeFrame,
  encodeText,
  FrameOpcode,
  WebSocketDecoder,
  type WebSocketEvent,
} from "../../fake/net/web_socket_frames.ts";

const MASK = new Uint8Array([0x37, 0xfa, 0x21, 0x3d]);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const join = (parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
const masked = (opcode: number, payload: Uint8Array, fin = true) =>
  encodeFrame(opcode, payload, { fin, mask: MASK });

/** A conversation with everything in it, and what it must decode to. */
const CONVERSATION = join([
  masked(FrameOpcode.Text, bytesOf("Hello")),
  masked(FrameOpcode.Text, bytesOf("")),
  masked(FrameOpcode.Text, bytesOf("é😀").subarray(0, 3), false),
  masked(FrameOpcode.Ping, bytesOf("in between")),
  masked(FrameOpcode.Continuation, bytesOf("é😀").subarray(3), false),
  masked(FrameOpcode.Continuation, new Uint8Array()),
  masked(FrameOpcode.Binary, new Uint8Array(300).fill(7)),
  masked(FrameOpcode.Text, bytesOf("x".repeat(70_000))),
  masked(FrameOpcode.Pong, new Uint8Array()),
  masked(FrameOpcode.Close, closePayload(4200, "bye")),
]);
const EVENTS: WebSocketEvent[] = [
  { type: "text", text: "Hello" },
  { type: "text", text: "" },
  { type: "ping", data: bytesOf("in between") },
  { type: "text", text: "é😀" },
  { type: "binary", data: new Uint8Array(300).fill(7) },
  { type: "text", text: "x".repeat(70_000) },
  { type: "pong", data: new Uint8Array() },
  { type: "close", code: 4200, reason: "bye" },
];

Deno.test("web socket frames: the RFC's own example of a masked text decodes", () => {
  const frame = new Uint8Array([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
  assertEquals(masked(FrameOpcode.Text, bytesOf("Hello")), frame);
  assertEquals(new WebSocketDecoder().push(frame), [{ type: "text", text: "Hello" }]);
});

Deno.test("web socket frames: a conversation decodes whole", () => {
  assertEquals(new WebSocketDecoder().push(CONVERSATION), EVENTS);
});

Deno.test("web socket frames: a conversation decodes the same split at every byte", () => {
  for (let cut = 0; cut <= CONVERSATION.length; cut = cut < 900 ? cut + 1 : cut + 997) {
    const decoder = new WebSocketDecoder();
    const events = [
      ...decoder.push(CONVERSATION.subarray(0, cut)),
      ...decoder.push(CONVERSATION.subarray(cut)),
    ];
    assertEquals(events.length, EVENTS.length, `cut at ${cut}`);
    assertEquals(events.slice(0, 5), EVENTS.slice(0, 5), `cut at ${cut}`);
    assertEquals(events.at(-1), EVENTS.at(-1), `cut at ${cut}`);
  }
});

Deno.test("web socket frames: a conversation decodes byte by byte", () => {
  const short = CONVERSATION.subarray(0, 400);
  const whole = new WebSocketDecoder().push(short);
  const decoder = new WebSocketDecoder();
  assertEquals([...short].flatMap((byte) => decoder.push(new Uint8Array([byte]))), whole);
});

Deno.test("web socket frames: the caller may reuse its bytes, and they are not unmasked in place", () => {
  const frame = masked(FrameOpcode.Text, bytesOf("Hello"));
  const decoder = new WebSocketDecoder();
  const reused = new Uint8Array(7);
  reused.set(frame.subarray(0, 7));
  decoder.push(reused);
  reused.fill(0);
  assertEquals(decoder.push(frame.subarray(7)), [{ type: "text", text: "Hello" }]);
  assertEquals(frame, masked(FrameOpcode.Text, bytesOf("Hello")));
});

Deno.test("web socket frames: a text cut into fragments comes back as one, whatever the cut goes through", () => {
  for (const fragments of [1, 2, 3, 7, 100]) {
    const text = '{"content":"é😀ü"}';
    const bytes = join(encodeText(text, fragments));
    assertEquals(new WebSocketDecoder({ masked: false }).push(bytes), [{ type: "text", text }]);
  }
  assertEquals(encodeText("", 3).length, 1);
});

Deno.test("web socket frames: what the RFC forbids is refused with the code that it names", () => {
  const refused: [what: string, bytes: Uint8Array, closeCode: number][] = [
    ["an unmasked frame", encodeFrame(FrameOpcode.Text, bytesOf("a")), 1002],
    ["a reserved bit", new Uint8Array([0xc1, 0x80]), 1002],
    ["a reserved data opcode", new Uint8Array([0x83, 0x80]), 1002],
    ["a reserved control opcode", new Uint8Array([0x8b, 0x80]), 1002],
    ["a fragmented ping", masked(FrameOpcode.Ping, bytesOf("a"), false), 1002],
    ["a ping of 126 bytes", masked(FrameOpcode.Ping, new Uint8Array(126)), 1002],
    ["a continuation of nothing", masked(FrameOpcode.Continuation, bytesOf("a")), 1002],
    [
      "a message within another",
      join([masked(FrameOpcode.Text, bytesOf("a"), false), masked(FrameOpcode.Text, bytesOf("b"))]),
      1002,
    ],
    ["a length that is too long for its value", new Uint8Array([0x81, 0xfe, 0, 5]), 1002],
    [
      "a 64-bit length that is too long for its value",
      new Uint8Array([0x81, 0xff, 0, 0, 0, 0, 0, 0, 1, 0]),
      1002,
    ],
    ["half a close code", masked(FrameOpcode.Close, new Uint8Array([3])), 1002],
    ["close code 1005", masked(FrameOpcode.Close, closePayload(1005)), 1002],
    ["close code 1006", masked(FrameOpcode.Close, closePayload(1006)), 1002],
    ["close code 2999", masked(FrameOpcode.Close, closePayload(2999)), 1002],
    ["close code 5000", masked(FrameOpcode.Close, closePayload(5000)), 1002],
    ["text that is not UTF-8", masked(FrameOpcode.Text, new Uint8Array([0xc3, 0x28])), 1007],
    ["text that ends within a character", masked(FrameOpcode.Text, bytesOf("😀").subarray(0, 2)), 1007],
    ["a reason that is not UTF-8", masked(FrameOpcode.Close, new Uint8Array([0x0f, 0xa0, 0xff])), 1007],
    ["a message over the limit", new Uint8Array([0x81, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0]), 1009],
    [
      "a length beyond any memory",
      new Uint8Array([0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255]),
      1009,
    ],
  ];
  for (const [what, bytes, closeCode] of refused) {
    assertEquals(refusal(new WebSocketDecoder().push(bytes)), closeCode, what);
  }
});

Deno.test("web socket frames: fragments count together against the limit", () => {
  const decoder = new WebSocketDecoder({ maxBytes: 10 });
  decoder.push(masked(FrameOpcode.Text, bytesOf("123456"), false));
  const events = decoder.push(masked(FrameOpcode.Continuation, bytesOf("78901")));
  assertEquals(refusal(events), 1009);
});

Deno.test("web socket frames: a close reason is cut to fit, between characters", () => {
  const payload = closePayload(4000, "é".repeat(100));
  assertEquals(payload.length, 124);
  const frame = encodeFrame(FrameOpcode.Close, payload);
  const [event] = new WebSocketDecoder({ masked: false }).push(frame);
  assertEquals(event, { type: "close", code: 4000, reason: "é".repeat(61) });
  assertEquals(closePayload(null).length, 0);
});

Deno.test("web socket frames: random bytes are decoded or refused, and nothing else", () => {
  const { random } = seeded(1);
  let refused = 0;
  for (let round = 0; round < 5000; round++) {
    const bytes = new Uint8Array(2 + Math.floor(random() * 60)).map(() => random() * 256);
    // Half of them start as a frame could.
    if (round % 2) bytes.set([0x80 | [1, 2, 8, 9][round % 4]!, 0x80 | round % 30]);
    const events = new WebSocketDecoder().push(bytes);
    if (refusal(events) !== undefined) refused++;
  }
  assert(refused > 1000 && refused < 5000);
});

Deno.test("web socket frames: random conversations in random pieces decode to what was encoded", () => {
  const { random } = seeded(2);
  for (let round = 0; round < 300; round++) {
    const texts = Array.from({ length: 1 + Math.floor(random() * 5) }, () => "é😀x".repeat(random() * 40));
    const bytes = join(texts.flatMap((text) => encodeText(text, 1 + Math.floor(random() * 4))));
    const decoder = new WebSocketDecoder({ masked: false });
    const events: WebSocketEvent[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = at + 1 + Math.floor(random() * 50);
      events.push(...decoder.push(bytes.subarray(at, next)));
      at = next;
    }
    assertEquals(events, texts.map((text) => ({ type: "text", text })));
  }
});

Deno.test("web socket frames: what came before an error is delivered, and nothing after it", () => {
  const decoder = new WebSocketDecoder();
  const good = masked(FrameOpcode.Text, bytesOf("a"));
  const events = decoder.push(join([good, encodeFrame(FrameOpcode.Text, bytesOf("b")), good]));
  assertEquals([events[0], refusal(events)], [{ type: "text", text: "a" }, 1002]);
  assertEquals(decoder.push(good), []);
});

function refusal(events: WebSocketEvent[]): number | undefined {
  const last = events.at(-1);
  return last?.type === "error" ? last.error.closeCode : undefined;
}

function seeded(seed: number): { random: () => number } {
  const clock = new VirtualClock({ seed });
  return { random: () => clock.random() };
}
