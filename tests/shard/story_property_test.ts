/**
 * Random stories: Discord misbehaves, the consumer is slow, the process is killed and started again from its record.
 *
 * Whatever happens: what a session gave comes once, in order and without a hole; a command goes out at most once; no
 * rule is broken; and in the end nothing is left behind.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CommandNotSentError, type SessionRecord } from "../../mod.ts";
import type { FakeConnection } from "../fake/mod.ts";
import { assertProperty } from "../property.ts";
import { assertQuiet, field, Play, type PlayEvent } from "./harness.ts";

const steps = fc.array(
  fc.record({
    does: fc.constantFrom(
      "write",
      "write",
      "write",
      "flood",
      "drop",
      "op 7",
      "op 9 true",
      "op 9 false",
      "op 1",
      "close 4000",
      "close 4009",
      "stall",
      "expire",
      "refuse dials",
      "black hole",
      "silent HELLO",
      "silent READY",
      "silent RESUMED",
      "no REST",
      "send",
      "slow consumer",
      "kill",
    ),
    count: fc.integer({ min: 1, max: 12 }),
    passMs: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 3_000 }),
      fc.integer({ min: 0, max: 200_000 }),
    ),
  }),
  { minLength: 1, maxLength: 40 },
);

type Step = typeof steps extends fc.Arbitrary<(infer Item)[]> ? Item : never;

/** One bot over several processes, of which one runs at a time. */
class Bot {
  readonly first = new Play({ maxQueuedEvents: 20 });
  /** Every message that was ever written, by its id. */
  readonly written: string[] = [];
  /** The messages that were handled, by session, in the order of the sessions. */
  readonly sessions = new Map<string, string[]>();
  /** What became of each command. */
  readonly commands: Promise<"sent" | "not sent">[] = [];
  handlingMs: number;
  play = this.first;
  #sessionId = "";

  /** The consumer takes so many ms for each event. */
  constructor(handlingMs: number) {
    this.handlingMs = handlingMs;
    this.#begin(this.first);
  }

  /** The messages that were handled of the last session. */
  get lastSession(): string[] | undefined {
    return this.sessions.get(this.#sessionId);
  }

  perform({ does, count }: Step): Promise<void> | void {
    const { discord } = this.first;
    const connection = discord.connections.at(0);
    switch (does) {
      case "write":
        return void this.written.push(...this.first.write(count));
      case "flood":
        return void this.written.push(...this.first.write(count * 10));
      case "expire":
        return discord.expireSessions();
      case "refuse dials":
        return void discord.faults.rejectDials.push(...Array(count).fill(503));
      case "black hole":
        return void discord.faults.blackHoleDials++;
      case "silent HELLO":
        return void discord.faults.silentHello++;
      case "silent READY":
        return void discord.faults.silentReady++;
      case "silent RESUMED":
        return void discord.faults.silentResumed++;
      case "no REST":
        return void discord.faults.rejectRequests.push(...Array(count).fill(502));
      case "send":
        for (let command = 0; command < count; command++) this.#send();
        return;
      case "slow consumer":
        return void (this.handlingMs = this.handlingMs === 0 ? count * 100 : 0);
      case "kill":
        return this.#kill();
      default:
        if (connection) disturb(connection, does);
    }
  }

  #send(): void {
    const nonce = `${this.commands.length}`;
    const command = { op: 8, d: { guild_id: "1", query: "", limit: 1, nonce } } as const;
    this.commands.push(
      this.play.shard.send(command).then(() => "sent", (error) => {
        assert(error instanceof CommandNotSentError, `${error}`);
        return "not sent";
      }),
    );
  }

  async #kill(): Promise<void> {
    const { shard, clock, discord } = this.play;
    const stored: SessionRecord | null = JSON.parse(JSON.stringify(shard.session));
    discord.connections[0]?.drop();
    this.play.onEvent = () => {};
    await shard.close({ keepSession: true });
    // Should READY have been in hand, it does not come again: the record knows the session all the same.
    this.#sessionId = stored?.sessionId ?? "";
    this.#begin(new Play({ discord, clock, session: stored, maxQueuedEvents: 20 }));
  }

  #begin(play: Play): void {
    this.play = play;
    play.onEvent = async (event) => {
      if (this.handlingMs > 0) {
        await new Promise<void>((resolve) => void play.clock.setTimeout(resolve, this.handlingMs));
      }
      // Killed in the middle of an event: it was not handled.
      if (this.play === play) this.#handle(event);
    };
    play.start();
  }

  #handle(event: PlayEvent): void {
    if (event.t === "READY") this.#sessionId = event.d.session_id;
    if (event.t === "MESSAGE_CREATE") {
      const ids = this.lastSession;
      if (ids) ids.push(event.d.id);
      else this.sessions.set(this.#sessionId, [event.d.id]);
    }
    this.play.shard.acknowledge();
  }
}

function disturb(connection: FakeConnection, how: string): void {
  switch (how) {
    case "drop":
      return connection.drop();
    case "op 7":
      return connection.reconnect();
    case "op 9 true":
      return connection.invalidateSession(true);
    case "op 9 false":
      return connection.invalidateSession(false);
    case "op 1":
      return connection.requestHeartbeat();
    case "close 4000":
      return connection.close(4000);
    case "close 4009":
      return connection.close(4009);
    case "stall":
      return connection.stall();
  }
}

/** Each session's messages are one unbroken run of what was written, and the runs follow each other. */
function assertUnbroken({ sessions, written }: Bot): void {
  let from = 0;
  for (const session of sessions.values()) {
    if (session[0] === undefined) continue;
    const at = written.indexOf(session[0], from);
    assert(at >= from, "a message came again, or before one that was written earlier");
    assertEquals(session, written.slice(at, at + session.length));
    from = at + session.length;
  }
}

Deno.test("shard: over random stories nothing of a session is lost, doubled or out of order, and no rule is broken", async () => {
  await assertProperty(
    fc.asyncProperty(fc.constantFrom(0, 0, 300, 20_000), steps, async (handlingMs, steps) => {
      const bot = new Bot(handlingMs);
      const { clock, discord } = bot.first;
      for (const step of steps) {
        await bot.perform(step);
        await clock.advance(step.passMs);
      }
      // Everybody is well again.
      bot.handlingMs = 0;
      Object.assign(discord.faults, {
        rejectDials: [],
        blackHoleDials: 0,
        silentHello: 0,
        silentReady: 0,
        silentResumed: 0,
        rejectRequests: [],
      });
      await clock.advance(600_000);
      bot.written.push(...bot.first.write(3));
      await clock.advance(0);

      assertEquals(bot.play.shard.status.state, "live");
      assertUnbroken(bot);
      assertEquals(bot.lastSession?.slice(-3), bot.written.slice(-3));
      const live = discord.connections[0]?.session;
      assertEquals(bot.lastSession?.length, live?.counts.get("MESSAGE_CREATE"));
      assertEquals(bot.play.shard.session?.sequence, live?.sequence);

      const outcomes = await Promise.all(bot.commands);
      const arrived = discord.journal.of("frame").filter(({ op }) => op === 8)
        .map(({ d }) => Number(field(d, "nonce")));
      assertEquals(new Set(arrived).size, arrived.length, "no command goes out twice");
      assert(arrived.every((command) => outcomes[command] === "sent"));

      await bot.play.shard.close();
      assertQuiet(bot.play);
      const closes = discord.journal.of("close").filter(({ by }) => by === "client");
      assert(closes.every(({ code }) => code === 1000 || code === 4200));
      // A command can cross an op 9 on its way; the guild it asks about is not ours, which Discord overlooks.
      const broken = discord.journal.violations().filter(({ code }) => code !== null && code !== 4003);
      assertEquals(broken, []);
    }),
    { numRuns: 100 },
  );
});
