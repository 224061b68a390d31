/**
 * What a shard is made of, by size: how much smaller a program with one would be if a part of it were not there.
 *
 * A part is a few files. On a copy of the sources they are replaced by files that export the same names and nothing
 * behind them; the difference is the part's share. Shares do not quite add up to the whole, since a compressor finds in
 * one part what it has seen in another.
 */

import { bundleText } from "../runtimes/bundle.ts";
import { ROOT } from "./process.ts";
import { CONFIG, publishedSources } from "./published.ts";

/** A part of a shard. */
export interface Part {
  /** What it is for. */
  readonly what: string;
  /** Its files. */
  readonly files: readonly string[];
}

/** All parts but the rest: the shard itself, its cycle, its loop and its queue of events. */
export const SHARD_PARTS: readonly Part[] = [
  {
    what: "the state machine, frames, commands, errors",
    files: [
      "gateway/command.ts",
      "gateway/errors.ts",
      "gateway/frame.ts",
      "gateway/frame_budget.ts",
      "gateway/handshake.ts",
      "gateway/header.ts",
      "gateway/heartbeat.ts",
      "gateway/latency.ts",
      "gateway/machine.ts",
      "gateway/opcode.ts",
      "gateway/received_session.ts",
      "gateway/session.ts",
      "gateway/state.ts",
      "gateway/transitions.ts",
      "gateway/url.ts",
    ],
  },
  { what: "commands, checked field by field", files: ["shard/commands/check.ts"] },
  { what: "the verdict table, with its reasons", files: ["gateway/close_code.ts", "gateway/verdict.ts"] },
  { what: "the event table, and intents from it", files: ["gateway/event.ts", "gateway/intent.ts"] },
  {
    what: "the command limiter and its queues",
    files: [
      "ratelimit/commands/command_limiter.ts",
      "ratelimit/commands/gated_queue.ts",
      "ratelimit/commands/sliding_log.ts",
      "ratelimit/commands/sublimit.ts",
      "ratelimit/commands/turn_queue.ts",
      "shard/commands/budget.ts",
      "shard/commands/limits.ts",
    ],
  },
  {
    what: "the identify limiter, in memory",
    files: [
      "ratelimit/identify/limiter.ts",
      "ratelimit/identify/limits.ts",
      "ratelimit/identify/permit.ts",
      "ratelimit/identify/record.ts",
      "ratelimit/identify/schedule.ts",
      "ratelimit/identify/waiter.ts",
      "shard/connect/shared_identify_limiter.ts",
    ],
  },
  {
    what: "requests for members, sounds and channel info",
    files: [
      "shard/commands/response_iterator.ts",
      "shard/commands/guild_members.ts",
      "shard/commands/guild_requests.ts",
      "shard/commands/pending_request.ts",
      "shard/commands/errors.ts",
      "shard/commands/request_shape.ts",
      "shard/commands/requests.ts",
    ],
  },
  {
    what: "the dial, the pipe and GET /gateway/bot",
    files: [
      "shard/connect/ask_gateway_bot.ts",
      "shard/pipe/connection.ts",
      "shard/pipe/dial.ts",
      "shard/connect/gateway_bot.ts",
      "shard/connect/dialler.ts",
      "shard/pipe/platform.ts",
    ],
  },
];

/** The program as it would be without these files, minified. */
export async function bundleWithout(files: readonly string[], program: string): Promise<string> {
  const copy = await Deno.makeTempDir();
  try {
    for (const path of publishedSources()) {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      await Deno.mkdir(`${copy}/${path.replace(/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${copy}/${path}`, files.includes(path) ? hollow(text) : text);
    }
    const entry = program.replaceAll(`"${CONFIG.name}"`, `"${copy}/mod.ts"`);
    return await bundleText(entry, { minify: true });
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

/** A module that exports the same names. */
function hollow(text: string): string {
  const names = [...text.matchAll(/^export (?:async )?(?:abstract )?(?:class|const|function\*?) (\w+)/gm)];
  return names.map(([, name]) => `export let ${name};\n`).join("");
}
