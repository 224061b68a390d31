/**
 * The main gateway of a user who is not the bot, as voice sees one: op 4 is answered out of the fake's voice side. So that
 * one call can have several clients, each with a voice connection.
 */

import type { VoiceCommand, VoiceGateway, VoiceGatewayEvent } from "../../../../voice/voice_gateway.ts";
import type { VoiceCredentials } from "./session.ts";

type Listener = (event: VoiceGatewayEvent) => void;

/** What it needs of the voice side. */
export interface UserGatewayServer {
  /** The user enters a channel, or moves there; `null` if the channel is full or closed. */
  enter(channelId: string, guildId: string): VoiceCredentials | null;
  /** The user leaves. */
  leave(guildId: string): void;
}

/** A user's main gateway; made by `voice.gatewayOf()`. */
export class UserGateway implements VoiceGateway {
  /** The user's id. */
  readonly userId: string;
  /** Every channel that was asked for, `null` for a leave. */
  readonly commands: (string | null)[] = [];
  readonly #host: UserGatewayServer;
  readonly #listeners = new Set<Listener>();
  #sessionId = "";

  /** Made by the fake. */
  constructor(userId: string, host: UserGatewayServer) {
    this.userId = userId;
    this.#host = host;
  }

  /** How many listen now. */
  get listening(): number {
    return this.#listeners.size;
  }

  /** Op 4. */
  send({ d }: VoiceCommand): Promise<void> {
    this.commands.push(d.channel_id);
    if (d.channel_id === null) {
      this.#host.leave(d.guild_id);
    } else {
      const credentials = this.#host.enter(d.channel_id, d.guild_id);
      // Discord says nothing about a channel that is full, or closed.
      if (credentials) this.tell(credentials);
    }
    return Promise.resolve();
  }

  /** Hears what is told. */
  listen(
    names: readonly VoiceGatewayEvent["t"][],
    listener: (event: VoiceGatewayEvent) => void,
  ): () => void {
    const hear: Listener = (event) => {
      if (names.includes(event.t)) listener(event);
    };
    this.#listeners.add(hear);
    return () => void this.#listeners.delete(hear);
  }

  /** Tells both halves of a join, as after a move by a moderator. */
  tell({ channelId, guildId, sessionId, token, endpoint }: VoiceCredentials): void {
    this.#sessionId = sessionId;
    this.tellState(guildId, channelId);
    this.tellServer(guildId, { token, endpoint });
  }

  /** Tells where the user is. */
  tellState(guildId: string, channelId: string | null): void {
    const d = { guild_id: guildId, channel_id: channelId, user_id: this.userId, session_id: this.#sessionId };
    this.#tell({ t: "VOICE_STATE_UPDATE", d });
  }

  /** Tells of a voice server; an endpoint of `null` says that it is gone. */
  tellServer(guildId: string, server: { readonly token: string; readonly endpoint: string | null }): void {
    this.#tell({ t: "VOICE_SERVER_UPDATE", d: { guild_id: guildId, ...server } });
  }

  #tell(event: VoiceGatewayEvent): void {
    queueMicrotask(() => {
      for (const hear of this.#listeners) hear(event);
    });
  }
}
