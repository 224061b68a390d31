/**
 * A bot of ours and a client of @discordjs/voice in one channel of the fake: a shard on Deno, the other on Node, both by TLS
 * and UDP, with DAVE. What each says can be compared with what the other hears, packet for packet.
 */

import davey from "@snazzah/davey";
import { assertEquals } from "@std/assert";
import { GatewayIntent } from "../../gateway/intent.ts";
import { type Dial, dial, Shard } from "../../shard/mod.ts";
import {
  daveyProvider,
  type EncryptionMode,
  SILENCE_FRAME,
  type Voice,
  voice as makeProvider,
  type VoiceConnection,
  type VoiceConnectionEvent,
} from "../../voice/mod.ts";
import { FakeDiscord, type FakeVoice, type FakeVoiceConnection } from "../fake/mod.ts";
import { selfSigned } from "./certificate.ts";
import { DiscordjsVoice } from "./discordjs_voice.ts";

const GUILD = "4000";
const CHANNEL = "4100";
const GUILDS = [{
  id: GUILD,
  channels: [{ name: "voice", type: 2, id: CHANNEL }],
  members: ["alice"],
}];
const PEER = "alice";
/** Four seconds of sound. */
const BURST = 200;
const MAX_OPUS_BYTES = 1275;
/** Silence in hexadecimal. */
export const SILENCE = hex(SILENCE_FRAME);
/** The frames of silence at the end of a burst. The other's player stops before its fifth has left: that one leads the next. */
const SILENT_END = { ours: 5, theirs: 4 };

/** A packet that ours has received. */
export interface Heard {
  readonly frame: string;
  readonly lost: number;
}

/** What one says and the other hears, in hexadecimal, without the silence before and after. */
export interface Exchange {
  readonly said: readonly string[];
  readonly heard: readonly string[];
  /** What the listener counts as missing. */
  readonly lost: number;
}

/** Discord, the shard of our bot, and the process of the other library. */
export class VoicePair implements AsyncDisposable {
  readonly discord: FakeDiscord;
  readonly voice: FakeVoice;
  readonly peers: DiscordjsVoice;
  readonly shard: Shard<never, never, never, Voice>;
  /** Our bot. */
  readonly botId: string;
  /** The other's user. */
  peerId = "";
  /** What happened in our bot's stays. */
  readonly events: VoiceConnectionEvent[] = [];
  readonly #mode: EncryptionMode;
  readonly #client: Deno.HttpClient;
  readonly #running: Promise<unknown>;
  #bursts = 0;

  private constructor(
    { discord, voice, peers, shard }: Pick<VoicePair, "discord" | "voice" | "peers" | "shard">,
    { mode, client, running }: {
      readonly mode: EncryptionMode;
      readonly client: Deno.HttpClient;
      readonly running: Promise<unknown>;
    },
  ) {
    this.discord = discord;
    this.voice = voice;
    this.peers = peers;
    this.shard = shard;
    this.botId = shard.userId ?? "";
    this.#mode = mode;
    this.#client = client;
    this.#running = running;
  }

  /** Opens it, with one transport encryption to be used, and the shard live. */
  static async open(mode: EncryptionMode): Promise<VoicePair> {
    const discord = new FakeDiscord({ guilds: GUILDS });
    const [{ api }, voice, tls] = await Promise.all([discord.listen(), discord.openVoice(), selfSigned()]);
    voice.faults.modes = [mode];
    await voice.listen({ tls });
    const peers = await DiscordjsVoice.start(tls.cert);
    const intents = GatewayIntent.GUILDS | GatewayIntent.GUILD_VOICE_STATES;
    const client = Deno.createHttpClient({ caCerts: [tls.cert] });
    const provider = makeProvider({ dave: daveyProvider(davey), dial: trusting(client) });
    const shard = new Shard({ token: discord.token, intents, api, voice: provider });
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const running = shard.run((event) => {
      if (event.t === "READY") resolve();
    });
    await Promise.race([ready, running]);
    return new VoicePair({ discord, voice, peers, shard }, { mode, client, running });
  }

  /** Our bot joins. */
  async joinOurs(): Promise<VoiceConnection> {
    return await this.shard.joinVoice(GUILD, CHANNEL, { onEvent: (event) => void this.events.push(event) });
  }

  /** The other joins, for the first time or again. */
  async joinPeer(): Promise<void> {
    const credentials = this.voice.enter(PEER);
    this.peerId = credentials.userId;
    await this.peers.join(PEER, credentials);
    await this.peers.until("the other is in the call", () => {
      return this.voice.sessions.some(({ credentials: { userId }, mode }) =>
        userId === this.peerId && mode === this.#mode
      );
    });
  }

  /** The other leaves, and the main gateway says so. */
  async leavePeer(): Promise<void> {
    const { peers, voice } = this;
    const said = () => peers.reports.filter(({ event, channelId }) => event === "op 4" && channelId === null);
    const before = said().length;
    await peers.leave(PEER);
    await peers.until("the other has said op 4", () => said().length > before);
    voice.kick(PEER);
  }

  /** Waits until both have the keys of the same group. */
  async secured(ours: VoiceConnection): Promise<void> {
    const { peers, voice } = this;
    await peers.until("both have the keys of one group", () => {
      const { daveMembers, daveEpoch, pendingTransitions } = voice.call();
      return daveMembers.length === 2 && pendingTransitions === 0 && peers.isSecured(PEER) &&
        ours.dave?.phase === "secured" && ours.dave.epoch === BigInt(daveEpoch) &&
        ours.dave.privacyCode === peers.privacyCode(PEER);
    });
  }

  /** Frames of any length that an Opus frame has, with silence here and there, other ones in every burst. */
  frames(count: number = BURST): Uint8Array[] {
    const salt = ++this.#bursts;
    return Array.from({ length: count }, (_, at) => {
      if (at % 23 === 22) return Uint8Array.from(SILENCE_FRAME);
      const length = 1 + (at * 97 + salt * 131) % MAX_OPUS_BYTES;
      return Uint8Array.from({ length }, (_, byte) => at * 31 + byte * 7 + salt * 53 & 0xff);
    });
  }

  /**
   * The other hears from op 5 who speaks, which takes another way than the packets. Until then it hears nobody: so that
   * comes first, and this ends when one burst has been heard to its end.
   */
  async introduce(ours: VoiceConnection): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      const frames = this.frames(5);
      const last = hex(frames.at(-1) ?? []);
      await ours.play(frames);
      await pause(200);
      const heard = this.peers.heard(PEER, this.botId);
      if (heard.includes(last) && silentEnd(heard) >= SILENT_END.ours) return;
    }
    throw new Error(`The other does not hear ours: ${JSON.stringify(ours.counters)}`);
  }

  /** Both speak at once, and something happens meanwhile: gives what was said, and what of it was heard. */
  async talk(
    ours: VoiceConnection,
    ear: readonly Heard[],
    meanwhile: () => Promise<void> = () => Promise.resolve(),
  ): Promise<{ readonly ours: Exchange; readonly theirs: Exchange }> {
    const said = { ours: this.frames(), theirs: this.frames() };
    const before = { ours: ear.length, theirs: this.peers.heard(PEER, this.botId).length };
    await Promise.all([
      ours.play(said.ours),
      this.peers.play(PEER, said.theirs),
      pause(1_000).then(meanwhile),
    ]);
    const heard = () => ({
      ours: this.peers.heard(PEER, this.botId).slice(before.theirs),
      theirs: ear.slice(before.ours).map(({ frame }) => frame),
    });
    await this.peers.until("the last silence of both has come", () => {
      const { ours, theirs } = heard();
      return silentEnd(ours) >= SILENT_END.ours && silentEnd(theirs) >= SILENT_END.theirs;
    });
    const { ours: oursHeard, theirs: theirsHeard } = heard();
    const lost = ear.slice(before.ours).reduce((sum, packet) => sum + packet.lost, 0);
    return {
      ours: { said: said.ours.map(hex), heard: sound(oursHeard), lost: 0 },
      theirs: { said: said.theirs.map(hex), heard: sound(theirsHeard), lost },
    };
  }

  /** Cuts somebody's connection to the voice gateway, and waits for the resume. */
  async cut(userId: string): Promise<void> {
    const { voice, peers } = this;
    const resumed = () => voice.journal.of("session").filter(({ change }) => change === "resumed").length;
    const before = resumed();
    this.connectionOf(userId).drop();
    await peers.until("the session is resumed", () => resumed() > before);
  }

  /** The connection of somebody to the voice gateway. */
  connectionOf(userId: string): FakeVoiceConnection {
    const connection = this.voice.connections.find(({ session }) => session?.credentials.userId === userId);
    if (!connection) throw new Error(`There is no such connection: ${userId}`);
    return connection;
  }

  /** Nothing was wrong, as Discord and both clients see it; but for the frames that the other itself sent in the clear. */
  assertFlawless({ plainOf = [] }: { readonly plainOf?: readonly number[] } = {}): void {
    const { unopened, replayed, strange, plain } = this.voice.media;
    assertEquals({ unopened, replayed, strange }, { unopened: 0, replayed: 0, strange: 0 });
    const broken = [...this.discord.journal.violations(), ...this.voice.journal.violations()];
    const pardoned = broken.filter(({ rule, connectionId }) =>
      rule.startsWith("no frame leaves in the clear") && connectionId !== null &&
      plainOf.includes(connectionId)
    );
    assertEquals(plain, pardoned.length);
    assertEquals(broken.filter((one) => !pardoned.includes(one)), []);
    const trouble = this.events.filter(({ type }) => type === "dave_recovery" || type === "dave_refused");
    assertEquals(trouble, []);
    assertEquals([this.peers.errors, this.peers.stderr], [[], ""]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shard.close();
    await this.#running;
    await this.peers[Symbol.asyncDispose]();
    await this.discord.close();
    this.#client.close();
  }
}

/** Dials as one would dial Discord, and trusts the client's certificate. */
function trusting(client: Deno.HttpClient): Dial {
  class TrustingWebSocket extends WebSocket {
    constructor(url: string) {
      super(url, { client });
    }
  }
  return (url, options) => dial(url, { ...options, WebSocket: TrustingWebSocket });
}

/** How many frames of silence are at the end. */
function silentEnd(frames: readonly string[]): number {
  return frames.length - 1 - frames.findLastIndex((frame) => frame !== SILENCE);
}

/** The frames without the silence before and after. */
function sound(frames: readonly string[]): readonly string[] {
  const from = frames.findIndex((frame) => frame !== SILENCE);
  return frames.slice(Math.max(0, from), frames.length - silentEnd(frames));
}

/** Whatever a user says, from now on until our bot leaves. */
export function listen(ours: VoiceConnection, userId: string): Heard[] {
  const heard: Heard[] = [];
  const read = async () => {
    for await (const { frame, lost } of ours.receive(userId)) heard.push({ frame: hex(frame), lost });
  };
  void read();
  return heard;
}

function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
