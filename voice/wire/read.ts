/** Bodies of unknown shape → what is read of them, or the one error that says what is wrong. */

import { ProtocolError } from "../../gateway/errors.ts";
import { field } from "../../gateway/field.ts";
import type { DaveMessage } from "./frame.ts";
import { VoiceOpcode } from "./opcode.ts";
import type { EncryptionMode } from "./payload.ts";

const KEY_BYTES = 32;
/** A day: beyond it an interval is an error, and a timer would overflow. */
const MAX_INTERVAL_MS = 86_400_000;

/** HELLO's interval in ms. */
export function readInterval(d: unknown): number {
  const value = field(d, "heartbeat_interval");
  if (typeof value === "number" && value >= 1 && value <= MAX_INTERVAL_MS) return value;
  throw broken("HELLO", "heartbeat_interval is a number of ms from 1 to a day", value);
}

/** READY's source, address and modes. */
export function readReady(d: unknown): { ssrc: number; ip: string; port: number; modes: readonly string[] } {
  const ssrc = field(d, "ssrc");
  const ip = field(d, "ip");
  const port = field(d, "port");
  const modes = field(d, "modes");
  if (!isUint(ssrc, 0xffff_ffff)) throw broken("READY", "ssrc is an integer of 32 bits", ssrc);
  if (typeof ip !== "string" || ip === "") throw broken("READY", "ip is an address", ip);
  if (!isUint(port, 0xffff) || port === 0) throw broken("READY", "port is an integer from 1 to 65535", port);
  if (!isStrings(modes)) throw broken("READY", "modes are strings", modes);
  return { ssrc, ip, port, modes };
}

/** SESSION_DESCRIPTION's key and version. The key shows in no error. */
export function readDescription(
  d: unknown,
  expected: EncryptionMode,
): { key: Uint8Array<ArrayBuffer>; version: number } {
  const mode = field(d, "mode");
  const key = field(d, "secret_key");
  const version = field(d, "dave_protocol_version") ?? 0;
  if (mode !== expected) throw broken("SESSION_DESCRIPTION", `mode is the one selected, ${expected}`, mode);
  if (!Array.isArray(key) || key.length !== KEY_BYTES || !key.every((byte) => isUint(byte, 0xff))) {
    throw broken("SESSION_DESCRIPTION", `secret_key are ${KEY_BYTES} bytes`, typeof key);
  }
  if (!isUint(version, 0xffff)) {
    throw broken("SESSION_DESCRIPTION", "dave_protocol_version is an integer of 16 bits", version);
  }
  return { key: Uint8Array.from(key), version };
}

/** SPEAKING's user, source and bits; `null` if it is of another shape. */
export function readSpeaking(d: unknown): { userId: string; ssrc: number; speaking: number } | null {
  const userId = field(d, "user_id");
  const ssrc = field(d, "ssrc");
  const speaking = field(d, "speaking");
  if (typeof userId !== "string" || !isUint(ssrc, 0xffff_ffff)) return null;
  // Servers have sent it as a boolean.
  if (typeof speaking === "boolean") return { userId, ssrc, speaking: Number(speaking) };
  return isUint(speaking, 0xffff_ffff) ? { userId, ssrc, speaking } : null;
}

/** VIDEO's user and source of sound; `null` if it names none. */
export function readSoundSource(d: unknown): { userId: string; ssrc: number } | null {
  const userId = field(d, "user_id");
  const ssrc = field(d, "audio_ssrc");
  return typeof userId === "string" && isUint(ssrc, 0xffff_ffff) && ssrc > 0 ? { userId, ssrc } : null;
}

/** CLIENTS_CONNECT's users; none if it is of another shape. */
export function readUserIds(d: unknown): readonly string[] {
  const userIds = field(d, "user_ids");
  return isStrings(userIds) ? userIds : [];
}

/** A DAVE message that comes as JSON, 21, 22 or 24. */
export function readDaveJson(op: 21 | 22 | 24, d: unknown): DaveMessage {
  const number = (name: string): number => {
    const value = field(d, name);
    if (isUint(value, Number.MAX_SAFE_INTEGER)) return value;
    throw broken(`op ${op}`, `${name} is an integer from 0`, value);
  };
  switch (op) {
    case VoiceOpcode.DavePrepareTransition:
      return { op, transitionId: number("transition_id"), version: number("protocol_version") };
    case VoiceOpcode.DaveExecuteTransition:
      return { op, transitionId: number("transition_id") };
    case VoiceOpcode.DavePrepareEpoch:
      return { op, epoch: number("epoch"), version: number("protocol_version") };
  }
}

function isUint(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function broken(what: string, rule: string, value: unknown): ProtocolError {
  const shown = typeof value === "number" || typeof value === "string" ? value : typeof value;
  return new ProtocolError(`Cannot take ${what}: ${rule}: ${shown}`);
}
