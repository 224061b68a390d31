/** A command through the shards that it is for. */

import type { EncodedCommand } from "../../gateway/mod.ts";
import type { QueueOptions } from "../../ratelimit/mod.ts";
import { checkCommand } from "../commands/check.ts";
import { CommandNotSentError } from "../commands/errors.ts";
import type { CommandOutcome } from "../commands/limits.ts";
import { ShardNotHereError } from "./errors.ts";
import { routeCommand } from "./plan.ts";
import type { FleetSet } from "./shard_set.ts";

/** What a routed send needs of its fleet. */
export interface RoutedSendOptions {
  /** The shards that the command goes through. */
  readonly set: FleetSet;
  /** How each of them sends it. */
  readonly options: QueueOptions;
  /** A shard has written it, or a newer one has replaced it. */
  readonly onSent: (outcome: CommandOutcome) => void;
  /** Whether a part that a closed shard has not sent may go through another set. */
  readonly mayRetry: () => boolean;
  /** Sends a part anew. */
  readonly retry: (part: EncodedCommand) => Promise<void>;
}

/**
 * Sends each part of a command through its shard. Resolves when all are written.
 *
 * @throws what the one part failed of, or an `AggregateError` of several.
 */
export async function sendRouted(
  encoded: EncodedCommand,
  { set, options, onSent, mayRetry, retry }: RoutedSendOptions,
): Promise<void> {
  const { command } = encoded;
  const sent = routeCommand(command, set.count).flatMap((part) => {
    const encodedPart = part.command === command ? encoded : checkCommand(part.command);
    const slots = part.shardId === null ? set.list : [set.shards.get(part.shardId)];
    return slots.map(async (slot) => {
      if (!slot) throw new ShardNotHereError(part.shardId ?? 0, set.count);
      try {
        onSent(await slot.send(encodedPart, options));
      } catch (error) {
        const mayGoElsewhere = error instanceof CommandNotSentError && part.shardId !== null;
        if (!mayGoElsewhere || !mayRetry()) throw error;
        await retry(encodedPart);
      }
    });
  });
  const errors = (await Promise.allSettled(sent)).flatMap((one) =>
    one.status === "rejected" ? [one.reason] : []
  );
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    throw new AggregateError(errors, `Cannot send op ${command.op} through every shard`);
  }
}
