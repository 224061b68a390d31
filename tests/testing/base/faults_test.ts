import { assertEquals } from "@std/assert";
import { RESUME_URL, Stage } from "../../raw_client.ts";

Deno.test("faults: silent HELLO", async () => {
  const stage = new Stage();
  stage.discord.faults.silentHello = 1;
  assertEquals((await stage.dial()).heard, []);
  await stage.clock.advance(3_600_000);
  assertEquals(stage.discord.connections.length, 1);
  assertEquals((await stage.dial()).heard, ["op 10"]);
});

Deno.test("faults: silent READY gives no session, and heartbeats go on", async () => {
  const stage = new Stage();
  stage.discord.faults.silentReady = 1;
  const client = await stage.identified();
  client.send(1, null);
  await stage.settle();
  assertEquals([client.heard, stage.discord.sessions.length], [["op 10", "op 11"], 0]);
  assertEquals(await stage.closeCodeAfter(client, () => client.identify()), 4005);
});

Deno.test("faults: silent RESUMED comes after the replay", async () => {
  const stage = new Stage();
  stage.discord.faults.silentResumed = 1;
  const first = await stage.identified({ intents: 512 });
  stage.discord.connections[0]?.drop();
  stage.discord.flood(2);
  const next = await stage.dial(RESUME_URL);
  next.resume(first.frames[1]?.d.session_id, 1);
  await stage.settle();
  assertEquals(next.heard, ["op 10", "MESSAGE_CREATE", "MESSAGE_CREATE"]);
});

Deno.test("faults: refused resumes end their session", async () => {
  const stage = new Stage();
  stage.discord.faults.refuseResumes = 1;
  const first = await stage.identified();
  const sessionId = first.frames[1]?.d.session_id;
  stage.discord.connections[0]?.drop();
  for (let count = 0; count < 2; count++) {
    const next = await stage.dial(RESUME_URL);
    next.resume(sessionId, 1);
    await stage.settle();
    assertEquals(next.heard.at(-1), "op 9");
  }
});

Deno.test("faults: muted acknowledgements", async () => {
  const stage = new Stage();
  stage.discord.faults.muteAcks = true;
  const client = await stage.identified();
  client.send(1, 1);
  await stage.settle();
  assertEquals(client.heard, ["op 10", "READY"]);
  stage.discord.faults.muteAcks = false;
  client.send(1, 1);
  await stage.settle();
  assertEquals(client.heard.at(-1), "op 11");
});

Deno.test("faults: keys in another order say the same", async () => {
  const stage = new Stage();
  stage.discord.faults.reorderKeys = true;
  const client = await stage.identified({ intents: 513 });
  stage.discord.sendMessage({ content: '"op":9, é' });
  stage.discord.connections[0]?.invalidateSession();
  await stage.settle();
  for (const text of client.texts.slice(0, -1)) {
    assertEquals(Object.keys(JSON.parse(text)), ["d", "op", "s", "t"]);
  }
  assertEquals(client.texts.at(-1), '{"op":9,"s":null,"t":null}');
  assertEquals(client.heard, ["op 10", "READY", "GUILD_CREATE", "MESSAGE_CREATE", "op 9"]);
});

Deno.test("faults: withheld guilds come when told, and nothing of them before", async () => {
  const stage = new Stage();
  stage.discord.faults.withholdGuilds = true;
  const client = await stage.identified({ intents: 1 | 512 });
  stage.discord.sendMessage({ content: "before" });
  stage.discord.sendMessage({ content: "direct", direct: true });
  await stage.settle();
  assertEquals(client.heard, ["op 10", "READY"]);
  stage.discord.connections[0]?.sendGuilds();
  stage.discord.connections[0]?.sendGuilds();
  stage.discord.sendMessage({ content: "after" });
  await stage.settle();
  assertEquals(client.heard.slice(2), ["GUILD_CREATE", "MESSAGE_CREATE"]);
});

Deno.test("faults: a session without the GUILDS intent gets a withheld guild's events as well, once it is there", async () => {
  const stage = new Stage();
  stage.discord.faults.withholdGuilds = true;
  const client = await stage.identified({ intents: 512 });
  stage.discord.sendMessage({ content: "before" });
  stage.discord.connections[0]?.sendGuilds();
  stage.discord.sendMessage({ content: "after" });
  await stage.settle();
  assertEquals(client.heard, ["op 10", "READY", "MESSAGE_CREATE"]);
});

const EVERYBODY = { query: "", limit: 0 };

Deno.test("faults: so many questions are not answered, and yet count", async () => {
  const stage = new Stage({ guilds: [{ members: 10 }] });
  stage.discord.faults.muteResponses = 1;
  const client = await stage.identified({ intents: 2 });
  // A presence is no request.
  client.send(3, { since: null, activities: [], status: "idle", afk: false });
  const guild_id = stage.discord.guilds[0]?.id;
  client.send(8, { guild_id, ...EVERYBODY });
  await stage.settle();
  assertEquals([client.heard.length, stage.discord.faults.muteResponses], [2, 0]);
  client.send(8, { guild_id, ...EVERYBODY });
  await stage.settle();
  assertEquals(client.heard.slice(2), ["RATE_LIMITED"]);
});

Deno.test("faults: answers are lost by their index, and come from behind", async () => {
  const stage = new Stage({ guilds: [{ members: 3_500 }] });
  const client = await stage.identified({ intents: 2 });
  const guild_id = stage.discord.guilds[0]?.id;
  const indexes = () => client.bodies("GUILD_MEMBERS_CHUNK").map(({ chunk_index }) => chunk_index);
  stage.discord.faults.loseResponses = [0, 2];
  client.send(8, { guild_id, ...EVERYBODY });
  await stage.settle();
  assertEquals(indexes(), [1, 3]);
  await stage.clock.advance(30_000);
  stage.discord.faults.reverseResponses = true;
  client.send(8, { guild_id, ...EVERYBODY });
  await stage.settle();
  assertEquals(indexes(), [1, 3, 3, 2, 1, 0]);
});

Deno.test("faults: cut in the middle of the responses, once; a resume brings the rest", async () => {
  const stage = new Stage({ guilds: [{ members: 3_500 }] });
  const first = await stage.identified({ intents: 2 });
  stage.discord.faults.cutAfterResponses = 3;
  first.send(8, { guild_id: stage.discord.guilds[0]?.id, ...EVERYBODY });
  await stage.settle();
  assertEquals([first.bodies("GUILD_MEMBERS_CHUNK").length, first.end?.code], [3, null]);
  const next = await stage.dial(RESUME_URL);
  next.resume(first.frames[1]?.d.session_id, first.lastSequence);
  await stage.settle();
  assertEquals(next.heard, ["op 10", "GUILD_MEMBERS_CHUNK", "RESUMED"]);
  assertEquals(stage.discord.faults.cutAfterResponses, 0);
});
