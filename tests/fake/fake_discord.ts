/**
 * A Discord in a box: the gateway core, the REST API and the world, joined to a clock and to the two faces (in memory,
 * on a port). What a test scripts (messages, cuts, faults) enters here too.
 */

import type { FakeDiscordOptions } from "./options.ts";
import { randomHex } from "./base/random_hex.ts";
import { dialFate } from "./base/dial_fate.ts";
import { DueTimer } from "./base/due_timer.ts";
import { PRIVILEGED_INTENTS } from "../../gateway/intent.ts";
import type { Dial } from "../../shard/pipe/dial.ts";
import { type Platform, systemPlatform } from "../../shard/pipe/platform.ts";
import type { Backend } from "./net/backend.ts";
import { type FakeConnection, LinkHandle } from "./gateway/fake_connection.ts";
import { type Faults, noFaults, takeOne } from "./base/faults.ts";
import { GatewayCore } from "./gateway/core.ts";
import { Journal } from "./base/journal.ts";
import type { Link } from "./gateway/links.ts";
import { memoryDial, memoryFetch } from "./net/memory.ts";
import type { FakeMessage } from "./world/payloads.ts";
import { refusal, respond, type RestRequest, type RestResponse } from "./rest/rest.ts";
import type { FakeSession } from "./gateway/session.ts";
import type { DispatchOptions } from "./gateway/session_registry.ts";
import { type MessageOptions, Story } from "./gateway/story.ts";
import { type FakeGuild, type FakeUser, World } from "./world/world.ts";
import type { FakeServer, ListenOptions } from "./net/server.ts";
import { VirtualClock } from "./base/virtual_clock.ts";
import type { FakeVoice } from "./voice/fake_voice.ts";
import type { FakeVoiceOptions } from "./voice/options.ts";
import { VoiceStates } from "./world/voice_states.ts";

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
  readonly #timer: DueTimer;

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
    this.#timer = new DueTimer(clock, () => this.#perform((now) => this.#core.links.tick(now)));
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
    this.#timer.arm(this.#core.links.deadline);
    return result;
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
      dialFate: (url) =>
        dialFate(url, {
          journal,
          rejectDials: faults.rejectDials,
          takeBlackHole: () => takeOne(faults, "blackHoleDials"),
          now: clock.now(),
        }),
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
