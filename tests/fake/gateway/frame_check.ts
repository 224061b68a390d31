/** What every frame has to fit, whatever it says. */

import { GatewayCloseCode } from "../../../gateway/close_code.ts";
import { byteLength } from "../base/json.ts";
import type { Refusal } from "./identify_check.ts";
import type { Link } from "./links.ts";

/** Discord's limits. */
const MAX_FRAMES = 120;
const MAX_FRAME_BYTES = 4096;

/** Notes a frame, and says whether it is one too many. */
export function overLimit({ frameTimes }: Link, periodMs: number, now: number): Refusal | null {
  while (frameTimes[0] !== undefined && frameTimes[0] <= now - periodMs) frameTimes.shift();
  frameTimes.push(now);
  if (frameTimes.length <= MAX_FRAMES) return null;
  return {
    code: GatewayCloseCode.RateLimited,
    rule: `at most ${MAX_FRAMES} frames in any ${periodMs / 1000} s`,
  };
}

/** Why a frame cannot be read; `null` if it can. */
export function unreadable(text: string | null, op: number | null): Refusal | null {
  const decodeError = (rule: string): Refusal => ({ code: GatewayCloseCode.DecodeError, rule });
  if (text === null) return decodeError("frames are text");
  const bytes = byteLength(text);
  if (bytes > MAX_FRAME_BYTES) return decodeError(`a frame has at most ${MAX_FRAME_BYTES} bytes: ${bytes}`);
  return op === null ? decodeError("a frame is a JSON object with an op") : null;
}
