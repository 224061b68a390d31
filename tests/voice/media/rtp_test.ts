import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { encodeRtpHeader, packetKind, parseRtpHeader, RtpClock, stripPayload } from "../../../voice/core.ts";
import { assertProperty } from "../../property.ts";
import { hex } from "./independent_crypto.ts";

Deno.test("rtp: the header that is sent, byte by byte", () => {
  const header = encodeRtpHeader({ sequence: 0xfffe, timestamp: 0x01020304, ssrc: 0xa0b0c0d0 });
  assertEquals([...header], [...hex("80 78 fffe 01020304 a0b0c0d0")]);
});

for (
  const [what, packet, expected] of [
    ["a plain header", "80 78 0001 00000002 00000003", {}],
    ["a marker", "80 f8 0001 00000002 00000003", { marker: true }],
    ["padding", "a0 78 0001 00000002 00000003", { padded: true }],
    ["a contributor", "81 78 0001 00000002 00000003 00000004", { contributors: [4], clearBytes: 16 }],
    [
      "an extension of two words, as Discord sends it",
      "90 78 0001 00000002 00000003 bede0002",
      { extensionBytes: 8, clearBytes: 16 },
    ],
    ["an empty extension", "90 78 0001 00000002 00000003 bede0000", { clearBytes: 16 }],
    [
      "padding, extension and two contributors",
      "b2 78 0001 00000002 00000003 ffffffff 00000005 bede0001",
      { padded: true, contributors: [0xffff_ffff, 5], extensionBytes: 4, clearBytes: 24 },
    ],
    ["another payload type", "80 65 0001 00000002 00000003", { payloadType: 101 }],
  ] as const
) {
  Deno.test(`rtp: ${what} is read [case 69]`, () => {
    const fixed = {
      payloadType: 120,
      marker: false,
      padded: false,
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      contributors: [],
      extensionBytes: 0,
      clearBytes: 12,
    };
    assertEquals(parseRtpHeader(hex(packet)), {
      ...fixed,
      ...expected,
      contributors: [...(expected as { contributors?: readonly number[] }).contributors ?? []],
    });
    const whole = hex(packet);
    // A datagram that is cut short is none, also with a right first byte.
    for (let length = 0; length < whole.length; length++) {
      assertEquals(parseRtpHeader(whole.subarray(0, length)), null, `${length} bytes`);
    }
  });
}

Deno.test("rtp: another version is none", () => {
  for (const flags of [0x00, 0x40, 0xc0]) {
    assertEquals(parseRtpHeader(Uint8Array.from([flags, 120, ...new Array(40).fill(0)])), null);
  }
});

for (
  const [bytes, kind] of [
    ["80 78", "opus"],
    ["90 f8", "opus"],
    ["b0 78", "opus"],
    ["80 65", "other_rtp"],
    ["81 c8", "rtcp"],
    ["81 c9", "rtcp"],
    ["8f cd", "rtcp"],
    ["8f ce", "rtcp"],
    ["80 cf", "other_rtp"],
    ["00 02", "other"],
    ["13 37", "other"],
    ["", "other"],
    ["80", "other_rtp"],
  ] as const
) {
  Deno.test(`rtp: a datagram that begins with ${bytes || "nothing"} is ${kind}`, () => {
    assertEquals(packetKind(hex(bytes)), kind);
  });
}

Deno.test("rtp: the extension's elements and the padding go, the sound stays [case 69]", () => {
  const strip = (extensionBytes: number, padded: boolean, payload: number[]) => {
    const sound = stripPayload({ extensionBytes, padded }, Uint8Array.from(payload));
    return sound === null ? null : [...sound];
  };
  assertEquals(strip(0, false, [1, 2, 3]), [1, 2, 3]);
  assertEquals(strip(4, false, [9, 9, 9, 9, 1]), [1]);
  assertEquals(strip(0, true, [1, 2, 0, 0, 3]), [1, 2]);
  assertEquals(strip(0, true, [1, 2, 1]), [1, 2]);
  assertEquals(strip(4, true, [9, 9, 9, 9, 1, 0, 2]), [1]);
  assertEquals(strip(0, false, []), []);
  assertEquals([strip(0, true, [0, 0, 3]), strip(4, true, [9, 9, 9, 9, 1])], [[], []], "nothing but padding");
  assertEquals(strip(0, true, [1, 2, 0]), null, "padding of nothing");
  assertEquals(strip(0, true, [1, 2, 4]), null, "more padding than payload");
  assertEquals(strip(4, true, [9, 9, 9, 9, 2]), null, "padding that reaches into the extension");
  assertEquals(strip(4, false, [9, 9, 9]), null, "an extension that is cut short");
  assertEquals(strip(0, true, []), null);
});

Deno.test("rtp: what is sent is read back", () => {
  assertProperty(
    fc.property(fc.nat(0xffff), fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (sequence, timestamp, ssrc) => {
      const read = parseRtpHeader(encodeRtpHeader({ sequence, timestamp, ssrc }));
      assertEquals([read?.sequence, read?.timestamp, read?.ssrc], [sequence, timestamp, ssrc]);
    }),
  );
});

Deno.test("rtp: any bytes are read or refused", () => {
  assertProperty(fc.property(fc.uint8Array({ maxLength: 90 }), (bytes) => {
    const header = parseRtpHeader(bytes);
    if (header !== null) stripPayload(header, bytes.subarray(header.clearBytes));
  }));
});

Deno.test("rtp: the clock counts packets by one and samples by 960, and both wrap around", () => {
  const clock = new RtpClock({ sequence: 0xffff, timestamp: 0xffff_ffff - 959, ssrc: 7 });
  assertEquals(clock.next(), { sequence: 0xffff, timestamp: 0xffff_fc40, ssrc: 7 });
  assertEquals(clock.next(), { sequence: 0, timestamp: 0, ssrc: 7 });
  clock.skip(50);
  assertEquals(clock.next(), { sequence: 1, timestamp: 51 * 960, ssrc: 7 });
  assertThrows(() => new RtpClock({ sequence: 0x1_0000, timestamp: 0, ssrc: 0 }), RangeError, "65536");
});
