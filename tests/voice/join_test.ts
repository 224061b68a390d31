import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  VoiceJoin,
  type VoiceJoinOptions,
  type VoiceJoinOutput,
  type VoiceServer,
} from "../../voice/core.ts";
import { assertProperty } from "../property.ts";

const GUILD = "41771983423143937";
const SELF = "100";

/** A join, its clock, and a voice connection that follows its outputs. */
class JoinDriver {
  readonly join: VoiceJoin;
  /** What happened, in a word each. */
  readonly log: string[] = [];
  /** Where the voice connection is; `null` while there is none. */
  connection: VoiceServer | null = null;
  now = 0;

  constructor(options: Partial<VoiceJoinOptions> = {}) {
    this.join = new VoiceJoin({ guildId: GUILD, channelId: "A", userId: SELF, now: 0, ...options });
    this.do((join) => join.start());
  }

  do(act: (join: VoiceJoin) => readonly VoiceJoinOutput[]): this {
    for (const output of act(this.join)) this.#note(output);
    return this;
  }

  /** The bot's own VOICE_STATE_UPDATE. */
  state(channel_id: string | null, session_id: string = "s1"): this {
    const event = { guild_id: GUILD, channel_id, user_id: SELF, session_id };
    return this.do((join) => join.voiceState(event, this.now));
  }

  /** VOICE_SERVER_UPDATE. */
  server(token: string, endpoint: string | null = "a.discord.media:2087"): this {
    return this.do((join) => join.voiceServer({ guild_id: GUILD, token, endpoint }, this.now));
  }

  /** Lets time pass from deadline to deadline. */
  pass(ms: number): this {
    const until = this.now + ms;
    for (let turns = 0; this.join.deadline.at <= until; turns++) {
      if (turns > 1_000) throw new Error("The join does not let time pass");
      this.now = Math.max(this.now, this.join.deadline.at);
      this.do((join) => join.tick(this.now));
    }
    this.now = until;
    return this;
  }

  #note(output: VoiceJoinOutput): void {
    switch (output.type) {
      case "command":
        this.log.push(`op4 ${output.command.d.channel_id}`);
        break;
      case "connect":
        this.connection = output.server;
        this.log.push(`connect ${output.server.channelId} ${output.server.token}`);
        break;
      case "disconnect":
        this.connection = null;
        this.log.push("disconnect");
        break;
      case "not_moved":
        this.log.push(`not moved to ${output.channelId}`);
        break;
      case "end":
        this.connection = null;
        this.log.push(`end ${output.end.cause}`);
    }
  }
}

/** A voice connection that is connected to A with token t1, its journal empty, some time later. */
function connected(): JoinDriver {
  const driver = new JoinDriver().state("A").server("t1").pass(60_000);
  driver.log.length = 0;
  return driver;
}

/** All orders of some things. */
function orders<T>(things: readonly T[]): T[][] {
  if (things.length === 0) return [[]];
  return things.flatMap((one, at) => orders(things.toSpliced(at, 1)).map((rest) => [one, ...rest]));
}

type Step = readonly [name: string, act: (driver: JoinDriver) => unknown];
const state = (channel: string | null, session?: string): Step => [
  `state ${channel}${session ? ` ${session}` : ""}`,
  (driver) => driver.state(channel, session),
];
const server = (token: string): Step => [`server ${token}`, (driver) => driver.server(token)];
const gone: Step = ["no server", (driver) => driver.server("", null)];

/** Runs a test for every order of the steps in which those named come in the order given. */
function inEveryOrder(
  what: string,
  steps: readonly Step[],
  { keeping = [], test }: { keeping?: readonly Step[]; test: (order: readonly Step[]) => void },
): void {
  for (const order of orders(steps)) {
    if (order.filter((step) => keeping.includes(step)).some((step, at) => step !== keeping[at])) continue;
    Deno.test(`join: ${what}: ${order.map(([name]) => name).join(", ")}`, () => test(order));
  }
}

const play = (driver: JoinDriver, order: readonly Step[]) => {
  for (const [, act] of order) act(driver);
  return driver;
};

{
  const steps = [state("A"), server("t1")];
  inEveryOrder("the first response, one connection [case 67]", steps, {
    test: (order) => {
      const driver = play(new JoinDriver(), order);
      assertEquals(driver.log, ["op4 A", "connect A t1"]);
      assertEquals(driver.connection, {
        endpoint: "a.discord.media:2087",
        token: "t1",
        sessionId: "s1",
        guildId: GUILD,
        channelId: "A",
        userId: SELF,
      });
      assertEquals([driver.join.phase, driver.join.deadline.at], ["connected", Infinity]);
    },
  });
}

{
  const steps = [state("A"), gone, server("t1")];
  inEveryOrder("a server that is yet to be allocated, no attempt before [case 67]", steps, {
    keeping: [gone, steps[2]!],
    test: (order) => assertEquals(play(new JoinDriver(), order).log, ["op4 A", "connect A t1"]),
  });
}

{
  const steps = [state("A"), server("t1"), server("t2")];
  inEveryOrder("a second server replaces the first [case 67]", steps, {
    keeping: [steps[1]!, steps[2]!],
    test: (order) => {
      const driver = play(new JoinDriver(), order).pass(60_000);
      assertEquals([driver.connection?.token, driver.join.phase], ["t2", "connected"]);
    },
  });
}

inEveryOrder("moved by another user", [state("B"), server("t2")], {
  test: (order) => {
    const driver = play(connected(), order);
    assertEquals(driver.log.at(-1), "connect B t2");
    assertEquals([driver.pass(60_000).log.length, driver.join.phase], [2, "connected"]);
  },
});

inEveryOrder("moved by the program", [state("B"), server("t2")], {
  test: (order) => {
    const driver = play(connected().do((join) => join.move("B", 60_000)), order).pass(60_000);
    assertEquals([driver.log[0], driver.log.at(-1), driver.join.phase], [
      "op4 B",
      "connect B t2",
      "connected",
    ]);
  },
});

inEveryOrder("a new session of the main gateway", [state("A", "s2"), server("t2")], {
  test: (order) => {
    const driver = play(connected(), order).pass(60_000);
    assertEquals([driver.connection?.sessionId, driver.connection?.token], ["s2", "t2"]);
  },
});

{
  const steps = [gone, state("B"), server("t2")];
  inEveryOrder("moved, with a server that is yet to be allocated", steps, {
    keeping: [gone, steps[2]!],
    test: (order) => {
      const driver = play(connected(), order).pass(60_000);
      assertEquals([driver.log.at(-1), driver.join.phase], ["connect B t2", "connected"]);
    },
  });
}

{
  // The close of the old connection reaches the join only while there is no other.
  const closed: Step = ["4014", (driver) => {
    if (driver.connection?.token === "t1") driver.do((join) => join.wait(driver.now));
  }];
  inEveryOrder("moved, and 4014 [case 68]", [closed, state("B"), server("t2")], {
    test: (order) => {
      const driver = play(connected(), order).pass(60_000);
      assertEquals([driver.log.at(-1), driver.join.phase], ["connect B t2", "connected"]);
    },
  });
  inEveryOrder("another region, and 4014 or 4022 [case 68]", [closed, server("t2")], {
    test: (order) => {
      const driver = play(connected(), order).pass(60_000);
      assertEquals([driver.log, driver.join.phase], [["connect A t2"], "connected"]);
    },
  });
  inEveryOrder("kicked, and 4014 [case 68]", [closed, state(null)], {
    test: (order) => {
      const driver = play(connected(), order);
      // At once: nothing else can follow.
      assertEquals(driver.log, ["end kicked"]);
      assertEquals(driver.join.end, { cause: "kicked", channelId: "A" });
    },
  });
}

{
  const steps = [state("B"), server("t2"), state("C"), server("t3")];
  inEveryOrder("moved twice", steps, {
    keeping: [steps[0]!, steps[2]!],
    test: (order) => {
      if (order.indexOf(steps[1]!) > order.indexOf(steps[3]!)) return;
      const driver = play(connected(), order).pass(60_000);
      assertEquals([driver.connection?.channelId, driver.connection?.token], ["C", "t3"]);
    },
  });
}

{
  const steps = [state("A"), server("t2")];
  inEveryOrder("joined anew", steps, {
    test: (order) => {
      const driver = connected().do((join) => join.rejoin(60_000));
      play(driver, order);
      assertEquals(driver.log, ["op4 A", "connect A t2"]);
      assertEquals(driver.pass(60_000).join.phase, "connected");
    },
  });
  inEveryOrder("joined anew under a new main session", [state("A", "s2"), server("t2")], {
    test: (order) => {
      const driver = play(connected().do((join) => join.rejoin(60_000)), order).pass(60_000);
      assertEquals(driver.log, ["op4 A", "connect A t2"]);
      assertEquals(driver.connection?.sessionId, "s2");
    },
  });
}

{
  // A session that timed out: Discord takes the bot out of the channel, and it joins again.
  const out = state(null);
  const rejoin: Step = ["rejoin", (driver) => driver.do((join) => join.rejoin(driver.now))];
  const [back, token] = [state("A"), server("t2")];
  inEveryOrder("lost by the voice server and joined anew", [out, rejoin, back, token], {
    keeping: [out, back],
    test: (order) => {
      // The response to op 4 comes after op 4.
      if (order.indexOf(rejoin) > Math.min(order.indexOf(back), order.indexOf(token))) return;
      const driver = play(connected(), order).pass(60_000);
      assertEquals([driver.log.at(-1), driver.join.phase], ["connect A t2", "connected"]);
    },
  });
}

Deno.test("join: the first op 4 says how the bot joins", () => {
  const join = new VoiceJoin({ guildId: GUILD, channelId: "A", userId: SELF, now: 0, selfDeaf: true });
  assertEquals(join.start(), [{
    type: "command",
    command: { op: 4, d: { guild_id: GUILD, channel_id: "A", self_mute: false, self_deaf: true } },
  }]);
});

Deno.test("join: for a full channel no response comes: given up after 15 s", () => {
  const driver = new JoinDriver().pass(14_999);
  assertEquals([driver.join.phase, driver.join.deadline], ["waiting", { at: 15_000, reason: "response" }]);
  driver.pass(1);
  assertEquals(driver.log, ["op4 A", "op4 null", "end timeout"]);
  assertEquals(driver.join.end, { cause: "timeout", channelId: null });
});

for (const half of ["state", "server", "a server that is null"] as const) {
  Deno.test(`join: half a response (${half}) is given up after 15 s as well`, () => {
    const driver = new JoinDriver({ timeoutMs: 15_000 });
    if (half === "state") driver.state("A");
    else if (half === "server") driver.server("t1");
    else driver.state("A").server("t", null);
    assertEquals(driver.pass(15_000).log.slice(-2), ["op4 null", "end timeout"]);
  });
}

Deno.test("join: a new region alone takes the known state", () => {
  assertEquals(connected().server("t2").log, ["connect A t2"]);
});

Deno.test("join: the two events of the first response may be far apart", () => {
  assertEquals(new JoinDriver().server("t1").pass(12_000).state("A").log, ["op4 A", "connect A t1"]);
});

Deno.test("join: a token that has its state is not taken for the next channel's: that one's comes", () => {
  const driver = connected().state("B").server("t2");
  driver.log.length = 0;
  driver.pass(100).state("C");
  assertEquals([driver.log, driver.join.deadline.reason], [["disconnect"], "pair"]);
  assertEquals(driver.pass(200).server("t3").pass(60_000).log, ["disconnect", "connect C t3"]);
});

Deno.test("join: an old token is not tried for another channel", () => {
  const driver = connected().state("B");
  assertEquals([driver.log, driver.join.deadline.reason], [["disconnect"], "response"]);
  assertEquals(driver.pass(14_999).log, ["disconnect"]);
  assertEquals(driver.pass(1).join.end, { cause: "timeout", channelId: "B" });
});

Deno.test("join: a second move after the known token has become old waits for a new one, and is given up without it", () => {
  // A regression: the wait for a fresh partner stayed due for ever, with no token left to take.
  const moved = () => new JoinDriver().server("t1").pass(4_500).state("A").state("B").pass(600).state("C");
  const given = moved();
  assertEquals(given.join.deadline, { at: given.now + 15_000, reason: "response" });
  assertEquals(given.pass(15_000).log.slice(2), ["disconnect", "op4 null", "end timeout"]);
  assertEquals(moved().pass(14_000).server("t2").log.slice(2), ["disconnect", "connect C t2"]);
});

Deno.test("join: a server is lost: the connection ends, and another begins hours later [case 67]", () => {
  const driver = connected().server("", null);
  assertEquals([driver.log, driver.join.phase], [["disconnect"], "no_server"]);
  driver.pass(3 * 3_600_000);
  assertEquals(driver.server("t2").log, ["disconnect", "connect A t2"]);
});

Deno.test("join: moved while there is no server: the next one is for the new channel", () => {
  const driver = connected().server("", null).state("B").pass(60_000).server("t2").pass(60_000);
  assertEquals([driver.log.at(-1), driver.join.phase], ["connect B t2", "connected"]);
});

Deno.test("join: a 4014 with no event after it ends the voice connection after 5 s [case 68]", () => {
  const driver = connected().do((join) => join.wait(60_000));
  assertEquals(driver.join.phase, "in_doubt");
  assertEquals(driver.pass(4_999).log, []);
  assertEquals(driver.pass(1).log, ["op4 null", "end disconnected"]);
});

Deno.test("join: a channel of null alone is a kick when nothing follows for 5 s", () => {
  assertEquals(connected().state(null).pass(4_999).log, []);
  assertEquals(connected().state(null).pass(5_000).log, ["end kicked"]);
});

Deno.test("join: the echo of an earlier leave does not end a join that waits", () => {
  const driver = new JoinDriver().state(null).state("A").server("t1");
  assertEquals(driver.log, ["op4 A", "connect A t1"]);
});

Deno.test("join: a rejoin with a token alone as its response takes the known state after a second", () => {
  const driver = connected().do((join) => join.rejoin(60_000)).server("t2");
  assertEquals(driver.pass(999).log, ["op4 A"]);
  assertEquals(driver.pass(1).log, ["op4 A", "connect A t2"]);
});

Deno.test("join: a rejoin without a response is given up", () => {
  const driver = connected().do((join) => join.rejoin(60_000)).pass(15_000);
  assertEquals(driver.log, ["op4 A", "op4 null", "end timeout"]);
});

Deno.test("join: a move without a response changes nothing", () => {
  const driver = connected().do((join) => join.move("full", 60_000)).pass(15_000);
  assertEquals(driver.log, ["op4 full", "not moved to full"]);
  assertEquals([driver.join.phase, driver.join.channelId], ["connected", "A"]);
  driver.do((join) => join.rejoin(driver.now));
  assertEquals(driver.log.at(-1), "op4 A");
});

Deno.test("join: the same server again, as a replay brings it, does not disturb the connection", () => {
  const driver = connected().server("t1").server("t1");
  assertEquals([driver.log, driver.join.phase], [[], "connected"]);
  // After a 4014 the same server may be connected to.
  assertEquals(driver.do((join) => join.wait(driver.now)).server("t1").log, ["connect A t1"]);
});

Deno.test("join: mute and deafen change nothing", () => {
  const driver = connected().state("A").state("A");
  assertEquals([driver.log, driver.join.phase], [[], "connected"]);
});

Deno.test("join: events of other users, other guilds and direct calls are ignored", () => {
  const driver = connected();
  const own = { guild_id: GUILD, channel_id: "B", user_id: SELF, session_id: "s" };
  const { guild_id: _, ...direct } = own;
  driver.do((join) => join.voiceState({ ...own, user_id: "7" }, 60_000));
  driver.do((join) => join.voiceState({ ...own, guild_id: "7" }, 60_000));
  driver.do((join) => join.voiceState(direct, 60_000));
  driver.do((join) => join.voiceServer({ guild_id: "7", token: "t", endpoint: "e" }, 60_000));
  assertEquals([driver.log, driver.join.channelId], [[], "A"]);
});

for (
  const [what, act, log] of [
    ["the program leaves", (join: VoiceJoin) => join.leave(), ["op4 null", "end left"]],
    ["the verdict is to stop [case 68]", (join: VoiceJoin) => join.stop(), ["op4 null", "end stopped"]],
  ] as const
) {
  Deno.test(`join: ${what}: it has ended, and no input has an effect`, () => {
    const driver = connected().do(act);
    assertEquals(driver.log, [...log]);
    driver.state("B").server("t2").pass(60_000).do((join) => join.start()).do((join) =>
      join.move("C", driver.now)
    );
    driver.do((join) => join.rejoin(driver.now)).do((join) => join.wait(driver.now)).do(act).do((join) =>
      join.leave()
    );
    assertEquals([driver.log, driver.join.phase], [[...log], "ended"]);
  });
}

Deno.test("join: of moves and changes of server the last ones win, in any order of their events", () => {
  const change = fc.record({
    afterMs: fc.nat(4_000),
    moved: fc.boolean(),
    lost: fc.boolean(),
    stateMs: fc.nat(900),
    serverMs: fc.nat(900),
  });
  assertProperty(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const driver = connected();
      const queue: { at: number; act: () => unknown }[] = [];
      let [at, channel, token, lastState, lastServer] = [driver.now, "A", "t1", 0, 0];
      changes.forEach(({ afterMs, moved, lost, stateMs, serverMs }, number) => {
        at += afterMs;
        // Events of one kind come in the order in which they were sent.
        lastServer = Math.max(lastServer, at + serverMs);
        const fresh = `t${number + 2}`;
        token = fresh;
        if (lost) queue.push({ at: lastServer, act: () => driver.server("", null) });
        queue.push({ at: lastServer, act: () => driver.server(fresh) });
        if (!moved) return;
        lastState = Math.max(lastState, at + stateMs);
        const next = `channel ${number}`;
        channel = next;
        queue.push({ at: lastState, act: () => driver.state(next) });
      });
      for (const event of queue.toSorted((a, b) => a.at - b.at)) {
        driver.pass(event.at - driver.now);
        event.act();
      }
      driver.pass(60_000);
      assertEquals([driver.connection?.channelId, driver.connection?.token], [channel, token]);
      assertEquals([driver.join.phase, driver.join.deadline.at], ["connected", Infinity]);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("join: any sequence of inputs gives whole pairs, ends once, and settles", () => {
  // In words rather than functions, so that a counterexample can be read.
  const input = fc.oneof(
    fc.record({
      type: fc.constant("state" as const),
      channel: fc.constantFrom("A", "B", null),
      session: fc.constantFrom("s1", "s2"),
    }),
    fc.record({
      type: fc.constant("server" as const),
      token: fc.constantFrom("t1", "t2"),
      endpoint: fc.constantFrom("e:1", "", null),
    }),
    fc.record({ type: fc.constant("pass" as const), ms: fc.nat(8_000) }),
    fc.record({ type: fc.constant("move" as const) }),
    fc.record({ type: fc.constantFrom("rejoin" as const, "wait" as const) }),
  );
  const put = (
    driver: JoinDriver,
    one: typeof input extends fc.Arbitrary<infer Input> ? Input : never,
  ): JoinDriver => {
    switch (one.type) {
      case "state":
        return driver.state(one.channel, one.session);
      case "server":
        return driver.server(one.token, one.endpoint);
      case "pass":
        return driver.pass(one.ms);
      case "move":
        return driver.do((join) => join.move("B", driver.now));
      default:
        return driver.do((join) => join[one.type](driver.now));
    }
  };
  assertProperty(
    fc.property(fc.array(input, { maxLength: 30 }), (inputs) => {
      const driver = new JoinDriver();
      for (const one of inputs) {
        put(driver, one);
        if (driver.connection !== null) {
          assertEquals(driver.connection.endpoint, driver.connection.endpoint || "nonempty");
        }
      }
      driver.pass(120_000);
      assertEquals(
        driver.log.filter((line) => line.startsWith("end")).length,
        driver.join.end === null ? 0 : 1,
      );
      assertEquals(driver.join.deadline.at, Infinity);
      if (driver.join.end === null) {
        assertEquals(["connected", "no_server"].includes(driver.join.phase), true);
      }
    }),
    { numRuns: 1_000 },
  );
});
