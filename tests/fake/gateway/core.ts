/**
 * The gateway's side of the protocol, without sockets, clock and timers.
 *
 * A transport hands in what a client does (`connect`, `receive`, `closed`) with the present time, and lends a
 * {@linkcode GatewayPort} by which the responses leave; whoever drives it calls `tick` at `deadline`. Every rule that a
 * client breaks is written down, and costs what it costs at Discord.
 */

import { overLimit, unreadable } from "./frame_check.ts";
import { GatewayCloseCode } from "../../../gateway/close_code.ts";
import { GatewayOpcode } from "../../../gateway/opcode.ts";
import { CommandResponses, type PresenceLimit } from "./command_responses.ts";
import { commandFault } from "./command_check.ts";
import { type Faults, takeOne } from "../base/faults.ts";
import { IdentifyBudget, type IdentifyLimit } from "./identify_budget.ts";
import { type IdentifyBody, readIdentify, readResume } from "./identify_check.ts";
import type { Journal } from "../base/journal.ts";
import { isInteger, isObject, type JsonObject, parseObject } from "../base/json.ts";
import { type GatewayPort, type Link, Links, type LinkUrls } from "./links.ts";
import { guildCreateBody, readyBody } from "../world/payloads.ts";
import { isResumeUrl, urlRefusal } from "./wire.ts";
import type { VoiceStates } from "../world/voice_states.ts";
import type { World } from "../world/world.ts";

/** What the core is made from. */
export interface GatewayCoreOptions {
  /** The one valid token. */
  readonly token: string;
  /** What exists. */
  readonly world: World;
  /** Who is in voice. */
  readonly voiceStates: VoiceStates;
  /** Everything is written down here. */
  readonly journal: Journal;
  /** What goes wrong. */
  readonly faults: Faults;
  /** What HELLO says, in ms. */
  readonly heartbeatInterval: number;
  /** Identifies per period. */
  readonly maxConcurrency: number;
  /** One identify per key in this time, in ms. */
  readonly identifyPeriod: number;
  /** Identifies per day. */
  readonly identifyLimit: IdentifyLimit;
  /** The privileged intents that the application may use. */
  readonly privilegedIntents: number;
  /** The window in which frames are counted, in ms. */
  readonly commandPeriodMs: number;
  /** Dispatches kept per session. */
  readonly replayLimit: number;
  /** How long a session outlives its connection, in ms. */
  readonly sessionTimeoutMs: number;
  /** How many presence updates are taken. */
  readonly presenceLimit: PresenceLimit;
  /** A session is over. */
  readonly sessionEnded: (sessionId: string) => void;
  /** Makes a session's id. */
  readonly newSessionId: () => string;
}

/** Discord's limit. */
const MAX_GUILDS_PER_SHARD = 2500;

/** The machine behind every connection to the fake. */
export class GatewayCore {
  /** How often the bot may still identify. */
  readonly budget: IdentifyBudget;
  /** All connections and sessions. */
  readonly links: Links;
  readonly #responses: CommandResponses;
  readonly #options: GatewayCoreOptions;
  #tokenReset = false;

  /** Starts without connections; the day's identify budget runs from `now`. */
  constructor(options: GatewayCoreOptions, now: number) {
    this.#options = options;
    this.budget = new IdentifyBudget(options.identifyLimit, {
      maxConcurrency: options.maxConcurrency,
      periodMs: options.identifyPeriod,
    }, now);
    this.links = new Links({ ...options, botId: options.world.bot.id });
    this.#responses = new CommandResponses(options.world, options.voiceStates, options.presenceLimit);
  }

  /** The bot identified too often, and its token is not valid any more. */
  get tokenReset(): boolean {
    return this.#tokenReset;
  }

  /** The presence that the bot shows, `null` where it never sent one that was taken. */
  get presence(): JsonObject | null {
    return this.#responses.presence;
  }

  /** A WebSocket has opened. */
  connect(port: GatewayPort, urls: LinkUrls, now: number): Link {
    const link = this.links.add(port, urls, now);
    const refusal = urlRefusal(link.url);
    if (refusal) this.links.refuse(link, refusal, now);
    else if (!takeOne(this.#options.faults, "silentHello")) this.links.hello(link, now);
    return link;
  }

  /** A message came. */
  receive(link: Link, frame: string | Uint8Array, now: number): void {
    if (!link.open || link.stalled) return;
    const text = typeof frame === "string" ? frame : null;
    const payload = text === null ? null : parseObject(text);
    const op = payload && isInteger(payload.op, 0) ? payload.op : null;
    const received = { at: now, connectionId: link.id, op, d: payload ? payload.d : text ?? "binary" };
    this.#options.journal.write({
      kind: op === GatewayOpcode.Heartbeat ? "heartbeat" : "frame",
      ...received,
    });
    const refusal = overLimit(link, this.#options.commandPeriodMs, now) ?? unreadable(text, op);
    if (refusal) this.links.refuse(link, refusal, now);
    else this.#handle(link, op ?? -1, payload?.d, now);
  }

  /** The client closed, or was lost (`null`). */
  closed(link: Link, code: number | null, reason: string, now: number): void {
    this.links.closedByClient(link, code, reason, now);
  }

  #handle(link: Link, op: number, d: unknown, now: number): void {
    if (op === GatewayOpcode.Heartbeat) return this.#heartbeat(link, d, now);
    if (op === GatewayOpcode.Identify || op === GatewayOpcode.Resume) {
      if (link.state !== "fresh") {
        const rule = "IDENTIFY or RESUME comes once";
        return this.links.refuse(link, { code: GatewayCloseCode.AlreadyAuthenticated, rule }, now);
      }
      return op === GatewayOpcode.Identify ? this.#identify(link, d, now) : this.#resume(link, d, now);
    }
    this.#command(link, op, d, now);
  }

  #heartbeat(link: Link, d: unknown, now: number): void {
    if (d !== null && !isInteger(d, 0)) {
      const rule = "a heartbeat carries the last sequence number or null";
      return this.links.refuse(link, { code: GatewayCloseCode.UnknownOpcode, rule }, now);
    }
    if (link.session && d !== null && d > link.session.sequence) {
      this.links.violation(link, null, "a heartbeat carries a sequence number of its own session", now);
    }
    this.links.heartbeat(link, now);
  }

  #command(link: Link, op: number, d: unknown, now: number): void {
    const { session } = link;
    if (session === null) {
      const rule = "without a session there is only IDENTIFY, RESUME and heartbeats";
      return this.links.refuse(link, { code: GatewayCloseCode.NotAuthenticated, rule }, now);
    }
    const fault = commandFault(op, d);
    if (fault !== null) {
      return this.links.refuse(
        link,
        { code: GatewayCloseCode.UnknownOpcode, rule: `op ${op}: ${fault}` },
        now,
      );
    }
    const { answers: responses, ignoredBecause } = this.#responses.answer(
      op,
      isObject(d) ? d : {},
      session,
      now,
    );
    if (ignoredBecause) this.links.violation(link, null, ignoredBecause, now);
    const { faults } = this.#options;
    if (responses.length > 0 && takeOne(faults, "muteResponses")) return;
    const lost = responses.length > 0 ? faults.loseResponses.splice(0) : [];
    const sent = responses.filter((_, index) => !lost.includes(index));
    if (faults.reverseResponses) sent.reverse();
    for (const [index, { to, name, data }] of sent.entries()) {
      if (to === "asker") this.links.sessions.send(session, name, data, now);
      else this.links.sessions.dispatch(name, data, {}, now);
      if (index + 1 !== faults.cutAfterResponses) continue;
      faults.cutAfterResponses = 0;
      this.links.drop(link, false, now);
    }
  }

  #identify(link: Link, d: unknown, now: number): void {
    const { world, faults } = this.#options;
    const body = readIdentify(d, { ...this.#options, token: this.#validToken });
    if ("code" in body) return this.links.refuse(link, body, now);
    if (world.guildsOf(...body.shard).length > MAX_GUILDS_PER_SHARD) {
      const rule = `a shard has at most ${MAX_GUILDS_PER_SHARD} guilds`;
      return this.links.refuse(link, { code: GatewayCloseCode.ShardingRequired, rule }, now);
    }
    if (isResumeUrl(link)) {
      this.links.violation(link, null, "IDENTIFY goes to the gateway URL, not to the resume URL", now);
    }
    const admission = this.budget.take(body.shard[0], now);
    if (admission === "exhausted") return this.#resetToken(link, now);
    if (admission === "too soon") {
      this.links.violation(
        link,
        null,
        `one IDENTIFY per ${this.#options.identifyPeriod / 1_000} s and shard % max_concurrency`,
        now,
      );
      return this.#refuseSession(link, null, "identified too soon after another", now);
    }
    if (takeOne(faults, "silentReady")) link.state = "unanswered";
    else this.#start(link, body, now);
  }

  #start(link: Link, body: IdentifyBody, now: number): void {
    const { world, newSessionId, privilegedIntents } = this.#options;
    const { sessions } = this.links;
    const session = sessions.start({ ...body, id: newSessionId() }, link.id, now);
    this.links.attach(link, session, now);
    sessions.send(session, "READY", readyBody(world, session, link.resumeUrl, privilegedIntents), now);
    for (const guild of world.guildsOf(...session.shard)) {
      session.withheld.set(guild.id, () => {
        const voiceStates = this.#options.voiceStates.of(guild.id);
        return guildCreateBody(world, guild, { ...body, voiceStates });
      });
    }
    if (!this.#options.faults.withholdGuilds) sessions.sendGuilds(session, now);
  }

  #resume(link: Link, d: unknown, now: number): void {
    const body = readResume(d);
    if ("code" in body) return this.links.refuse(link, body, now);
    const { sessionId, seq } = body;
    const { sessions } = this.links;
    const session = sessions.find(sessionId, now);
    const refused = takeOne(this.#options.faults, "refuseResumes");
    if (body.token !== this.#validToken) {
      return this.#refuseSession(link, sessionId, "the token is another", now);
    }
    if (!session) return this.#refuseSession(link, sessionId, "there is no such session", now);
    if (session.expired || refused) {
      sessions.end(session, "it expired", now);
      return this.#refuseSession(link, sessionId, "the session expired", now);
    }
    if (seq > session.sequence) {
      sessions.end(session, "a resume named a sequence number that it never had", now);
      const rule = `a resume names a sequence number of its session, up to ${session.sequence}: ${seq}`;
      return this.links.refuse(link, { code: GatewayCloseCode.InvalidSeq, rule }, now);
    }
    const missed = session.after(seq);
    if (missed === null) {
      sessions.end(session, "a resume asked for more than is kept", now);
      return this.#refuseSession(link, sessionId, "the missed events are not kept any more", now);
    }
    this.links.attach(link, session, now);
    const why = `resumed after ${seq}, ${missed.length} missed`;
    this.#options.journal.write({
      kind: "session",
      at: now,
      sessionId,
      connectionId: link.id,
      change: "resumed",
      why,
    });
    for (const frame of missed) this.links.sendDispatch(link, frame, now);
    if (takeOne(this.#options.faults, "silentResumed")) return;
    sessions.send(session, "RESUMED", { _trace: ["fake"] }, now);
  }

  /** Op 9 `false` to a client that asked for a session. */
  #refuseSession(link: Link, sessionId: string | null, why: string, now: number): void {
    const { journal } = this.#options;
    journal.write({ kind: "session", at: now, sessionId, connectionId: link.id, change: "refused", why });
    this.links.invalidate(link, false, why, now);
  }

  /** The day's budget was exceeded: Discord ends every session and resets the token. */
  #resetToken(link: Link, now: number): void {
    this.#tokenReset = true;
    const why = "identified more often than the day's budget allows";
    const connectionId = link.id;
    this.links.violation(
      link,
      GatewayCloseCode.AuthenticationFailed,
      "the day's identifies are not exceeded",
      now,
    );
    this.#options.journal.write({
      kind: "session",
      at: now,
      sessionId: null,
      connectionId,
      change: "token reset",
      why,
    });
    for (const each of this.links.open) {
      this.links.close(each, GatewayCloseCode.AuthenticationFailed, undefined, now);
    }
    for (const session of this.links.sessions.list(now)) this.links.sessions.end(session, why, now);
  }

  /** No string equals a token that was reset. */
  get #validToken(): string | null {
    return this.#tokenReset ? null : this.#options.token;
  }
}
