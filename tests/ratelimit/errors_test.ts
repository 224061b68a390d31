import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { CommandRateLimitError, IdentifyRefusedError } from "../../ratelimit/mod.ts";

Deno.test("errors: a rate-limited command says when the next one is admitted", () => {
  const cause = new Error("why");
  const error = new CommandRateLimitError(60_000, 45_000, { cause });
  assertInstanceOf(error, Error);
  assertEquals([error.name, error.code, error.nextAvailableAt], [
    "CommandRateLimitError",
    "ERR_COMMAND_RATE_LIMITED",
    60_000,
  ]);
  assertEquals(
    error.message,
    "Cannot send: the budget of frames is spent, time until the next command in ms: 15000",
  );
  assertStrictEquals(error.cause, cause);
});

Deno.test("errors: a refused identify names the shard, and the reset where it is known", () => {
  const known = new IdentifyRefusedError(7, { resetAfterMs: 1_000 });
  assertEquals([known.name, known.code, known.shardId, known.resetAfterMs], [
    "IdentifyRefusedError",
    "ERR_IDENTIFY_REFUSED",
    7,
    1_000,
  ]);
  assertEquals(
    known.message,
    "Cannot identify shard 7: refused by the identify limiter, ms until its reset: 1000",
  );

  const unknown = new IdentifyRefusedError(7);
  assertEquals(unknown.resetAfterMs, null);
  assertEquals(unknown.message, "Cannot identify shard 7: refused by the identify limiter");
});
