/** How far the way to sound has come, over as many attempts as it takes: what whoever has waited too long is told. */

import type { VoiceStatus } from "./status.ts";
import type { VoiceMissing } from "./voice_timeout_error.ts";

/** The order in which it comes. */
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
 * An attempt that is under way again has yet to come to where the one before it failed. Until it is past that, what the one
 * before failed for is missing: with a dead UDP path the address, also while the voice server is dialled anew.
 */
export class VoiceProgress {
  #present: VoiceMissing = "voice_server";
  /** What the attempt before failed for; `null` if it did not. */
  #failed: VoiceMissing | null = null;
  #cause: Error | null = null;

  /** The status has changed. */
  status(status: VoiceStatus): void {
    if (status.state === "disconnected") {
      // One that was live failed for nothing that sound waits for.
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
