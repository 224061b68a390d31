/** Sends a command through the runs of a hosted shard, until it is written or its deadline has passed. */

import type { EncodedCommand } from "../../../gateway/mod.ts";
import type { QueueOptions } from "../../../ratelimit/mod.ts";
import { abortable } from "../../pipe/abortable.ts";
import { withDeadline } from "../../pipe/deadline.ts";
import { CommandNotSentError } from "../../commands/errors.ts";
import type { Clock } from "../../../ratelimit/clock.ts";
import { HostError } from "../errors.ts";

/** The part of a run that sending uses. */
interface SendingRun {
  /** The shard. */
  readonly shard: { send(command: EncodedCommand, options: QueueOptions): Promise<unknown> };
  /** Resolves when this run has ended. */
  readonly ended: Promise<unknown>;
}

/** The runs of the shard. */
export interface SendingRuns {
  /** Whether the shard has to run. */
  readonly isRunning: boolean;
  /** The present run; `null` between two runs. */
  readonly run: SendingRun | null;
  /** Resolves when the next run begins or the shard stops. */
  readonly nextRun: Promise<void>;
}

/** Sends a command through the present run or a later one, within the deadline. */
export async function sendWithin(
  { deadlineMs, platform }: { readonly deadlineMs: number; readonly platform: Clock },
  encoded: EncodedCommand,
  through: SendingRuns,
  options: QueueOptions,
): Promise<void> {
  await withDeadline((signal) => sendThroughRuns(encoded, through, { ...options, signal }), {
    clock: platform,
    deadlineMs,
    signal: options.signal,
    error: () =>
      new HostError(`Cannot send op ${encoded.command.op}: it was not written within ms: ${deadlineMs}`, {
        code: "ERR_SHARD_HOST_DEADLINE",
      }),
  });
}

async function sendThroughRuns(
  encoded: EncodedCommand,
  runs: SendingRuns,
  options: QueueOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  while (true) {
    if (signal.aborted) throw signal.reason;
    const { run } = runs;
    if (!runs.isRunning) {
      throw new HostError(`Cannot send op ${encoded.command.op}: the shard is stopped`, {
        code: "ERR_SHARD_HOST_STOPPED",
      });
    }
    if (run === null) {
      await abortable(runs.nextRun, signal);
      continue;
    }
    try {
      await run.shard.send(encoded, options);
      return;
    } catch (error) {
      if (!(error instanceof CommandNotSentError)) throw error;
      // This run has ended: the next run sends the command.
      await abortable(run.ended, signal);
    }
  }
}
