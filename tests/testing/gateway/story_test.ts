import { assert, assertEquals, assertThrows } from "@std/assert";
import { Stage } from "../../raw_client.ts";
import { World } from "../../fake/world/world.ts";

Deno.test("story: a member writes, and the event has all that Discord's has", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 512 | 32_768 });
  await stage.clock.advance(1500);
  const message = stage.discord.sendMessage({ content: `hello <@${stage.discord.user.id}>` });
  await stage.settle();
  const [event] = client.bodies("MESSAGE_CREATE");
  assertEquals(event, message);
  const [guild] = stage.discord.guilds;
  assertEquals([event.guild_id, event.channel_id], [guild?.id, guild?.channels[0]?.id]);
  assertEquals([event.author.username, event.timestamp], ["alice", "2026-01-01T00:00:01.500000+00:00"]);
  assertEquals(event.mentions.map(({ id }: { id: string }) => id), [stage.discord.user.id]);
  assertEquals("user" in event.member, false);
});

Deno.test("story: who writes where can be chosen, and a new name is a new member", async () => {
  const stage = new Stage({ guilds: [{}, { channels: ["a", { name: "b", id: "55" }], members: ["carol"] }] });
  const client = await stage.identified({ intents: 512 });
  const [, second] = stage.discord.guilds;
  stage.discord.sendMessage({ content: "1", guildId: second?.id ?? "" });
  stage.discord.sendMessage({ content: "2", channelId: "55", author: "dave" });
  stage.discord.sendMessage({ content: "3", author: stage.discord.guilds[0]?.members[2]?.user.id ?? "" });
  await stage.settle();
  const written = client.bodies("MESSAGE_CREATE").map((
    { author, channel_id },
  ) => [author.username, channel_id]);
  const general = stage.discord.guilds[0]?.channels[0]?.id;
  assertEquals(written, [["carol", second?.channels[0]?.id], ["dave", "55"], ["bob", general]]);
  assertEquals(second?.members.map(({ user }) => user.username), ["fake-bot", "carol", "dave"]);
  assertThrows(
    () => stage.discord.sendMessage({ content: "4", channelId: "1" }),
    TypeError,
    "no such channel",
  );
  assertThrows(
    () => stage.discord.sendMessage({ content: "4", guildId: "1" }),
    TypeError,
    "no such channel or guild",
  );
});

Deno.test("story: a mention in the content keeps the content without MESSAGE_CONTENT", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 512 });
  stage.discord.sendMessage({ content: "secret" });
  stage.discord.sendMessage({ content: `<@${stage.discord.user.id}> open` });
  await stage.settle();
  const contents = client.bodies("MESSAGE_CREATE").map(({ content }) => content);
  assertEquals(contents, ["", `<@${stage.discord.user.id}> open`]);
});

Deno.test("story: ids grow, and two worlds made alike are alike", () => {
  const [one, two] = [new World([{}, {}]), new World([{}, {}])];
  assertEquals(one.guilds, two.guilds);
  const ids = Array.from({ length: 10_000 }, (_, index) => BigInt(one.nextId(Math.floor(index / 9000))));
  assert(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? 0n)));
  assertEquals(two.nextId(0), `${ids[0]}`);
});

Deno.test("story: closing the fake cuts everybody and leaves no timer", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  await stage.discord.close();
  await stage.settle();
  assertEquals([client.end?.code, stage.clock.pending, stage.discord.connections.length], [null, 0, 0]);
});

Deno.test("story: the same clock gives the same run, and another seed other sessions", async () => {
  const run = async () => {
    const stage = new Stage();
    const client = await stage.identified({ intents: 513 });
    stage.discord.flood(3);
    await stage.settle();
    return client.texts.join("\n");
  };
  assertEquals(await run(), await run());
});
