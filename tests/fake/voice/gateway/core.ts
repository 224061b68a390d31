/**
 * The voice gateway's side of the protocol, version 8, without sockets, clock and timers.
 *
 * Whoever drives it hands in what clients do with the present time, and calls `tick` at `deadline`. Every rule that a
 * client breaks is written down, and costs what it costs at Discord.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections
 */

import type { VoiceGatewayCoreOptions } from "./core_options.ts";
import { claimFault, otherSession, UNKNOWN_TOKEN } from "./admission_check.ts";
import { VoiceCloseCode } from "../../../../voice/wire/close_code.ts";
import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import type { Refusal } from "../../gateway/identify_check.ts";
import { isInteger, parseObject } from "../../base/json.ts";
import type { GatewayPort } from "../../gateway/links.ts";
import type { Bytes } from "../mls/codec.ts";
import {
  readSelectProtocol,
  readSpeaking,
  readTransition,
  readVoiceHeartbeat,
  readVoiceIdentify,
  readVoiceResume,
} from "./bodies.ts";
import type { VoiceCall } from "./call.ts";
import { takeVoiceFault } from "./faults.ts";
import { type VoiceLink, VoiceLinks } from "./links.ts";
import type { VoiceAdmission } from "./registry.ts";
import { VoiceSession } from "./session.ts";

/** What clients send besides that has no meaning here: for Discord's own clients. */
const IGNORED: ReadonlySet<number> = new Set([
  VoiceOpcode.Video,
  VoiceOpcode.SessionUpdate,
  VoiceOpcode.MediaSinkWants,
  VoiceOpcode.VoiceBackendVersion,
  VoiceOpcode.ClientFlags,
  VoiceOpcode.SpeedTest,
  VoiceOpcode.ClientPlatform,
]);

/** The machine behind every connection to the fake's voice gateway. */
export class VoiceGatewayCore {
  /** All connections. */
  readonly links: VoiceLinks;
  readonly #options: VoiceGatewayCoreOptions;
  #lastSsrc = 0;

  /** Starts without connections. */
  constructor(options: VoiceGatewayCoreOptions) {
    this.#options = options;
    this.links = new VoiceLinks(options);
  }

  /** The next instant at which `tick` has something to do, `Infinity` if there is none. */
  get deadline(): number {
    let at = this.links.deadline;
    for (const { lostAt, speakBy } of this.#options.registry.sessions) {
      at = Math.min(at, speakBy, lostAt === null ? Infinity : lostAt + this.#options.sessionTimeoutMs);
    }
    return at;
  }

  /** A WebSocket has opened. */
  connect(port: GatewayPort, url: string, now: number): VoiceLink {
    const link = this.links.add(port, url, now);
    if (new URL(url).searchParams.get("v") !== "8") {
      this.links.refuse(link, { code: VoiceCloseCode.BadRequest, rule: "the URL has v=8" }, now);
    } else if (!takeVoiceFault(this.#options.faults, "silentHello")) this.links.hello(link, now);
    return link;
  }

  /** A message came. */
  receive(link: VoiceLink, frame: string | Uint8Array, now: number): void {
    if (!link.open || link.stalled) return;
    const payload = typeof frame === "string" ? parseObject(frame) : null;
    const op = typeof frame === "string"
      ? payload && isInteger(payload.op, 0) ? payload.op : null
      : frame[0] ?? null;
    const d = typeof frame === "string" ? payload ? payload.d : frame : { bytes: frame.length };
    const kind = op === VoiceOpcode.Heartbeat ? "heartbeat" : "frame";
    this.#options.journal.write({ kind, at: now, connectionId: link.id, op, d });
    if (op === null) {
      const rule = "a message is a JSON object with an op, or bytes of which the first is one";
      this.links.refuse(link, { code: VoiceCloseCode.FailedToDecode, rule }, now);
    } else if (typeof frame === "string") this.#json(link, op, payload?.d, now);
    else this.#binary(link, op, Uint8Array.from(frame.subarray(1)), now);
  }

  /** The client closed, or was lost (`null`). */
  closed(link: VoiceLink, code: number | null, reason: string, now: number): void {
    this.links.closedByClient(link, code, reason, now);
  }

  /** Ends what has timed out. */
  tick(now: number): void {
    this.links.tick(now);
    for (const admission of this.#options.registry.present) {
      const { session } = admission;
      if (!session) continue;
      if (now >= session.speakBy) {
        session.speakBy = Infinity;
        const rule = "op 5 with a bit comes before the first packet of sound";
        const link = this.links.of(session);
        if (link) this.links.refuse(link, { code: VoiceCloseCode.BadRequest, rule }, now);
      }
      if (session.lostAt === null || now < session.lostAt + this.#options.sessionTimeoutMs) continue;
      this.end(admission, "timed out", null, now);
      this.#options.timedOut(admission, now);
    }
  }

  /** A voice connection is over: its session ends, its connection is closed with a code. */
  end(
    admission: VoiceAdmission,
    why: "replaced" | "left" | "timed out",
    code: number | null,
    now: number,
  ): void {
    const { session, credentials } = admission;
    this.#options.registry.end(admission, why);
    if (!session) return;
    const link = this.links.of(session);
    this.#options.callOf(credentials.channelId).leave(session, now);
    if (link && code !== null) this.links.close(link, code, undefined, now);
    this.#writeSession(session, link?.id ?? null, "ended", why, now);
  }

  #json(link: VoiceLink, op: number, d: unknown, now: number): void {
    if (op === VoiceOpcode.Heartbeat) return this.#heartbeat(link, d, now);
    if (op === VoiceOpcode.Identify || op === VoiceOpcode.Resume) {
      if (link.state !== "fresh") {
        const rule = "identify or resume comes once";
        return this.links.refuse(link, { code: VoiceCloseCode.AlreadyAuthenticated, rule }, now);
      }
      return op === VoiceOpcode.Identify ? this.#identify(link, d, now) : this.#resume(link, d, now);
    }
    const { session } = link;
    if (!session) return this.#tooEarly(link, now);
    switch (op) {
      case VoiceOpcode.SelectProtocol:
        return this.#selectProtocol(link, session, d, now);
      case VoiceOpcode.Speaking: {
        const body = readSpeaking(d, session.ssrc);
        if ("code" in body) return this.links.refuse(link, body, now);
        return this.#callOf(session).speaks(session, body.speaking, now);
      }
      case VoiceOpcode.DaveTransitionReady:
      case VoiceOpcode.DaveMlsInvalidCommitWelcome: {
        const body = readTransition(d);
        if ("code" in body) return this.links.refuse(link, body, now);
        return this.#callOf(session).dave.receive(session.credentials.userId, { op, ...body });
      }
    }
    if (!IGNORED.has(op)) this.#unknown(link, op, now);
  }

  #binary(link: VoiceLink, op: number, payload: Bytes, now: number): void {
    const { session } = link;
    if (!session) return this.#tooEarly(link, now);
    if (op !== VoiceOpcode.DaveMlsKeyPackage && op !== VoiceOpcode.DaveMlsCommitWelcome) {
      return this.#unknown(link, op, now);
    }
    this.#callOf(session).dave.receive(session.credentials.userId, { op, payload });
  }

  #heartbeat(link: VoiceLink, d: unknown, now: number): void {
    const body = readVoiceHeartbeat(d);
    if ("code" in body) return this.links.refuse(link, body, now);
    if (link.session && !link.session.hasNumbered(body.sequence)) {
      this.links.violation(link, null, `seq_ack is a number that was sent: ${body.sequence}`, now);
    }
    this.links.heartbeat(link, body.nonce, now);
  }

  #identify(link: VoiceLink, d: unknown, now: number): void {
    const { registry, faults, firstSequence, replayLimit } = this.#options;
    const body = readVoiceIdentify(d);
    if ("code" in body) return this.links.refuse(link, body, now);
    const admission = registry.find(body.token);
    const refusal = claimFault(admission, { ...body, url: link.url }, this.#options) ??
      this.#withoutDave(admission, body.maxDaveVersion);
    if (refusal || !admission) return this.links.refuse(link, refusal ?? UNKNOWN_TOKEN, now);
    if (admission.credentials.userId !== body.userId) {
      return this.links.refuse(link, otherSession("user_id"), now);
    }
    if (admission.session) {
      const rule = "a token is identified with once, and resumed after that";
      return this.links.refuse(link, { code: VoiceCloseCode.SessionNoLongerValid, rule }, now);
    }
    const session = admission.session = new VoiceSession({
      credentials: admission.credentials,
      ssrc: ++this.#lastSsrc,
      key: Uint8Array.from({ length: 32 }, () => Math.floor(this.#options.random() * 256)),
      maxDaveVersion: body.maxDaveVersion,
      firstSequence,
      replayLimit,
    });
    this.links.attach(link, session, now);
    this.#writeSession(session, link.id, "started", "identified", now);
    if (takeVoiceFault(faults, "silentReady")) return;
    const { address: ip, port } = this.#options.mediaOf(admission.credentials.endpoint);
    const ready = { ssrc: session.ssrc, ip, port, modes: faults.modes, experiments: [], streams: [] };
    // The interval is HELLO's; the one here is not to be believed.
    this.links.send(link, VoiceOpcode.Ready, { ...ready, heartbeat_interval: 1 }, now);
    this.#callOf(session).enter(session, now);
  }

  #resume(link: VoiceLink, d: unknown, now: number): void {
    const { registry, faults } = this.#options;
    const body = readVoiceResume(d);
    if ("code" in body) return this.links.refuse(link, body, now);
    const admission = registry.find(body.token);
    const refusal = claimFault(admission, { ...body, url: link.url }, this.#options);
    if (refusal || !admission) return this.links.refuse(link, refusal ?? UNKNOWN_TOKEN, now);
    const { session } = admission;
    const invalid = (rule: string): Refusal => ({ code: VoiceCloseCode.SessionNoLongerValid, rule });
    if (!session) return this.links.refuse(link, invalid("what is resumed was identified"), now);
    const refused = takeVoiceFault(faults, "refuseResumes");
    const missed = session.after(body.sequence);
    if (refused) return this.#refuseResume(link, session, "the fault refuses it", now);
    if (missed === null) {
      return this.#refuseResume(link, session, "the missed messages are not kept, or never were", now);
    }
    // What is sent while resuming joins the replay.
    const replay = [...missed];
    this.links.attach(link, session, now);
    this.#writeSession(session, link.id, "resumed", `after ${body.sequence}, ${replay.length} missed`, now);
    const resumed = () => {
      if (!takeVoiceFault(faults, "silentResumed")) this.links.send(link, VoiceOpcode.Resumed, null, now);
    };
    if (!faults.replayBeforeResumed) resumed();
    for (const { frame, op, sequence } of replay) this.links.sendRaw(link, frame, now, op, sequence);
    if (faults.replayBeforeResumed) resumed();
  }

  #refuseResume(link: VoiceLink, session: VoiceSession, why: string, now: number): void {
    this.#writeSession(session, link.id, "refused", why, now);
    this.links.close(link, VoiceCloseCode.SessionNoLongerValid, undefined, now);
  }

  #selectProtocol(link: VoiceLink, session: VoiceSession, d: unknown, now: number): void {
    const { faults } = this.#options;
    const body = readSelectProtocol(d, faults.modes);
    if ("code" in body) return this.links.refuse(link, body, now);
    const { address } = session;
    if (address && (address.address !== body.address || address.port !== body.port)) {
      this.links.violation(link, null, "select protocol names the address that was found", now);
    }
    session.mode = body.mode;
    if (takeVoiceFault(faults, "silentDescription")) return;
    const call = this.#callOf(session);
    this.links.dispatch(session, VoiceOpcode.SessionDescription, {
      mode: body.mode,
      secret_key: [...session.key],
      dave_protocol_version: Math.min(call.dave.version, session.maxDaveVersion),
      audio_codec: "opus",
      video_codec: "H264",
      media_session_id: `media-${session.ssrc}`,
    }, now);
    if (!session.described) call.described(session, now);
  }

  #withoutDave(admission: VoiceAdmission | undefined, version: number): Refusal | null {
    if (version > 0 || !admission || !this.#options.needsDave(admission.credentials.channelId)) return null;
    return { code: VoiceCloseCode.DaveProtocolRequired, rule: "max_dave_protocol_version is at least 1" };
  }

  #callOf({ credentials }: VoiceSession): VoiceCall {
    return this.#options.callOf(credentials.channelId);
  }

  #tooEarly(link: VoiceLink, now: number): void {
    const rule = "without a session there is only identify, resume and heartbeats";
    this.links.refuse(link, { code: VoiceCloseCode.NotAuthenticated, rule }, now);
  }

  #unknown(link: VoiceLink, op: number, now: number): void {
    const rule = `a client sends no op ${op} of this kind`;
    this.links.refuse(link, { code: VoiceCloseCode.UnknownOpcode, rule }, now);
  }

  #writeSession(
    { credentials }: VoiceSession,
    connectionId: number | null,
    change: "started" | "resumed" | "refused" | "ended",
    why: string,
    at: number,
  ): void {
    const { sessionId, userId, channelId } = credentials;
    const about = `${why}: user ${userId} in ${channelId}`;
    this.#options.journal.write({ kind: "session", at, sessionId, connectionId, change, why: about });
  }
}
