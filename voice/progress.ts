/** How far a join has come, over all its attempts: what a `VoiceTimeoutError` names as missing. */

import type { VoiceStatus } from "./status.ts";
import type { VoiceMissing } from "./voice_timeout_error.ts";

/** The steps, in order. */
const ORDER: readonly VoiceMissing[] = [
  "voice_server",
  "connection",
  "ready",
  "address",
  "session_description",
  "dave_keys",
];

/**
 * What is missing.
 *
 * Until a new attempt is past the step at which the one before it failed, that step is missing: with a dead UDP path it is
 * the address, also while the voice server is dialled again.
 */
export class VoiceProgress {
  #present: VoiceMissing = "voice_server";
  /** The step at which the attempt before failed; `null` if it did not fail. */
  #failed: VoiceMissing | null = null;
  #cause: Error | null = null;

  /** The status has changed. */
  status(status: VoiceStatus): void {
    if (status.state === "disconnected") {
      // A session that was live had passed every step of a join.
      this.#failed = this.#present === "dave_keys" ? null : this.#present;
      this.#cause = status.error;
    } else if (status.state === "live" || status.state === "joining") {
      this.#failed = null;
      this.#cause = null;
    }
    this.#present = missingIn(status.state);
  }

  /** What sound waits for. */
  get missing(): VoiceMissing {
    const failed = this.#failed ?? "voice_server";
    return ORDER.indexOf(failed) > ORDER.indexOf(this.#present) ? failed : this.#present;
  }

  /** What the attempt before failed with, `null` if nothing threw. */
  get cause(): Error | null {
    return this.#cause;
  }
}

function missingIn(state: VoiceStatus["state"]): VoiceMissing {
  switch (state) {
    case "joining":
      return "voice_server";
    case "identifying":
      return "ready";
    case "discovering":
      return "address";
    case "selecting":
      return "session_description";
    case "live":
      return "dave_keys";
    default:
      return "connection";
  }
}
