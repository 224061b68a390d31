/**
 * Identify limiters over a Deno KV file, in a process of their own: does what it is told by lines of JSON, and answers the
 * same way.
 */

import { TextLineStream } from "../text_line_stream.ts";
import { DenoKvIdentifyLimiter } from "../../../ratelimit/identify/deno_kv.ts";
import { type IdentifyPermit, IdentifyRefusedError } from "../../../ratelimit/mod.ts";
import { systemPlatform } from "../../../shard/mod.ts";
import type { LimiterAnswer, LimiterOrder } from "../kv_limiter_process.ts";

const [path = ""] = Deno.args;
const kv = await Deno.openKv(path);
const limiters = new Map<number, DenoKvIdentifyLimiter>();
const permits = new Map<number, IdentifyPermit>();
const waits = new Map<number, AbortController>();

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
answer({ to: 0 });
for await (const line of lines) void carryOut(JSON.parse(line));
kv.close();
Deno.exit();

async function carryOut(order: LimiterOrder): Promise<void> {
  try {
    await act(order);
    answer({ to: order.id });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const refusal = error instanceof IdentifyRefusedError
      ? { shardId: error.shardId, resetAfterMs: error.resetAfterMs }
      : null;
    answer({ to: order.id, error: { name, message, refusal } });
  }
}

async function act(order: LimiterOrder): Promise<void> {
  switch (order.do) {
    case "make": {
      // The file lends no clock, so the processes go by the wall clock, as they do by default.
      const running = { ...systemPlatform, now: () => Date.now() };
      // One whose timers never fire is as good as dead, but for what it has said already.
      const stopped = { ...running, setTimeout: () => null, clearTimeout: () => {} };
      const clock = order.isStopped ? stopped : running;
      limiters.set(order.limiter, new DenoKvIdentifyLimiter(kv, { ...order.options, clock }));
      return;
    }
    case "take": {
      const controller = new AbortController();
      waits.set(order.id, controller);
      const taking = limiters.get(order.limiter)?.take(order.shardId, { signal: controller.signal });
      const permit = await taking?.finally(() => waits.delete(order.id));
      if (permit) permits.set(order.id, permit);
      return;
    }
    case "abort":
      return waits.get(order.take)?.abort(new Error("aborted"));
    case "release":
      return permits.get(order.take)?.release(order.outcome);
    case "update":
      return await limiters.get(order.limiter)?.update(order.limits);
  }
}

function answer(answer: LimiterAnswer): void {
  console.log(JSON.stringify(answer));
}
