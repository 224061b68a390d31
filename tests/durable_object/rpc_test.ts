/** A hosted shard over Cloudflare's RPC: results arrive, and errors with their codes. */

import { assertEquals } from "@std/assert";
import { BotProcess } from "../contract/bot_process.ts";

Deno.test("durable object: start, send, status and stop over RPC, failures with their code", async () => {
  await using program = new BotProcess("../../durable_object/rpc_program.ts");
  await program.ended;
  const line = program.lines.findLast((line) => line.startsWith("{"));
  if (line === undefined) throw new Error(`It said nothing: ${program.lines.join("\n")} ${program.stderr}`);
  assertEquals(JSON.parse(line), {
    early: {
      ok: false,
      error: {
        name: "HostError",
        code: "ERR_SHARD_HOST_STOPPED",
        message: "Cannot send op 31: the shard is stopped",
      },
    },
    sent: { ok: true },
    wrong: {
      ok: false,
      error: {
        name: "CommandError",
        code: "ERR_COMMAND_INVALID",
        message: "Cannot send a command: its opcode is one of 3, 4, 8, 31, 43: 2",
      },
    },
    state: "live",
    running: false,
  });
});
