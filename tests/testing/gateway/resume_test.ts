import { assertEquals } from "@std/assert";
import { type RawClient, RESUME_URL, Stage } from "../../raw_client.ts";

/** A client with a session that misses `missed` messages after the three that it has seen. */
async function interrupted(stage: Stage, missed: number): Promise<{ client: RawClient; sessionId: string }> {
  const client = await stage.identified({ intents: 512 });
  stage.discord.flood(3);
  await stage.settle();
  const sessionId = client.frames[1]?.d.session_id;
  stage.discord.connections[0]?.drop();
  stage.discord.flood(missed);
  await stage.settle();
  return { client, sessionId };
}

Deno.test("resume: the missed dispatches come in order, then RESUMED, all numbered on", async () => {
  const stage = new Stage();
  const { client, sessionId } = await interrupted(stage, 5);
  assertEquals([client.end?.code, client.lastSequence], [null, 4]);
  const next = await stage.dial(RESUME_URL);
  next.resume(sessionId, 4);
  await stage.settle();
  assertEquals(next.frames.map(({ s }) => s), [null, 5, 6, 7, 8, 9, 10]);
  assertEquals(next.heard.at(-1), "RESUMED");
  assertEquals(next.bodies("MESSAGE_CREATE").length, 5);
  stage.discord.flood(1);
  await stage.settle();
  assertEquals(next.lastSequence, 11);
});

Deno.test("resume: an older sequence number replays more, but never READY or RESUMED", async () => {
  const stage = new Stage();
  const { sessionId } = await interrupted(stage, 0);
  for (const seq of [4, 2, 0]) {
    const next = await stage.dial(RESUME_URL);
    next.resume(sessionId, seq);
    await stage.settle();
    const replayed = next.heard.slice(1, -1);
    assertEquals(replayed, Array(replayed.length).fill("MESSAGE_CREATE"), `from ${seq}`);
    assertEquals(next.frames.slice(1, -1).map(({ s }) => s), [2, 3, 4].filter((s) => s > seq));
    assertEquals(next.heard.at(-1), "RESUMED");
  }
});

Deno.test("resume: neither counts as an identify nor waits for one", async () => {
  const stage = new Stage({ identifyLimit: { remaining: 1 } });
  const { sessionId } = await interrupted(stage, 0);
  for (let count = 0; count < 10; count++) {
    const next = await stage.dial(RESUME_URL);
    next.resume(sessionId, 4);
    await stage.settle();
    assertEquals(next.heard.at(-1), "RESUMED");
  }
  assertEquals([stage.discord.tokenReset, stage.discord.journal.resumes().length], [false, 10]);
});

Deno.test("resume: the session moves from a connection that is still there, which is closed", async () => {
  const stage = new Stage();
  const first = await stage.identified();
  const sessionId = first.frames[1]?.d.session_id;
  const second = await stage.dial(RESUME_URL);
  second.resume(sessionId, 1);
  await stage.settle();
  assertEquals([first.end?.code, second.end], [4000, null]);
  assertEquals([stage.discord.sessions.length, stage.discord.sessions[0]?.connected], [1, true]);
  assertEquals(stage.discord.connections.map(({ id }) => id), [2]);
});

Deno.test("resume: an unknown session or a wrong token gets op 9 false, and may identify on the same socket", async () => {
  const stage = new Stage();
  const { sessionId } = await interrupted(stage, 0);
  await stage.clock.advance(5000);
  for (const [id, token] of [["unknown", stage.discord.token], [sessionId, "wrong"]] as const) {
    const next = await stage.dial(RESUME_URL);
    next.resume(id, 4, { token });
    await stage.settle();
    assertEquals(next.texts.at(-1), '{"t":null,"s":null,"op":9,"d":false}');
    assertEquals(next.end, null);
  }
  // The wrong token did no harm to the session.
  const next = await stage.dial(RESUME_URL);
  next.resume(sessionId, 4);
  await stage.settle();
  assertEquals(next.heard.at(-1), "RESUMED");
});

Deno.test("resume: a sequence number beyond the server's is closed with 4007, and the session is over", async () => {
  const stage = new Stage();
  const { sessionId } = await interrupted(stage, 1);
  const next = await stage.dial(RESUME_URL);
  assertEquals(await stage.closeCodeAfter(next, () => next.resume(sessionId, 6)), 4007);
  const again = await stage.dial(RESUME_URL);
  again.resume(sessionId, 5);
  await stage.settle();
  assertEquals(again.heard.at(-1), "op 9");
});

Deno.test("resume: a malformed body is closed with 4002", async () => {
  for (const changes of [{ token: 1 }, { session_id: null }, { seq: null }, { seq: "4" }, { seq: -1 }]) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.resume("x", 1, changes)), 4002);
  }
});

Deno.test("resume: a session outlives its connection by the timeout and no longer", async () => {
  for (const [waitMs, last] of [[179_999, "RESUMED"], [180_000, "op 9"]] as const) {
    const stage = new Stage();
    const { sessionId } = await interrupted(stage, 0);
    await stage.clock.advance(waitMs);
    const next = await stage.dial(RESUME_URL);
    next.resume(sessionId, 4);
    await stage.settle();
    assertEquals(next.heard.at(-1), last);
  }
});

Deno.test("resume: expired sessions are refused, though their connection still works", async () => {
  const stage = new Stage();
  const first = await stage.identified({ intents: 512 });
  stage.discord.expireSessions();
  stage.discord.sendMessage({ content: "still here" });
  await stage.settle();
  assertEquals(first.heard.at(-1), "MESSAGE_CREATE");
  stage.discord.connections[0]?.drop();
  const next = await stage.dial(RESUME_URL);
  next.resume(first.frames[1]?.d.session_id, 2);
  await stage.settle();
  assertEquals([next.heard.at(-1), stage.discord.sessions.length], ["op 9", 0]);
});

Deno.test("resume: whoever missed more than is kept gets op 9 false", async () => {
  for (const [missed, last] of [[10, "RESUMED"], [11, "op 9"]] as const) {
    const stage = new Stage({ replayLimit: 10 });
    const { sessionId } = await interrupted(stage, missed);
    const next = await stage.dial(RESUME_URL);
    next.resume(sessionId, 4);
    await stage.settle();
    assertEquals(next.heard.at(-1), last);
  }
});

Deno.test("resume: a client's close with 1000 or 1001 ends the session, any other code keeps it", async () => {
  for (const [code, sessions] of [[1000, 0], [4200, 1], [3000, 1], [4000, 1]] as const) {
    const stage = new Stage();
    const client = await stage.identified();
    client.connection.close(code);
    assertEquals(stage.discord.sessions.length, sessions, `${code}`);
    assertEquals(stage.discord.journal.of("close").map(({ code, by }) => [code, by]), [[code, "client"]]);
  }
});

Deno.test("resume: events are numbered and kept while the session has no connection", async () => {
  const stage = new Stage();
  await interrupted(stage, 7);
  const [session] = stage.discord.sessions;
  assertEquals([session?.connected, session?.sequence], [false, 11]);
  assertEquals([...session?.counts ?? []], [["READY", 1], ["MESSAGE_CREATE", 10]]);
});
