/** What went wrong last, as JSON: whoever asks a hosted bot how it is may see it. */

import { type ErrorReport, reportError } from "./errors.ts";

/** The last thing that went wrong, and when. */
export type LastError = ErrorReport & { readonly at: number };

/** Remembers the last error, without the token. */
export class ErrorLog {
  /** The last error; `null` where nothing has gone wrong. */
  last: LastError | null = null;
  readonly #token: string;
  readonly #wallClock: () => number;

  /** Makes a log of a bot with this token. */
  constructor(token: string, wallClock: () => number) {
    this.#token = token;
    this.#wallClock = wallClock;
  }

  /** Writes an error down. */
  note(error: unknown): void {
    this.last = { ...this.report(error), at: this.#wallClock() };
  }

  /** An error as JSON. */
  report(error: unknown): ErrorReport {
    return reportError(error, this.#token);
  }
}
