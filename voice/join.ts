/**
 * From the request to join a channel to a voice server, a session and a token to connect with.
 *
 * Theory of operation. One join serves one guild, from the first op 4 to the end of the call. The main gateway answers op 4
 * with two events in either order: the bot's own VOICE_STATE_UPDATE names the channel and the session, VOICE_SERVER_UPDATE
 * the endpoint and the token. A connection needs both, and they must belong together: an old session with a new token is
 * closed with 4006. So each event is *fresh* until it is part of a pair, and a fresh one finds its partner by these rules:
 *
 * - a new token takes the fresh state, or, where none is fresh, the one known: the server alone has changed (region, crash);
 * - a new channel or a new session takes a token that has no fresh partner yet, and otherwise waits for the next one;
 * - where that does not come, or where the known state is in doubt after a rejoin, the join takes what it has after a second.
 *
 * A channel of `null` alone is no kick: Discord also sends it when it has lost the voice connection. It is a kick together
 * with a 4014, or when nothing follows.
 *
 * When the gateway does not respond (the channel is full, or may not be entered) a deadline ends the wait. The machine
 * touches no socket: its outputs tell the caller when to connect and when to disconnect.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#retrieving-voice-server-information
 */

import type {
  KnownServer,
  KnownState,
  VoiceJoinDeadline,
  VoiceJoinEnd,
  VoiceJoinEndCause,
  VoiceJoinOptions,
  VoiceJoinOutput,
  VoiceJoinPhase,
  VoiceServerEvent,
  VoiceStateEvent,
} from "./join_io.ts";

/** How long to wait for a fresh partner before taking the known one, in ms. */
const PAIR_MS = 1_000;
/** How old a token may be to be taken for a state's partner, in ms. */
const PARTNER_MS = 5_000;
/** How long the main gateway may take to say what follows, in ms. */
const GATEWAY_MS = 5_000;
const NEVER: VoiceJoinDeadline = { at: Infinity, reason: "none" };

/**
 * One join of a guild's voice channels, from the first op 4 to the end.
 *
 * @example
 * ```ts
 * import { VoiceJoin } from "@discordgateway/edge/voice/core";
 *
 * const join = new VoiceJoin({ guildId: "1", channelId: "2", userId: "3", now: 0 });
 * const [command] = join.start();
 * if (command?.type !== "command" || command.command.d.channel_id !== "2") throw new Error("unexpected");
 *
 * join.voiceServer({ guild_id: "1", endpoint: "a.discord.media:2087", token: "t" }, 10);
 * const [connect] = join.voiceState({ guild_id: "1", channel_id: "2", user_id: "3", session_id: "s" }, 20);
 * if (connect?.type !== "connect" || connect.server.sessionId !== "s") throw new Error("unexpected");
 * ```
 */
export class VoiceJoin {
  readonly #options: VoiceJoinOptions;
  #wanted: string;
  #phase: VoiceJoinPhase = "waiting";
  #end: VoiceJoinEnd | null = null;
  #state: KnownState | null = null;
  /** The state known is part of no pair yet. */
  #stateFresh = false;
  /** A rejoin asked for another, which may or may not come. */
  #stateInDoubt = false;
  /** The last VOICE_STATE_UPDATE of the bot names no channel. */
  #out = false;
  #server: KnownServer | null = null;
  /** The server has no fresh partner yet: it was taken for a change of server alone, or it waits. */
  #serverFresh = false;
  #deadline: VoiceJoinDeadline;

  /** Starts waiting; {@linkcode start} gives the op 4. */
  constructor(options: VoiceJoinOptions) {
    this.#options = options;
    this.#wanted = options.channelId;
    this.#deadline = this.#responseDeadline(options.now);
  }

  /** Where it stands. */
  get phase(): VoiceJoinPhase {
    return this.#phase;
  }

  /** How it ended, `null` while it lasts. */
  get end(): VoiceJoinEnd | null {
    return this.#end;
  }

  /** The channel that the bot is in, which need not be the one that was asked for; `null` before the first response. */
  get channelId(): string | null {
    return this.#state?.channelId ?? null;
  }

  /** When to call `tick` next, and why. */
  get deadline(): VoiceJoinDeadline {
    return this.#deadline;
  }

  // Inputs. After the end they do nothing.

  /** The op 4 to begin with. */
  start(): readonly VoiceJoinOutput[] {
    return this.#end === null ? [this.#command(this.#wanted)] : [];
  }

  /** The program wants another channel. The call goes on in the present one until the gateway has agreed. */
  move(channelId: string, now: number): readonly VoiceJoinOutput[] {
    if (this.#end !== null) return [];
    this.#wanted = channelId;
    if (this.#phase === "connected") this.#deadline = { at: now + this.#timeoutMs, reason: "move" };
    else if (this.#phase === "waiting") this.#deadline = this.#responseDeadline(now);
    return [this.#command(channelId)];
  }

  /** The program leaves. */
  leave(): readonly VoiceJoinOutput[] {
    return this.#end === null ? this.#leave("left") : [];
  }

  /**
   * The verdict on the voice connection was to rejoin, and its delay is over. Not to be called once a `connect` has come
   * meanwhile.
   */
  rejoin(now: number): readonly VoiceJoinOutput[] {
    if (this.#end !== null) return [];
    this.#phase = "waiting";
    this.#server = null;
    this.#stateFresh = false;
    this.#stateInDoubt = true;
    this.#deadline = this.#responseDeadline(now);
    return [this.#command(this.#wanted)];
  }

  /** The verdict on the voice connection was to wait for the main gateway. */
  wait(now: number): readonly VoiceJoinOutput[] {
    if (this.#end !== null) return [];
    if (this.#out) return this.#finish("kicked");
    if (this.#phase === "connected") this.#doubt(now);
    return [];
  }

  /** The verdict on the voice connection was to stop. */
  stop(): readonly VoiceJoinOutput[] {
    return this.#end === null ? this.#leave("stopped") : [];
  }

  /** A VOICE_STATE_UPDATE of any user came. */
  voiceState(event: VoiceStateEvent, now: number): readonly VoiceJoinOutput[] {
    const { guildId, userId } = this.#options;
    if (this.#end !== null || event.user_id !== userId || event.guild_id !== guildId) return [];
    if (event.channel_id === null) return this.#nowhere(now);
    const before = this.#state;
    const state = { channelId: event.channel_id, sessionId: event.session_id };
    const same = before?.channelId === state.channelId && before.sessionId === state.sessionId;
    const news = !same || this.#stateInDoubt || this.#out;
    this.#state = state;
    this.#out = false;
    // A change of mute or the like.
    if (!news) return [];
    this.#stateFresh = true;
    this.#stateInDoubt = false;
    this.#wanted = state.channelId;
    if (this.#server !== null && this.#serverFresh && (before === null || this.#isRecent(now))) {
      return this.#connect();
    }
    return this.#awaitServer(now);
  }

  /** A VOICE_SERVER_UPDATE came. */
  voiceServer(event: VoiceServerEvent, now: number): readonly VoiceJoinOutput[] {
    if (this.#end !== null || event.guild_id !== this.#options.guildId) return [];
    if (event.endpoint === null || event.endpoint === "") return this.#noServer(now);
    // The same again, as a replay of the main gateway would bring it, is no reason to leave a connection that works.
    const same = event.endpoint === this.#server?.endpoint && event.token === this.#server.token;
    if (same && this.#phase === "connected") return [];
    this.#server = { endpoint: event.endpoint, token: event.token, at: now };
    this.#serverFresh = true;
    if (this.#state === null) return [];
    if (!this.#stateInDoubt && !this.#out) return this.#connect();
    if (this.#stateInDoubt) this.#deadline = { at: now + PAIR_MS, reason: "pair" };
    return [];
  }

  /** Time has passed. Call it at `deadline.at`; calling it earlier does nothing. */
  tick(now: number): readonly VoiceJoinOutput[] {
    if (this.#end !== null || now < this.#deadline.at) return [];
    switch (this.#deadline.reason) {
      case "pair":
        return this.#connect();
      case "gateway":
        return this.#out ? this.#finish("kicked") : this.#leave("disconnected");
      case "response":
        return this.#leave("timeout");
      case "move":
        return this.#notMoved();
      case "none":
        return [];
    }
  }

  /** The bot is in no channel. While it waits for a first response, this is the echo of an earlier leave. */
  #nowhere(now: number): readonly VoiceJoinOutput[] {
    if (this.#state === null) return [];
    // In doubt for another reason: the voice server has closed the connection with a 4014 before.
    if (this.#phase === "in_doubt" && !this.#out) return this.#finish("kicked");
    this.#out = true;
    if (!this.#stateInDoubt && this.#phase !== "in_doubt") this.#doubt(now);
    return [];
  }

  #doubt(now: number): void {
    this.#phase = "in_doubt";
    this.#deadline = { at: now + GATEWAY_MS, reason: "gateway" };
  }

  #awaitServer(now: number): readonly VoiceJoinOutput[] {
    const wasUp = this.#phase === "connected" || this.#phase === "in_doubt";
    if (this.#phase !== "no_server") this.#phase = "waiting";
    if (this.#server !== null && this.#isRecent(now)) {
      // Two moves in a row can overtake each other; the token at hand may be the second one's.
      this.#deadline = { at: now + PAIR_MS, reason: "pair" };
    } else {
      this.#server = null;
      // The deadline of an op 4 that was just sent stays. A move by another user begins one, also where a wait for a
      // partner has just lost its token.
      if (wasUp || this.#deadline.reason === "pair") this.#deadline = this.#responseDeadline(now);
    }
    return wasUp ? [{ type: "disconnect" }] : [];
  }

  /** A voice server is being allocated. The deadline of a first response stays; within a call there is none. */
  #noServer(now: number): readonly VoiceJoinOutput[] {
    const wasUp = this.#phase === "connected" || this.#phase === "in_doubt";
    this.#server = null;
    if (this.#deadline.reason === "pair") this.#deadline = this.#responseDeadline(now);
    if (this.#state === null || this.#out) return [];
    this.#phase = "no_server";
    if (this.#deadline.reason !== "response") this.#deadline = NEVER;
    return wasUp ? [{ type: "disconnect" }] : [];
  }

  #connect(): readonly VoiceJoinOutput[] {
    const state = this.#state;
    const server = this.#server;
    if (state === null || server === null) return [];
    // A token that was paired with a known state may still find a fresh one.
    this.#serverFresh = !this.#stateFresh;
    this.#stateFresh = false;
    this.#stateInDoubt = false;
    this.#out = false;
    this.#phase = "connected";
    const moving = this.#deadline.reason === "move" && this.#wanted !== state.channelId;
    if (!moving) this.#deadline = NEVER;
    const { guildId, userId } = this.#options;
    const { endpoint, token } = server;
    return [{ type: "connect", server: { endpoint, token, guildId, userId, ...state } }];
  }

  #notMoved(): readonly VoiceJoinOutput[] {
    const channelId = this.#wanted;
    this.#wanted = this.#state?.channelId ?? channelId;
    this.#deadline = NEVER;
    return [{ type: "not_moved", channelId }];
  }

  /** Tells the main gateway as well: it may still hold the bot in the channel. */
  #leave(cause: VoiceJoinEndCause): readonly VoiceJoinOutput[] {
    return [this.#command(null), ...this.#finish(cause)];
  }

  #finish(cause: VoiceJoinEndCause): readonly VoiceJoinOutput[] {
    this.#end = { cause, channelId: this.channelId };
    this.#phase = "ended";
    this.#deadline = NEVER;
    this.#server = null;
    return [{ type: "end", end: this.#end }];
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 15_000;
  }

  #responseDeadline(now: number): VoiceJoinDeadline {
    return { at: now + this.#timeoutMs, reason: "response" };
  }

  #isRecent(now: number): boolean {
    return this.#server !== null && now - this.#server.at <= PARTNER_MS;
  }

  #command(channelId: string | null): VoiceJoinOutput {
    const { guildId, selfMute = false, selfDeaf = false } = this.#options;
    const d = { guild_id: guildId, channel_id: channelId, self_mute: selfMute, self_deaf: selfDeaf };
    return { type: "command", command: { op: 4, d } };
  }
}
