/** How a command fails, and how a request to Discord (op 8, 31, 43) fails. */

import type { GatewayCommand, IntentName } from "../../gateway/mod.ts";

/** Why a request is not complete: a response did not come in time, the shard closed, or Discord closes each time. */
export type RequestErrorCode = "ERR_REQUEST_DEADLINE" | "ERR_REQUEST_CLOSED" | "ERR_REQUEST_REFUSED";

/** How far a request got. */
export interface RequestProgress {
  /** Responses that came. */
  readonly received: number;
  /** Responses that were due; `null` if none came that says so. */
  readonly expected: number | null;
  /** The guilds without a response, if each guild has its own. */
  readonly missing: readonly string[];
}

/**
 * A request was sent and did not get all of its responses.
 *
 * @example
 * ```ts
 * import { RequestError, Shard } from "@discordgateway/edge/shard";
 * import { FakeDiscord, VirtualClock } from "@discordgateway/edge/testing";
 *
 * const clock = new VirtualClock();
 * const discord = new FakeDiscord({ clock });
 * discord.faults.muteResponses = 1;
 * const { token, dial, fetch } = discord;
 * const shard = new Shard({ token, intents: 0, dial, fetch, platform: clock });
 * const running = shard.run(() => {});
 *
 * const sounds = shard.requestSoundboardSounds([discord.guilds[0]!.id], { deadlineMs: 5_000 });
 * const failing = sounds.next().catch((error) => error);
 * await clock.advance(20_000);
 * const error = await failing;
 * if (!(error instanceof RequestError) || error.code !== "ERR_REQUEST_DEADLINE") throw error;
 * if (error.missing[0] !== discord.guilds[0]!.id) throw error;
 * await shard.close();
 * await running;
 * ```
 */
export class RequestError extends Error {
  /** The name of the class. */
  override readonly name = "RequestError";
  /** Stable identifier for switch statements. */
  readonly code: RequestErrorCode;
  /** The command of the request. */
  readonly command: GatewayCommand;
  /** Responses that came. */
  readonly received: number;
  /** Responses that were due; `null` if none came that says so. */
  readonly expected: number | null;
  /** The guilds without a response, if each guild has its own. */
  readonly missing: readonly string[];

  /** Made by the shard. */
  constructor(
    why: string,
    { code, command, progress, cause }: {
      readonly code: RequestErrorCode;
      readonly command: GatewayCommand;
      readonly progress: RequestProgress;
      readonly cause?: unknown;
    },
  ) {
    const { received, expected, missing } = progress;
    const came = expected === null ? `${received} came` : `${received} of ${expected} came`;
    super(`Cannot complete op ${command.op}: ${why}: ${came}`, cause ? { cause } : undefined);
    this.code = code;
    this.command = command;
    this.received = received;
    this.expected = expected;
    this.missing = missing;
  }
}

/** Which option is missing: an intent, or the voice provider. */
export type MissingOptionErrorCode = "ERR_MISSING_INTENT" | "ERR_MISSING_VOICE";

/**
 * The caller's fault: the options lack what a call needs. Either an intent, without which Discord would ignore the request
 * in silence, or the voice provider.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#request-guild-members
 *
 * @example
 * ```ts
 * import { MissingOptionError, Shard } from "@discordgateway/edge/shard";
 *
 * const shard = new Shard({ token: "bot token", intents: 0 });
 * try {
 *   shard.requestGuildMembers({ guild_id: "1", query: "", limit: 0 });
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof MissingOptionError) || error.missing !== "GUILD_MEMBERS") throw error;
 * }
 *
 * // @ts-expect-error the compiler says so as well: `voice` is missing in the options
 * const error = await shard.joinVoice("1", "2").catch((error: unknown) => error);
 * if (!(error instanceof MissingOptionError) || error.code !== "ERR_MISSING_VOICE") throw error;
 * ```
 */
export class MissingOptionError extends TypeError {
  /** The name of the class. */
  override readonly name = "MissingOptionError";
  /** Stable identifier for switch statements. */
  readonly code: MissingOptionErrorCode;
  /** The intent to add, and to enable for the application; or the option `voice`. */
  readonly missing: IntentName | "voice";

  /** Made by the shard, the fleet, and the voice provider. */
  constructor(message: string, missing: IntentName | "voice") {
    super(message);
    this.code = missing === "voice" ? "ERR_MISSING_VOICE" : "ERR_MISSING_INTENT";
    this.missing = missing;
  }
}

/**
 * The shard closed before a command was written; the error carries the command, which was never sent.
 *
 * @example
 * ```ts
 * import { CommandNotSentError, Shard } from "@discordgateway/edge/shard";
 *
 * const shard = new Shard({ token: "bot token", intents: 0 });
 * const sent = shard.send({ op: 31, d: { guild_ids: ["1"] } }).catch((error) => error);
 * await shard.close();
 * const error = await sent;
 * if (!(error instanceof CommandNotSentError) || error.command.op !== 31) throw error;
 * ```
 */
export class CommandNotSentError extends Error {
  /** The name of the class. */
  override readonly name = "CommandNotSentError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_COMMAND_NOT_SENT";
  /** The command as it was given to `send`. */
  readonly command: GatewayCommand;

  /** Made by the shard. */
  constructor(command: GatewayCommand, cause?: unknown) {
    super(`Cannot send op ${command.op}: the shard is closed`, cause ? { cause } : undefined);
    this.command = command;
  }
}

/**
 * A command was taken out of the queue because it could not be sent: the session is parked until the consumer has caught
 * up, and the consumer has taken nothing for a minute, probably because it waits for this command.
 *
 * Send from outside of the event handler, or raise the limit of events that may wait.
 *
 * @example
 * ```ts
 * import { ConsumerStuckError } from "@discordgateway/edge/shard";
 *
 * const error = new ConsumerStuckError({ op: 31, d: { guild_ids: ["1"] } });
 * if (error.code !== "ERR_CONSUMER_STUCK" || error.command.op !== 31) throw error;
 * ```
 */
export class ConsumerStuckError extends Error {
  /** The name of the class. */
  override readonly name = "ConsumerStuckError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_CONSUMER_STUCK";
  /** The command as it was given to `send`; it was never sent. */
  readonly command: GatewayCommand;

  /** Made by the shard. */
  constructor(command: GatewayCommand) {
    super(`Cannot send op ${command.op}: the session waits for a consumer that takes no events`);
    this.command = command;
  }
}
