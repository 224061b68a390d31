/**
 * What every gateway connection has, whatever it speaks: the last sequence number received, and an end that comes once
 * and stays. The gateway's state and the voice gateway's are built on it.
 */

/**
 * Sequence and one-way latch.
 *
 * @typeParam End How a connection of this kind ends.
 *
 * @example
 * ```ts
 * import { ConnectionState } from "@discordgateway/edge/gateway";
 *
 * const connection = new ConnectionState<string>((end) => new Error(`Ended: ${end}`));
 * connection.received(7);
 * connection.close("first");
 * connection.close("second");
 * if (connection.end !== "first" || connection.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export class ConnectionState<End> {
  readonly #closedError: (end: End) => Error;
  #sequence: number | null;
  #end: End | null = null;

  /**
   * Starts open.
   *
   * @param closedError Makes the error for an input after the end.
   * @param sequence Where a resumed session stands, `null` for a new one.
   */
  constructor(closedError: (end: End) => Error, sequence: number | null = null) {
    this.#closedError = closedError;
    this.#sequence = sequence;
  }

  /** The last sequence number received, `null` before the first. Zero is a number like any other. */
  get sequence(): number | null {
    return this.#sequence;
  }

  /** The first end, `null` while the connection lasts. */
  get end(): End | null {
    return this.#end;
  }

  /** Throws if the connection has ended. */
  assertOpen(): void {
    if (this.#end !== null) throw this.#closedError(this.#end);
  }

  /** A numbered message came. Within a session the number never goes back. */
  received(sequence: number): void {
    if (this.#sequence === null || sequence > this.#sequence) this.#sequence = sequence;
  }

  /** A numbered message came whose numbers start over after the highest: the last one counts, whatever it is. */
  receivedWrapping(sequence: number): void {
    this.#sequence = sequence;
  }

  /** A new session began: its numbers have nothing to do with those before. */
  restart(sequence: number | null): void {
    this.#sequence = sequence;
  }

  /**
   * Ends the connection, unless it has ended.
   *
   * @returns Whether this was the first end.
   */
  close(end: End): boolean {
    if (this.#end !== null) return false;
    this.#end = end;
    return true;
  }
}
