/** `send()`: a command goes out when the session is usable, in order, once; or its caller learns why not. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CommandError, CommandNotSentError, type GatewayCommand, ShardStoppedError } from "../../../mod.ts";
import { encodeCommand } from "../../../gateway/mod.ts";
import { field, Play, settled } from "../harness.ts";
import { Puppet } from "../puppet.ts";

/** A command that can be told apart. */
function ask(nonce: string): GatewayCommand {
  return { op: 8, d: { guild_id: "1", query: "", limit: 1, nonce } };
}

/** The nonces of the commands among what was sent, and the opcodes of all else but heartbeats. */
function sentOn(
  { sent }: { readonly sent: readonly { readonly op: number; readonly d: unknown }[] },
): unknown[] {
  return sent.filter(({ op }) => op !== 1).map(({ op, d }) => op === 8 ? field(d, "nonce") : op);
}

/** A puppet and a shard on it, started. */
async function puppetShow(): Promise<{ puppet: Puppet; play: Play }> {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  return { puppet, play };
}

Deno.test("shard: a command goes out at once when the session is usable, and its promise resolves", async () => {
  const play = await new Play().live();
  await play.shard.send({ op: 3, d: { since: null, activities: [], status: "dnd", afk: false } });
  const frames = play.discord.journal.of("frame");
  assertEquals(frames.map(({ op }) => op), [2, 3]);
  assertEquals(frames[1]?.d, { since: null, activities: [], status: "dnd", afk: false });
  await play.shard.close();
});

Deno.test("shard: commands sent before READY, even before the start, wait for it and keep their order [case 58]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" });
  const sends = [play.shard.send(ask("before the start"))];
  play.start();
  await play.clock.advance(0);
  sends.push(play.shard.send(ask("before HELLO")));
  puppet.socket.hello();
  await play.clock.advance(0);
  sends.push(play.shard.send(ask("before READY")));
  await play.clock.advance(10_000);
  assertEquals(sentOn(puppet.socket), [2]);
  puppet.socket.ready();
  await Promise.all(sends);
  assertEquals(sentOn(puppet.socket), [2, "before the start", "before HELLO", "before READY"]);
  await play.shard.close();
});

Deno.test("shard: a command that is given while it resumes goes out after RESUMED, not before [case 47]", async () => {
  const { puppet, play } = await puppetShow();
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  puppet.socket.say(7);
  const first = play.shard.send(ask("while disconnected"));
  await play.clock.advance(0);
  puppet.socket.hello();
  const second = play.shard.send(ask("while resuming"));
  puppet.socket.dispatch("MESSAGE_CREATE", 2, { id: "2" });
  await play.clock.advance(20_000);
  assertEquals(sentOn(puppet.socket), [6], "the replay is still going on");
  puppet.socket.dispatch("RESUMED", 3);
  await Promise.all([first, second]);
  assertEquals(sentOn(puppet.socket), [6, "while disconnected", "while resuming"]);
  assertEquals(sentOn(puppet.sockets[0]!), [2]);
  await play.shard.close();
});

Deno.test("shard: a command outlives any number of connections, and goes out once", async () => {
  const { puppet, play } = await puppetShow();
  const sending = play.shard.send(ask("patient"));
  for (let connection = 0; connection < 5; connection++) {
    puppet.socket.hello();
    await play.clock.advance(0);
    puppet.socket.lose();
    const { length } = puppet.sockets;
    await play.clock.runUntil(() => puppet.sockets.length > length);
  }
  puppet.socket.hello();
  await play.clock.advance(6_000);
  puppet.socket.ready();
  await sending;
  assertEquals(puppet.sockets.flatMap(sentOn).filter((what) => what === "patient").length, 1);
  await play.shard.close();
});

Deno.test("shard: between op 9 and the next READY nothing is sent but the identify [case 47]", async () => {
  const play = await new Play().live();
  play.connection.invalidateSession(false);
  await play.clock.advance(0);
  const sending = play.shard.send(ask("held"));
  await play.untilState("live");
  await sending;
  assertEquals(play.discord.journal.of("frame").map(({ op }) => op), [2, 2, 8]);
  await play.shard.close();
  // The guild is not ours to ask for, which Discord overlooks; nothing else is wrong.
  assertEquals(play.discord.journal.violations().filter(({ code }) => code !== null), []);
});

Deno.test("shard: op 43 is sent as it is, and gets a response [case 35]", async () => {
  const play = await new Play({ intents: 1 }).live();
  const guild_id = play.discord.guilds[0]!.id;
  await play.shard.send({ op: 43, d: { guild_id, fields: ["status", "voice_start_time"] } });
  await play.clock.advance(0);
  assertEquals(play.discord.journal.of("frame").at(-1)?.d, {
    guild_id,
    fields: ["status", "voice_start_time"],
  });
  assertEquals(play.discord.journal.sent("CHANNEL_INFO"), 1);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: aborting a waiting command rejects with the signal's reason, and it never goes out [case 57]", async () => {
  const { puppet, play } = await puppetShow();
  const abort = new AbortController();
  const reason = new Error("not needed any more");
  const sends = [
    play.shard.send(ask("first")),
    assertRejects(() => play.shard.send(ask("aborted"), { signal: abort.signal })),
    play.shard.send(ask("last")),
  ];
  abort.abort(reason);
  assertStrictEquals(await sends[1], reason);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  await Promise.all(sends);
  assertEquals(sentOn(puppet.socket), [2, "first", "last"]);

  assertStrictEquals(
    await assertRejects(() => play.shard.send(ask("never"), { signal: abort.signal })),
    reason,
  );
  await play.shard.send(ask("sent"), { signal: new AbortController().signal });
  assertEquals(sentOn(puppet.socket), [2, "first", "last", "sent"]);
  await play.shard.close();
});

Deno.test("shard: an abort after the command went out changes nothing", async () => {
  const play = await new Play().live();
  const abort = new AbortController();
  await play.shard.send(ask("sent"), { signal: abort.signal });
  abort.abort();
  await play.clock.advance(60_000);
  assertEquals(play.shard.status.state, "live");
  await play.shard.close();
});

Deno.test("shard: urgent commands go ahead of the others that wait", async () => {
  const { puppet, play } = await puppetShow();
  const sends = [
    play.shard.send(ask("1")),
    play.shard.send(ask("2")),
    play.shard.send(ask("urgent"), { priority: "high" }),
  ];
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  await Promise.all(sends);
  assertEquals(sentOn(puppet.socket), [2, "urgent", "1", "2"]);
  await play.shard.close();
});

Deno.test("shard: commands that wait at the close come back to their callers, unsent", async () => {
  const { puppet, play } = await puppetShow();
  const commands = [ask("1"), ask("2")];
  const failures = commands.map((command) =>
    assertRejects(() => play.shard.send(command), CommandNotSentError)
  );
  await play.shard.close();
  for (const [index, failure] of failures.entries()) {
    const error = await failure;
    assertStrictEquals(error.command, commands[index]);
    assertEquals([error.code, error.message], [
      "ERR_COMMAND_NOT_SENT",
      "Cannot send op 8: the shard is closed",
    ]);
    assertEquals(error.cause, undefined);
  }
  assertEquals(puppet.socket.ops, []);
});

Deno.test("shard: where the shard was stopped, the command's error says by what", async () => {
  const { puppet, play } = await puppetShow();
  const waiting = assertRejects(() => play.shard.send(ask("1")), CommandNotSentError);
  puppet.socket.lose({ code: 4004 });
  const error = await settled(play.clock, waiting);
  assert(error.cause instanceof ShardStoppedError);
  assertStrictEquals(await play.finished, error.cause);
  const late = await assertRejects(() => play.shard.send(ask("2")), CommandNotSentError);
  assertStrictEquals(late.cause, error.cause);
});

Deno.test("shard: a command that Discord would not accept is refused at once, whatever the shard is doing", async () => {
  const invalid: readonly GatewayCommand[] = [
    '{"op":1,"d":null}',
    '{"op":2,"d":{}}',
    '{"op":6,"d":{}}',
    '{"op":99,"d":{}}',
    '{"op":3,"d":null}',
    '{"op":8,"d":[]}',
  ].map((text) => JSON.parse(text));
  const play = new Play();
  for (const state of ["idle", "live"] as const) {
    assertEquals(play.shard.status.state, state);
    for (const command of invalid) await assertRejects(() => play.shard.send(command), CommandError);
    const big = { op: 8, d: { guild_id: "1", query: "x".repeat(5_000), limit: 1 } } as const;
    const error = await assertRejects(() => play.shard.send(big), CommandError);
    assertEquals(error.code, "ERR_PAYLOAD_TOO_LARGE");
    await assertRejects(
      () => play.shard.send(ask("x".repeat(33))),
      CommandError,
      "a nonce has at most 32 bytes",
    );
    if (state === "idle") await play.live();
  }
  assertEquals(play.discord.journal.of("frame").map(({ op }) => op), [2]);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: a command is sent as it was given, whatever becomes of its body while it waits", async () => {
  const { puppet, play } = await puppetShow();
  const body: { guild_id: string; query: string; limit: number; nonce: string } = {
    guild_id: "1",
    query: "",
    limit: 1,
    nonce: "ok",
  };
  const changed = play.shard.send({ op: 8, d: body });
  const next = play.shard.send(ask("next"));
  body.nonce = "x".repeat(40);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  assertEquals(await changed, "sent");
  await next;
  assertEquals(sentOn(puppet.socket), [2, "ok", "next"]);
  assertEquals(play.shard.status.state, "live");
  await play.shard.close();
});

Deno.test("shard: a command is turned to JSON once, and one that is encoded already not again", async () => {
  const { puppet, play } = await puppetShow();
  let times = 0;
  const command = (nonce: string): GatewayCommand => ({
    op: 8,
    d: { guild_id: "1", query: "", limit: 1, nonce, toJSON: () => (times++, { nonce }) },
  } as unknown as GatewayCommand);
  const first = play.shard.send(command("a"));
  assertEquals(times, 1);
  const encoded = encodeCommand(command("b"));
  const second = play.shard.send(encoded);
  const wrong = encodeCommand({ op: 31, d: { guild_ids: ["no id"] } });
  await assertRejects(() => play.shard.send(wrong), CommandError, "guild_ids is a list of ids");
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  await Promise.all([first, second]);
  assertEquals([times, ...sentOn(puppet.socket)], [2, 2, "a", "b"]);
  await play.shard.close();
});

Deno.test("shard: a write that fails reaches its caller, costs the connection, and the next command waits", async () => {
  const { puppet, play } = await puppetShow();
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  const broken = new Error("broken pipe");
  puppet.socket.sendError = broken;
  assertStrictEquals(await assertRejects(() => play.shard.send(ask("lost"))), broken);
  const next = play.shard.send(ask("next"));
  await play.clock.advance(1_000);
  const [told] = play.statusesOf("disconnected");
  assertEquals([told?.cause, told?.action], ["write_failed", "resume"]);
  assertStrictEquals(told?.error, broken);
  puppet.socket.hello();
  puppet.socket.dispatch("RESUMED", 2);
  await next;
  assertEquals(sentOn(puppet.socket), [6, "next"]);
  await play.shard.close();
});

Deno.test("shard: an identify or a heartbeat that cannot be written costs the connection", async () => {
  const { puppet, play } = await puppetShow();
  puppet.socket.sendError = new Error("broken pipe");
  puppet.socket.hello();
  await play.clock.advance(7_000);
  puppet.socket.hello();
  await play.clock.advance(6_000);
  assertEquals(sentOn(puppet.socket), [2]);
  puppet.socket.ready();
  puppet.socket.sendError = new Error("broken again");
  await play.clock.advance(50_000);
  assertEquals(
    play.statusesOf("disconnected").slice(0, 2).map(({ cause }) => cause),
    ["write_failed", "write_failed"],
  );
  await play.shard.close();
});
