/** The last error of a host, as JSON without the token: every caller of `status` may see it. */

import { type ErrorReport, reportError } from "./errors.ts";

/** The last error, and when it happened. */
export type LastError = ErrorReport & { readonly at: number };

/** Remembers the last error, without the token. */
export class ErrorLog {
  /** The last error; `null` if there was none. */
  last: LastError | null = null;
  readonly #token: string;
  readonly #wallClock: () => number;

  /** Makes a log that removes this token from messages. */
  constructor(token: string, wallClock: () => number) {
    this.#token = token;
    this.#wallClock = wallClock;
  }

  /** Records an error. */
  note(error: unknown): void {
    this.last = { ...this.report(error), at: this.#wallClock() };
  }

  /** Turns an error into JSON. */
  report(error: unknown): ErrorReport {
    return reportError(error, this.#token);
  }
}
