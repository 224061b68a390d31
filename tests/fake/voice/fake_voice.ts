/**
 * The fake Discord's voice side in a box: voice gateway, UDP server and calls, joined to a clock and to the two faces (in
 * memory, on ports).
 *
 * Who is in which channel stands with the main gateway; from there come the stays that clients connect with.
 */

import { VoiceCloseCode } from "../../../voice/wire/close_code.ts";
import type { OpenUdp } from "../../../voice/media/datagram.ts";
import type { Dial } from "../../../shard/pipe/dial.ts";
import type { Platform } from "../../../shard/pipe/platform.ts";
import type { Backend } from "../net/backend.ts";
import { Journal } from "../base/journal.ts";
import { memoryDial } from "../net/memory.ts";
import type { FakeVoiceServerUpdate, FakeVoiceState, VoiceServers } from "../world/voice_states.ts";
import { LossyNetwork, type NetworkConditions } from "./media/lossy_network.ts";
import { MediaCore, type MediaCounts } from "./media/media_core.ts";
import {
  type DatagramListener,
  MemoryDatagrams,
  type MemoryDatagramSocket,
} from "./media/memory_datagrams.ts";
import { UserGateway } from "./gateway/user_gateway.ts";
import { VoiceCall } from "./gateway/call.ts";
import { type FakeVoiceConnection, VoiceLinkHandle } from "./gateway/connection.ts";
import { noVoiceFaults, takeVoiceFault, type VoiceFaults } from "./gateway/faults.ts";
import { VoiceGatewayCore } from "./gateway/core.ts";
import type { VoiceLink } from "./gateway/links.ts";
import type {
  FakeVoiceCall,
  FakeVoiceOptions,
  VoiceEnvironment,
  VoiceJoinRequest,
  VoiceListenOptions,
} from "./options.ts";
import { VoiceChannels } from "./gateway/channels.ts";
import { type VoiceRegion, VoiceRegions } from "./regions.ts";
import { type VoiceAdmission, VoiceRegistry } from "./gateway/registry.ts";
import type { DatagramAddress, FakeVoiceSession, VoiceCredentials } from "./gateway/session.ts";

/**
 * A strict, scriptable voice side: voice gateway version 8, UDP server, and a delivery service for DAVE.
 *
 * Made by `discord.openVoice()`. It enforces the rules with Discord's own close codes, and writes down in a journal of
 * its own what clients did. Among the rules: where a call is encrypted, no frame of sound may come in the clear.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections
 *
 * @example
 * ```ts
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * await using discord = new FakeDiscord({ guilds: [{ channels: [{ name: "voice", type: 2 }] }] });
 * const voice = await discord.openVoice();
 * const { endpoint, token, sessionId, guildId, userId } = voice.enter("alice");
 *
 * const connection = await voice.dial(`wss://${endpoint}/?v=8`);
 * const frames = connection.readable.getReader();
 * const next = async () => JSON.parse(String((await frames.read()).value));
 * if ((await next()).op !== 8) throw new Error("HELLO comes first");
 * const identify = { server_id: guildId, user_id: userId, session_id: sessionId, token };
 * connection.send(JSON.stringify({ op: 0, d: { ...identify, max_dave_protocol_version: 1 } }));
 * const ready = await next();
 * if (ready.op !== 2 || ready.d.modes.length !== 2) throw new Error("unexpected");
 * if (voice.call().userIds.join() !== userId) throw new Error("alice is in the call");
 * connection.close(1000);
 * ```
 */
export class FakeVoice implements AsyncDisposable {
  /** What clients did on the voice gateway, and what they were answered. */
  readonly journal: Journal = new Journal();
  /** What goes wrong; change it at any time. */
  readonly faults: VoiceFaults = noVoiceFaults();
  /** What befalls datagrams on their way from clients. */
  readonly uplink: NetworkConditions;
  /** What befalls datagrams on their way to clients. */
  readonly downlink: NetworkConditions;
  /** Opens a connection to the voice gateway in memory, by the endpoint in the URL. */
  readonly dial: Dial;
  /** Opens a UDP socket in memory, as a voice connection wants it. */
  readonly openUdp: OpenUdp = (server, { receive }) => {
    const socket = this.openSocket(receive);
    return Promise.resolve({
      send: (datagram) => socket.send(datagram, server),
      close: () => socket.close(),
    });
  };
  readonly #environment: VoiceEnvironment;
  readonly #options: FakeVoiceOptions;
  readonly #places: VoiceChannels;
  readonly #regions: VoiceRegions;
  readonly #registry = new VoiceRegistry();
  readonly #calls = new Map<string, VoiceCall>();
  readonly #core: VoiceGatewayCore;
  readonly #media: MediaCore;
  readonly #datagrams = new MemoryDatagrams();
  readonly #networks: readonly LossyNetwork[];
  readonly #backend: Backend;
  readonly #handles = new WeakMap<VoiceLink, FakeVoiceConnection>();
  #timer: { readonly at: number; readonly handle: unknown } | null = null;
  #closed = false;

  /** Made by the fake. */
  constructor(environment: VoiceEnvironment, options: FakeVoiceOptions = {}) {
    const { regions = ["rotterdam", "frankfurt"], seed = 1 } = options;
    const { clock, world, states } = environment;
    this.#environment = environment;
    this.#options = options;
    this.#places = new VoiceChannels(world);
    this.#regions = new VoiceRegions(regions, this.#datagrams, (...datagram) => this.#datagram(...datagram));
    const uplink = new LossyNetwork(clock, seed);
    const downlink = new LossyNetwork(clock, seed + 1);
    this.#networks = [uplink, downlink];
    this.uplink = uplink;
    this.downlink = downlink;
    const callOf = (channelId: string) => this.#callOf(channelId);
    this.#core = new VoiceGatewayCore({
      journal: this.journal,
      faults: this.faults,
      registry: this.#registry,
      heartbeatInterval: options.heartbeatInterval ?? 13_750,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 60_000,
      replayLimit: options.replayLimit ?? 500,
      firstSequence: options.firstSequence ?? 1,
      callOf,
      hasGuild: (guildId) => world.guild(guildId) !== undefined,
      needsDave: (channelId) => callOf(channelId).dave.version > 0,
      mediaOf: (endpoint) => this.#regions.at(endpoint).media,
      random: () => clock.random(),
      timedOut: ({ credentials: { guildId, userId } }) => this.#vanish(guildId, userId),
    });
    this.#media = new MediaCore({
      journal: this.journal,
      faults: this.faults,
      registry: this.#registry,
      links: this.#core.links,
      callOf,
      send: (endpoint, datagram, to) =>
        downlink.carry(datagram, (arrived) => this.#regions.at(endpoint).send(arrived, to)),
      isInOrder: () => !this.#regions.listening && uplink.isIdeal,
      changed: () => this.#arm(),
    });
    this.#backend = this.#makeBackend();
    this.dial = memoryDial(this.#backend);
    const host: VoiceServers = {
      enter: (state, again) => this.#enter(state, again),
      leave: (guildId, userId) => this.#left(guildId, userId),
    };
    states.host = host;
  }

  /** The live connections to the voice gateway, oldest first. */
  get connections(): readonly FakeVoiceConnection[] {
    return this.#core.links.open.map((link) => this.#handle(link));
  }

  /** The voice sessions that are connected or could be resumed, oldest first. */
  get sessions(): readonly FakeVoiceSession[] {
    return this.#registry.sessions;
  }

  /** What the UDP server has counted; `plain` is 0 if all is well. */
  get media(): Readonly<MediaCounts> {
    return this.#media.counts;
  }

  /** The endpoints of the voice servers, in the order of their names. */
  get endpoints(): readonly string[] {
    return this.#regions.endpoints;
  }

  /** The call of a channel; the first voice channel of the first guild by default. */
  call(place: VoiceJoinRequest = {}): FakeVoiceCall {
    const { sessions, dave } = this.#callOf(this.#places.channel(place).channelId);
    return {
      userIds: sessions.map(({ credentials }) => credentials.userId),
      daveVersion: dave.version,
      daveEpoch: dave.epoch,
      daveMembers: dave.members,
      pendingTransitions: dave.pending,
    };
  }

  /** Opens a UDP socket in memory, from which the media servers can be reached. */
  openSocket(listener: DatagramListener): MemoryDatagramSocket {
    return this.#datagrams.open(listener);
  }

  /**
   * Opens ports: a voice gateway and a UDP server for each region. From now on joins lead there.
   *
   * Needs `node:http` and `node:dgram`: Deno, Bun, Node.
   *
   * @throws {TypeError} If somebody is in voice already, whose endpoint would be another.
   */
  async listen(options: VoiceListenOptions = {}): Promise<void> {
    if (this.#registry.present.length > 0) throw new TypeError("Cannot listen: somebody has joined already");
    await this.#regions.listen(this.#backend, options);
  }

  /**
   * A user enters a voice channel with a client of its own, or moves there: gives what that client connects with.
   *
   * @throws {TypeError} If there is no such channel, or it is full or closed.
   */
  enter(user: string, place: VoiceJoinRequest = {}): VoiceCredentials {
    const { guildId, channelId } = this.#places.channel(place);
    const { id } = this.#places.member(guildId, user);
    if (!this.#environment.states.mayEnter(channelId, id)) {
      throw new TypeError(`Cannot enter: the channel is full or closed: ${channelId}`);
    }
    this.#change(guildId, id, channelId, randomHex(this.#environment.clock, 32));
    const admission = this.#registry.of(guildId, id);
    if (!admission) throw new TypeError(`Cannot enter: there is no voice server: ${guildId}`);
    return admission.credentials;
  }

  /** The main gateway of a user, with which a voice connection can join as that user. */
  gatewayOf(
    user: string,
    { guildId = this.#places.firstGuild }: { readonly guildId?: string } = {},
  ): UserGateway {
    const { id } = this.#places.member(guildId, user);
    return new UserGateway(id, {
      enter: (channelId, guildId) => {
        const mayEnter = this.#environment.states.mayEnter(channelId, id);
        return mayEnter ? this.enter(id, { channelId, guildId }) : null;
      },
      leave: (guildId) => this.kick(id, { guildId }),
    });
  }

  /** A user is moved to another channel by a moderator: 4014, and a new server to connect to. */
  move(user: string, place: VoiceJoinRequest): VoiceCredentials {
    const { guildId, channelId } = this.#places.channel(place);
    const { id } = this.#places.member(guildId, user);
    const state = this.#environment.states.find(guildId, id);
    if (!state) throw new TypeError(`Cannot move: the user is in no voice channel of ${guildId}: ${user}`);
    this.#change(guildId, id, channelId, state.session_id);
    const admission = this.#registry.of(guildId, id);
    if (!admission) throw new TypeError(`Cannot move: there is no voice server: ${guildId}`);
    return admission.credentials;
  }

  /** A user leaves, or is disconnected by a moderator: 4014, and a voice state without a channel. */
  kick(user: string, { guildId = this.#places.firstGuild }: { readonly guildId?: string } = {}): void {
    this.#vanish(guildId, this.#places.member(guildId, user).id);
    this.#arm();
  }

  /**
   * The voice server of a guild goes away, and after a while there is another: VOICE_SERVER_UPDATE with an endpoint of
   * `null` and 4022 for all, then a new endpoint. Gives what the users connect with, by user id.
   */
  changeRegion(
    { guildId = this.#places.firstGuild, afterMs = 0 }: {
      readonly guildId?: string;
      readonly afterMs?: number;
    } = {},
  ): Promise<ReadonlyMap<string, VoiceCredentials>> {
    const { clock, world, dispatch } = this.#environment;
    const admissions = this.#registry.present.filter(({ credentials }) => credentials.guildId === guildId);
    const hasBot = admissions.some(({ credentials }) => credentials.userId === world.bot.id);
    if (hasBot) dispatch("VOICE_SERVER_UPDATE", { token: "", guild_id: guildId, endpoint: null });
    this.#regions.change(guildId);
    for (const admission of admissions) {
      this.#core.end(admission, "replaced", VoiceCloseCode.CallTerminated, clock.now());
    }
    this.#arm();
    const begin = () => {
      const found = new Map<string, VoiceCredentials>();
      for (const { credentials } of admissions) {
        if (this.#closed || !this.#environment.states.find(guildId, credentials.userId)) continue;
        const admission = this.#begin(credentials.guildId, credentials.channelId, credentials);
        found.set(credentials.userId, admission.credentials);
        if (credentials.userId === world.bot.id) dispatch("VOICE_SERVER_UPDATE", serverUpdate(admission));
      }
      return found;
    };
    if (afterMs <= 0) return Promise.resolve(begin());
    return new Promise((resolve) => clock.setTimeout(() => resolve(begin()), afterMs));
  }

  /** The voice servers crash: 4015 for everybody, and every session can be resumed. */
  crash(): void {
    this.#perform((now) => {
      for (const link of this.#core.links.open) {
        this.#core.links.close(link, VoiceCloseCode.VoiceServerCrashed, undefined, now);
      }
    });
  }

  /** A call gives its end-to-end encryption up (0), or starts it (1), by a transition. */
  setDaveVersion(version: 0 | 1, place: VoiceJoinRequest = {}): void {
    const call = this.#callOf(this.#places.channel(place).channelId);
    const described = call.sessions.filter((session) => session.described && session.maxDaveVersion > 0);
    call.dave.setVersion(version, described.map(({ credentials }) => credentials.userId));
  }

  /** The main session of the bot is over, and with it its stays in voice; used by the fake. */
  sessionEnded(sessionId: string): void {
    const { states, world } = this.#environment;
    for (const { guild_id: guildId, user_id: userId, session_id } of states.all) {
      if (session_id === sessionId && userId === world.bot.id) this.#vanish(guildId, userId);
    }
    this.#arm();
  }

  /** Closes every port and cuts every connection; no timer stays. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#perform((now) => {
      for (const link of this.#core.links.open) this.#core.links.drop(link, false, now);
      for (const admission of this.#registry.present) this.#registry.end(admission, "left");
      for (const { dave } of this.#calls.values()) dave.close();
      for (const network of this.#networks) network.close();
    });
    await this.#regions.close();
  }

  /** The same as {@linkcode FakeVoice.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // Stays.

  #callOf(channelId: string): VoiceCall {
    let call = this.#calls.get(channelId);
    if (!call) {
      const { clock, hold } = this.#environment;
      call = new VoiceCall({
        channelId,
        version: this.#places.isStage(channelId) ? 0 : 1,
        links: this.#core.links,
        faults: this.faults.dave,
        transitionTimeoutMs: this.#options.transitionTimeoutMs ?? 5000,
        now: () => clock.now(),
        hold,
        changed: () => this.#arm(),
      });
      this.#calls.set(channelId, call);
    }
    return call;
  }

  #enter(state: FakeVoiceState, again: boolean): FakeVoiceServerUpdate | null {
    const { guild_id: guildId, channel_id: channelId, user_id: userId, session_id: sessionId } = state;
    if (channelId === null) return null;
    const present = this.#registry.of(guildId, userId);
    // Who asks again has not heard the answer, or has lost the session.
    if (again && present?.session?.connected) return null;
    if (again && present && !present.session) return serverUpdate(present);
    const now = this.#environment.clock.now();
    if (present) this.#core.end(present, "replaced", VoiceCloseCode.Disconnected, now);
    const admission = this.#begin(guildId, channelId, { userId, sessionId });
    this.#arm();
    return serverUpdate(admission);
  }

  #begin(
    guildId: string,
    channelId: string,
    { userId, sessionId }: { readonly userId: string; readonly sessionId: string },
  ): VoiceAdmission {
    const token = randomHex(this.#environment.clock, 16);
    const { endpoint } = this.#regions.of(guildId);
    return this.#registry.begin({ endpoint, token, sessionId, guildId, channelId, userId });
  }

  #left(guildId: string, userId: string): void {
    const admission = this.#registry.of(guildId, userId);
    if (admission) {
      this.#core.end(admission, "left", VoiceCloseCode.Disconnected, this.#environment.clock.now());
    }
  }

  #change(guildId: string, userId: string, channelId: string, sessionId: string): void {
    const { states, world, dispatch } = this.#environment;
    const change = states.change(guildId, userId, { channelId, sessionId });
    if (!change) return;
    dispatch("VOICE_STATE_UPDATE", change.state);
    if (change.server && userId === world.bot.id) dispatch("VOICE_SERVER_UPDATE", change.server);
  }

  #vanish(guildId: string, userId: string): void {
    const { states, dispatch } = this.#environment;
    const before = states.find(guildId, userId);
    if (!before) return;
    const change = states.change(guildId, userId, { channelId: null, sessionId: before.session_id });
    if (change) dispatch("VOICE_STATE_UPDATE", change.state);
  }

  // Time and transports.

  #datagram(region: VoiceRegion, datagram: Uint8Array, from: DatagramAddress): void {
    this.#networks[0]?.carry(datagram, (arrived) => {
      if (!this.#closed) {
        this.#perform((now) => this.#media.receive(region.endpoint, arrived, from, now));
      }
    });
  }

  #perform<T>(action: (now: number) => T): T {
    const result = action(this.#environment.clock.now());
    this.#arm();
    return result;
  }

  #arm(): void {
    const { clock } = this.#environment;
    const calls = [...this.#calls.values()].map(({ dave }) => dave.deadline);
    const at = this.#closed ? Infinity : Math.min(this.#core.deadline, ...calls);
    if (this.#timer && at !== Infinity && this.#timer.at <= at) return;
    if (this.#timer) clock.clearTimeout(this.#timer.handle);
    this.#timer = at === Infinity ? null : {
      at,
      handle: clock.setTimeout(() => {
        this.#timer = null;
        this.#perform((now) => {
          this.#core.tick(now);
          for (const { dave } of this.#calls.values()) dave.tick(now);
        });
      }, at - clock.now()),
    };
  }

  #handle(link: VoiceLink): FakeVoiceConnection {
    let handle = this.#handles.get(link);
    if (!handle) {
      handle = new VoiceLinkHandle(this.#core.links, link, (action) => this.#perform(action));
      this.#handles.set(link, handle);
    }
    return handle;
  }

  #makeBackend(): Backend {
    const { journal, faults } = this;
    const { clock } = this.#environment;
    return {
      clock,
      faults,
      dialFate: (url) => {
        const status = faults.rejectDials.shift();
        if (status !== undefined) {
          journal.write({ kind: "dial", at: clock.now(), url, outcome: "rejected", status });
          return status;
        }
        if (!takeVoiceFault(faults, "blackHoleDials")) return "open";
        journal.write({ kind: "dial", at: clock.now(), url, outcome: "black hole" });
        return "black hole";
      },
      connect: (port, { url }) => {
        const link = this.#perform((now) => this.#core.connect(port, url, now));
        return {
          receive: (frame) => this.#perform((now) => this.#core.receive(link, frame, now)),
          closed: (code, reason) => this.#perform((now) => this.#core.closed(link, code, reason, now)),
        };
      },
      rest: () => ({ status: 404, body: { message: "404: Not Found", code: 0 } }),
    };
  }
}

function serverUpdate({ credentials: { token, guildId, endpoint } }: VoiceAdmission): FakeVoiceServerUpdate {
  return { token, guild_id: guildId, endpoint };
}

function randomHex(platform: Platform, length: number): string {
  return Array.from({ length }, () => Math.floor(platform.random() * 16).toString(16)).join("");
}
