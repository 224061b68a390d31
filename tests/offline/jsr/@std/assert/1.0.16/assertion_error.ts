/** What a failed assertion throws. */

import { inspect } from "node:util";

/** A failed assertion. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";

  /** Carries the message; `options.cause` is passed through. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Throws an {@linkcode AssertionError} that ends in the caller's own message, if there is one. */
export function failWith(what: string, msg: string | undefined): never {
  throw new AssertionError(msg ? `${what}: ${msg}` : what);
}

/** Prints a value for a message, whole and in a stable order. */
export function show(value: unknown): string {
  return inspect(value, {
    depth: 100,
    sorted: true,
    maxArrayLength: 1000,
    maxStringLength: 20_000,
    breakLength: 80,
  });
}
