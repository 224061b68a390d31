/** Every close code, and what the shard does about it: the same session, a new one, or a typed error. */

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { ShardStoppedError } from "../../../mod.ts";
import { CLOSE_CODES } from "../../../gateway/mod.ts";
import { assertQuiet, Play } from "../harness.ts";
import { Puppet } from "../puppet.ts";

const RESUMED_AFTER = [1000, 1001, 1005, 1006, 1011, 1012, 3000, 4000, 4002, 4005, 4008, 4015, 4242, 4999];
const IDENTIFIED_AFTER = [4001, 4003, 4006, 4007, 4009];
const FATAL = [4004, 4010, 4011, 4012, 4013, 4014];

/** A live shard whose connection is closed with the code, by and by. */
async function closedWith(code: number): Promise<Play> {
  const play = await new Play().live();
  play.connection.close(code);
  await play.clock.advance(20_000);
  return play;
}

for (const code of RESUMED_AFTER) {
  Deno.test(`shard: close ${code} is followed by a resume`, async () => {
    const play = await closedWith(code);
    const { journal } = play.discord;
    assertEquals([journal.resumes().length, journal.identifies().length], [1, 1]);
    assertEquals(play.names, ["READY", "RESUMED"]);
    assertEquals(play.shard.status.state, "live");
    await play.shard.close();
    assertEquals(journal.violations(), []);
  });
}

for (const code of IDENTIFIED_AFTER) {
  Deno.test(`shard: close ${code} is followed by an identify, and the gap is reported`, async () => {
    const play = await closedWith(code);
    const { journal } = play.discord;
    assertEquals([journal.resumes().length, journal.identifies().length], [0, 2]);
    assertEquals(play.names, ["READY", "SESSION_GAP", "READY"]);
    const gap = play.events[1];
    assert(gap?.t === "SESSION_GAP");
    assertEquals<string>(gap.d.cause, `close_${code}`);
    assertEquals(play.statusesOf("disconnected").map(({ closeCode }) => closeCode), [code]);
    await play.shard.close();
    assertEquals(journal.violations(), []);
  });
}

for (const code of FATAL) {
  Deno.test(`shard: close ${code} stops the shard with a typed error out of the iterator`, async () => {
    const play = await closedWith(code);
    const error = await play.finished;
    assertInstanceOf(error, ShardStoppedError);
    assertEquals<unknown>([error.code, error.closeCode, error.endCause], [
      "ERR_SHARD_STOPPED",
      code,
      `close_${code}`,
    ]);
    assertStringIncludes(error.message, `: ${code}`);
    assertEquals(play.shard.status, { state: "closed", error });
    assertEquals(play.discord.journal.dials().length, 1, "there is no second attempt");
    assertQuiet(play);
  });
}

Deno.test("shard: every close code of Discord's table is in one of the three", () => {
  const known = [...RESUMED_AFTER, ...IDENTIFIED_AFTER, ...FATAL];
  for (const { code, fatal } of CLOSE_CODES) {
    assert(known.includes(code), `${code}`);
    assertEquals(FATAL.includes(code), fatal, `${code}`);
  }
});

Deno.test("shard: a fatal close before READY stops it as well", async () => {
  const play = new Play({ intents: 1 << 30 }).start();
  await play.clock.advance(0);
  const error = await play.finished;
  assertInstanceOf(error, ShardStoppedError);
  assertEquals(error.closeCode, 4013);
  assertQuiet(play);
});

Deno.test("shard: a wrong token stops it: at the REST API, or where the URL is given, at the gateway", async () => {
  for (const url of [undefined, "wss://gateway.test"]) {
    const { discord, clock } = new Play();
    const play = new Play({ discord, clock, token: "of.another.bot", ...(url && { url }) });
    play.start();
    await clock.advance(0);
    const error = await play.finished;
    assertInstanceOf(error, ShardStoppedError);
    assertEquals(error.endCause, url ? "close_4004" : "gateway_bot_unauthorized");
    assertQuiet(play);
  }
});

Deno.test("shard: a lost connection is the same by any name: no code, 0, 1005, 1006, an error", async () => {
  const error = new Error("reset by peer");
  for (const end of [{}, { code: 0 }, { code: 1005 }, { code: 1006 }, { error }]) {
    const puppet = new Puppet();
    const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
    await play.clock.advance(0);
    puppet.socket.hello();
    await play.clock.advance(0);
    puppet.socket.ready();
    puppet.socket.lose(end);
    await play.clock.advance(1_000);
    assertEquals(play.statusesOf("disconnected").map(({ cause }) => cause), ["connection_lost"]);
    assertEquals(play.statusesOf("disconnected")[0]?.error, "error" in end ? error : null);
    puppet.socket.hello();
    assertEquals(puppet.socket.ops, [6]);
    await play.shard.close();
  }
});
