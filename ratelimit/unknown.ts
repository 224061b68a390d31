/** Reading values of unknown shape: what came over a wire, out of a store, from a user's function, or was thrown. */

/** Whether this is an object, and no array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether this has to be awaited. */
export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** What a thrown value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A value as it stands in a message: JSON, at most 40 characters of it. */
export function shown(value: unknown): string {
  return value === undefined ? "missing" : `${JSON.stringify(value)}`.slice(0, 40);
}
