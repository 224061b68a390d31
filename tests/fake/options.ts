/** What the fake Discord is made from. */

import type { Platform } from "../../shard/pipe/platform.ts";
import type { PresenceLimit } from "./gateway/command_responses.ts";
import type { IdentifyLimit } from "./gateway/identify_budget.ts";
import type { GuildSeed } from "./world/world.ts";

/** What a `FakeDiscord` is made from; everything has a default. */
export interface FakeDiscordOptions {
  /** The one valid bot token. @default {"fake.discord.token"} */
  readonly token?: string;
  /** Time, timers and randomness; a `VirtualClock` in unit tests. @default {systemPlatform} */
  readonly clock?: Platform;
  /** What HELLO says, in ms. @default {41_250} */
  readonly heartbeatInterval?: number;
  /** The number of shards that `GET /gateway/bot` recommends. @default {1} */
  readonly shards?: number;
  /** How many shards may identify at once per 5 s. @default {1} */
  readonly maxConcurrency?: number;
  /** The 5 s of it, in ms: less for tests in real time. @default {5_000} */
  readonly identifyPeriod?: number;
  /** How often the bot may identify in a day. */
  readonly identifyLimit?: IdentifyLimit;
  /** The guilds that the bot is in. @default {[{}]} */
  readonly guilds?: readonly GuildSeed[];
  /** The privileged intents that the application may use: others close with 4014. @default {PRIVILEGED_INTENTS} */
  readonly privilegedIntents?: number;
  /** The window of the limit of 120 frames, in ms; Discord's is a minute. @default {60_000} */
  readonly commandPeriodMs?: number;
  /** Dispatches kept per session for a resume. @default {200_000} */
  readonly replayLimit?: number;
  /** How long a session outlives its connection, in ms. @default {180_000} */
  readonly sessionTimeoutMs?: number;
  /**
   * How many presence updates of a session are taken in any one period; what is more is dropped without a word.
   * @default {{ limit: 5, periodMs: 20_000 }}
   */
  readonly presenceLimit?: PresenceLimit;
}
