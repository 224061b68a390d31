/** The voice servers of the fake: each with an endpoint of its own and a media server, in memory at first, then on ports. */

import type { Backend } from "../net/backend.ts";
import type { FakeServer } from "../net/server.ts";
import type { MemoryDatagrams } from "./media/memory_datagrams.ts";
import type { UdpServer } from "./media/udp_server.ts";
import type { VoiceListenOptions } from "./options.ts";
import type { DatagramAddress } from "./gateway/session.ts";

/** One voice server. */
export interface VoiceRegion {
  /** Its name. */
  readonly name: string;
  /** Where its gateway is. */
  endpoint: string;
  /** Where its media server is. */
  media: DatagramAddress;
  /** Sends a datagram of its media server. */
  send: (datagram: Uint8Array, to: DatagramAddress) => void;
}

/** Takes a datagram that came to a region's media server. */
export type RegionListener = (region: VoiceRegion, datagram: Uint8Array, from: DatagramAddress) => void;

/** A port that is not 443, which has to be kept. */
const MEMORY_GATEWAY_PORT = 2087;
const MEMORY_MEDIA_PORT = 50_001;

/** All voice servers, and which guild is on which. */
export class VoiceRegions {
  readonly #all: readonly VoiceRegion[];
  readonly #ofGuild = new Map<string, VoiceRegion>();
  readonly #servers = new Set<FakeServer | UdpServer>();
  readonly #receive: RegionListener;

  /** They listen in memory. */
  constructor(names: readonly string[], datagrams: MemoryDatagrams, receive: RegionListener) {
    this.#receive = receive;
    this.#all = names.map((name, index) => {
      const media = { address: `203.0.113.${index + 1}`, port: MEMORY_MEDIA_PORT };
      const region: VoiceRegion = {
        name,
        endpoint: `${name}.voice.fake.invalid:${MEMORY_GATEWAY_PORT}`,
        media,
        send: (datagram, to) => datagrams.deliver(datagram, media, to),
      };
      datagrams.listen(media, (datagram, from) => receive(region, datagram, from));
      return region;
    });
  }

  /** Their endpoints, in the order of their names. */
  get endpoints(): readonly string[] {
    return this.#all.map(({ endpoint }) => endpoint);
  }

  /** Whether they are on ports. */
  get listening(): boolean {
    return this.#servers.size > 0;
  }

  /** The one with an endpoint. */
  at(endpoint: string): VoiceRegion {
    const region = this.#all.find((one) => one.endpoint === endpoint);
    if (!region) throw new TypeError(`Cannot find the voice server: ${endpoint}`);
    return region;
  }

  /** The one that a guild is on: at first the first. */
  of(guildId: string): VoiceRegion {
    const region = this.#ofGuild.get(guildId) ?? this.#all[0];
    if (!region) throw new TypeError("Cannot find the voice server: there is no region");
    return region;
  }

  /** A guild goes on to the next one. */
  change(guildId: string): void {
    const before = this.of(guildId);
    const next = this.#all[(this.#all.indexOf(before) + 1) % this.#all.length] ?? before;
    this.#ofGuild.set(guildId, next);
  }

  /** From now on they are on ports. */
  async listen(backend: Backend, { hostname = "127.0.0.1", tls }: VoiceListenOptions): Promise<void> {
    const [{ listen }, { openUdpServer }] = await Promise.all([
      import("../net/server.ts"),
      import("./media/udp_server.ts"),
    ]);
    for (const region of this.#all) {
      const server = await listen(backend, { hostname, ...(tls && { tls }) });
      this.#servers.add(server);
      const udp = await openUdpServer(hostname, (datagram, from) => this.#receive(region, datagram, from));
      this.#servers.add(udp);
      region.endpoint = new URL(server.gatewayUrl).host;
      region.media = udp.address;
      region.send = udp.send;
    }
  }

  /** Closes the ports. */
  async close(): Promise<void> {
    await Promise.all([...this.#servers].map((server) => server.close()));
    this.#servers.clear();
  }
}
