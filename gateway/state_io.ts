/** What goes into a gateway state and what comes out of it, as types alone. */

import type { Ended } from "./errors.ts";
import type { FrameDecoder } from "./frame.ts";
import type { CloseOutput } from "./machine.ts";
import type { GatewayDispatch, Identify, PresenceUpdate } from "./payload.ts";
import type { SessionRecord } from "./session.ts";
import type { GatewayPhase, StateEndCause } from "./transitions.ts";

/** What a state is made from. */
export interface GatewayStateOptions {
  /** The bot's token, without a `Bot ` prefix. Kept private: it shows in no error and no inspection. */
  readonly token: string;
  /** The intents bitfield to identify with; `intentsOf()` makes one from event names. */
  readonly intents: number;
  /** When the connection opened, in ms on the clock of all later inputs. */
  readonly now: number;
  /** Gives numbers in [0, 1); used for the first heartbeat's jitter. */
  readonly random: () => number;
  /**
   * This shard and how many there are.
   *
   * @default {[0, 1]}
   */
  readonly shard?: readonly [id: number, count: number];
  /** The session to resume; without one the state identifies. */
  readonly session?: SessionRecord | null;
  /** The events to deliver; every other is dropped before its body is parsed. All of them by default. */
  readonly wanted?: ReadonlySet<string> | null;
  /** What IDENTIFY says about this program; merged over neutral defaults. */
  readonly properties?: Partial<Identify["properties"]>;
  /** The presence to start with. To a shard, until it has sent another one. */
  readonly presence?: PresenceUpdate;
  /** Members of a guild beyond which offline ones are left out, 50–250. */
  readonly largeThreshold?: number;
  /** Bitfield of opted-in behaviours. */
  readonly capabilities?: number;
  /** Decodes the frames of a compressed connection. */
  readonly decoder?: FrameDecoder;
  /**
   * How long to wait for HELLO, in ms.
   *
   * @default {20_000}
   */
  readonly helloTimeoutMs?: number;
  /**
   * How long to wait for READY, in ms. In an outage Discord keeps identified connections open and lets READY come late,
   * and each further identify counts against the day's thousand: hence minutes.
   *
   * @default {120_000}
   */
  readonly readyTimeoutMs?: number;
  /**
   * How long a replay may go on without a frame before RESUMED is given up, in ms.
   *
   * @default {30_000}
   */
  readonly resumedTimeoutMs?: number;
  /**
   * The window of the command budget in ms. Discord's is 60 s; frames that leave 60 s apart may arrive a little closer.
   *
   * @default {60_250}
   */
  readonly commandPeriodMs?: number;
}

/** What an input asks the caller to do, in order. */
export type GatewayOutput =
  /** Write this frame now. Should it fail, call `writeFailed`. */
  | { readonly type: "send"; readonly frame: string; readonly what: "heartbeat" | "identify" | "resume" }
  /** Hand this event to the user. */
  | { readonly type: "event"; readonly event: GatewayDispatch }
  /** Ask the identify limiter; then call `identify` or `identifyRefused`. */
  | { readonly type: "permit" }
  /** Close the socket and abandon it; the state has ended. */
  | CloseOutput;

/** How and why a state ended. */
export interface GatewayEnd extends Ended {
  /** The cause, a row of the verdict table. */
  readonly cause: StateEndCause;
  /** The phase that it ended. */
  readonly phase: Exclude<GatewayPhase, "closed">;
  /** The session as it was, with the last sequence received; `null` if there was none. */
  readonly session: SessionRecord | null;
  /** The connection was live and a heartbeat was acknowledged after that: the backoff may start anew. */
  readonly proven: boolean;
  /** A dispatch came in, so a resume that was cut short made progress. */
  readonly progressed: boolean;
}

/** How the program closes a connection. */
export interface CloseOptions {
  /** Keep the session for a resume. Otherwise it ends at Discord, and the bot goes offline. */
  readonly keepSession: boolean;
  /** The consumer takes no events: the session is kept until it does. */
  readonly consumerBehind?: boolean;
}

/** The instant at which the state wants to be called with `tick`, and why. */
export interface Deadline {
  /** In ms; `Infinity` after the end. */
  readonly at: number;
  /** What falls due. */
  readonly reason: "hello" | "ready" | "resumed" | "heartbeat" | "requested_heartbeat" | "none";
}
