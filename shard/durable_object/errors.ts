/** The error of both hosts, and an error's JSON form, which crosses RPC and HTTP without the token. */

/** An error as JSON. */
export interface ErrorReport {
  /** The name of its class. */
  readonly name: string;
  /** Its stable `code`; `null` if it has none. */
  readonly code: string | null;
  /** Its message, without the token. */
  readonly message: string;
}

/** Why a `ShardHost` or a `FleetHost` rejected a call. */
export type HostErrorCode =
  | "ERR_SHARD_HOST_STORAGE"
  | "ERR_SHARD_HOST_STOPPED"
  | "ERR_SHARD_HOST_DEADLINE"
  | "ERR_SHARD_HOST_STUCK"
  | "ERR_FLEET_HOST_RUNNING"
  | "ERR_FLEET_HOST_STOPPED"
  | "ERR_FLEET_HOST_RESHARDING"
  | "ERR_FLEET_HOST_SHARD"
  | "ERR_FLEET_HOST_UNREACHABLE";

/**
 * A host could not do what the caller asked for; nothing has changed.
 *
 * @example
 * ```ts
 * import { HostError, ShardHost } from "@discordgateway/edge/durable-object";
 *
 * const none = () => Promise.resolve(null);
 * const kv = null as never;                       // a class that is not SQLite-backed has none
 * const storage = { kv, getAlarm: none, setAlarm: async () => {}, deleteAlarm: async () => {} };
 * try {
 *   new ShardHost({ storage }, { token: "bot token", intents: 0, handler: () => {} });
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof HostError) || error.code !== "ERR_SHARD_HOST_STORAGE") throw error;
 * }
 * ```
 */
export class HostError extends Error {
  /** The name of the class. */
  override readonly name = "HostError";
  /** Stable identifier for switch statements. */
  readonly code: HostErrorCode;
  /** The error of a shard's object that a `FleetHost` passes on; otherwise `null`. */
  readonly report: ErrorReport | null;

  /** Made by the host. */
  constructor(
    message: string,
    options: { readonly code: HostErrorCode; readonly report?: ErrorReport; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.report = options.report ?? null;
  }
}

/** Turns an error into JSON, without `token`. */
export function reportError(error: unknown, token: string): ErrorReport {
  const text = error instanceof Error ? error.message : String(error);
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  return {
    name: error instanceof Error ? error.name : typeof error,
    code: typeof code === "string" ? code : null,
    message: token === "" ? text : text.replaceAll(token, "[token]"),
  };
}
