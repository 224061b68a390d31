import { assert, assertEquals } from "@std/assert";
import { GATEWAY_URL, RESUME_URL, Stage } from "../../raw_client.ts";
import { Journal } from "../../fake/base/journal.ts";

Deno.test("journal: tells a whole story in order", async () => {
  const stage = new Stage();
  const first = await stage.identified({ intents: 512 });
  await stage.clock.advance(10_000);
  first.send(1, 1);
  stage.discord.flood(3);
  stage.discord.connections[0]?.drop();
  const second = await stage.dial(RESUME_URL);
  second.resume(first.frames[1]?.d.session_id, 1);
  await stage.settle();
  second.connection.close(1000, "done");
  const { journal } = stage.discord;
  assertEquals(journal.entries.map((entry) => entry.kind), [
    "dial",
    "sent", // HELLO
    "frame", // IDENTIFY
    "session", // started
    "sent", // READY
    "heartbeat",
    "sent", // the acknowledgement
    "sent", // three messages
    "close",
    "dial",
    "sent", // HELLO
    "frame", // RESUME
    "session", // resumed
    "sent", // three messages
    "sent", // RESUMED
    "close",
    "session", // ended
  ]);
  assertEquals(journal.dials().map(({ url }) => url), [GATEWAY_URL, RESUME_URL]);
  assertEquals([journal.identifies().length, journal.resumes().length], [1, 1]);
  assertEquals(journal.heartbeats().map(({ at, d }) => [at, d]), [[10_000, 1]]);
  assertEquals(journal.of("session").map(({ change }) => change), ["started", "resumed", "ended"]);
  assertEquals(journal.of("close").map(({ by, code, reason }) => [by, code, reason]), [
    ["server", null, ""],
    ["client", 1000, "done"],
  ]);
  assertEquals([journal.sent("MESSAGE_CREATE"), journal.sent("READY"), journal.sent()], [6, 1, 8]);
  const messages = journal.of("sent").filter(({ t }) => t === "MESSAGE_CREATE");
  assertEquals(
    messages.map(({ count, firstSequence, lastSequence }) => [count, firstSequence, lastSequence]),
    [
      [3, 2, 4],
      [3, 2, 4],
    ],
  );
});

Deno.test("journal: the token is nowhere, whichever way it came", async () => {
  const token = "tOkEn.of.somebody";
  const other = "oThEr.token.wrong";
  const stage = new Stage({ token });
  const client = await stage.identified({ intents: 1 });
  client.send(3, {
    since: null,
    activities: [],
    status: "online",
    afk: false,
    [token]: { deep: [`x${token}x`] },
  });
  client.connection.send(`{"op":2,"d":{"token":"${token}"`);
  await stage.settle();
  for (const action of ["identify", "resume"] as const) {
    const next = await stage.dial(`${GATEWAY_URL}&key=${token}`);
    if (action === "identify") next.identify({ token: other });
    else next.resume("x", 1, { token: other });
    next.connection.close(4200, token);
    await stage.settle();
  }
  await stage.discord.fetch(`https://discord.com/api/v10/${token}`);
  const { discord } = stage;
  for (
    const shown of [JSON.stringify(discord.journal.entries), inspected(discord), JSON.stringify(discord)]
  ) {
    assertEquals([shown.includes(token), shown.includes(other)], [false, false]);
  }
  assert(JSON.stringify(discord.journal.entries).includes("[token]"));
});

function inspected(value: unknown): string {
  return Deno.inspect(value, { depth: 20, showHidden: true, getters: false, iterableLimit: 1000 });
}

Deno.test("journal: frames that cannot be read are kept as text, and not too much of it", async () => {
  const stage = new Stage();
  const client = await stage.dial();
  client.connection.send("x".repeat(100_000));
  const [entry] = stage.discord.journal.of("frame");
  assertEquals([entry?.op, typeof entry?.d === "string" && entry.d.length], [null, 4096]);
});

Deno.test("journal: forgets the oldest of a kind, and nothing of the other kinds", () => {
  const journal = new Journal();
  journal.write({ kind: "dial", at: 0, url: "wss://a", outcome: "open", connectionId: 1 });
  for (let at = 1; at <= 25_000; at++) {
    journal.write({ kind: "heartbeat", at, connectionId: 1, op: 1, d: null });
  }
  assertEquals([journal.dials().length, journal.heartbeats().at(-1)?.at], [1, 25_000]);
  assertEquals(journal.heartbeats().length + journal.forgotten, 25_000);
  assert(journal.heartbeats().length <= 10_000);
});

Deno.test("journal: dispatches to two connections in turn are still two entries", () => {
  const journal = new Journal();
  for (let s = 1; s <= 1000; s++) for (const id of [1, 2]) journal.writeSent(s, id, 0, "MESSAGE_CREATE", s);
  assertEquals(journal.of("sent").map(({ count, lastSequence }) => [count, lastSequence]), [[1000, 1000], [
    1000,
    1000,
  ]]);
});
