/** What the consumer has in hand of one slot: events of the slot's shards, one after the other, over restarts. */

import type { SessionRecord } from "../../gateway/mod.ts";
import type { ShardEvent } from "../events/event.ts";
import type { FleetEvent, ShardStoppedEvent } from "./event.ts";

/** What a slot's delivery is made from. */
export interface SlotDeliveryOptions {
  /** The shard's number. */
  readonly shardId: number;
  /** How many shards the bot is split into. */
  readonly shardCount: number;
  /** Takes an event. */
  readonly deliver: (item: FleetEvent) => void | PromiseLike<void>;
  /** The consumer's handler has failed. */
  readonly onHandlerFailed: (error: unknown) => void;
  /** What an earlier shard of this slot left with the consumer is handled. */
  readonly onCaughtUp: () => void;
}

/** Delivers the events of one slot in order. */
export class SlotDelivery {
  readonly #options: SlotDeliveryOptions;
  /** What was last delivered, and when it is handled. */
  #item: FleetEvent | null = null;
  #handled: void | PromiseLike<void> = undefined;
  /** What an earlier shard of this slot left with the consumer: its successor's events come after that. */
  #before: Promise<void> | null = null;
  /** The session as it was before an event that the consumer has in hand over a restart. */
  unhandled: SessionRecord | null = null;

  /** Nothing is delivered yet. */
  constructor(options: SlotDeliveryOptions) {
    this.#options = options;
  }

  /** Whether the slot's next event comes after something that the consumer still has in hand. */
  get isBehind(): boolean {
    return this.#before !== null;
  }

  /** When the consumer has handled what it has in hand. */
  get inHand(): void | PromiseLike<void> {
    return this.#before ?? this.#handled;
  }

  /** Resolves when what an earlier shard left is handled. */
  async caughtUp(): Promise<void> {
    await this.#before;
  }

  /** Resolves when everything that was delivered is handled, or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#handled, this.#before]);
  }

  /** Hands an event to the consumer. */
  hand(event: ShardEvent | ShardStoppedEvent): void | PromiseLike<void> {
    const { shardId, shardCount, deliver } = this.#options;
    const item = { shardId, shardCount, event };
    this.#item = item;
    return this.#handled = deliver(item);
  }

  /** Counts the event as handled now, if the consumer has it in hand; the shard counts its own. */
  acknowledge(item: FleetEvent, shard: { acknowledge(): void }): void {
    if (item !== this.#item) return;
    if (this.#before === null) shard.acknowledge();
    else this.unhandled = null;
  }

  /** Delivers an event that no shard sent, in its order; resolves when the consumer has it. */
  announce(event: ShardEvent | ShardStoppedEvent): Promise<void> {
    return new Promise((told) => {
      this.follow(
        Promise.resolve(this.inHand).then(() => {
          const handled = this.hand(event);
          told();
          return handled;
        }),
      );
    });
  }

  /** The slot's next event comes after that. */
  follow(handled: void | PromiseLike<void>): void {
    if (handled === undefined) {
      this.unhandled = null;
      return;
    }
    const before: Promise<void> = Promise.resolve(handled).catch((error) => {
      this.#options.onHandlerFailed(error);
    }).then(() => {
      if (this.#before !== before) return;
      this.#before = null;
      this.unhandled = null;
      this.#options.onCaughtUp();
    });
    this.#before = before;
  }
}
