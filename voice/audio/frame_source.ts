/**
 * A source of frames, read ahead a little.
 *
 * The next frame is read only while fewer than ten wait, which bridges short stalls: backpressure reaches the source.
 */

import { isOpusFrame, OpusFrameError } from "./opus_frame.ts";

/** Frames that are read ahead: 200 ms. */
const READ_AHEAD = 10;

/** Frames of a source, a few of them at hand. */
export class FrameSource {
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #onChange: () => void;
  readonly #frames: Uint8Array[] = [];
  #reading = false;
  #end: { readonly error: unknown } | "complete" | null = null;
  #stopped = false;

  /** Asks for nothing yet; `onChange` is called for each frame that comes, and at the end. */
  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, onChange: () => void) {
    this.#iterator = Symbol.asyncIterator in source
      ? source[Symbol.asyncIterator]()
      : source[Symbol.iterator]();
    this.#onChange = onChange;
  }

  /** Frames are at hand. */
  get filled(): boolean {
    return this.#frames.length > 0;
  }

  /** Nothing is at hand, and nothing will come. */
  get over(): boolean {
    return this.#end !== null && !this.filled;
  }

  /** Begins to read. */
  start(): void {
    void this.#read();
  }

  /** The next frame, `null` if none is at hand. */
  take(): Uint8Array | null {
    const frame = this.#frames.shift() ?? null;
    void this.#read();
    return frame;
  }

  /** Reads no more; `reason` is what {@linkcode check} throws, unless it is `null` or all was taken. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const [wasOver, wasRead] = [this.over, this.#end !== null];
    this.#frames.length = 0;
    if (!wasOver) this.#end = reason === null ? "complete" : { error: reason };
    if (!wasRead) void this.#return();
    this.#onChange();
  }

  /** Throws what it ended with. */
  check(): void {
    if (this.#end !== null && this.#end !== "complete") throw this.#end.error;
  }

  async #read(): Promise<void> {
    if (this.#reading || this.#end !== null) return;
    this.#reading = true;
    try {
      while (this.#end === null && this.#frames.length < READ_AHEAD) {
        const { done, value } = await this.#iterator.next();
        if (this.#stopped) return;
        if (done) this.#end = "complete";
        else if (isOpusFrame(value)) this.#frames.push(value);
        else {
          this.#end = { error: new OpusFrameError(value) };
          void this.#return();
        }
        this.#onChange();
      }
    } catch (error) {
      if (this.#stopped) return;
      this.#end = { error };
      this.#onChange();
    } finally {
      this.#reading = false;
    }
  }

  async #return(): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch {
      // The source was asked to stop; how it fails at that is of no interest here.
    }
  }
}
