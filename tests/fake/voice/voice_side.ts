/**
 * The parts of the fake's voice side, joined: voice gateway, UDP server, calls and members, on one clock and one timer, with
 * a network between clients and UDP server that loses what it is told to.
 */

import type { Dial } from "../../../shard/pipe/dial.ts";
import { dialFate } from "../base/dial_fate.ts";
import { DueTimer } from "../base/due_timer.ts";
import { Journal } from "../base/journal.ts";
import type { Backend } from "../net/backend.ts";
import { memoryDial } from "../net/memory.ts";
import { VoiceChannels } from "./channels.ts";
import { VoiceCall } from "./gateway/call.ts";
import { type FakeVoiceConnection, VoiceLinkHandle } from "./gateway/connection.ts";
import { VoiceGatewayCore } from "./gateway/core.ts";
import { noVoiceFaults, takeVoiceFault, type VoiceFaults } from "./gateway/faults.ts";
import type { VoiceLink } from "./gateway/links.ts";
import { VoiceRegistry } from "./gateway/registry.ts";
import type { DatagramAddress } from "./gateway/session.ts";
import { LossyNetwork } from "./media/lossy_network.ts";
import { MediaCore } from "./media/media_core.ts";
import { MemoryDatagrams } from "./media/memory_datagrams.ts";
import { VoiceMembers } from "./members.ts";
import type { FakeVoiceOptions, VoiceEnvironment } from "./options.ts";
import { type VoiceRegion, VoiceRegions } from "./regions.ts";

/** Everything behind a {@linkcode FakeVoice}. */
export class VoiceSide {
  /** What clients did on the voice gateway. */
  readonly journal: Journal = new Journal();
  /** What goes wrong. */
  readonly faults: VoiceFaults = noVoiceFaults();
  /** What happens to datagrams on their way from clients. */
  readonly uplink: LossyNetwork;
  /** What happens to datagrams on their way to clients. */
  readonly downlink: LossyNetwork;
  /** Opens a connection to the voice gateway in memory. */
  readonly dial: Dial;
  /** The voice channels. */
  readonly channels: VoiceChannels;
  /** The voice servers. */
  readonly regions: VoiceRegions;
  /** All admissions. */
  readonly registry = new VoiceRegistry();
  /** The voice gateway. */
  readonly core: VoiceGatewayCore;
  /** The UDP server. */
  readonly media: MediaCore;
  /** UDP sockets in memory. */
  readonly datagrams = new MemoryDatagrams();
  /** What a transport needs. */
  readonly backend: Backend;
  /** Who is in voice. */
  readonly members: VoiceMembers;
  readonly #environment: VoiceEnvironment;
  readonly #options: FakeVoiceOptions;
  readonly #calls = new Map<string, VoiceCall>();
  readonly #handles = new WeakMap<VoiceLink, FakeVoiceConnection>();
  readonly #timer: DueTimer;
  #closed = false;

  /** Nobody is connected. */
  constructor(environment: VoiceEnvironment, options: FakeVoiceOptions) {
    const { regions = ["rotterdam", "frankfurt"], seed = 1 } = options;
    const { clock, world, states } = environment;
    this.#environment = environment;
    this.#timer = new DueTimer(clock, () => this.#tick());
    this.#options = options;
    this.channels = new VoiceChannels(world);
    this.regions = new VoiceRegions(regions, this.datagrams, (...datagram) => this.#datagram(...datagram));
    const uplink = new LossyNetwork(clock, seed);
    const downlink = new LossyNetwork(clock, seed + 1);
    this.uplink = uplink;
    this.downlink = downlink;
    const callOf = (channelId: string) => this.callOf(channelId);
    this.core = new VoiceGatewayCore({
      journal: this.journal,
      faults: this.faults,
      registry: this.registry,
      heartbeatInterval: options.heartbeatInterval ?? 13_750,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 60_000,
      replayLimit: options.replayLimit ?? 500,
      firstSequence: options.firstSequence ?? 1,
      callOf,
      hasGuild: (guildId) => world.guild(guildId) !== undefined,
      needsDave: (channelId) => callOf(channelId).dave.version > 0,
      mediaOf: (endpoint) => this.regions.at(endpoint).media,
      random: () => clock.random(),
      timedOut: ({ credentials: { guildId, userId } }) => this.members.disconnect(guildId, userId),
    });
    this.media = new MediaCore({
      journal: this.journal,
      faults: this.faults,
      registry: this.registry,
      links: this.core.links,
      callOf,
      send: (endpoint, datagram, to) =>
        downlink.carry(datagram, (arrived) => this.regions.at(endpoint).send(arrived, to)),
      isInOrder: () => !this.regions.listening && uplink.isIdeal,
      changed: () => this.arm(),
    });
    this.backend = this.#makeBackend();
    this.dial = memoryDial(this.backend);
    this.members = new VoiceMembers({
      environment,
      channels: this.channels,
      regions: this.regions,
      registry: this.registry,
      core: this.core,
      isClosed: () => this.#closed,
    });
    states.servers = {
      enter: (state, again) => this.armAfter(() => this.members.enter(state, again)),
      leave: (guildId, userId) => this.members.leave(guildId, userId),
    };
  }

  /** Cuts every connection; no timer stays. */
  close(): void {
    this.#closed = true;
    this.perform((now) => {
      for (const link of this.core.links.open) this.core.links.drop(link, false, now);
      for (const admission of this.registry.present) this.registry.end(admission, "left");
      for (const { dave } of this.#calls.values()) dave.close();
      for (const network of [this.uplink, this.downlink]) network.close();
    });
  }

  /** The call of a channel, made when it is first asked for. */
  callOf(channelId: string): VoiceCall {
    let call = this.#calls.get(channelId);
    if (!call) {
      const { clock, hold } = this.#environment;
      call = new VoiceCall({
        channelId,
        version: this.channels.isStage(channelId) ? 0 : 1,
        links: this.core.links,
        faults: this.faults.dave,
        transitionTimeoutMs: this.#options.transitionTimeoutMs ?? 5000,
        now: () => clock.now(),
        hold,
        changed: () => this.arm(),
      });
      this.#calls.set(channelId, call);
    }
    return call;
  }

  #datagram(region: VoiceRegion, datagram: Uint8Array, from: DatagramAddress): void {
    this.uplink.carry(datagram, (arrived) => {
      if (!this.#closed) {
        this.perform((now) => this.media.receive(region.endpoint, arrived, from, now));
      }
    });
  }

  /** Something happens now; the timer follows. */
  perform<T>(action: (now: number) => T): T {
    return this.armAfter(() => action(this.#environment.clock.now()));
  }

  /** Something happens, and the timer follows. */
  armAfter<T>(action: () => T): T {
    const result = action();
    this.arm();
    return result;
  }

  /** The earliest deadline may have changed. */
  arm(): void {
    const calls = [...this.#calls.values()].map(({ dave }) => dave.deadline);
    this.#timer.arm(this.#closed ? Infinity : Math.min(this.core.deadline, ...calls));
  }

  #tick(): void {
    this.perform((now) => {
      this.core.tick(now);
      for (const { dave } of this.#calls.values()) dave.tick(now);
    });
  }

  /** A connection as a test sees it. */
  handle(link: VoiceLink): FakeVoiceConnection {
    let handle = this.#handles.get(link);
    if (!handle) {
      handle = new VoiceLinkHandle(this.core.links, link, (action) => this.perform(action));
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
      dialFate: (url) =>
        dialFate(url, {
          journal,
          rejectDials: faults.rejectDials,
          takeBlackHole: () => takeVoiceFault(faults, "blackHoleDials"),
          now: clock.now(),
        }),
      connect: (port, { url }) => {
        const link = this.perform((now) => this.core.connect(port, url, now));
        return {
          receive: (frame) => this.perform((now) => this.core.receive(link, frame, now)),
          closed: (code, reason) => this.perform((now) => this.core.closed(link, code, reason, now)),
        };
      },
      rest: () => ({ status: 404, body: { message: "404: Not Found", code: 0 } }),
    };
  }
}
