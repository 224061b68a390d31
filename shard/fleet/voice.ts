/**
 * Voice through the shards of a fleet: which shard a guild's voice connection goes through, and when it takes another.
 *
 * A voice session belongs to the session of the main gateway that asked for it, and Discord ends the one with the other.
 * So a voice connection hears and sends through the shard that it was joined by, for as long as that shard's session
 * lasts, also while a reshard has a new set up beside it. Before the old set goes, the new shard asks for the same channel:
 * to the voice connection that is a new session of its main gateway, and it goes on there. The old set waits for the
 * answer, so that the bot is never seen to leave.
 */

import { shardIdOf } from "../../gateway/mod.ts";
import { abortable } from "../pipe/abortable.ts";
import { CommandNotSentError } from "../commands/errors.ts";
import { ShardNotHereError } from "./errors.ts";
import type { FleetSet } from "./shard_set.ts";
import type { FleetSlot } from "./shard_slot.ts";
import type { Platform } from "../pipe/platform.ts";
import type { GuildGateway, GuildGatewayEvent } from "../voice_provider.ts";

/** How long an old set waits for the response to the join of the new one, in ms. */
const HAND_OVER_MS = 5_000;

/** What voice needs of its fleet. */
export interface FleetVoiceOptions {
  /** Times what is waited for. */
  readonly platform: Platform;
  /** Aborted when the fleet closes. */
  readonly closing: AbortSignal;
  /** The set that new commands go through; `null` before the fleet knows its shards. */
  readonly set: () => FleetSet | null;
  /** Resolves when it knows them. */
  readonly planned: Promise<void>;
  /** The user id and the intents, as far as they are known before there is a shard. */
  readonly bot: Pick<GuildGateway, "userId" | "intents">;
}

/** The main gateways of all guilds that are in voice. */
export class FleetVoice {
  readonly #options: FleetVoiceOptions;
  readonly #gateways = new Map<string, FleetGuildGateway>();

  /** No guild is in voice yet. */
  constructor(options: FleetVoiceOptions) {
    this.#options = options;
    options.planned.then(() => {
      for (const gateway of this.#gateways.values()) gateway.attach();
    });
  }

  /** Joins through the main gateway of a guild: the same object for all callers, while one of them is connected. */
  async join<Connection>(
    guildId: string,
    join: (gateway: GuildGateway) => Promise<Connection>,
  ): Promise<Connection> {
    const gateway = this.#gateways.get(guildId) ??
      new FleetGuildGateway(guildId, this.#options, () => this.#gateways.delete(guildId));
    this.#gateways.set(guildId, gateway);
    const joined = gateway.enter();
    try {
      return await join(gateway);
    } finally {
      joined();
    }
  }

  /**
   * Whoever is in voice through one set goes on through another. Resolves when Discord has said so for each guild, or has
   * not in time.
   */
  async handOver(from: FleetSet, to: FleetSet): Promise<void> {
    await Promise.all([...this.#gateways.values()].map((gateway) => gateway.handOver(from, to)));
  }
}

interface Listener {
  readonly names: readonly GuildGatewayEvent["t"][];
  readonly hear: (event: GuildGatewayEvent) => void;
  stop: () => void;
}

/** The main gateway of one guild, whatever shard that is. */
class FleetGuildGateway implements GuildGateway {
  readonly #guildId: string;
  readonly #options: FleetVoiceOptions;
  readonly #onDeserted: () => void;
  readonly #listeners = new Set<Listener>();
  #joining = 0;
  #slot: FleetSlot | null = null;

  constructor(guildId: string, options: FleetVoiceOptions, onDeserted: () => void) {
    this.#guildId = guildId;
    this.#options = options;
    this.#onDeserted = onDeserted;
    this.attach();
  }

  get userId(): string | null {
    return this.#slot?.shard.userId ?? this.#options.bot.userId;
  }

  get intents(): number {
    return this.#slot?.shard.intents ?? this.#options.bot.intents;
  }

  get status(): { readonly state: string } {
    return this.#slot?.shard.status ?? { state: "idle" };
  }

  async send(...[command, options = {}]: Parameters<GuildGateway["send"]>): Promise<unknown> {
    const { closing, planned, set } = this.#options;
    if (set() === null) {
      await abortable(planned, options.signal ? AbortSignal.any([closing, options.signal]) : closing);
    }
    for (;;) {
      const slot = this.#slot;
      if (slot === null) throw this.#notHere();
      try {
        return await slot.send(command, options);
      } catch (error) {
        // Its shard went while it waited there; the guild has another.
        if (!(error instanceof CommandNotSentError) || slot === this.#slot) throw error;
      }
    }
  }

  listen(names: Listener["names"], hear: Listener["hear"]): () => void {
    const listener: Listener = { names, hear, stop: this.#slot?.addListener(names, hear) ?? (() => {}) };
    this.#listeners.add(listener);
    return () => {
      listener.stop();
      if (this.#listeners.delete(listener)) this.#look();
    };
  }

  /** Somebody begins to join; returns how to say that the join is over. */
  enter(): () => void {
    this.#joining++;
    return () => {
      this.#joining--;
      this.#look();
    };
  }

  /** Takes the guild's shard, where the fleet knows its shards. */
  attach(): void {
    const set = this.#options.set();
    const slot = set?.shards.get(shardIdOf(this.#guildId, set.count));
    if (slot) this.#take(slot);
  }

  /** Goes on through another set. */
  async handOver(from: FleetSet, to: FleetSet): Promise<void> {
    const slot = to.shards.get(shardIdOf(this.#guildId, to.count));
    if (!slot || this.#slot === null || from.shards.get(this.#slot.shardId) !== this.#slot) return;
    this.#take(slot);
    const answered = this.#answer(slot);
    // What voice knows as a new session, which is in no channel: it asks for the channel anew.
    for (const { names, hear } of [...this.#listeners]) if (names.includes("READY")) hear({ t: "READY" });
    await answered;
  }

  #take(slot: FleetSlot): void {
    this.#slot = slot;
    for (const listener of this.#listeners) {
      listener.stop();
      listener.stop = slot.addListener(listener.names, listener.hear);
    }
  }

  /** Resolves when the shard is told of a voice server, or is not for too long. */
  #answer(slot: FleetSlot): Promise<void> {
    const { platform, closing } = this.#options;
    if (this.#listeners.size === 0 || closing.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        platform.clearTimeout(timer);
        closing.removeEventListener("abort", done);
        stop();
        resolve();
      };
      const timer = platform.setTimeout(done, HAND_OVER_MS);
      closing.addEventListener("abort", done);
      const stop = slot.addListener(["VOICE_SERVER_UPDATE"], (event) => {
        if (event.t === "VOICE_SERVER_UPDATE" && event.d.guild_id === this.#guildId) done();
      });
    });
  }

  #look(): void {
    if (this.#joining === 0 && this.#listeners.size === 0) this.#onDeserted();
  }

  #notHere(): ShardNotHereError {
    const { count = 1 } = this.#options.set() ?? {};
    return new ShardNotHereError(shardIdOf(this.#guildId, count), count);
  }
}
