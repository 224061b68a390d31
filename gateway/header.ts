/**
 * Reads `op`, `s` and `t` from the head of a frame, so that an event nobody asked for is never parsed.
 *
 * Discord writes `{"t":…,"s":…,"op":…,"d":…}`. The scan walks these keys in any order and stops at `"d":`; it never
 * searches, since a message's text may well contain `"op":7`. Whatever else it meets (white space, another key, an escape,
 * `d` before one of the three) makes it answer `null`, and the caller parses the whole frame.
 */

/** The part of a frame that decides whether the rest is read. */
export interface FrameHeader {
  /** Opcode. */
  op: number;
  /** Sequence number, `null` outside dispatches. */
  s: number | null;
  /** Event name, `null` outside dispatches. */
  t: string | null;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
const D = 0x64;
const N = 0x6e;
const O = 0x6f;
const P = 0x70;
const S = 0x73;
const T = 0x74;
const CLOSING_BRACE = 0x7d;

/** A sequence number of 15 digits is exact in a double; longer ones go through the full parse. */
const MAX_DIGITS = 15;

/**
 * Scans a frame's header without parsing its body.
 *
 * @returns The header, or `null` if the frame is not laid out as expected and has to be parsed as a whole.
 *
 * @example
 * ```ts
 * import { scanHeader } from "@discordgateway/edge/gateway";
 *
 * const header = scanHeader('{"t":"MESSAGE_CREATE","s":42,"op":0,"d":{"content":"\\"op\\":7"}}');
 * if (header?.op !== 0 || header.s !== 42 || header.t !== "MESSAGE_CREATE") throw new Error("unexpected");
 * if (scanHeader('{ "op": 11 }') !== null) throw new Error("white space is left to the full parse");
 * ```
 */
export function scanHeader(text: string): FrameHeader | null {
  let op = -1;
  // `undefined` until its key came.
  let s: number | null | undefined;
  let t: string | null | undefined;
  // At the quote of a key: behind "{" or ",".
  let at = 1;
  for (;;) {
    if (text.charCodeAt(at) !== QUOTE) return null;
    const key = text.charCodeAt(at + 1);
    if (key === O) {
      if (text.charCodeAt(at + 2) !== P || text.charCodeAt(at + 3) !== QUOTE) return null;
      at += 4;
    } else {
      if (text.charCodeAt(at + 2) !== QUOTE) return null;
      at += 3;
    }
    if (text.charCodeAt(at++) !== COLON) return null;

    if (key === D) return op >= 0 && s !== undefined && t !== undefined ? { op, s, t } : null;
    if (key === T && text.charCodeAt(at) === QUOTE) {
      const close = text.indexOf('"', at + 1);
      if (close < 0) return null;
      t = text.slice(at + 1, close);
      if (t.includes("\\")) return null;
      at = close + 1;
    } else if ((key === T || key === S) && text.charCodeAt(at) === N) {
      if (!text.startsWith("null", at)) return null;
      if (key === T) t = null;
      else s = null;
      at += 4;
    } else if (key === S || key === O) {
      const start = at;
      let value = 0;
      for (let code = text.charCodeAt(at); code >= ZERO && code <= NINE; code = text.charCodeAt(++at)) {
        value = value * 10 + (code - ZERO);
      }
      if (at === start || at - start > MAX_DIGITS) return null;
      if (key === S) s = value;
      else op = value;
    } else return null;

    const next = text.charCodeAt(at++);
    // A frame may end without "d": an acknowledgement does.
    if (next === CLOSING_BRACE) {
      return op >= 0 && at === text.length ? { op, s: s ?? null, t: t ?? null } : null;
    }
    if (next !== COMMA) return null;
  }
}
