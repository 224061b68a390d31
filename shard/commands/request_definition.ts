/** The shape of a request to Discord; the requests themselves are in `guild_members.ts` and `guild_requests.ts`. */

import type { GatewayCommand, GatewayDispatch } from "../../gateway/mod.ts";
import type { QueueGate } from "../../ratelimit/mod.ts";
import type { RequestProgress } from "./errors.ts";

/** One request: the command that makes it, the events that respond to it, and when all responses are there. */
export interface RequestDefinition<Item> {
  /** The command to send. */
  readonly command: GatewayCommand;
  /** The event that responds. */
  readonly event: "GUILD_MEMBERS_CHUNK" | "SOUNDBOARD_SOUNDS" | "CHANNEL_INFO";
  /** Shut when Discord says that this was requested too often. */
  readonly gate: QueueGate;
  /** How many responses came, of how many. */
  readonly progress: RequestProgress;
  /** All responses came. */
  readonly complete: boolean;
  /** A response could be taken for that to another request, and say something else. */
  readonly ambiguous: boolean;
  /** The command was written: responses begin from the start. */
  sent(): void;
  /** Reads an event; `"foreign"` if it responds to something else, `"known"` if it brings nothing new. */
  read(event: GatewayDispatch): { readonly response: Item } | "foreign" | "known";
}
