/**
 * The fake Discord's voice side in a box: voice gateway, UDP server and calls, joined to a clock and to the two faces (in
 * memory, on ports).
 *
 * Who is in which channel stands with the main gateway; which admits the clients.
 */

import { VoiceSide } from "./voice_side.ts";
import { VoiceCloseCode } from "../../../voice/wire/close_code.ts";
import type { OpenUdp } from "../../../voice/media/datagram.ts";
import type { Dial } from "../../../shard/pipe/dial.ts";
import type { Journal } from "../base/journal.ts";
import type { NetworkConditions } from "./media/lossy_network.ts";
import type { MediaCounts } from "./media/media_core.ts";
import type { DatagramListener, MemoryDatagramSocket } from "./media/memory_datagrams.ts";
import { UserGateway } from "./gateway/user_gateway.ts";
import type { FakeVoiceConnection } from "./gateway/connection.ts";
import type { VoiceFaults } from "./gateway/faults.ts";
import type {
  FakeVoiceCall,
  FakeVoiceOptions,
  VoiceEnvironment,
  VoiceJoinRequest,
  VoiceListenOptions,
} from "./options.ts";
import type { FakeVoiceSession, VoiceCredentials } from "./gateway/session.ts";

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
  readonly journal: Journal;
  /** What goes wrong; change it at any time. */
  readonly faults: VoiceFaults;
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
  readonly #side: VoiceSide;
  readonly #environment: VoiceEnvironment;

  /** Made by the fake. */
  constructor(environment: VoiceEnvironment, options: FakeVoiceOptions = {}) {
    const side = this.#side = new VoiceSide(environment, options);
    this.#environment = environment;
    this.journal = side.journal;
    this.faults = side.faults;
    this.uplink = side.uplink;
    this.downlink = side.downlink;
    this.dial = side.dial;
  }

  /** The live connections to the voice gateway, oldest first. */
  get connections(): readonly FakeVoiceConnection[] {
    return this.#side.core.links.open.map((link) => this.#side.handle(link));
  }

  /** The voice sessions that are connected or could be resumed, oldest first. */
  get sessions(): readonly FakeVoiceSession[] {
    return this.#side.registry.sessions;
  }

  /** What the UDP server has counted; `plain` is 0 if all is well. */
  get media(): Readonly<MediaCounts> {
    return this.#side.media.counts;
  }

  /** The endpoints of the voice servers, in the order of their names. */
  get endpoints(): readonly string[] {
    return this.#side.regions.endpoints;
  }

  /** The call of a channel; the first voice channel of the first guild by default. */
  call(request: VoiceJoinRequest = {}): FakeVoiceCall {
    const { sessions, dave } = this.#side.callOf(this.#side.channels.channel(request).channelId);
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
    return this.#side.datagrams.open(listener);
  }

  /**
   * Opens ports: a voice gateway and a UDP server for each region. From now on joins lead there.
   *
   * Needs `node:http` and `node:dgram`: Deno, Bun, Node.
   *
   * @throws {TypeError} If somebody is in voice already, whose endpoint would be another.
   */
  async listen(options: VoiceListenOptions = {}): Promise<void> {
    if (this.#side.registry.present.length > 0) {
      throw new TypeError("Cannot listen: somebody has joined already");
    }
    await this.#side.regions.listen(this.#side.backend, options);
  }

  /**
   * A user enters a voice channel with a client of its own, or moves there: gives what that client connects with.
   *
   * @throws {TypeError} If there is no such channel, or it is full or closed.
   */
  enter(user: string, request: VoiceJoinRequest = {}): VoiceCredentials {
    return this.#side.members.join(user, request);
  }

  /** The main gateway of a user, with which a voice connection can join as that user. */
  gatewayOf(
    user: string,
    { guildId = this.#side.channels.firstGuild }: { readonly guildId?: string } = {},
  ): UserGateway {
    const { id } = this.#side.channels.member(guildId, user);
    return new UserGateway(id, {
      enter: (channelId, guildId) => {
        const mayEnter = this.#environment.states.mayEnter(channelId, id);
        return mayEnter ? this.enter(id, { channelId, guildId }) : null;
      },
      leave: (guildId) => this.kick(id, { guildId }),
    });
  }

  /** A user is moved to another channel by a moderator: 4014, and a new server to connect to. */
  move(user: string, request: VoiceJoinRequest): VoiceCredentials {
    return this.#side.members.move(user, request);
  }

  /** A user leaves, or is disconnected by a moderator: 4014, and a voice state without a channel. */
  kick(user: string, { guildId = this.#side.channels.firstGuild }: { readonly guildId?: string } = {}): void {
    this.#side.members.disconnect(guildId, this.#side.channels.member(guildId, user).id);
    this.#side.arm();
  }

  /**
   * The voice server of a guild goes away, and after a while there is another: VOICE_SERVER_UPDATE with an endpoint of
   * `null` and 4022 for all, then a new endpoint. Gives what the users connect with, by user id.
   */
  changeRegion(
    { guildId = this.#side.channels.firstGuild, afterMs = 0 }: {
      readonly guildId?: string;
      readonly afterMs?: number;
    } = {},
  ): Promise<ReadonlyMap<string, VoiceCredentials>> {
    return this.#side.armAfter(() => this.#side.members.changeRegion(guildId, afterMs));
  }

  /** The voice servers crash: 4015 for everybody, and every session can be resumed. */
  crash(): void {
    this.#side.perform((now) => {
      for (const link of this.#side.core.links.open) {
        this.#side.core.links.close(link, VoiceCloseCode.VoiceServerCrashed, undefined, now);
      }
    });
  }

  /** A call gives its end-to-end encryption up (0), or starts it (1), by a transition. */
  setDaveVersion(version: 0 | 1, request: VoiceJoinRequest = {}): void {
    const call = this.#side.callOf(this.#side.channels.channel(request).channelId);
    const described = call.sessions.filter((session) => session.described && session.maxDaveVersion > 0);
    call.dave.setVersion(version, described.map(({ credentials }) => credentials.userId));
  }

  /** The main session of the bot is over, and with it its calls; used by the fake. */
  sessionEnded(sessionId: string): void {
    this.#side.members.sessionEnded(sessionId);
    this.#side.arm();
  }

  /** Closes every port and cuts every connection; no timer stays. */
  async close(): Promise<void> {
    this.#side.close();
    await this.#side.regions.close();
  }

  /** The same as {@linkcode FakeVoice.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
