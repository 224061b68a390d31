/** A command to a hosted shard: it outlives the life of the shard that it was given to, but not its deadline. */

import type { GatewayCommand } from "../../../gateway/mod.ts";
import type { TurnOptions } from "../../../ratelimit/mod.ts";
import { abortable } from "../../pipe/abortable.ts";
import { CommandNotSentError } from "../../commands/errors.ts";
import type { Platform } from "../../pipe/platform.ts";
import { HostError } from "../errors.ts";

/** One life of the shard, as far as sending is concerned. */
interface SendingLife {
  /** The shard. */
  readonly shard: { send(command: GatewayCommand, options: TurnOptions): Promise<unknown> };
  /** Resolves when this life is over. */
  readonly ended: Promise<unknown>;
}

/** Through what a command is sent. */
export interface SendingHost {
  /** Whether the shard is to run. */
  readonly isRunning: () => boolean;
  /** The life that there is, `null` between two. */
  readonly life: () => SendingLife | null;
  /** Resolves when the next life begins, or the shard stops. */
  readonly turn: () => Promise<void>;
  /** Timers. */
  readonly platform: Platform;
}

/** Sends a command through whatever life there is, until it is written, or its time is over. */
export async function sendWithin(
  deadlineMs: number,
  command: GatewayCommand,
  through: SendingHost,
  options: TurnOptions,
): Promise<void> {
  const { platform } = through;
  const giveUp = new AbortController();
  const onAbort = () => giveUp.abort(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort);
  const timer = platform.setTimeout(() => {
    const text = `Cannot send op ${command.op}: its turn did not come within ms: ${deadlineMs}`;
    giveUp.abort(new HostError(text, { code: "ERR_SHARD_HOST_DEADLINE" }));
  }, deadlineMs);
  try {
    await sendThroughLives(command, through, { ...options, signal: giveUp.signal });
  } finally {
    platform.clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

async function sendThroughLives(
  command: GatewayCommand,
  { isRunning, life: lifeNow, turn }: SendingHost,
  options: TurnOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  while (true) {
    if (signal.aborted) throw signal.reason;
    const life = lifeNow();
    if (!isRunning()) {
      throw new HostError(`Cannot send op ${command.op}: the shard is stopped`, {
        code: "ERR_SHARD_HOST_STOPPED",
      });
    }
    if (life === null) {
      await abortable(turn(), signal);
      continue;
    }
    try {
      await life.shard.send(command, options);
      return;
    } catch (error) {
      if (!(error instanceof CommandNotSentError)) throw error;
      // This life is over: the next one, if there is one, sends it.
      await abortable(life.ended, signal);
    }
  }
}
