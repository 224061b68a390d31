/** Reading JSON that a client sent: nothing about its shape is known. */

/** A JSON object of unknown content. */
export type JsonObject = { readonly [key: string]: unknown };

/** Whether this is a JSON object, and neither an array nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether this is an id as Discord writes it: a string of digits. */
export function isSnowflake(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}

/** Whether this is an array that holds nothing but ids. */
export function isSnowflakes(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isSnowflake);
}

/** Whether this is an integer from `least` to `most`. */
export function isInteger(
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
}

/** The object in a JSON text, `null` if it is none. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const encoder = new TextEncoder();

/** How many bytes the text has in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}
