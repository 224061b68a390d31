/** The event queue against a model of it, over stories of random steps. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { EventQueue } from "../../../shard/events/event_queue.ts";
import { assertProperty } from "../../property.ts";

interface Event {
  readonly s: number | null;
  readonly id: number;
}

type Step =
  | { readonly do: "push"; readonly skipped: number; readonly size: number }
  | { readonly do: "take" | "acknowledge" | "lose session" };

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("push" as const),
        skipped: fc.integer({ min: 0, max: 2 }),
        size: fc.integer({ min: 0, max: 30 }),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom("acknowledge" as const, "lose session" as const) }),
    },
  ),
  { maxLength: 150 },
);

const limits = fc.record({
  maxEvents: fc.integer({ min: 1, max: 8 }),
  maxSize: fc.integer({ min: 1, max: 100 }),
});

/** The queue, as slow and as plain as possible. */
class Model {
  readonly #limits: { readonly maxEvents: number; readonly maxSize: number };
  #waiting: { readonly event: Event; readonly size: number; readonly session: number }[] = [];
  #unhandled: { readonly s: number | null; readonly session: number }[] = [];
  /** The last number of each session. */
  readonly #received = [0];
  #inHand: Event | null = null;
  #session = 0;
  #nextId = 0;
  peak = 0;

  constructor(limits: { readonly maxEvents: number; readonly maxSize: number }) {
    this.#limits = limits;
  }

  /** The event, and whether there is room after it; `hungry`: a consumer waits for it. */
  push(skipped: number, size: number, hungry: boolean): { event: Event; room: boolean } {
    const s = this.receivedIn(this.#session) + 1 + skipped;
    this.#received[this.#session] = s;
    const event = { s, id: this.#nextId++ };
    this.#unhandled.push({ s: event.s, session: this.#session });
    if (hungry) {
      this.#inHand = event;
      return { event, room: true };
    }
    this.#waiting.push({ event, size, session: this.#session });
    return { event, room: this.#room() };
  }

  /** As a shard does it: the event that tells of the gap belongs to the lost session. */
  loseSession(hungry: boolean): Event {
    const event = { s: null, id: this.#nextId++ };
    this.#unhandled.push({ s: null, session: this.#session });
    if (hungry) this.#inHand = event;
    else {
      this.#waiting.push({ event, size: 0, session: this.#session });
      this.#room();
    }
    this.#session++;
    return event;
  }

  take(): Event | undefined {
    this.acknowledge();
    const entry = this.#waiting.shift();
    this.#inHand = entry?.event ?? null;
    return entry?.event;
  }

  acknowledge(): void {
    // The oldest unhandled event is the one in hand: events are handled in their order.
    if (this.#inHand) assertEquals(this.#unhandled.shift()?.s, this.#inHand.s);
    this.#inHand = null;
  }

  receivedIn(session: number): number {
    return this.#received[session] ?? 0;
  }

  get oldestSession(): number {
    return this.#unhandled[0]?.session ?? this.#session;
  }

  /** Everything of the oldest session up to here was handled, and the next one was not. */
  get handled(): number {
    const session = this.oldestSession;
    const next = this.#unhandled.find((event) => event.session === session && event.s !== null)?.s;
    return next ? next - 1 : this.receivedIn(session);
  }

  get length(): number {
    return this.#waiting.length;
  }

  #room(): boolean {
    this.peak = Math.max(this.peak, this.#waiting.length);
    const size = this.#waiting.reduce((sum, entry) => sum + entry.size, 0);
    return this.#waiting.length < this.#limits.maxEvents && size < this.#limits.maxSize;
  }
}

Deno.test("event queue: whatever happens, each event comes once, in order, within the limits, and is handled when it is", async () => {
  await assertProperty(
    fc.asyncProperty(limits, steps, async (limits, steps) => {
      const queue = new EventQueue<Event>(limits);
      const model = new Model(limits);
      const pushed: Event[] = [];
      const taken: Event[] = [];
      let hungry: Promise<void> | null = null;

      const play = async (step: Step) => {
        switch (step.do) {
          case "push": {
            const { event, room } = model.push(step.skipped, step.size, hungry !== null);
            pushed.push(event);
            assertEquals(queue.push(event, step.size), room);
            break;
          }
          case "take": {
            if (hungry) return;
            const expected = model.take();
            const next = queue.next().then(({ value }) => {
              assert(value);
              taken.push(value);
              hungry = null;
            });
            if (expected) await next;
            else hungry = next;
            return;
          }
          case "acknowledge":
            if (hungry) return;
            model.acknowledge();
            queue.acknowledge();
            return;
          case "lose session": {
            const event = model.loseSession(hungry !== null);
            pushed.push(event);
            queue.push(event, 0);
            queue.startSession();
          }
        }
        // What a waiting consumer was given, it has.
        if (hungry) await hungry;
      };

      for (const step of steps) {
        await play(step);
        assertEquals(queue.length, model.length);
        assertEquals(queue.peak, model.peak);
        const { oldestSession } = model;
        assertEquals(queue.oldestSession, oldestSession);
        assertEquals(queue.handled(model.receivedIn(oldestSession)), model.handled);
        assertEquals(taken, pushed.slice(0, taken.length));
      }
      while (taken.length < pushed.length) await play({ do: "take" });
      assertEquals(taken, pushed);
    }),
    { numRuns: 500 },
  );
});

Deno.test("event queue: a handler that is sync or async by turns sees the same as an iterator", async () => {
  await assertProperty(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (kinds) => {
      const queue = new EventQueue<Event>({ maxEvents: 5, maxSize: 1_000 });
      const handled: number[] = [];
      let busy = false;
      const consumed = queue.consume(({ id }) => {
        assertEquals(busy, false, "one at a time");
        handled.push(id);
        if (!kinds[id]) return;
        busy = true;
        return Promise.resolve().then(() => void (busy = false));
      });
      for (const [id] of kinds.entries()) {
        queue.push({ s: id + 1, id }, 1);
        if (id % 3 === 0) await Promise.resolve();
        assert(queue.handled(id + 1) <= handled.length);
        assert(queue.handled(id + 1) >= handled.length - 1);
      }
      await queue.drained();
      while (busy) await Promise.resolve();
      queue.finish();
      await consumed;
      assertEquals(handled, kinds.map((_, id) => id));
    }),
    { numRuns: 300 },
  );
});
