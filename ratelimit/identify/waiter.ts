/** A shard that waits for its permit. */

import type { IdentifyPermit } from "./permit.ts";

/** Settles a shard's `take`, once, and listens to its signal until then. */
export class IdentifyWaiter {
  /** The shard. */
  readonly shardId: number;
  /** Whether a store knows of it. */
  isAsking = false;
  /** How often its permit has come late. */
  retries = 0;
  readonly #take: PromiseWithResolvers<IdentifyPermit> = Promise.withResolvers();
  readonly #stopListening: () => void;

  /** Waits; an aborted signal ends the wait with its reason, after `onAbort`. */
  constructor(shardId: number, signal: AbortSignal | undefined, onAbort: (waiter: IdentifyWaiter) => void) {
    this.shardId = shardId;
    const abort = () => {
      onAbort(this);
      this.reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort);
    this.#stopListening = () => signal?.removeEventListener("abort", abort);
  }

  /** What `take` returns. */
  get taken(): Promise<IdentifyPermit> {
    return this.#take.promise;
  }

  /** The shard may identify. */
  resolve(permit: IdentifyPermit): void {
    this.#stopListening();
    this.#take.resolve(permit);
  }

  /** The shard may not, or has given up. */
  reject(error: unknown): void {
    this.#stopListening();
    this.#take.reject(error);
  }
}
