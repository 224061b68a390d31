/** The shape of a question to Discord; which ones there are is in `guild_members.ts` and `guild_requests.ts`. */

import type { GatewayCommand, GatewayDispatch } from "../../gateway/mod.ts";
import type { QueueGate } from "../../ratelimit/mod.ts";
import type { RequestProgress } from "./errors.ts";

/** One question: what asks it, what answers it, and when it is answered in full. */
export interface RequestDefinition<Answer> {
  /** Asks it. */
  readonly command: GatewayCommand;
  /** The event that answers it. */
  readonly event: "GUILD_MEMBERS_CHUNK" | "SOUNDBOARD_SOUNDS" | "CHANNEL_INFO";
  /** Shut when Discord says that this was asked too often. */
  readonly gate: QueueGate;
  /** How far it is. */
  readonly progress: RequestProgress;
  /** Nothing more is to come. */
  readonly complete: boolean;
  /** Its answer could be taken for that to another question, and say something else. */
  readonly ambiguous: boolean;
  /** The command was written: its answer begins from the start. */
  asked(): void;
  /** Reads an event; `"foreign"` if it answers something else, `"known"` if it brings nothing new. */
  read(event: GatewayDispatch): { readonly answer: Answer } | "foreign" | "known";
}
