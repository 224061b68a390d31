/**
 * A gateway that does the least a session needs, and judges what it is sent: the order of commands, and the gaps
 * between heartbeats.
 */

import { type Dial, Pipe } from "../../../shard/mod.ts";
import type { LeapingClock } from "./leaping_clock.ts";

/** A frame that was received. */
export interface Received {
  /** By the server's clock. */
  readonly at: number;
}

interface Judged {
  readonly pipe: Pipe;
  readonly frames: Received[];
  /** When the next heartbeat is due at the latest, by the client's clock; `null` before HELLO. */
  heartbeatDueAt: number | null;
  over: boolean;
}

/** How the judge behaves. */
export interface JudgeOptions {
  readonly clock: LeapingClock;
  /** `heartbeat_interval`. */
  readonly intervalMs: number;
  /** How long a reply takes. */
  readonly delayMs: number;
}

/** After a sleep, frames that wait on the socket are let in before anybody is judged, for so many ms. */
const CATCH_UP_MS = 50;

const READY = '{"t":"READY","s":1,"op":0,"d":{"session_id":"abc","resume_gateway_url":"wss://resume.test"}}';
const RESUMED = '{"t":"RESUMED","s":null,"op":0,"d":{}}';
const PRIORITIES = ["high", "low"] as const;

export class Judge {
  /** Every connection, in the order of the dials. */
  readonly connections: Judged[] = [];
  /** Ids of the commands that were written, in order. */
  readonly written: number[] = [];
  /** What was against the rules. */
  readonly problems: string[] = [];
  /** What a write fails with. */
  readonly writeError = new Error("The socket does not take it");
  /** The next write of any frame fails. */
  failsNextWrite = false;
  readonly #options: JudgeOptions;
  /** Callers that wait, by priority, in the order in which they came. */
  readonly #waiting = { high: new Set<number>(), low: new Set<number>() };

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  readonly dial: Dial = () => {
    const connection: Judged = {
      pipe: new Pipe({
        send: (frame) => this.#receive(connection, String(frame)),
        close: () => void (connection.over = true),
      }),
      frames: [],
      heartbeatDueAt: null,
      over: false,
    };
    this.connections.push(connection);
    this.#say(connection, `{"op":10,"d":{"heartbeat_interval":${this.#options.intervalMs}}}`);
    return Promise.resolve(connection.pipe);
  };

  /** A caller is about to come. */
  expect(id: number, priority: "high" | "low"): void {
    this.#waiting[priority].add(id);
  }

  /** A caller gives up, or has been told already. */
  expectNoMore(id: number): void {
    for (const priority of PRIORITIES) this.#waiting[priority].delete(id);
  }

  /** Something happens on the connection that is open, if there is one. */
  disturb(how: "op 1" | "op 7" | "op 9" | "drop"): void {
    const connection = this.connections.at(-1);
    if (connection === undefined || connection.over) return;
    if (how === "op 1") return connection.pipe.push('{"op":1,"d":null}');
    if (how === "op 7") return connection.pipe.push('{"op":7,"d":null}');
    if (how === "op 9") return connection.pipe.push('{"op":9,"d":false}');
    connection.over = true;
    connection.pipe.finish({ code: null, reason: "", by: "remote" });
  }

  /** A heartbeat that has still not come is late as well. */
  judgeSilence(): void {
    const connection = this.connections.at(-1);
    if (connection !== undefined && !connection.over) this.#judgeHeartbeat(connection, "has not come");
  }

  #receive(connection: Judged, frame: string): void {
    const { clock, intervalMs } = this.#options;
    if (this.failsNextWrite) {
      this.failsNextWrite = false;
      if (frame.startsWith('{"op":4,')) this.expectNoMore(commandId(frame));
      throw this.writeError;
    }
    connection.frames.push({ at: clock.trueNow });
    switch (/^\{"op":(\d+),/.exec(frame)?.[1]) {
      case "1":
        this.#judgeHeartbeat(connection, "came");
        if (connection.heartbeatDueAt !== null) connection.heartbeatDueAt = clock.now() + intervalMs;
        return this.#say(connection, '{"op":11}');
      case "2":
        return this.#say(connection, READY);
      case "6":
        return this.#say(connection, RESUMED);
      case "4":
        this.#judgeOrder(commandId(frame));
        this.written.push(commandId(frame));
    }
  }

  /** It must be the first of those who wait: high before low, first in, first out. */
  #judgeOrder(id: number): void {
    const [first] = this.#waiting.high.size > 0 ? this.#waiting.high : this.#waiting.low;
    if (first !== id) this.problems.push(`command ${id} was written, it was the turn of ${first}`);
    this.expectNoMore(id);
  }

  /** On time, or soon after the machine woke up. Timers have a grain. */
  #judgeHeartbeat({ heartbeatDueAt }: Judged, what: "came" | "has not come"): void {
    const { clock } = this.#options;
    // One that was asked for before HELLO.
    if (heartbeatDueAt === null) return;
    const caughtUpAt = clock.wokeAt + CATCH_UP_MS;
    const dueAt = heartbeatDueAt <= caughtUpAt ? caughtUpAt : heartbeatDueAt;
    if (clock.now() > dueAt + 0.1) {
      this.problems.push(`a heartbeat due at ${dueAt} ${what} at ${clock.now()}`);
    }
  }

  #say(connection: Judged, frame: string): void {
    const { clock, delayMs, intervalMs } = this.#options;
    clock.setTimeout(() => {
      if (connection.over) return;
      if (frame.startsWith('{"op":10,')) {
        connection.heartbeatDueAt = clock.now() + intervalMs * clock.random();
      }
      connection.pipe.push(frame);
    }, delayMs);
  }
}

function commandId(frame: string): number {
  return Number(/"guild_id":"(\d+)"/.exec(frame)?.[1]);
}
