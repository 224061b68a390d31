/** Makes the outputs of the DAVE machine. */

import type { DaveEvent, DaveOutput, DaveSend } from "./io.ts";
import { encodeVoiceBinary } from "../wire/frame.ts";

/** A message about a transition. */
export function daveCommand(op: 23 | 31, transitionId: number): DaveSend {
  return {
    type: "send",
    frame: JSON.stringify({ op, d: { transition_id: transitionId } }),
    op,
    transitionId,
  };
}

/** A binary message. */
export function daveBinary(op: 26 | 28, ...parts: readonly Uint8Array[]): DaveSend {
  return { type: "send", frame: encodeVoiceBinary(op, ...parts), op, transitionId: null };
}

/** An event. */
export function daveEvent(event: DaveEvent): DaveOutput {
  return { type: "event", event };
}

/** The event of something that the library rejects. */
export function daveRefused(error: unknown): DaveOutput {
  return daveEvent({
    type: "dave_refused",
    error: error instanceof Error ? error : new Error(String(error)),
  });
}
