/** A process that holds identify limiters over a Deno KV file, and what stands for them on this side. */

import {
  type IdentifyLimits,
  type IdentifyOutcome,
  type IdentifyPermit,
  IdentifyRefusedError,
} from "../../ratelimit/mod.ts";
import { requireIdentifyLimits } from "../../ratelimit/identify/limits.ts";
import { systemPlatform } from "../../shard/mod.ts";
import type { ContractLimiter, ContractOptions } from "../ratelimit/identify/contract.ts";
import { TextLineStream } from "./text_line_stream.ts";

/** What the process is told. */
export type LimiterOrder = { readonly id: number } & LimiterAction;

type LimiterAction =
  | {
    readonly do: "make";
    readonly limiter: number;
    readonly options: Omit<ContractOptions, "clock">;
    readonly isStopped: boolean;
  }
  | { readonly do: "take"; readonly limiter: number; readonly shardId: number }
  | { readonly do: "abort"; readonly take: number }
  | { readonly do: "release"; readonly take: number; readonly outcome: IdentifyOutcome }
  | { readonly do: "update"; readonly limiter: number; readonly limits: IdentifyLimits };

/** What it says to the order of that number; 0: it is up. */
export interface LimiterAnswer {
  readonly to: number;
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly refusal: { readonly shardId: number; readonly resetAfterMs: number | null } | null;
  };
}

/** One such process. */
export class KvLimiterProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #open = new Map<number, { resolve(): void; reject(error: unknown): void }>();
  readonly #reading: Promise<void>;
  #orderCount = 0;
  #limiterCount = 0;

  private constructor(path: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-lock",
        "-A",
        "--unstable-kv",
        new URL("programs/kv_limiters.ts", import.meta.url).href,
        path,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Starts one over the file at `path`; resolves when it is up. */
  static async start(path: string): Promise<KvLimiterProcess> {
    const process = new KvLimiterProcess(path);
    await process.#answerTo(0);
    return process;
  }

  /**
   * A limiter in the process.
   *
   * @throws {RangeError} where a limit is out of range, as the limiter itself would.
   */
  limiter({ clock, ...options }: ContractOptions): ContractLimiter {
    requireIdentifyLimits(options);
    const limiter = ++this.#limiterCount;
    const making = this.#order({ do: "make", limiter, options, isStopped: clock !== systemPlatform }).done;
    making.catch(() => {});
    return {
      take: async (shardId, { signal } = {}) => {
        await making;
        signal?.throwIfAborted();
        return await this.#take(limiter, shardId, signal);
      },
      update: (limits) => {
        requireIdentifyLimits(limits);
        return this.#order({ do: "update", limiter, limits }).done;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close();
    await Promise.all([this.#child.status, this.#reading]);
  }

  async #take(limiter: number, shardId: number, signal?: AbortSignal): Promise<IdentifyPermit> {
    const { id, done } = this.#order({ do: "take", limiter, shardId });
    const abort = () => this.#order({ do: "abort", take: id });
    signal?.addEventListener("abort", abort);
    try {
      await done;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    return { release: (outcome) => void this.#order({ do: "release", take: id, outcome }) };
  }

  #order(action: LimiterAction): { readonly id: number; readonly done: Promise<void> } {
    const id = ++this.#orderCount;
    const done = this.#answerTo(id);
    // JSON has no NaN: it becomes null, which is no shard's number either.
    const order: LimiterOrder = { id, ...action };
    this.#orders.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`)).catch(() => {});
    return { id, done };
  }

  #answerTo(id: number): Promise<void> {
    return new Promise((resolve, reject) => this.#open.set(id, { resolve, reject }));
  }

  async #read(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const { to, error }: LimiterAnswer = JSON.parse(line);
      const waiting = this.#open.get(to);
      this.#open.delete(to);
      if (error) waiting?.reject(errorOf(error));
      else waiting?.resolve();
    }
  }
}

function errorOf({ name, message, refusal }: NonNullable<LimiterAnswer["error"]>): Error {
  if (refusal) {
    const { shardId, resetAfterMs } = refusal;
    return new IdentifyRefusedError(shardId, resetAfterMs === null ? {} : { resetAfterMs });
  }
  return name === "RangeError" ? new RangeError(message) : new Error(`${name}: ${message}`);
}
