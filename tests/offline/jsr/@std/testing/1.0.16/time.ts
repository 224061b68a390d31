/**
 * Stand-in for `@std/testing/time`: a clock that moves only when told to. While one is in force, `Date`, the four
 * timer functions and `AbortSignal.timeout` run on it; `performance.now` stays real. Never published.
 *
 * @module
 */

/** An error of using fake time. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

/** Options of {@linkcode FakeTime}. */
export interface FakeTimeOptions {
  /** How fast fake time follows real time; by default it stands still. */
  advanceRate: number;
  /** How often it follows, in ms; default 10. */
  advanceFrequency?: number;
}

interface Timer {
  id: number;
  due: number;
  order: number;
  /** Period of an interval in ms, `null` for a timeout. */
  periodMs: number | null;
  run: () => void;
}

const real = {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  abortSignalTimeout: AbortSignal.timeout,
};

/** The one in force. */
let current: FakeTime | undefined;

/** Fake time, in force from construction until {@linkcode FakeTime.restore}. */
export class FakeTime {
  readonly #start: number;
  readonly #timers: Map<number, Timer> = new Map();
  readonly #follower: ReturnType<typeof real.setInterval> | undefined;
  #now: number;
  #lastId = 0;
  #lastOrder = 0;

  /** Starts at `start`, by default the present. */
  constructor(start?: number | string | Date | null, options?: FakeTimeOptions) {
    if (current) throw new TimeError("Cannot construct FakeTime: time is already faked");
    this.#start = start === undefined || start === null
      ? real.Date.now()
      : Math.floor(new real.Date(start).valueOf());
    if (Number.isNaN(this.#start)) throw new TimeError(`Cannot construct FakeTime: invalid start: ${start}`);
    this.#now = this.#start;
    current = this;
    this.#override();
    const [rate, frequency] = [options?.advanceRate ?? 0, options?.advanceFrequency ?? 10];
    if (rate > 0) this.#follower = real.setInterval(() => this.tick(rate * frequency), frequency);
  }

  /** Ends the fake time in force. */
  static restore(): void {
    if (!current) throw new TimeError("Cannot restore time: it is already restored");
    current.restore();
  }

  /** Runs `callback` with the real functions back in place. */
  static async restoreFor<T, A extends unknown[]>(
    callback: (...args: A) => Promise<T> | T,
    ...args: A
  ): Promise<T> {
    const time = current;
    if (!time) throw new TimeError("Cannot restore time: it is not faked");
    FakeTime.#restoreGlobals();
    try {
      return await callback(...args);
    } finally {
      time.#override();
    }
  }

  /** Fake ms since 1970. Setting it runs every timer that falls due on the way, in order. */
  get now(): number {
    return this.#now;
  }

  set now(value: number) {
    if (value < this.#now) {
      throw new RangeError(`Cannot set time in the past: ${value} is before ${this.#now}`);
    }
    for (let timer = this.#first(); timer && timer.due <= value; timer = this.#first()) this.#fire(timer);
    this.#now = value;
  }

  /** Fake ms since 1970 at construction. */
  get start(): number {
    return this.#start;
  }

  set start(_value: number) {
    throw new Error("Cannot change start time after initialization");
  }

  /** Waits `ms` of real time. */
  delay(ms: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        real.clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = real.setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Lets every pending microtask run. */
  async runMicrotasks(): Promise<void> {
    await this.delay(0);
  }

  /** Moves on by `ms`. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** Lets microtasks run, then moves on by `ms`. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.now += ms;
  }

  /** Moves on to the next timer; returns false if there is none. */
  next(): boolean {
    const timer = this.#first();
    if (timer) this.now = timer.due;
    return timer !== undefined;
  }

  /** Lets microtasks run, then moves on to the next timer; resolves with false if there is none. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Moves on until no timer is left. */
  runAll(): void {
    while (this.next());
  }

  /** Moves on until no timer is left, letting microtasks run before each. */
  async runAllAsync(): Promise<void> {
    while (this.#timers.size > 0) await this.nextAsync();
  }

  /** Puts the real functions back. */
  restore(): void {
    if (current !== this) throw new TimeError("Cannot restore time: it is already restored");
    current = undefined;
    real.clearInterval(this.#follower);
    FakeTime.#restoreGlobals();
  }

  /** Puts the real functions back at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.restore();
  }

  #first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#now = timer.due;
    if (timer.periodMs === null) {
      this.#timers.delete(timer.id);
    } else {
      timer.due += timer.periodMs;
      timer.order = ++this.#lastOrder;
    }
    timer.run();
  }

  #add(run: () => void, delay: number, repeat: boolean): number {
    const ms = Math.max(repeat ? 1 : 0, Math.floor(Number(delay)) || 0);
    const id = ++this.#lastId;
    this.#timers.set(id, {
      id,
      due: this.#now + ms,
      order: ++this.#lastOrder,
      periodMs: repeat ? ms : null,
      run,
    });
    return id;
  }

  #override(): void {
    const clear = (id?: number) => {
      this.#timers.delete(Number(id));
    };
    const replacements = {
      Date: fakeDate(() => this.#now),
      setTimeout: (callback: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) =>
        this.#add(() => callback(...args), delay, false),
      setInterval: (callback: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) =>
        this.#add(() => callback(...args), delay, true),
      clearTimeout: clear,
      clearInterval: clear,
    };
    for (const [name, value] of Object.entries(replacements)) Reflect.set(globalThis, name, value);
    AbortSignal.timeout = (delay: number) => {
      const controller = new AbortController();
      const abort = () => controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
      this.#add(abort, delay, false);
      return controller.signal;
    };
  }

  static #restoreGlobals(): void {
    const { abortSignalTimeout, ...globals } = real;
    for (const [name, value] of Object.entries(globals)) Reflect.set(globalThis, name, value);
    AbortSignal.timeout = abortSignalTimeout;
  }
}

/** A `Date` whose present is fake; everything else about it is real. */
function fakeDate(now: () => number): DateConstructor {
  return new Proxy(real.Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new real.Date(now()).toString(),
    get: (target, key, receiver) => key === "now" ? now : Reflect.get(target, key, receiver),
  });
}
