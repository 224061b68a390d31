/**
 * A Discord in a box: the gateway core, the REST API and the world, joined to a clock and to the two faces (in memory,
 * on a port). What a test scripts (messages, cuts, faults) enters here too.
 */

import { PRIVILEGED_INTENTS } from "../../gateway/intent.ts";
import type { Dial } from "../../shard/pipe/dial.ts";
import { type Platform, systemPlatform } from "../../shard/pipe/platform.ts";
import type { Backend } from "./net/backend.ts";
import type { PresenceLimit } from "./gateway/command_responses.ts";
import { type FakeConnection, LinkHandle } from "./gateway/fake_connection.ts";
import { type Faults, noFaults, takeOne } from "./base/faults.ts";
import { GatewayCore } from "./gateway/core.ts";
import type { IdentifyLimit } from "./gateway/identify_budget.ts";
import { Journal } from "./base/journal.ts";
import type { Link } from "./gateway/links.ts";
import { memoryDial, memoryFetch } from "./net/memory.ts";
import type { FakeMessage } from "./world/payloads.ts";
import { refusal, respond, type RestRequest, type RestResponse } from "./rest/rest.ts";
import type { FakeSession } from "./gateway/session.ts";
import type { DispatchOptions } from "./gateway/session_registry.ts";
import { type MessageOptions, Story } from "./gateway/story.ts";
import { type FakeGuild, type FakeUser, type GuildSeed, World } from "./world/world.ts";
import type { FakeServer, ListenOptions } from "./net/server.ts";
import { VirtualClock } from "./base/virtual_clock.ts";
import type { FakeVoice } from "./voice/fake_voice.ts";
import type { FakeVoiceOptions } from "./voice/options.ts";
import { VoiceStates } from "./world/voice_states.ts";

/** A timer that is so much too late says that the whole process was held up, in ms. */
const STALLED_MS = 250;
/** How long what has arrived meanwhile may take to be read, in ms. */
const CATCH_UP_MS = 50;

/** What a {@linkcode FakeDiscord} is made from; everything has a default. */
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

/**
 * A strict, scriptable Discord: gateway and REST API, in memory or on a port.
 *
 * It enforces the gateway's rules with Discord's own answers, and writes down in its journal what the client did.
 *
 * @see https://docs.discord.com/developers/events/gateway
 *
 * @example
 * ```ts
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * await using discord = new FakeDiscord();
 * const connection = await discord.dial("wss://gateway.discord.gg/?v=10&encoding=json");
 * const frames = connection.readable.getReader();
 * const next = async () => JSON.parse(String((await frames.read()).value));
 *
 * if ((await next()).op !== 10) throw new Error("HELLO comes first");
 * const identify = { token: discord.token, intents: 513, properties: {} };
 * connection.send(JSON.stringify({ op: 2, d: identify }));
 * if ((await next()).t !== "READY") throw new Error("READY follows IDENTIFY");
 * if ((await next()).t !== "GUILD_CREATE") throw new Error("the guild follows READY");
 *
 * discord.sendMessage({ author: "alice", content: "hello" });
 * const message = await next();
 * if (message.t !== "MESSAGE_CREATE" || message.d.author.username !== "alice") throw new Error("unexpected");
 * connection.close(1000);
 * ```
 */
export class FakeDiscord implements AsyncDisposable {
  /** What the client did, and what it was answered. */
  readonly journal: Journal;
  /** What goes wrong; change it at any time. */
  readonly faults: Faults = noFaults();
  /** Opens a connection in memory, whatever the host in the URL: give it to a `Shard`. */
  readonly dial: Dial;
  /** The REST API in memory, whatever the host in the URL: give it to a `Shard`. */
  readonly fetch: typeof fetch;
  readonly #token: string;
  readonly #clock: Platform;
  readonly #world: World;
  readonly #core: GatewayCore;
  readonly #story: Story;
  readonly #shards: number;
  readonly #backend: Backend;
  readonly #handles = new WeakMap<Link, FakeConnection>();
  readonly #servers = new Set<FakeServer>();
  readonly #voiceStates: VoiceStates;
  #voice: FakeVoice | null = null;
  #timer: { readonly at: number; readonly handle: unknown } | null = null;

  /** Makes a Discord that nobody is connected to. */
  constructor(options: FakeDiscordOptions = {}) {
    const { token = "fake.discord.token", clock = systemPlatform, heartbeatInterval = 41_250, shards = 1 } =
      options;
    this.#token = token;
    this.#clock = clock;
    this.#shards = shards;
    this.#world = new World(options.guilds ?? [{}]);
    this.#voiceStates = new VoiceStates(this.#world);
    this.journal = new Journal((text) => text.replaceAll(token, "[token]"));
    this.#core = new GatewayCore({
      token,
      world: this.#world,
      voiceStates: this.#voiceStates,
      sessionEnded: (sessionId) => this.#voice?.sessionEnded(sessionId),
      journal: this.journal,
      faults: this.faults,
      heartbeatInterval,
      maxConcurrency: options.maxConcurrency ?? 1,
      identifyPeriod: options.identifyPeriod ?? 5_000,
      identifyLimit: options.identifyLimit ?? {},
      privilegedIntents: options.privilegedIntents ?? PRIVILEGED_INTENTS,
      commandPeriodMs: options.commandPeriodMs ?? 60_000,
      replayLimit: options.replayLimit ?? 200_000,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 180_000,
      presenceLimit: options.presenceLimit ?? { limit: 5, periodMs: 20_000 },
      newSessionId: () => randomHex(clock, 32),
    }, clock.now());
    this.#story = new Story(this.#world, this.#core.links.sessions);
    this.#backend = this.#makeBackend();
    this.dial = memoryDial(this.#backend);
    this.fetch = memoryFetch(this.#backend);
  }

  /** The one valid bot token. */
  get token(): string {
    return this.#token;
  }

  /** Whether the token was reset, because the bot identified more often than a day allows. */
  get tokenReset(): boolean {
    return this.#core.tokenReset;
  }

  /** The body of the newest presence update that was taken, `null` where there was none. */
  get presence(): { readonly [key: string]: unknown } | null {
    return this.#core.presence;
  }

  /** The bot's own user. */
  get user(): FakeUser {
    return this.#world.bot;
  }

  /** The guilds that the bot is in. */
  get guilds(): readonly FakeGuild[] {
    return this.#world.guilds;
  }

  /** The live connections, oldest first. */
  get connections(): readonly FakeConnection[] {
    return this.#core.links.open.map((link) => this.#handle(link));
  }

  /** The sessions that are connected or could be resumed, oldest first. */
  get sessions(): readonly FakeSession[] {
    return this.#core.links.sessions.list(this.#clock.now());
  }

  /**
   * Opens a port on which the same Discord speaks HTTP and WebSocket, as real clients need it.
   *
   * Needs `node:http`: Deno, Bun, Node.
   */
  async listen(options: ListenOptions = {}): Promise<FakeServer> {
    const { listen } = await import("./net/server.ts");
    const server = await listen(this.#backend, options);
    this.#servers.add(server);
    return server;
  }

  /**
   * Gives the bot's joins a voice side to lead to: voice gateway, UDP server, end-to-end encryption. Once.
   *
   * Until then op 4 is answered with an endpoint that nobody listens on.
   *
   * @throws {TypeError} If it is open already.
   */
  async openVoice(options: FakeVoiceOptions = {}): Promise<FakeVoice> {
    const { FakeVoice } = await import("./voice/fake_voice.ts");
    if (this.#voice) throw new TypeError("Cannot open voice: it is open already");
    const clock = this.#clock;
    return this.#voice = new FakeVoice({
      clock,
      hold: (work) => clock instanceof VirtualClock && clock.hold(work),
      world: this.#world,
      states: this.#voiceStates,
      dispatch: (name, data) => void this.dispatch(name, data),
    }, options);
  }

  /**
   * Sends an event to every session whose shard and intents let it through; it is numbered, and kept for a resume.
   *
   * The body goes out as given, without content where MESSAGE_CONTENT is missing. Returns how many sessions got it.
   */
  dispatch(name: string, data: unknown, options: DispatchOptions = {}): number {
    return this.#perform((now) => this.#core.links.sessions.dispatch(name, data, options, now));
  }

  /**
   * A member writes a message, which is dispatched as MESSAGE_CREATE; returns it with its content.
   *
   * @throws {TypeError} If there is no such channel or guild.
   */
  sendMessage(options: MessageOptions): FakeMessage {
    return this.#perform((now) => this.#story.write(options, now));
  }

  /** A member writes many messages at once, with so much content that each body has at least `size` bytes. */
  flood(count: number, options: { readonly size?: number } = {}): void {
    this.#perform((now) => this.#story.flood(count, options.size ?? 0, now));
  }

  /** Forgets, for a resume, every session that there is: the next one is refused by op 9 with `false`. */
  expireSessions(): void {
    this.#core.links.sessions.expire();
  }

  /** Closes every port and cuts every connection; no timer stays. */
  async close(): Promise<void> {
    this.#perform((now) => {
      for (const link of this.#core.links.open) this.#core.links.drop(link, false, now);
    });
    await Promise.all([...this.#servers, ...this.#voice ? [this.#voice] : []].map((one) => one.close()));
    this.#servers.clear();
  }

  /** The same as {@linkcode FakeDiscord.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Every change goes through here: it happens now, and the timer follows. */
  #perform<T>(action: (now: number) => T): T {
    const result = action(this.#clock.now());
    this.#arm();
    return result;
  }

  /** One timer for the earliest deadline. One that is too early is harmless, and cheaper than a new one per frame. */
  #arm(): void {
    const at = this.#core.links.deadline;
    if (this.#timer && at !== Infinity && this.#timer.at <= at) return;
    if (this.#timer) this.#clock.clearTimeout(this.#timer.handle);
    this.#timer = at === Infinity ? null : this.#timerFor(at);
  }

  #timerFor(at: number): { readonly at: number; readonly handle: unknown } {
    const clock = this.#clock;
    const ring = () => {
      this.#timer = null;
      this.#perform((now) => this.#core.links.tick(now));
    };
    const handle = clock.setTimeout(() => {
      if (clock.now() - at < STALLED_MS) return ring();
      // This process was held up. What waits on its sockets is let in before any client is judged.
      this.#timer = { at, handle: clock.setTimeout(ring, CATCH_UP_MS) };
    }, at - clock.now());
    return { at, handle };
  }

  #handle(link: Link): FakeConnection {
    let handle = this.#handles.get(link);
    if (!handle) {
      handle = new LinkHandle(this.#core.links, link, (action) => this.#perform(action));
      this.#handles.set(link, handle);
    }
    return handle;
  }

  #makeBackend(): Backend {
    const { journal, faults } = this;
    const clock = this.#clock;
    return {
      clock,
      faults,
      dialFate: (url) => {
        const status = faults.rejectDials.shift();
        if (status !== undefined) {
          journal.write({ kind: "dial", at: clock.now(), url, outcome: "rejected", status });
          return status;
        }
        if (!takeOne(faults, "blackHoleDials")) return "open";
        journal.write({ kind: "dial", at: clock.now(), url, outcome: "black hole" });
        return "black hole";
      },
      connect: (port, urls) => {
        const link = this.#perform((now) => this.#core.connect(port, urls, now));
        return {
          receive: (frame) => this.#perform((now) => this.#core.receive(link, frame, now)),
          closed: (code, reason) => this.#perform((now) => this.#core.closed(link, code, reason, now)),
        };
      },
      rest: (request, gatewayUrl) => this.#perform((now) => this.#rest(request, gatewayUrl, now)),
    };
  }

  #rest(request: RestRequest, gatewayUrl: string, now: number): RestResponse {
    const fault = this.faults.rejectRequests.shift();
    const response = fault !== undefined ? refusal(fault) : respond(request, {
      world: this.#world,
      token: this.tokenReset ? null : this.#token,
      gatewayUrl,
      shards: this.#shards,
      sessionStartLimit: this.#core.budget.limit(now),
      now,
    });
    const { method, path } = request;
    this.journal.write({ kind: "rest", at: now, method, path, status: response.status });
    if (response.message) this.#story.publish(response.message, now);
    return response;
  }
}

function randomHex(platform: Platform, length: number): string {
  return Array.from({ length }, () => Math.floor(platform.random() * 16).toString(16)).join("");
}
