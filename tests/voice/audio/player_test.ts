/** Pacing: frames on a grid of 20 ms, whatever the process or the source does. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { OpusFrameError } from "../../../voice/mod.ts";
import { FRAME_MS, type Outlet, Player, SILENCE_FRAMES } from "../../../voice/audio/player.ts";
import { VirtualClock } from "../../fake/mod.ts";
import { frames } from "../call.ts";

interface Sent {
  readonly at: number;
  readonly frame: string;
  /** In slots since the start: what the packets carry as their time. */
  readonly slot: number;
}

const SILENCE = "248,255,254";
const TOO_LONG = new Error("It was closed for too long");

/** An outlet that notes when what left, and in which slot. */
class Notes implements Outlet {
  open = true;
  readonly sent: Sent[] = [];
  readonly speaking: (readonly [at: number, speaks: boolean])[] = [];
  readonly #clock: { now(): number };
  #slot = 0;

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  send(frame: Uint8Array): void {
    this.sent.push({ at: this.#clock.now(), frame: frame.join(), slot: this.#slot++ });
  }

  skip(slots: number): void {
    this.#slot += slots;
  }

  speaks(speaks: boolean): void {
    this.speaking.push([this.#clock.now(), speaks]);
  }

  get sound(): Sent[] {
    return this.sent.filter(({ frame }) => frame !== SILENCE);
  }

  /** How far the time in the packets is from the time that passed, at its worst, in ms. */
  get worstDriftMs(): number {
    const [first] = this.sent;
    assert(first);
    return Math.max(
      ...this.sent.map(({ at, slot }) => Math.abs(at - first.at - (slot - first.slot) * FRAME_MS)),
    );
  }
}

/** A clock on which timers fire late: for 200 ms every so often nothing runs. */
class StallingClock extends VirtualClock {
  readonly #everyMs: number;
  readonly #stallMs: number;

  constructor(everyMs: number, stallMs: number) {
    super();
    this.#everyMs = everyMs;
    this.#stallMs = stallMs;
  }

  override setTimeout(callback: () => void, delayMs: number): unknown {
    const due = this.now() + Math.max(0, delayMs);
    const into = due % this.#everyMs;
    const late = due >= this.#everyMs && into < this.#stallMs ? this.#stallMs - into : 0;
    return super.setTimeout(callback, due + late - this.now());
  }
}

function play(
  clock: VirtualClock,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal = new AbortController().signal, deadlineMs = Infinity, isOpen = true }: {
    readonly signal?: AbortSignal;
    readonly deadlineMs?: number;
    readonly isOpen?: boolean;
  } = {},
): { readonly notes: Notes; readonly player: Player; readonly done: Promise<unknown>; over: boolean } {
  const notes = new Notes(clock);
  notes.open = isOpen;
  const player = new Player({ source, outlet: notes, clock, signal, deadlineMs, tooLong: () => TOO_LONG });
  const playing = {
    notes,
    player,
    over: false,
    done: player.run().then(() => null, (error: unknown) => error).finally(() => playing.over = true),
  };
  return playing;
}

async function finish(clock: VirtualClock, playing: { readonly over: boolean }): Promise<void> {
  await clock.runUntil(() => playing.over);
  assertEquals(clock.pending, 0);
}

Deno.test("player: a frame every 20 ms, then five of silence, between the two speaking flags", async () => {
  const clock = new VirtualClock();
  const playing = play(clock, frames(3));
  await finish(clock, playing);
  const { sent, speaking } = playing.notes;
  assertEquals(sent.map(({ at }) => at), [0, 20, 40, 60, 80, 100, 120, 140]);
  assertEquals(sent.map(({ frame }) => frame), [
    ...frames(3).map((one) => one.join()),
    ...Array(5).fill(SILENCE),
  ]);
  assertEquals([speaking, SILENCE_FRAMES, await playing.done], [[[0, true], [140, false]], 5, null]);
});

Deno.test("player: ten minutes, and the clock has not drifted", async () => {
  const clock = new VirtualClock();
  const playing = play(clock, frames(30_000));
  await finish(clock, playing);
  const { sound, worstDriftMs } = playing.notes;
  assertEquals([sound.length, sound.at(-1)?.at, worstDriftMs], [30_000, 29_999 * 20, 0]);
});

Deno.test("player: ten minutes with stalls of 200 ms: caught up with each time, three frames at once at most", async () => {
  const clock = new StallingClock(5_000, 200);
  const playing = play(clock, frames(30_000));
  await finish(clock, playing);
  const { sound } = playing.notes;
  const [first, last] = [sound[0], sound.at(-1)];
  assert(first && last);
  assertEquals([sound.length, new Set(sound.map(({ slot }) => slot)).size, last.slot], [
    30_000,
    30_000,
    29_999,
  ]);
  const drift = Math.abs(last.at - first.at - (last.slot - first.slot) * FRAME_MS);
  assert(drift < FRAME_MS, `${drift} ms`);
  // No later than the stall made it, and the bursts that follow it.
  assert(playing.notes.worstDriftMs <= 200 + 20, `${playing.notes.worstDriftMs}`);
  const atOnce = new Map<number, number>();
  for (const { at } of sound) atOnce.set(at, (atOnce.get(at) ?? 0) + 1);
  assertEquals(Math.max(...atOnce.values()), 3);
});

Deno.test("player: ten minutes of a source that stalls: what comes late takes a later slot, and the clock has not drifted", async () => {
  const clock = new VirtualClock();
  async function* hesitant(): AsyncGenerator<Uint8Array> {
    for (const [at, frame] of frames(20_000).entries()) {
      // Now and then a hiccup that the frames at hand bridge, a longer one, and a real pause.
      const pauseMs = at % 500 === 499 ? 3_000 : at % 100 === 99 ? 350 : at % 10 === 9 ? 90 : 0;
      if (pauseMs > 0) await new Promise<void>((resolve) => clock.setTimeout(resolve, pauseMs));
      yield frame;
    }
  }
  const playing = play(clock, hesitant());
  await finish(clock, playing);
  const { sound, sent, speaking } = playing.notes;
  assertEquals(sound.map(({ frame }) => frame), frames(20_000).map((frame) => frame.join()));
  const [first, last] = [sent[0], sent.at(-1)];
  assert(first && last && last.at > 500_000);
  const drift = Math.abs(last.at - first.at - (last.slot - first.slot) * FRAME_MS);
  assert(drift < FRAME_MS, `${drift} ms`);
  assert(playing.notes.worstDriftMs <= 100 + 20, `${playing.notes.worstDriftMs}`);
  // Silence was said before each pause, and speech after it.
  assert(speaking.length >= 2 * 39, `${speaking.length}`);
  assertEquals(sent.length - sound.length, speaking.length / 2 * SILENCE_FRAMES);
});

Deno.test("player: an infinite source is read only 200 ms ahead", async () => {
  const clock = new VirtualClock();
  let made = 0;
  function* endless(): Generator<Uint8Array> {
    for (;;) yield new Uint8Array([0xfc, made++ & 0xff]);
  }
  const stop = new AbortController();
  const playing = play(clock, endless(), { signal: stop.signal });
  await clock.advance(1_000);
  const { sound } = playing.notes;
  assertEquals(sound.length, 51);
  assert(made - sound.length <= 10, `${made}`);
  stop.abort(new Error("enough"));
  await finish(clock, playing);
  assertEquals([`${await playing.done}`, playing.notes.sent.length, playing.notes.speaking.at(-1)?.[1]], [
    "Error: enough",
    56,
    false,
  ]);
});

Deno.test("player: an abort ends the source, also while it makes the next frame", async () => {
  const clock = new VirtualClock();
  let returned = false;
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => {
        returned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  const stop = new AbortController();
  const playing = play(clock, source, { signal: stop.signal });
  await clock.advance(100);
  stop.abort("reason");
  await finish(clock, playing);
  assertEquals([await playing.done, returned, playing.notes.sent, playing.notes.speaking], [
    "reason",
    true,
    [],
    [],
  ]);
});

Deno.test("player: with an aborted signal nothing is read", async () => {
  const clock = new VirtualClock();
  const notes = new Notes(clock);
  const signal = AbortSignal.abort("no");
  const rest = { deadlineMs: Infinity, tooLong: () => TOO_LONG };
  const player = new Player({ source: frames(9), outlet: notes, clock, signal, ...rest });
  assertEquals(await player.run().catch((error) => error), "no");
  assertEquals(notes.sent, []);
});

Deno.test("player: the error of a source comes after the silence", async () => {
  const clock = new VirtualClock();
  function* broken(): Generator<Uint8Array> {
    yield* frames(2);
    throw new TypeError("the file is torn");
  }
  const playing = play(clock, broken());
  await finish(clock, playing);
  assertEquals([`${await playing.done}`, playing.notes.sent.length], ["TypeError: the file is torn", 7]);
});

Deno.test("player: while nothing may be sent the source is not read, and the timestamps go on", async () => {
  const clock = new VirtualClock();
  let made = 0;
  function* counted(): Generator<Uint8Array> {
    for (const frame of frames(50)) {
      made++;
      yield frame;
    }
  }
  const playing = play(clock, counted());
  const { notes } = playing;
  await clock.advance(100);
  notes.open = false;
  await clock.advance(10_000);
  assertEquals([notes.sent.length, made], [6, 16]);
  notes.open = true;
  playing.player.wake();
  await finish(clock, playing);
  assertEquals([notes.sound.length, notes.worstDriftMs < FRAME_MS], [50, true]);
});

Deno.test("player: after the process was blocked for half a second the slots are skipped", async () => {
  const clock = new StallingClock(10_000, 3_000);
  const playing = play(clock, frames(1_000));
  await finish(clock, playing);
  const { sound } = playing.notes;
  const last = sound.at(-1);
  assert(last && last.slot > 1_000 + 140 && last.slot < 1_000 + 160 * 2, `${last?.slot}`);
  assert(playing.notes.worstDriftMs < FRAME_MS, `${playing.notes.worstDriftMs}`);
});

Deno.test("player: an empty source sends nothing", async () => {
  const clock = new VirtualClock();
  const playing = play(clock, []);
  await finish(clock, playing);
  assertEquals([playing.notes.sent, playing.notes.speaking, await playing.done], [[], [], null]);
});

const NO_FRAMES: readonly (readonly [what: string, given: unknown])[] = [
  ["0 bytes", new Uint8Array(0)],
  ["3840 bytes", new Uint8Array(3_840)],
  ["string", "a file's name"],
  ["undefined", undefined],
  ["null", null],
  ["object", new ArrayBuffer(4)],
];
for (const [what, given] of NO_FRAMES) {
  Deno.test(`player: what is no Opus frame ends it after what came before: ${what}`, async () => {
    const clock = new VirtualClock();
    let returned = false;
    function* source(): Generator<Uint8Array> {
      try {
        yield* frames(2);
        yield given as Uint8Array; // what a program in JavaScript may do
        yield* frames(2);
      } finally {
        returned = true;
      }
    }
    const playing = play(clock, source());
    await finish(clock, playing);
    const error = await playing.done;
    assertInstanceOf(error, OpusFrameError);
    assertEquals([error.code, error.message.endsWith(`: ${what}`), returned], ["ERR_OPUS_FRAME", true, true]);
    assertEquals([playing.notes.sound.length, playing.notes.sent.length], [2, 2 + SILENCE_FRAMES]);
  });
}

Deno.test("player: the longest frame that Opus has is one", async () => {
  const clock = new VirtualClock();
  const playing = play(clock, [new Uint8Array(1_300).fill(7)]);
  await finish(clock, playing);
  assertEquals([playing.notes.sound.length, await playing.done], [1, null]);
});

Deno.test("player: frames that may not be sent wait for a deadline, which begins again each time, and then the source is released", async () => {
  const clock = new VirtualClock();
  let returned = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield* frames(1);
    } finally {
      returned = true;
    }
  }
  const playing = play(clock, endless(), { deadlineMs: 1_000, isOpen: false });
  const { notes, player } = playing;
  const phase = async (open: boolean, afterMs: number) => {
    await clock.advance(afterMs);
    notes.open = open;
    player.wake();
  };
  // Each pause is shorter than the deadline, all together are longer.
  await phase(true, 900);
  await phase(false, 900);
  await phase(true, 900);
  await phase(false, 100);
  assertEquals([playing.over, returned], [false, false]);
  const sent = notes.sent.length;
  assert(sent > 40, `${sent}`);
  await clock.advance(1_100);
  assertEquals([playing.over, returned, await playing.done], [true, true, TOO_LONG]);
  assertEquals([notes.sent.length, notes.speaking.at(-1)?.[1], clock.pending], [sent, false, 0]);
});
