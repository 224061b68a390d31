/**
 * Random stories around a reshard: connections of both sets are cut, replaced and invalidated, the consumer is slow, the
 * process is killed and started again from the sessions that it had stored.
 *
 * Whatever happens: every event is delivered, in its guild's order but for repetitions, and no rule of Discord's is
 * broken. What a shard lost with its session after the switch is the one exception, and a SESSION_GAP tells of it.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { assertProperty } from "../../property.ts";
import { shardIdOf } from "../../../gateway/mod.ts";
import { assertQuiet, FleetPlay, textOf } from "./harness.ts";

const steps = fc.array(
  fc.record({
    does: fc.constantFrom(
      "write",
      "write",
      "write",
      "write",
      "drop",
      "op 7",
      "op 9 true",
      "op 9 false to a new shard",
      "stall",
      "refuse dials",
      "pause",
      "go on",
    ),
    which: fc.nat(),
    passMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 9_000 })),
  }),
  { minLength: 1, maxLength: 40 },
);

const story = fc.record({
  from: fc.integer({ min: 1, max: 6 }),
  to: fc.integer({ min: 1, max: 9 }),
  maxConcurrency: fc.constantFrom(1, 4, 16),
  overlapMs: fc.integer({ min: 0, max: 4_000 }),
  by: fc.constantFrom("iterate", "run"),
  steps,
  killed: fc.boolean(),
});

type Story = typeof story extends fc.Arbitrary<infer Value> ? Value : never;

/** The consumer sleeps through the switch, and a new shard then loses its session. */
const LOST_AFTER_THE_SWITCH: Story = {
  from: 2,
  to: 1,
  maxConcurrency: 1,
  overlapMs: 0,
  by: "iterate",
  steps: [
    { does: "pause", which: 0, passMs: 0 },
    { does: "write", which: 0, passMs: 5_250 },
    { does: "write", which: 1, passMs: 250 },
    { does: "op 9 false to a new shard", which: 0, passMs: 0 },
    { does: "write", which: 0, passMs: 0 },
  ],
  killed: false,
};

/** A new connection has fallen silent, and is replayed after the switch what the old one has brought before it. */
const REPLAYED_AFTER_THE_SWITCH: Story = {
  from: 1,
  to: 2,
  maxConcurrency: 1,
  overlapMs: 0,
  by: "iterate",
  steps: [
    ...[430, 620, 449, 1_817, 6_694, 490].map((passMs) => ({ does: "write", which: 0, passMs }) as const),
    { does: "stall", which: 599_061_536, passMs: 0 },
    { does: "write", which: 808_933_208, passMs: 250 },
    { does: "write", which: 11, passMs: 0 },
  ],
  killed: false,
};

class Teller {
  readonly play: FleetPlay;
  readonly #story: Story;
  /** The guilds of what was written, by number. */
  readonly written: string[] = [];
  #pause: Promise<void> | null = null;
  #goOn = () => {};
  /** What was handled to the end, by text. */
  readonly handled = new Set<string>();

  constructor(story: Story) {
    this.#story = story;
    const { from, maxConcurrency, by } = story;
    this.play = new FleetPlay({ by, maxQueuedEvents: 15, fake: { shards: from, maxConcurrency } });
    this.play.onItem = async (item) => {
      await this.#pause;
      const text = textOf(item);
      if (text !== null) this.handled.add(text);
    };
  }

  async tell(): Promise<void> {
    for (const { does, which, passMs } of this.#story.steps) {
      this.#perform(does, which);
      await this.play.clock.advance(passMs);
    }
    this.goOn();
  }

  goOn(): void {
    this.#goOn();
    this.#pause = null;
  }

  #perform(does: Story["steps"][number]["does"], which: number): void {
    const { play } = this;
    const { connections } = play.discord;
    const connection = connections[which % Math.max(1, connections.length)];
    switch (does) {
      case "write":
        for (let count = 0; count <= which % 5; count++) {
          // Messages and reactions, in all guilds.
          const guild = (which + count) % 12;
          const number = this.written.push(play.discord.guilds[guild]?.id ?? "") - 1;
          if (which % 2 === 0) play.write(number, guild);
          else play.react(number, guild);
        }
        break;
      case "drop":
        connection?.drop();
        break;
      case "op 7":
        connection?.reconnect();
        break;
      case "op 9 true":
        if (connection?.session) connection.invalidateSession(true);
        break;
      case "op 9 false to a new shard": {
        const next = play.fleet.status.next?.shardCount;
        const fresh = connections.filter(({ shard }) => shard?.[1] === next && next !== this.#story.from);
        fresh[which % Math.max(1, fresh.length)]?.invalidateSession(false);
        break;
      }
      case "stall":
        connection?.stall();
        break;
      case "refuse dials":
        play.discord.faults.rejectDials.push(503);
        break;
      case "pause":
        this.#pause ??= new Promise((resolve) => this.#goOn = resolve);
        break;
      case "go on":
        this.goOn();
        break;
    }
  }
}

Deno.test("reshard: random stories lose no event and keep each guild's order", async () => {
  await assertProperty(
    fc.asyncProperty(story, async (told) => {
      const teller = new Teller(told);
      const { play } = teller;
      await play.live(told.from);
      let over = false;
      const resharding = play.fleet.reshard(told.to, { overlapMs: told.overlapMs }).catch((error) => error)
        .finally(() => over = true);
      await teller.tell();
      if (told.killed) {
        const sessions: FleetPlay["fleet"]["sessions"] = JSON.parse(JSON.stringify(play.fleet.sessions));
        const handled = new Set(teller.handled);
        await play.fleet.close({ keepSession: true });
        await play.settle();
        const { clock, discord } = play;
        const next = await new FleetPlay({ clock, discord, sessions }).live(
          sessions[0]?.shardCount ?? told.from,
        );
        const plays = [play, next];
        await settleDown(next, () => missing(teller, [...handled, ...next.texts], plays).length === 0);
        assertEquals(missing(teller, [...handled, ...next.texts], plays), []);
        await finish(next);
      } else {
        await settleDown(play, () => over && missing(teller, play.texts, [play]).length === 0);
        assertEquals(missing(teller, play.texts, [play]), []);
        const report = await resharding;
        assertEquals([report.to, play.fleet.status.shardCount], [told.to, told.to], `${report}`);
        assertOnce(play);
        await finish(play);
      }
      assertInOrder(play, told.from === told.to);
      const broken = play.discord.journal.violations().filter(({ rule }) =>
        !rule.startsWith("a heartbeat comes")
      );
      assertEquals(broken, [], "a peer that is dead hears no heartbeats; nothing else is broken");
    }),
    { numRuns: 75, examples: [[LOST_AFTER_THE_SWITCH], [REPLAYED_AFTER_THE_SWITCH]] },
  );
});

/** What has not come, but for the guilds of a shard that told of a gap. */
function missing({ written }: Teller, texts: readonly string[], plays: readonly FleetPlay[]): string[] {
  const seen = new Set(texts);
  const gaps = plays.flatMap(({ items }) => items).filter(({ event }) => event.t === "SESSION_GAP");
  return written.flatMap((guild, number) => {
    const isTold = gaps.some(({ shardId, shardCount }) => shardIdOf(guild, shardCount) === shardId);
    return seen.has(`${number}`) || isTold ? [] : [`${number}`];
  });
}

/** Half an hour is enough for whatever goes wrong. */
async function settleDown(play: FleetPlay, isDone: () => boolean): Promise<void> {
  for (let second = 0; second < 1_800 && !isDone(); second += 5) await play.clock.advance(5_000);
}

async function finish(play: FleetPlay): Promise<void> {
  await play.fleet.close();
  await play.finished;
  // Stalled connections are dead to us; the fake cuts them when it is told.
  for (const connection of play.discord.connections) connection.drop();
  await play.settle();
  assertQuiet(play);
}

/** A message has an id of its own: it is delivered once, unless it had to be replayed. */
function assertOnce(play: FleetPlay): void {
  const ids = play.items.flatMap(({ event }) => event.t === "MESSAGE_CREATE" ? [event.d.id] : []);
  assertEquals(new Set(ids).size, ids.length, "no message twice");
}

/** Of each guild, the events of one set are in order; of two sets with the same count one step back is the switch. */
function assertInOrder(play: FleetPlay, sameCount: boolean): void {
  const last = new Map<string, { number: number; stepsBack: number }>();
  for (const item of play.items) {
    const { event, shardCount } = item;
    const text = textOf(item);
    if (event.t !== "MESSAGE_CREATE" && event.t !== "MESSAGE_REACTION_ADD") continue;
    const key = `${event.d.guild_id} of ${shardCount}`;
    const before = last.get(key) ?? { number: -1, stepsBack: 0 };
    const stepsBack = before.stepsBack + (Number(text) > before.number ? 0 : 1);
    assert(stepsBack <= (sameCount ? 1 : 0), `${key}: ${text} after ${before.number}`);
    last.set(key, { number: Number(text), stepsBack });
  }
}
