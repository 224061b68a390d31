/** What the two faces of the fake (in memory, on a port) need of it. */

import type { Platform } from "../../../shard/pipe/platform.ts";
import type { SocketFaults } from "../base/faults.ts";
import type { GatewayPort, LinkUrls } from "../gateway/links.ts";
import type { RestRequest, RestResponse } from "../rest/rest.ts";

/** Where a transport brings what its client does. */
export interface LinkInput {
  /** A message came. */
  receive(frame: string | Uint8Array): void;
  /** The client closed, or was lost (`null`). */
  closed(code: number | null, reason: string): void;
}

/** The fake, as a transport sees it. */
export interface Backend {
  /** Its clock and timers. */
  readonly clock: Platform;
  /** What goes wrong. */
  readonly faults: SocketFaults;
  /** What becomes of the next dial: an HTTP status rejects it. */
  dialFate(url: string): "open" | "black hole" | number;
  /** A WebSocket has opened. */
  connect(port: GatewayPort, urls: LinkUrls): LinkInput;
  /** Answers a REST call; `gatewayUrl` is what it tells clients to dial. */
  rest(request: RestRequest, gatewayUrl: string): RestResponse;
}
