import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { EncryptionMode, MediaCounters } from "../../../voice/mod.ts";
import {
  createTransportCipher,
  encodeKeepAlive,
  MediaReceiver,
  type TransportCipher,
} from "../../../voice/core.ts";
import { assertProperty } from "../../property.ts";
import { hex, sealIndependently } from "./independent_crypto.ts";

const MODES: readonly EncryptionMode[] = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"];
const KEY = Uint8Array.from({ length: 32 }, (_, at) => 3 * at + 5);

/** Packets as a server sends them: what is in the clear, what is not, and the sound in it. */
const CAPTURE: readonly [what: string, clear: string, plain: string, sound: string][] = [
  ["plain", "80 78 0001 00000002 00000003", "78 01 02 03", "78 01 02 03"],
  ["a marker", "80 f8 0001 00000002 00000003", "78 01", "78 01"],
  [
    "the extension that Discord sends",
    "90 78 0001 00000002 00000003 bede0002",
    "10 7f 90 00 00 00 00 00 78 09",
    "78 09",
  ],
  ["an empty extension", "90 78 0001 00000002 00000003 bede0000", "78 09", "78 09"],
  ["padding of one", "a0 78 0001 00000002 00000003", "78 05 01", "78 05"],
  ["padding of four", "a0 78 0001 00000002 00000003", "78 05 00 00 00 04", "78 05"],
  ["extension and padding", "b0 78 0001 00000002 00000003 bede0001", "10 ff 00 00 78 06 00 00 03", "78 06"],
  ["a contributor", "81 78 0001 00000002 00000003 0000beef", "78 07", "78 07"],
  ["fifteen contributors", `8f 78 0001 00000002 00000003 ${"00000009".repeat(15)}`, "78 08", "78 08"],
  [
    "contributors, extension and padding",
    "b2 78 0001 00000002 00000003 00000001 00000002 bede0001",
    "51 00 01 00 78 0a 0b 01",
    "78 0a 0b",
  ],
  ["silence", "90 78 0001 00000002 00000003 bede0001", "10 ff 00 00 f8 ff fe", "f8 ff fe"],
];

/** A receiver, and what it delivers. */
async function listen(mode: EncryptionMode): Promise<{ receiver: MediaReceiver; heard: string[] }> {
  const cipher = await createTransportCipher({ mode, key: KEY });
  const heard: string[] = [];
  const receiver = new MediaReceiver(cipher, ({ ssrc, sequence, timestamp, payload }) => {
    heard.push(`${ssrc} ${sequence} ${timestamp}: ${payload}`);
  });
  return { receiver, heard };
}

/** What was dropped, without the zeros. */
function droppedOf({ dropped }: MediaCounters): Record<string, number> {
  return Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0));
}

for (const mode of MODES) {
  for (const [what, clear, plain, sound] of CAPTURE) {
    Deno.test(`receiver: ${mode}: ${what} [case 69]`, async () => {
      const { receiver, heard } = await listen(mode);
      receiver.receive(
        sealIndependently({ mode, key: KEY, clear: hex(clear), plain: hex(plain), nonce: [0, 0, 1, 2] }),
      );
      await receiver.settled();
      assertEquals(heard, [`3 1 2: ${hex(sound)}`]);
      assertEquals(receiver.counters.received, 1);
    });
  }

  const seal = (clear: string, plain: string, nonce: number) =>
    sealIndependently({
      mode,
      key: KEY,
      clear: hex(clear),
      plain: hex(plain),
      nonce: [nonce >>> 24, nonce >> 16 & 255, nonce >> 8 & 255, nonce & 255],
    });
  const header = "80 78 0001 00000002 00000003";
  const good = seal(header, "78 01 02", 1);

  const DROPS: readonly [what: string, packet: Uint8Array, reason: string][] = [
    ["nothing", new Uint8Array(), "foreign"],
    ["a datagram of four bytes", Uint8Array.of(1, 2, 3, 4), "foreign"],
    ["the echo of a keepalive", encodeKeepAlive(3), "foreign"],
    ["the response to a ping", hex("1337f00d 00000001"), "foreign"],
    [
      "a late response to the discovery",
      Uint8Array.from([0, 2, 0, 70, ...new Array(70).fill(49)]),
      "foreign",
    ],
    ["RTCP", seal("81 c8 0006 00000003", "01 02 03 04", 9), "rtcp"],
    ["video", seal("80 65 0001 00000002 00000003", "01 02", 9), "not_opus"],
    ["eleven bytes", good.slice(0, 11), "short"],
    ["a header that is cut short by its contributors", hex("8f 78 0001 00000002 00000003"), "short"],
    ["a header alone", hex(header), "forged"],
    ["a packet without its last byte", good.slice(0, -1), "forged"],
    ["a changed payload", good.map((byte, at) => at === 13 ? byte ^ 1 : byte), "forged"],
    ["a changed header", good.map((byte, at) => at === 3 ? byte ^ 1 : byte), "forged"],
    ["a changed tag", good.map((byte, at) => at === good.length - 6 ? byte ^ 1 : byte), "forged"],
    ["a changed nonce", good.map((byte, at) => at === good.length - 1 ? byte ^ 1 : byte), "forged"],
    ["padding of nothing", seal("a0 78 0001 00000002 00000003", "78 00", 9), "malformed"],
    ["more padding than payload", seal("a0 78 0001 00000002 00000003", "78 09", 9), "malformed"],
    [
      "an extension that is cut short",
      seal("90 78 0001 00000002 00000003 bede0002", "10 ff", 9),
      "malformed",
    ],
    ["nothing but padding", seal("a0 78 0001 00000002 00000003", "00 00 03", 9), "empty"],
    ["an empty payload", seal(header, "", 9), "empty"],
  ];
  for (const [what, packet, reason] of DROPS) {
    Deno.test(`receiver: ${mode}: ${what} is dropped as ${reason}, and the next packet is heard [case 71]`, async () => {
      const { receiver, heard } = await listen(mode);
      receiver.receive(packet);
      receiver.receive(good);
      await receiver.settled();
      assertEquals(droppedOf(receiver.counters), { [reason]: 1 });
      assertEquals(heard, ["3 1 2: 120,1,2"]);
    });
  }

  Deno.test(`receiver: ${mode}: a replayed nonce is dropped, also while the first is still being opened [case 71]`, async () => {
    const { receiver, heard } = await listen(mode);
    receiver.receive(good);
    receiver.receive(good);
    await receiver.settled();
    receiver.receive(good);
    receiver.receive(seal("80 78 0002 00000003 00000003", "78 09", 1));
    await receiver.settled();
    assertEquals([heard.length, droppedOf(receiver.counters)], [1, { replayed: 3 }]);
  });

  Deno.test(`receiver: ${mode}: speakers whose nonces are the same are both heard, a replay of either is dropped`, async () => {
    const { receiver, heard } = await listen(mode);
    const others = seal("80 78 0001 00000002 00000004", "07", 1);
    for (const packet of [good, others, others, good]) receiver.receive(packet);
    await receiver.settled();
    assertEquals([heard, droppedOf(receiver.counters)], [["3 1 2: 120,1,2", "4 1 2: 7"], { replayed: 2 }]);
  });

  Deno.test(`receiver: ${mode}: a forged packet does not use up a nonce`, async () => {
    const { receiver, heard } = await listen(mode);
    receiver.receive(good.map((byte, at) => at === 13 ? byte ^ 1 : byte));
    await receiver.settled();
    receiver.receive(good);
    await receiver.settled();
    assertEquals([heard.length, droppedOf(receiver.counters)], [1, { forged: 1 }]);
  });

  Deno.test(`receiver: ${mode}: a thousand packets are delivered in the order in which they came`, async () => {
    const { receiver, heard } = await listen(mode);
    const packets = Array.from({ length: 1_000 }, (_, at) => {
      const sequence = at.toString(16).padStart(4, "0");
      // Long and short ones alternate: the promise of a short one resolves sooner.
      return seal(`80 78 ${sequence} 00000000 00000001`, at % 2 === 0 ? "ab".repeat(1_200) : "78", at);
    });
    for (const packet of packets) receiver.receive(packet);
    await receiver.settled();
    assertEquals(heard.map((line) => Number(line.split(" ")[1])), packets.map((_, at) => at));
  });
}

Deno.test("receiver: promises that resolve in another order do not change the order", async () => {
  const pending: ((plain: Uint8Array | null) => void)[] = [];
  const cipher: TransportCipher = {
    mode: "aead_aes256_gcm_rtpsize",
    seal: () => new Uint8Array(),
    // Every third at once, the others when the test says so.
    open: (packet) => packet[3] === 3 ? Uint8Array.of(3) : new Promise((resolve) => pending.push(resolve)),
  };
  const heard: number[] = [];
  const receiver = new MediaReceiver(cipher, ({ sequence }) => heard.push(sequence));
  for (const at of [1, 2, 3, 4]) receiver.receive(hex(`80 78 000${at} 00000000 00000000 0000000${at}`));
  pending[2]?.(Uint8Array.of(1));
  pending[1]?.(null);
  await Promise.resolve();
  assertEquals(heard, []);
  pending[0]?.(Uint8Array.of(1));
  await receiver.settled();
  assertEquals([heard, receiver.counters.dropped.forged], [[1, 3, 4], 1]);
});

Deno.test("receiver: a nonce from long ago is forgotten, the memory is bounded", async () => {
  const mode = "aead_xchacha20_poly1305_rtpsize";
  const cipher = await createTransportCipher({ mode, key: KEY });
  const receiver = new MediaReceiver(cipher, () => {});
  const packets = await Promise.all(
    Array.from({ length: 4_097 }, () => cipher.seal(hex("80 78 0001 00000002 00000003"), Uint8Array.of(1))),
  );
  for (const packet of packets) receiver.receive(packet);
  receiver.receive(packets[1]!);
  assertEquals(receiver.counters.dropped.replayed, 1);
  receiver.receive(packets[0]!);
  assertEquals([receiver.counters.dropped.replayed, receiver.counters.received], [1, 4_098]);
});

Deno.test("receiver: no datagram throws, and each is counted once", async () => {
  for (const mode of MODES) {
    const cipher = await createTransportCipher({ mode, key: KEY });
    const datagram = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.from([0x80, 0x78, ...rest])),
      fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 30 }), fc.nat(3)).map(([flags, plain, nonce]) =>
        sealIndependently({
          mode,
          key: KEY,
          clear: [
            0x80 | flags & 0x3f,
            0x78,
            ...new Array(10 + 4 * (flags & 15) + (flags & 16 ? 4 : 0)).fill(0),
          ],
          plain,
          nonce: [0, 0, 0, nonce],
        })
      ),
    );
    await assertProperty(
      fc.asyncProperty(fc.array(datagram, { maxLength: 20 }), async (datagrams) => {
        let heard = 0;
        const receiver = new MediaReceiver(cipher, () => heard++);
        for (const one of datagrams) receiver.receive(one);
        await receiver.settled();
        const { received, dropped } = receiver.counters;
        assertEquals(received, heard);
        assertEquals(
          received + Object.values(dropped).reduce((sum, count) => sum + count, 0),
          datagrams.length,
        );
      }),
      { numRuns: 100 },
    );
  }
});
