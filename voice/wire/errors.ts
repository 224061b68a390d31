/**
 * The failures of voice, two families as in the gateway's core.
 *
 * *Ours*: an input that the caller should not have made; thrown at once, the state is unchanged.
 * *Theirs*: a message that cannot be understood; it ends the state, which keeps the error in its `end`.
 */

import type { VoiceEnd } from "../gateway/state_io.ts";

/**
 * Ours: an input to a voice state whose connection has ended. Make a new state from `end.session`.
 *
 * @example
 * ```ts
 * import { VoiceState, VoiceStateClosedError } from "@discordgateway/edge/voice/core";
 *
 * const server = { endpoint: "a:443", token: "t", sessionId: "s", guildId: "1", channelId: "2", userId: "3" };
 * const state = new VoiceState({ server, now: 0 });
 * state.close();
 * try {
 *   state.receive('{"op":6,"d":{"t":1}}', 2);
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof VoiceStateClosedError) || error.code !== "ERR_VOICE_STATE_CLOSED") throw error;
 * }
 * ```
 */
export class VoiceStateClosedError extends Error {
  /** The name of the class. */
  override readonly name = "VoiceStateClosedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_VOICE_STATE_CLOSED";
  /** How the connection ended; the first cause, for good. */
  readonly end: VoiceEnd;

  /** Made by the state. */
  constructor(end: VoiceEnd) {
    super(`Cannot use the voice state: its connection has ended: ${end.cause}`);
    this.end = end;
  }
}

/**
 * Ours: speaking before the session description. Wait for the `live` phase.
 *
 * @example
 * ```ts
 * import { VoiceNotReadyError, VoiceState } from "@discordgateway/edge/voice/core";
 *
 * const server = { endpoint: "a:443", token: "t", sessionId: "s", guildId: "1", channelId: "2", userId: "3" };
 * const state = new VoiceState({ server, now: 0 });
 * try {
 *   state.speaking(1);
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof VoiceNotReadyError) || error.code !== "ERR_VOICE_NOT_READY") throw error;
 * }
 * ```
 */
export class VoiceNotReadyError extends Error {
  /** The name of the class. */
  override readonly name = "VoiceNotReadyError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_VOICE_NOT_READY";

  /** Made by the state. */
  constructor(phase: string) {
    super(`Cannot speak: the voice session is usable from its description or a resume on: ${phase}`);
  }
}

/**
 * Theirs: a message that is neither a JSON payload nor a binary one. The session is kept: reconnect and resume.
 *
 * @example
 * ```ts
 * import { parseVoiceBinary, VoiceFrameError } from "@discordgateway/edge/voice/core";
 *
 * try {
 *   parseVoiceBinary(new Uint8Array(2));
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof VoiceFrameError) || error.code !== "ERR_VOICE_FRAME") throw error;
 * }
 * ```
 */
export class VoiceFrameError extends Error {
  /** The name of the class. */
  override readonly name = "VoiceFrameError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_VOICE_FRAME";
}

/**
 * Theirs: a message that reads well but breaks the protocol, such as a READY without an SSRC.
 *
 * @example
 * ```ts
 * import { VoiceProtocolError, VoiceState } from "@discordgateway/edge/voice/core";
 *
 * const server = { endpoint: "a:443", token: "t", sessionId: "s", guildId: "1", channelId: "2", userId: "3" };
 * const state = new VoiceState({ server, now: 0 });
 * state.receive('{"op":8,"d":{}}', 1);
 * if (!(state.end?.error instanceof VoiceProtocolError)) throw new Error("HELLO names an interval");
 * ```
 */
export class VoiceProtocolError extends Error {
  /** The name of the class. */
  override readonly name = "VoiceProtocolError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_VOICE_PROTOCOL";
}

/**
 * Ours: every nonce of a transport key was used. A new voice session brings a new key: rejoin.
 *
 * @example
 * ```ts
 * import { createTransportCipher, NonceExhaustedError } from "@discordgateway/edge/voice/core";
 *
 * const mode = "aead_xchacha20_poly1305_rtpsize";
 * const cipher = await createTransportCipher({ mode, key: new Uint8Array(32), firstNonce: 0xffff_ffff });
 * await cipher.seal(new Uint8Array(12), new Uint8Array(3));
 * try {
 *   await cipher.seal(new Uint8Array(12), new Uint8Array(3));
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof NonceExhaustedError) || error.code !== "ERR_NONCE_EXHAUSTED") throw error;
 * }
 * ```
 */
export class NonceExhaustedError extends Error {
  /** The name of the class. */
  override readonly name = "NonceExhaustedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_NONCE_EXHAUSTED";

  /** Made by the cipher. */
  constructor() {
    super("Cannot encrypt a packet: a key serves at most 2 ** 32 nonces");
  }
}
