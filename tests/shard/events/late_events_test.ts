/** An abandoned socket goes on sending, or ends twice: both are ignored. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Play } from "../harness.ts";
import { Puppet, type PuppetSocket } from "../puppet.ts";

/** A live shard on a puppet. */
async function liveOn(puppet: Puppet): Promise<Play> {
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready("abc");
  await play.clock.advance(0);
  assertEquals(play.shard.status.state, "live");
  return play;
}

/** HELLO and RESUMED on the newest socket. */
async function resumeOn(puppet: Puppet, play: Play, s: number): Promise<void> {
  puppet.socket.hello();
  puppet.socket.dispatch("RESUMED", s);
  await play.clock.advance(0);
  assertEquals(play.shard.status.state, "live");
}

/** Everything that a socket can still say. */
function saysEverything(socket: PuppetSocket): void {
  socket.hello();
  socket.ready("another");
  socket.dispatch("READY", 999, { session_id: "another", resume_gateway_url: "wss://elsewhere.test" });
  socket.dispatch("MESSAGE_CREATE", 1_000, { id: "late" });
  socket.say(1);
  socket.say(7);
  socket.say(9, false);
  socket.say(11);
  socket.sayRaw("garbage");
  socket.lose({ code: 4004, reason: "late" });
  socket.lose({ code: 1006 });
}

Deno.test("shard: whatever a replaced socket still says has no effect [case 11]", async () => {
  const puppet = new Puppet();
  const play = await liveOn(puppet);
  const old = puppet.socket;
  old.say(7);
  await play.clock.advance(0);
  await resumeOn(puppet, play, 2);
  const before = { session: play.shard.session, states: play.states.length, names: play.names };
  const sent = [...old.sent];

  saysEverything(old);
  await play.clock.advance(0);

  assertEquals(play.shard.session, before.session);
  assertEquals(play.states.length, before.states);
  assertEquals(play.names, before.names);
  assertEquals(puppet.sockets.length, 2);
  assertEquals(old.sent, sent);
  await play.shard.close();
});

Deno.test("shard: not even if that socket could not be closed [case 11] [case 17]", async () => {
  const puppet = new Puppet();
  const play = await liveOn(puppet);
  const old = puppet.socket;
  old.closeError = new Error("InvalidStateError");
  old.say(7);
  await play.clock.advance(0);
  await resumeOn(puppet, play, 2);
  const before = { session: play.shard.session, states: play.states.length, names: play.names };
  saysEverything(old);
  await play.clock.advance(0);
  assertEquals(play.shard.session, before.session);
  assertEquals([play.states.length, play.names], [before.states, before.names]);
  assertEquals(old.closes.length, 1);
  await play.shard.close();
});

Deno.test("shard: 1006 twice for one socket is one reconnect, to the resume URL, with one RESUME [case 8]", async () => {
  const puppet = new Puppet();
  const play = await liveOn(puppet);
  const old = puppet.socket;
  old.lose({ code: 1006 });
  old.lose({ code: 1006 });
  await play.clock.advance(60_000);
  // HELLO does not come, so the second socket ends by its own deadline: look at it before.
  const [first, second] = puppet.sockets;
  assertStrictEquals(first, old);
  assertEquals(second?.url, "wss://resume.test/?v=10&encoding=json");
  const lost = play.statusesOf("disconnected").filter(({ cause }) => cause === "connection_lost");
  assertEquals(lost.length, 1);
  assert(lost[0]!.delayMs > 0, "after the backoff");
  puppet.socket.hello();
  assertEquals(puppet.socket.ops, [6]);
  assertEquals(puppet.socket.sent[0]?.d, { token: play.discord.token, session_id: "abc", seq: 1 });
  await play.shard.close();
});

Deno.test("shard: a reconnect that waits and a close: no socket is opened later [case 13] [case 15]", async () => {
  const puppet = new Puppet();
  const play = await liveOn(puppet);
  puppet.socket.lose();
  await play.clock.advance(0);
  assertEquals(play.shard.status.state, "disconnected");
  await play.shard.close();
  await play.clock.advance(3_600_000);
  assertEquals(puppet.sockets.length, 1);
  assertEquals(play.clock.pending, 0);
});

Deno.test("shard: a late permit for an old connection is not used on the new one", async () => {
  const puppet = new Puppet();
  const answers: ((permitted: boolean) => void)[] = [];
  const play = new Play({
    dial: puppet.dial,
    url: "wss://main.test",
    identifyLimiter: { take: () => new Promise((resolve) => answers.push(resolve)) },
  }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  puppet.socket.lose();
  await play.clock.advance(1_000);
  puppet.socket.hello();
  await play.clock.advance(0);
  assertEquals(answers.length, 2, "the new connection asks for itself");
  answers[0]?.(true);
  await play.clock.advance(0);
  assertEquals(puppet.socket.ops, []);
  answers[1]?.(true);
  await play.clock.advance(0);
  assertEquals(puppet.socket.ops, [2]);
  await play.shard.close();
});

Deno.test("shard: frames behind op 7 in the same task are not taken, and come again by the replay", async () => {
  const puppet = new Puppet();
  const play = await liveOn(puppet);
  const old = puppet.socket;
  old.dispatch("MESSAGE_CREATE", 2, { id: "2" });
  old.say(7);
  old.dispatch("MESSAGE_CREATE", 3, { id: "3" });
  await play.clock.advance(0);
  puppet.socket.hello();
  assertEquals(puppet.socket.sent[0]?.d, { token: play.discord.token, session_id: "abc", seq: 2 });
  puppet.socket.dispatch("MESSAGE_CREATE", 3, { id: "3" });
  puppet.socket.dispatch("RESUMED", 4);
  await play.clock.advance(0);
  assertEquals(play.messageIds, ["2", "3"]);
  await play.shard.close();
});

Deno.test("shard: what a sloppy server replays from before the resume point does not come twice", async () => {
  const puppet = new Puppet();
  const play = await liveOn(puppet);
  for (const s of [2, 3, 4]) puppet.socket.dispatch("MESSAGE_CREATE", s, { id: `${s}` });
  puppet.socket.lose();
  await play.clock.advance(1_000);
  puppet.socket.hello();
  for (const s of [2, 3, 4, 5, 6]) puppet.socket.dispatch("MESSAGE_CREATE", s, { id: `${s}` });
  puppet.socket.dispatch("RESUMED", 7);
  await play.clock.advance(0);
  assertEquals(play.messageIds, ["2", "3", "4", "5", "6"]);
  await play.shard.close();
});
