/** A bot's user id, from READY or from its token: a resumed session has no READY. */

import { field } from "../gateway/field.ts";

/** A bot's token is its user id, a time and a signature, in base64 and with dots between. */
const FIRST_PART = /^([A-Za-z0-9]{20,40})=*\./;

/** The user id in a token; `null` if it is not in Discord's format. */
export function userIdOf(token: string): string | null {
  const part = FIRST_PART.exec(token)?.[1];
  // Four letters encode three bytes; one remaining letter encodes none.
  if (part === undefined || part.length % 4 === 1) return null;
  const id = atob(part);
  return /^\d{15,21}$/.test(id) ? id : null;
}

/** The user id in the body of a READY; `null` if there is none. */
export function readyUserId(ready: unknown): string | null {
  const id = field(field(ready, "user"), "id");
  return typeof id === "string" ? id : null;
}
