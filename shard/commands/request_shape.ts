/**
 * What a question to Discord is made of, checked before it is asked: of one that it cannot read Discord says nothing but
 * a close code.
 */

/** Whether it can be an id. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A list of ids. */
export function areIds(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isId);
}

/** What was given instead, in short. */
export function shown(value: unknown): string {
  if (value === null || typeof value === "number" || value === undefined) return `${value}`;
  if (Array.isArray(value)) return "a list";
  return value === "" ? "an empty string" : typeof value;
}
