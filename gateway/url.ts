/**
 * The URL that is dialed: built from what Discord or the user gives, and checked before anything opens a socket.
 *
 * Discord hands out bare URLs and expects the version, encoding and compression in the query, on a resume too. The
 * port, the path and the rest of the query stay as they are, so that a proxy or a compatible server can be dialed.
 * A URL can carry credentials and, by a mix-up of arguments, can even be the token: no message shows either.
 */

const VERSION = "10";
const ENCODING = "json";

/** A compression of the whole connection, by the name that goes into the URL. */
export type TransportCompression = "zlib-stream" | "zstd-stream";

/** What can be wrong with a gateway URL: it can't be parsed, or has the wrong scheme, version or encoding. */
export type GatewayUrlErrorCode =
  | "ERR_URL_INVALID"
  | "ERR_URL_SCHEME"
  | "ERR_URL_VERSION"
  | "ERR_URL_ENCODING";

/**
 * A URL that can't be dialed as a gateway.
 *
 * It has no `cause`: the runtime's own error repeats the whole URL, credentials included.
 *
 * @example
 * ```ts
 * import { gatewayUrl, GatewayUrlError } from "@discordgateway/edge/gateway";
 *
 * try {
 *   gatewayUrl("https://gateway.discord.gg");
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof GatewayUrlError) || error.code !== "ERR_URL_SCHEME") throw error;
 * }
 * ```
 */
export class GatewayUrlError extends Error {
  /** The class name, for logs. */
  override readonly name = "GatewayUrlError";
  /** Stable identifier for switch statements. */
  readonly code: GatewayUrlErrorCode;

  /** Made by {@linkcode gatewayUrl} and {@linkcode checkGatewayUrl}. */
  constructor(code: GatewayUrlErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Builds the URL to dial from a bare one.
 *
 * Sets `v=10` and `encoding=json`, sets or removes `compress`, and keeps everything else. Both `wss:` and `ws:` are
 * fine.
 *
 * @throws {GatewayUrlError} With the code `ERR_URL_INVALID` or `ERR_URL_SCHEME`.
 *
 * @see https://docs.discord.com/developers/events/gateway#connecting
 *
 * @example
 * ```ts
 * import { gatewayUrl } from "@discordgateway/edge/gateway";
 *
 * const url = gatewayUrl("wss://gateway.discord.gg", { compress: "zlib-stream" });
 * if (url !== "wss://gateway.discord.gg/?v=10&encoding=json&compress=zlib-stream") throw new Error(url);
 * ```
 */
export function gatewayUrl(base: string, options?: { compress?: TransportCompression | undefined }): string {
  const url = parse(base);
  // WebSocket refuses a fragment on some runtimes, and no server ever sees it.
  url.hash = "";
  url.searchParams.set("v", VERSION);
  url.searchParams.set("encoding", ENCODING);
  url.searchParams.delete("compress");
  if (options?.compress) url.searchParams.set("compress", options.compress);
  return url.href;
}

/**
 * Checks that a URL is ready to dial, and returns it parsed.
 *
 * @throws {GatewayUrlError} With one code per fault: `ERR_URL_INVALID` if it can't be parsed, `ERR_URL_SCHEME` if it
 * is neither `ws:` nor `wss:`, `ERR_URL_VERSION` if it lacks `v=10`, `ERR_URL_ENCODING` if it lacks `encoding=json`.
 *
 * @see https://docs.discord.com/developers/events/gateway#connecting
 *
 * @example
 * ```ts
 * import { checkGatewayUrl, GatewayUrlError } from "@discordgateway/edge/gateway";
 *
 * checkGatewayUrl("wss://gateway.discord.gg/?v=10&encoding=json");
 * try {
 *   checkGatewayUrl("wss://gateway.discord.gg/?v=6&encoding=json");
 *   throw new Error("unexpected");
 * } catch (error) {
 *   if (!(error instanceof GatewayUrlError) || error.code !== "ERR_URL_VERSION") throw error;
 * }
 * ```
 */
export function checkGatewayUrl(url: string): URL {
  const parsed = parse(url);
  checkParameter(parsed, "v", VERSION, "ERR_URL_VERSION");
  checkParameter(parsed, "encoding", ENCODING, "ERR_URL_ENCODING");
  return parsed;
}

function parse(text: string): URL {
  const url = parseOrNull(text);
  if (!url) {
    throw new GatewayUrlError(
      "ERR_URL_INVALID",
      `Cannot dial: the gateway URL must be an absolute URL: "${withoutCredentials(String(text))}"`,
    );
  }
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw new GatewayUrlError(
      "ERR_URL_SCHEME",
      `Cannot dial: the scheme of the gateway URL must be ws or wss: "${url.protocol.slice(0, -1)}"`,
    );
  }
  return url;
}

function parseOrNull(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function checkParameter(url: URL, name: string, supported: string, code: GatewayUrlErrorCode): void {
  const values = url.searchParams.getAll(name);
  if (values.length === 1 && values[0] === supported) return;
  const found = values.length === 0 ? "it is missing" : `"${values.join('", "')}"`;
  throw new GatewayUrlError(code, `Cannot dial: the gateway URL must have ${name}=${supported}: ${found}`);
}

/**
 * For text that is no URL, so its parts are guesses: what stands before the last `@` may be a password, what follows
 * `?`, `#` or `&` a key, and three long words joined by dots a bot token.
 */
function withoutCredentials(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1…@")
    .replace(/[?#&].*$/s, "?…")
    .replace(/[\w-]{18,}\.[\w-]{6,}\.[\w-]{20,}/g, "…");
}
