/**
 * Who is in voice, and with which admission: users enter channels, move, leave, are disconnected, and follow a guild's
 * voice server to another region. The main gateway and the clients are told.
 */

import { VoiceCloseCode } from "../../../voice/wire/close_code.ts";
import { randomHex } from "../base/random_hex.ts";
import type { FakeVoiceServerUpdate, FakeVoiceState, VoiceServers } from "../world/voice_states.ts";
import type { VoiceChannels } from "./channels.ts";
import type { VoiceGatewayCore } from "./gateway/core.ts";
import type { VoiceAdmission, VoiceRegistry } from "./gateway/registry.ts";
import type { VoiceCredentials } from "./gateway/session.ts";
import type { VoiceEnvironment, VoiceJoinRequest } from "./options.ts";
import type { VoiceRegions } from "./regions.ts";

/** What the members are made from. */
export interface VoiceMembersOptions {
  /** The fake around it. */
  readonly environment: VoiceEnvironment;
  /** The voice channels. */
  readonly channels: VoiceChannels;
  /** The voice servers. */
  readonly regions: VoiceRegions;
  /** All admissions. */
  readonly registry: VoiceRegistry;
  /** The voice gateway. */
  readonly core: VoiceGatewayCore;
  /** Whether the fake is closed. */
  readonly isClosed: () => boolean;
}

/** The members of all calls. */
export class VoiceMembers implements VoiceServers {
  readonly #options: VoiceMembersOptions;

  /** Nobody is in voice. */
  constructor(options: VoiceMembersOptions) {
    this.#options = options;
  }

  /**
   * A user enters a voice channel with a client of its own, or moves there.
   *
   * @throws {TypeError} There is no such channel, or it is full or closed.
   */
  join(user: string, request: VoiceJoinRequest): VoiceCredentials {
    const { channels, environment } = this.#options;
    const { guildId, channelId } = channels.channel(request);
    const { id } = channels.member(guildId, user);
    if (!environment.states.mayEnter(channelId, id)) {
      throw new TypeError(`Cannot enter: the channel is full or closed: ${channelId}`);
    }
    this.#change(guildId, id, channelId, randomHex(environment.clock, 32));
    return this.#credentials("enter", guildId, id);
  }

  /** A moderator moves a user to another channel. */
  move(user: string, request: VoiceJoinRequest): VoiceCredentials {
    const { channels, environment } = this.#options;
    const { guildId, channelId } = channels.channel(request);
    const { id } = channels.member(guildId, user);
    const state = environment.states.find(guildId, id);
    if (!state) throw new TypeError(`Cannot move: the user is in no voice channel of ${guildId}: ${user}`);
    this.#change(guildId, id, channelId, state.session_id);
    return this.#credentials("move", guildId, id);
  }

  /** A user is in no channel any more. */
  disconnect(guildId: string, userId: string): void {
    const { states, dispatch } = this.#options.environment;
    const before = states.find(guildId, userId);
    if (!before) return;
    const change = states.change(guildId, userId, { channelId: null, sessionId: before.session_id });
    if (change) dispatch("VOICE_STATE_UPDATE", change.state);
  }

  /** A session of the main gateway is over, and with it the bot's calls. */
  sessionEnded(sessionId: string): void {
    const { states, world } = this.#options.environment;
    for (const { guild_id: guildId, user_id: userId, session_id } of states.all) {
      if (session_id === sessionId && userId === world.bot.id) this.disconnect(guildId, userId);
    }
  }

  /** The voice server of a guild is gone, and after a while there is another; gives the new credentials by user id. */
  changeRegion(guildId: string, afterMs: number): Promise<ReadonlyMap<string, VoiceCredentials>> {
    const { environment: { clock, world, dispatch }, registry, regions, core } = this.#options;
    const admissions = registry.present.filter(({ credentials }) => credentials.guildId === guildId);
    const hasBot = admissions.some(({ credentials }) => credentials.userId === world.bot.id);
    if (hasBot) dispatch("VOICE_SERVER_UPDATE", { token: "", guild_id: guildId, endpoint: null });
    regions.change(guildId);
    for (const admission of admissions) {
      core.end(admission, "replaced", VoiceCloseCode.CallTerminated, clock.now());
    }
    if (afterMs <= 0) return Promise.resolve(this.#admitAnew(admissions));
    return new Promise((resolve) => clock.setTimeout(() => resolve(this.#admitAnew(admissions)), afterMs));
  }

  /** The main gateway has let a user into a channel. */
  enter(state: FakeVoiceState, again: boolean): FakeVoiceServerUpdate | null {
    const { guild_id: guildId, channel_id: channelId, user_id: userId, session_id: sessionId } = state;
    const { registry, core, environment } = this.#options;
    if (channelId === null) return null;
    const present = registry.of(guildId, userId);
    // A client that asks again has not received the response, or has lost the session.
    if (again && present?.session?.connected) return null;
    if (again && present && !present.session) return serverUpdate(present);
    if (present) core.end(present, "replaced", VoiceCloseCode.Disconnected, environment.clock.now());
    return serverUpdate(this.#admit(guildId, channelId, { userId, sessionId }));
  }

  /** The main gateway says that a user has left. */
  leave(guildId: string, userId: string): void {
    const { registry, core, environment } = this.#options;
    const admission = registry.of(guildId, userId);
    if (admission) core.end(admission, "left", VoiceCloseCode.Disconnected, environment.clock.now());
  }

  #admitAnew(admissions: readonly VoiceAdmission[]): Map<string, VoiceCredentials> {
    const { environment: { states, world, dispatch }, isClosed } = this.#options;
    const found = new Map<string, VoiceCredentials>();
    for (const { credentials } of admissions) {
      const { guildId, channelId, userId } = credentials;
      if (isClosed() || !states.find(guildId, userId)) continue;
      const admission = this.#admit(guildId, channelId, credentials);
      found.set(userId, admission.credentials);
      if (userId === world.bot.id) dispatch("VOICE_SERVER_UPDATE", serverUpdate(admission));
    }
    return found;
  }

  #admit(
    guildId: string,
    channelId: string,
    { userId, sessionId }: { readonly userId: string; readonly sessionId: string },
  ): VoiceAdmission {
    const { environment: { clock }, regions, registry } = this.#options;
    const { endpoint } = regions.of(guildId);
    return registry.begin({ endpoint, token: randomHex(clock, 16), sessionId, guildId, channelId, userId });
  }

  #credentials(action: "enter" | "move", guildId: string, userId: string): VoiceCredentials {
    const admission = this.#options.registry.of(guildId, userId);
    if (!admission) throw new TypeError(`Cannot ${action}: there is no voice server: ${guildId}`);
    return admission.credentials;
  }

  #change(guildId: string, userId: string, channelId: string, sessionId: string): void {
    const { states, world, dispatch } = this.#options.environment;
    const change = states.change(guildId, userId, { channelId, sessionId });
    if (!change) return;
    dispatch("VOICE_STATE_UPDATE", change.state);
    if (change.server && userId === world.bot.id) dispatch("VOICE_SERVER_UPDATE", change.server);
  }
}

function serverUpdate({ credentials: { token, guildId, endpoint } }: VoiceAdmission): FakeVoiceServerUpdate {
  return { token, guild_id: guildId, endpoint };
}
