/** What a behaviour has at hand: fake Discords, shards on the runtime's own sockets, and the end of it all. */

import type { FakeDiscordOptions } from "../fake/mod.ts";
import type { Connection, Dial, Platform, ShardOptions, ShardStatus } from "../../shard/mod.ts";
import { dial, Shard, type WebSocketConstructor, type WebSocketDialOptions } from "../../shard/mod.ts";
import type { FilesLike } from "../../shard/stores/mod.ts";
import type { Trust } from "./control.ts";
import { expectEqual } from "./expect.ts";
import { RemoteDiscord } from "./remote_discord.ts";
import { COUNTED_CLOCK, until } from "./timers.ts";

/** What only some runtimes have; a behaviour may need one of them. */
export interface Abilities {
  /** npm's `ws`. */
  readonly ws?: WebSocketConstructor;
  /** Sets an environment variable of this process. */
  readonly setEnvironment?: (name: string, value: string) => void;
  /** A folder, and how files are written. */
  readonly disk?: { readonly folder: string; readonly files: FilesLike };
  /** Its WebSocket says that it was the certificate. */
  readonly dialNamesCertificate?: true;
  /** Its `fetch` does. */
  readonly fetchNamesCertificate?: true;
}

/** Where behaviours run. */
export interface Surroundings {
  /** URL of the remote control. */
  readonly control: string;
  /** What to dial with; the runtime's own by default. */
  readonly WebSocket?: WebSocketConstructor;
  /** What the runtime has besides. */
  readonly abilities: Abilities;
}

/** The machine's own clock and timers; the jitter is gone, so a reconnect need not wait. */
const HASTY: Platform = { ...COUNTED_CLOCK, random: () => 0.001 };

/** The same with the longest jitter: a first heartbeat is far away. */
export const PATIENT: Platform = { ...COUNTED_CLOCK, random: () => 0.99 };

/** Options for a scene's shard; `null` leaves it to find the API by itself, or to dial by its own default. */
export type SceneOptions = Omit<Partial<ShardOptions>, "api" | "dial"> & {
  readonly api?: string | null;
  readonly dial?: Dial | null;
};

type GuildEvents = "GUILD_CREATE" | "MESSAGE_CREATE";
type OtherEvents = "READY" | "RESUMED";

/** A shard of a scene. */
export type SceneShard = Shard<GuildEvents, never, OtherEvents>;

/** A shard that consumes, and what came of it. */
export interface Play {
  /** Of messages the content, of other events the name. */
  readonly heard: readonly string[];
  /** Every status there was. */
  readonly statuses: readonly ShardStatus[];
  /** The shard. */
  readonly shard: SceneShard;
  /** Resolves when it is over, with what it failed with or `null`. */
  readonly over: Promise<unknown>;
}

/** One behaviour's stage. */
export class Scene {
  /** Where it runs. */
  readonly surroundings: Surroundings;
  readonly #discords: RemoteDiscord[] = [];
  readonly #shards: { close(): Promise<unknown> }[] = [];

  /** Nothing is there yet. */
  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
  }

  /** A Discord of its own; over TLS where it is said whether its certificate is trusted. */
  async discord(options?: FakeDiscordOptions, tls?: Trust): Promise<RemoteDiscord> {
    const discord = await RemoteDiscord.make(this.surroundings.control, options ?? {}, tls);
    this.#discords.push(discord);
    return discord;
  }

  /** Dials as the runtime does it by default, or with the constructor that it needs. */
  dial(url: string, options: WebSocketDialOptions = {}): Promise<Connection> {
    const { WebSocket } = this.surroundings;
    return dial(url, { clock: COUNTED_CLOCK, ...(WebSocket && { WebSocket }), ...options });
  }

  /** What a shard of this scene is made from. */
  options(discord: RemoteDiscord, options: SceneOptions = {}): ShardOptions<GuildEvents, never, OtherEvents> {
    const { api = discord.api, dial = (url, dialOptions) => this.dial(url, dialOptions), ...others } =
      options;
    return {
      token: discord.token,
      ...(api !== null && { api }),
      platform: HASTY,
      ...(dial !== null && { dial }),
      ...others,
      guildEvents: ["GUILD_CREATE", "MESSAGE_CREATE"],
      events: ["READY", "RESUMED"],
      intents: 1 << 15,
    };
  }

  /** A shard that nobody consumes yet. */
  shard(discord: RemoteDiscord, options: SceneOptions = {}): SceneShard {
    const shard = new Shard(this.options(discord, options));
    this.#shards.push(shard);
    return shard;
  }

  /** A shard that hands its events to a handler. */
  play(discord: RemoteDiscord, options: SceneOptions = {}): Play {
    const heard: string[] = [];
    const statuses: ShardStatus[] = [];
    const shard = this.shard(discord, { ...options, onStatus: (status) => void statuses.push(status) });
    const over = shard.run((event) => {
      heard.push(event.t === "MESSAGE_CREATE" ? event.d.content : event.t);
    }).then(() => null, (error: unknown) => error);
    return { heard, statuses, shard, over };
  }

  /** The same, and it is live already. */
  async live(discord: RemoteDiscord, options: SceneOptions = {}): Promise<Play> {
    const play = this.play(discord, options);
    await until("live", () => play.shard.status.state === "live");
    if (!options.session) await until("the guild", () => play.heard.includes("GUILD_CREATE"));
    return play;
  }

  /** Closes whatever is open. What went well broke no rule, and has left no connection. */
  async end(wentWell: boolean): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()));
    for (const discord of this.#discords) {
      if (wentWell && !discord.hasEnded) {
        const { violations } = await discord.seen(discord.hasStalled ? undefined : { connections: 0 });
        expectEqual(violations, discord.toleratedViolations);
      }
      await discord.end();
    }
  }
}
