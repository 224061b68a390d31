import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  Discovery,
  type DiscoveryOutput,
  encodeDiscovery,
  encodeKeepAlive,
  packetKind,
  parseDiscovery,
} from "../../../voice/core.ts";
import { assertProperty } from "../../property.ts";

const SSRC = 0x0004eb23;

/** A response as Discord sends it, 74 bytes. */
function response(
  { address = "91.90.123.93", port = [0xd3, 0x84], ssrc = [0, 4, 0xeb, 0x23] } = {},
): Uint8Array {
  const text = new Uint8Array(64);
  new TextEncoder().encodeInto(address, text);
  return Uint8Array.from([0, 2, 0, 0x46, ...ssrc, ...text, ...port]);
}

Deno.test("discovery: the request is type 1, length 70, the SSRC, and zeros [case 66]", () => {
  assertEquals([...encodeDiscovery(SSRC)], [0, 1, 0, 70, 0, 4, 0xeb, 0x23, ...new Array(66).fill(0)]);
});

Deno.test("discovery: Discord's response is read, its port big-endian [case 66]", () => {
  assertEquals(response().length, 74);
  assertEquals(parseDiscovery(response(), SSRC), { address: "91.90.123.93", port: 54_148 });
});

Deno.test("discovery: an address may fill its field, and may be of version 6", () => {
  assertEquals(parseDiscovery(response({ address: "2001:db8::1" }), SSRC)?.address, "2001:db8::1");
  assertEquals(parseDiscovery(response({ address: "1".repeat(64) }), SSRC)?.address.length, 64);
});

for (
  const [what, packet] of [
    ["a request", encodeDiscovery(SSRC)],
    ["a response to another SSRC", response({ ssrc: [0, 4, 0xeb, 0x24] })],
    ["a response that is cut short", response().subarray(0, 73)],
    ["a response with a byte more", Uint8Array.from([...response(), 0])],
    ["the old response of 70 bytes", response().subarray(0, 70)],
    ["a stray of 4 bytes", Uint8Array.of(0, 0, 0, 0)],
    ["an echo of a keepalive", encodeKeepAlive(1)],
    ["another length field", Uint8Array.from(response(), (byte, at) => at === 3 ? 69 : byte)],
    ["port 0", response({ port: [0, 0] })],
    ["no address", response({ address: "" })],
    ["an address that is none", response({ address: "91.90.123.93\n" })],
  ] as const
) {
  Deno.test(`discovery: ${what} is no response [case 66]`, () =>
    assertEquals(parseDiscovery(packet, SSRC), null));
}

Deno.test("discovery: any datagram is read or rejected", () => {
  assertProperty(fc.property(fc.uint8Array({ minLength: 70, maxLength: 78 }), (bytes) => {
    parseDiscovery(bytes, 0);
    const dressed = Uint8Array.from(bytes);
    dressed.set([0, 2, 0, 70, 0, 0, 0, 0]);
    const found = parseDiscovery(dressed, 0);
    if (found !== null) {
      assertEquals([dressed.length, found.port > 0, found.address.length > 0], [74, true, true]);
    }
  }));
});

/** Lets time pass until the discovery is over. */
function run(discovery: Discovery, until: number): [at: number, what: DiscoveryOutput["type"]][] {
  const log: [number, DiscoveryOutput["type"]][] = [];
  while (discovery.deadline <= until) {
    const at = discovery.deadline;
    const output = discovery.tick(at);
    if (output !== null) log.push([at, output.type]);
  }
  return log;
}

Deno.test("discovery: sends a request every second, and gives up after ten", () => {
  const discovery = new Discovery({ ssrc: SSRC, now: 500 });
  const log = run(discovery, 60_000);
  assertEquals(log.map(([at]) => at), [
    500,
    1_500,
    2_500,
    3_500,
    4_500,
    5_500,
    6_500,
    7_500,
    8_500,
    9_500,
    10_500,
  ]);
  assertEquals(log.map(([, what]) => what), [...new Array(10).fill("send"), "failed"]);
  assertEquals([discovery.deadline, discovery.receive(response())], [Infinity, null]);
});

Deno.test("discovery: a stray is ignored, the response ends it, however late [case 66]", () => {
  const discovery = new Discovery({ ssrc: SSRC, now: 0, retryMs: 300, timeoutMs: 2_000 });
  assertEquals(run(discovery, 1_000).length, 4);
  assertEquals(discovery.receive(Uint8Array.of(1, 2, 3, 4)), null);
  assertEquals(discovery.receive(response()), {
    type: "found",
    found: { address: "91.90.123.93", port: 54_148 },
  });
  assertEquals([discovery.receive(response()), discovery.tick(5_000), discovery.deadline], [
    null,
    null,
    Infinity,
  ]);
});

Deno.test("discovery: the failure says how many requests were sent", () => {
  const discovery = new Discovery({ ssrc: SSRC, now: 0, timeoutMs: 3_000 });
  run(discovery, 2_999);
  assertEquals(discovery.tick(3_000), { type: "failed", attempts: 3 });
});

Deno.test("keepalive: four bytes that count, low ones first, and four zeros; it is not taken for sound", () => {
  assertEquals([...encodeKeepAlive(0x01020304)], [4, 3, 2, 1, 0, 0, 0, 0]);
  assertEquals([...encodeKeepAlive(2 ** 32 + 5)], [5, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(packetKind(encodeKeepAlive(1)), "other");
});
