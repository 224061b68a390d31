import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkGatewayUrl,
  gatewayUrl,
  GatewayUrlError,
  type GatewayUrlErrorCode,
  type TransportCompression,
} from "../../gateway/url.ts";
import { assertProperty } from "../property.ts";

const BUILT: readonly [base: string, compress: TransportCompression | undefined, url: string][] = [
  ["wss://gateway.discord.gg", undefined, "wss://gateway.discord.gg/?v=10&encoding=json"],
  ["wss://gateway.discord.gg/", undefined, "wss://gateway.discord.gg/?v=10&encoding=json"],
  ["wss://gateway.discord.gg?", undefined, "wss://gateway.discord.gg/?v=10&encoding=json"],
  [
    "wss://gateway-us-east1-b.discord.gg",
    "zlib-stream",
    "wss://gateway-us-east1-b.discord.gg/?v=10&encoding=json&compress=zlib-stream",
  ],
  [
    "wss://gateway.discord.gg/",
    "zstd-stream",
    "wss://gateway.discord.gg/?v=10&encoding=json&compress=zstd-stream",
  ],
  ["ws://127.0.0.1:8080", undefined, "ws://127.0.0.1:8080/?v=10&encoding=json"],
  ["ws://[::1]:8080/gateway", undefined, "ws://[::1]:8080/gateway?v=10&encoding=json"],
  ["wss://proxy.example:8443/bots/1/", undefined, "wss://proxy.example:8443/bots/1/?v=10&encoding=json"],
  ["wss://gateway.discord.gg:443/", undefined, "wss://gateway.discord.gg/?v=10&encoding=json"],
  ["wss://proxy.example/?key=a%2Fb", undefined, "wss://proxy.example/?key=a%2Fb&v=10&encoding=json"],
  ["wss://proxy.example/?key=1&key=2", undefined, "wss://proxy.example/?key=1&key=2&v=10&encoding=json"],
  ["wss://gateway.discord.gg/?v=9", undefined, "wss://gateway.discord.gg/?v=10&encoding=json"],
  ["wss://gateway.discord.gg/?encoding=etf&v=6", undefined, "wss://gateway.discord.gg/?encoding=json&v=10"],
  ["wss://gateway.discord.gg/?v=9&v=8", undefined, "wss://gateway.discord.gg/?v=10&encoding=json"],
  [
    "wss://gateway.discord.gg/?compress=zlib-stream",
    undefined,
    "wss://gateway.discord.gg/?v=10&encoding=json",
  ],
  [
    "wss://gateway.discord.gg/?compress=zlib-stream",
    "zstd-stream",
    "wss://gateway.discord.gg/?v=10&encoding=json&compress=zstd-stream",
  ],
  [
    "wss://gateway.discord.gg/?v=10&encoding=json",
    undefined,
    "wss://gateway.discord.gg/?v=10&encoding=json",
  ],
  ["WSS://Gateway.Discord.GG", undefined, "wss://gateway.discord.gg/?v=10&encoding=json"],
  ["wss://proxy.example/#top", undefined, "wss://proxy.example/?v=10&encoding=json"],
  ["wss://me:secret@proxy.example", undefined, "wss://me:secret@proxy.example/?v=10&encoding=json"],
];

for (const [base, compress, url] of BUILT) {
  Deno.test(`url: ${base} with ${compress ?? "no compression"} is dialed as ${url}`, () => {
    assertEquals(gatewayUrl(base, { compress }), url);
    if (!compress) assertEquals(gatewayUrl(base), url);
    assertEquals(checkGatewayUrl(url).href, url);
  });
}

const REFUSED: readonly [url: string, code: GatewayUrlErrorCode, shown: string][] = [
  ["", "ERR_URL_INVALID", '""'],
  ["gateway.discord.gg", "ERR_URL_INVALID", '"gateway.discord.gg"'],
  ["/gateway", "ERR_URL_INVALID", '"/gateway"'],
  ["wss://", "ERR_URL_INVALID", '"wss://"'],
  ["wss://host:99999/", "ERR_URL_INVALID", '"wss://host:99999/"'],
  ["wss://ho st/", "ERR_URL_INVALID", '"wss://ho st/"'],
  ["https://gateway.discord.gg/?v=10&encoding=json", "ERR_URL_SCHEME", '"https"'],
  ["http://gateway.discord.gg/?v=10&encoding=json", "ERR_URL_SCHEME", '"http"'],
  ["ftp://gateway.discord.gg/?v=10&encoding=json", "ERR_URL_SCHEME", '"ftp"'],
  ["localhost:8080", "ERR_URL_SCHEME", '"localhost"'],
  ["wss://gateway.discord.gg", "ERR_URL_VERSION", "it is missing"],
  ["wss://gateway.discord.gg/?encoding=json", "ERR_URL_VERSION", "it is missing"],
  ["wss://gateway.discord.gg/?v=&encoding=json", "ERR_URL_VERSION", '""'],
  ["wss://gateway.discord.gg/?v=1&encoding=json", "ERR_URL_VERSION", '"1"'],
  ["wss://gateway.discord.gg/?v=9&encoding=json", "ERR_URL_VERSION", '"9"'],
  ["wss://gateway.discord.gg/?v=11&encoding=json", "ERR_URL_VERSION", '"11"'],
  ["wss://gateway.discord.gg/?v=10.0&encoding=json", "ERR_URL_VERSION", '"10.0"'],
  ["wss://gateway.discord.gg/?v=10&v=9&encoding=json", "ERR_URL_VERSION", '"10", "9"'],
  ["wss://gateway.discord.gg/?V=10&encoding=json", "ERR_URL_VERSION", "it is missing"],
  ["wss://gateway.discord.gg/?v=10", "ERR_URL_ENCODING", "it is missing"],
  ["wss://gateway.discord.gg/?v=10&encoding=", "ERR_URL_ENCODING", '""'],
  ["wss://gateway.discord.gg/?v=10&encoding=etf", "ERR_URL_ENCODING", '"etf"'],
  ["wss://gateway.discord.gg/?v=10&encoding=mysql", "ERR_URL_ENCODING", '"mysql"'],
  ["wss://gateway.discord.gg/?v=10&encoding=JSON", "ERR_URL_ENCODING", '"JSON"'],
];

for (const [url, code, shown] of REFUSED) {
  Deno.test(`url: ${url || "an empty one"} is refused with ${code} [case 45]`, () => {
    const error = assertThrows(() => checkGatewayUrl(url), GatewayUrlError);
    assertEquals([error.name, error.code], ["GatewayUrlError", code]);
    assert(error.message.startsWith("Cannot dial: ") && error.message.endsWith(`: ${shown}`), error.message);
  });
}

Deno.test("url: building refuses what can't be parsed and other schemes, and nothing else", () => {
  for (const [url, code] of REFUSED) {
    if (code === "ERR_URL_INVALID" || code === "ERR_URL_SCHEME") {
      assertEquals(assertThrows(() => gatewayUrl(url), GatewayUrlError).code, code);
    } else {
      checkGatewayUrl(gatewayUrl(url));
    }
  }
});

Deno.test("url: undefined from a caller without types is refused like any other", () => {
  const error = assertThrows(() => gatewayUrl(undefined as unknown as string), GatewayUrlError);
  assertEquals(error.code, "ERR_URL_INVALID");
});

// The shape of a bot token; it never was one.
const TOKEN = "bm90LWEtcmVhbC1ib3QtaWQ.not-it.this-is-not-a-secret-at-all-but-long";

for (
  const url of [
    "wss://me:hunter2@ho st/?v=10",
    "wss://me:hunter2@host:99999/",
    "wss://me:hunter2?x@host:99999/",
    "wss://host:99999/?key=hunter2",
    "wss://host:99999/?mail=a@b&key=hunter2",
    "wss://host:99999/#hunter2",
    "me:hunter2@host",
    "//me:hunter2@host",
    "https://me:hunter2@host/?key=hunter2",
    "wss://me:hunter2@host/?key=hunter2",
    "wss://me:hunter2@host/?v=10&key=hunter2",
    TOKEN,
    `Bot ${TOKEN}`,
    `wss://host:99999/${TOKEN}`,
  ]
) {
  Deno.test(`url: no credentials show in the error about ${url}`, () => {
    const error = assertThrows(() => checkGatewayUrl(url), GatewayUrlError);
    for (const text of [error.message, error.stack ?? "", Deno.inspect(error), `${error.cause}`]) {
      assert(!text.includes("hunter2") && !text.includes("not-a-secret"), text);
    }
  });
}

Deno.test("url: whatever was built passes the check and keeps port, path and the rest of the query", () => {
  const path = fc.array(fc.constantFrom("a", "bots", "1", "%20", ".", ".."), { maxLength: 4 }).map((parts) =>
    `/${parts.join("/")}`
  );
  const key = fc.constantFrom("a", "key", "V", "version", "encoding", "compress");
  const query = fc.array(fc.tuple(key, fc.string()), { maxLength: 4 });
  const compress = fc.constantFrom<(TransportCompression | undefined)[]>(
    undefined,
    "zlib-stream",
    "zstd-stream",
  );
  assertProperty(fc.property(path, fc.nat(65535), query, compress, (path, port, pairs, compress) => {
    const base = new URL(`ws://host.example:${port}${path}`);
    for (const [key, value] of pairs) base.searchParams.append(key, value);
    const url = checkGatewayUrl(gatewayUrl(base.href, { compress }));
    assertEquals([url.port, url.pathname], [base.port, base.pathname]);
    for (const [key, value] of pairs) {
      if (key !== "encoding" && key !== "compress") assert(url.searchParams.getAll(key).includes(value));
    }
    assertEquals(url.searchParams.get("compress"), compress ?? null);
    assertEquals(gatewayUrl(url.href, { compress }), url.href);
  }));
});
