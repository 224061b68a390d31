/** Where identify limiters keep their record, for all processes that share it: the store's interface, and its options. */

import type { Clock } from "../clock.ts";
import type { IdentifyLimits } from "./limits.ts";
import type { IdentifyReply, IdentifyRequest } from "./record.ts";

/** Where a record of identifies is kept. */
export interface IdentifyStore {
  /**
   * Reads the record, lets `exchangeIdentifies` answer the request by it, and writes it back, all in one. The signal is
   * aborted when nobody waits for the reply any more.
   */
  exchange(
    request: IdentifyRequest,
    options: { readonly signal: AbortSignal },
  ): IdentifyReply | Promise<IdentifyReply>;
}

/** Options of all identify limiters with a store. */
export interface StoredIdentifyLimiterOptions extends IdentifyLimits {
  /**
   * Keeps a key closed until its shard has READY or has failed, and for a period from then. Without, it rests for a
   * period from the permit on.
   * @default {false}
   */
  readonly hold?: boolean;
  /**
   * How long the store may take to answer, in ms; `Infinity` = as long as it likes.
   * @default {5_000}
   */
  readonly deadlineMs?: number;
}

/** What a {@linkcode StoredIdentifyLimiter} needs besides. */
export interface IdentifyStoreContext extends StoredIdentifyLimiterOptions {
  /** Timers, and the present for them. */
  readonly clock: Clock;
  /** Tells this process from all others that share the store. */
  readonly client: string;
}
