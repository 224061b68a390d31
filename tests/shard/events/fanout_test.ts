/** What a fan-out relies on: a sink that takes its time holds the position, and the record to store goes with the event. */

import { assert, assertEquals } from "@std/assert";
import type { SessionRecord } from "../../../gateway/mod.ts";
import { assertQuiet, Play, type PlayEvent, settled } from "../harness.ts";

/** A sink whose writes return when the test says so. */
class SlowSink {
  /** What was written, the write under way included. */
  readonly written: PlayEvent[] = [];
  /** Lets the write under way return. */
  release = (): void => {};

  /** Where to pipe to. */
  readonly stream: WritableStream<PlayEvent> = new WritableStream<PlayEvent>({
    write: (event) => {
      this.written.push(event);
      return new Promise((resolve) => this.release = resolve);
    },
  });
}

Deno.test("fan-out: an event counts as handled when the sink has it, and the next is not pulled before", async () => {
  const play = new Play();
  const sink = new SlowSink();
  const piped = play.shard.events.pipeTo(sink.stream);
  await play.clock.advance(0);
  play.write(3);
  await play.clock.advance(0);
  for (let count = 1; count <= 3; count++) {
    assertEquals(sink.written.length, count);
    assertEquals(play.shard.queued.now, 4 - count, "the others wait in the shard's queue, nowhere else");
    assertEquals(play.shard.session?.sequence, (sink.written.at(-1)?.s ?? NaN) - 1);
    sink.release();
    await play.clock.advance(0);
  }
  sink.release();
  await play.shard.close();
  await settled(play.clock, piped);
  assertQuiet(play);
});

Deno.test("fan-out: a TransformStream in between counts as handled what the sink does not have", async () => {
  const play = new Play();
  const sink = new SlowSink();
  // One that does something: Deno sees through one that does not.
  const between = new TransformStream<PlayEvent, PlayEvent>({
    transform: (event, controller) => controller.enqueue(event),
  });
  const piped = play.shard.events.pipeThrough(between).pipeTo(sink.stream);
  await play.clock.advance(0);
  play.write(3);
  await play.clock.advance(0);
  assertEquals(sink.written.length, 1);
  assert((play.shard.session?.sequence ?? 0) >= (sink.written[0]?.s ?? NaN), "READY counts as handled");
  await play.shard.close();
  sink.release();
  for (let count = 0; count < 4; count++) {
    await play.clock.advance(0);
    sink.release();
  }
  await settled(play.clock, piped);
});

Deno.test("fan-out: whichever event a crash follows, the record that was stored with it resumes right after it", async () => {
  const play = new Play();
  const stored: { readonly event: PlayEvent; readonly session: SessionRecord }[] = [];
  const piped = play.shard.events.pipeTo(
    new WritableStream({
      write: (event) => {
        const { session } = play.shard;
        if (session === null || event.t === "SESSION_GAP") throw new Error(`unexpected: ${event.t}`);
        stored.push({ event, session: { ...session, sequence: event.s } });
      },
    }),
  );
  await play.clock.advance(0);
  play.write(3);
  await play.clock.advance(0);
  // What the first shard does not live to see.
  play.connection.drop();
  play.write(2);
  await play.shard.close({ keepSession: true });
  await piped;
  assertEquals(stored.map(({ event }) => event.t), ["READY", ...Array(3).fill("MESSAGE_CREATE")]);
  for (const { event, session } of stored) {
    const next = new Play({ session, discord: play.discord, clock: play.clock });
    next.start();
    await next.clock.runUntil(() => next.events.some(({ t }) => t === "MESSAGE_CREATE"));
    assertEquals(next.events.find(({ t }) => t === "MESSAGE_CREATE")?.s, (event.s ?? NaN) + 1);
    await next.shard.close({ keepSession: true });
    await next.finished;
  }
});
