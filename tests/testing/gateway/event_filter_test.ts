import { assertEquals, assertNotEquals } from "@std/assert";
import { EVENTS } from "../../../gateway/event.ts";
import { GatewayIntent } from "../../../gateway/intent.ts";
import { EVERY_INTENT, Stage } from "../../raw_client.ts";
import { admits, routeOf, withoutContent } from "../../fake/gateway/event_filter.ts";

const BOT = "900";

Deno.test("intents: an event comes with an intent that lets it through, and not with all the others", () => {
  for (const [name, { guild, direct }] of Object.entries(EVENTS)) {
    if (name === "THREAD_MEMBERS_UPDATE") continue;
    for (const [gates, guildId] of [[guild, "1"], [direct, null]] as const) {
      if (gates.length === 0) continue;
      const bits = gates.reduce((sum, gate) => sum | GatewayIntent[gate], 0);
      const route = { name, guildId, aboutBot: false };
      assertEquals([admits(route, bits), admits(route, EVERY_INTENT & ~bits)], [true, false], name);
    }
  }
});

Deno.test("intents: ungated and unknown events need none", () => {
  for (const name of ["INTERACTION_CREATE", "RATE_LIMITED", "USER_UPDATE", "SOMETHING_NEW"]) {
    assertEquals(admits({ name, guildId: null, aboutBot: false }, 0), true, name);
  }
});

Deno.test("intents: GUILD_MEMBER_UPDATE of the bot itself comes always", () => {
  const own = routeOf("GUILD_MEMBER_UPDATE", { guild_id: "1", user: { id: BOT } }, BOT);
  const other = routeOf("GUILD_MEMBER_UPDATE", { guild_id: "1", user: { id: "5" } }, BOT);
  assertEquals([admits(own, 0), admits(other, 0), admits(other, GatewayIntent.GUILD_MEMBERS)], [
    true,
    false,
    true,
  ]);
});

Deno.test("intents: THREAD_MEMBERS_UPDATE comes with GUILDS only when it is about the bot", () => {
  const route = (data: unknown) => routeOf("THREAD_MEMBERS_UPDATE", data, BOT);
  const joined = route({ guild_id: "1", added_members: [{ user_id: BOT }] });
  const left = route({ guild_id: "1", removed_member_ids: [BOT] });
  const other = route({ guild_id: "1", added_members: [{ user_id: "5" }] });
  const { GUILDS, GUILD_MEMBERS } = GatewayIntent;
  assertEquals([joined, left, other].map((each) => admits(each, GUILDS)), [true, true, false]);
  assertEquals([joined, other].map((each) => admits(each, GUILD_MEMBERS)), [true, true]);
  assertEquals(admits(joined, 0), false);
});

Deno.test("intents: content is emptied without MESSAGE_CONTENT, except in four cases", () => {
  const message = {
    guild_id: "1",
    author: { id: "5" },
    content: "text",
    embeds: [1],
    attachments: [1],
    components: [1],
    poll: {},
    mentions: [],
  };
  const emptied = (changes: Record<string, unknown>) =>
    withoutContent("MESSAGE_CREATE", { ...message, ...changes }, "1", BOT);
  assertEquals(emptied({}), {
    guild_id: "1",
    author: { id: "5" },
    content: "",
    embeds: [],
    attachments: [],
    components: [],
    mentions: [],
  });
  assertEquals(emptied({ author: { id: BOT } }), { ...message, author: { id: BOT } });
  assertEquals(emptied({ mentions: [{ id: BOT }] }), { ...message, mentions: [{ id: BOT }] });
  assertEquals(withoutContent("MESSAGE_CREATE", message, null, BOT), message);
  assertEquals(withoutContent("TYPING_START", message, "1", BOT), message);
  assertNotEquals(withoutContent("MESSAGE_UPDATE", message, "1", BOT), message);
  assertEquals(emptied({ mentions: [{ id: BOT }], referenced_message: message }), {
    ...message,
    mentions: [{ id: BOT }],
    referenced_message: emptied({}),
  });
});

Deno.test("intents: content comes or not by the session's own intents", async () => {
  const stage = new Stage({ maxConcurrency: 2 });
  const clients = [
    await stage.identified({ intents: 512 | 32_768, shard: [0, 2] }),
    await stage.identified({ intents: 512, shard: [1, 2] }),
  ];
  // Both shards are asked, so that one guild shows the difference.
  for (const shardId of [0, 1]) {
    const author = { id: "5" };
    stage.discord.dispatch("MESSAGE_CREATE", {
      guild_id: stage.discord.guilds[0]?.id,
      author,
      content: "text",
    }, { shardId });
  }
  await stage.settle();
  assertEquals(clients.map((client) => client.bodies("MESSAGE_CREATE")[0].content), ["text", ""]);
});

Deno.test("intents: a direct message comes with DIRECT_MESSAGES, with content, to shard 0", async () => {
  const stage = new Stage({ maxConcurrency: 4 });
  const first = await stage.identified({ intents: 4096, shard: [0, 2] });
  const second = await stage.identified({ intents: 4096, shard: [1, 2] });
  const deaf = await stage.identified({ intents: 512, shard: [2, 4] });
  stage.discord.sendMessage({ content: "psst", direct: true });
  await stage.settle();
  const [message] = first.bodies("MESSAGE_CREATE");
  assertEquals([message.content, "guild_id" in message, "member" in message], ["psst", false, false]);
  assertEquals([second, deaf].map((client) => client.heard.length), [2, 2]);
});

Deno.test("intents: a guild's event goes to the guild's shard, and one without a guild to shard 0", async () => {
  const stage = new Stage({ guilds: [{}, {}], maxConcurrency: 2 });
  const clients = [
    await stage.identified({ intents: 512, shard: [0, 2] }),
    await stage.identified({ intents: 512, shard: [1, 2] }),
  ];
  const [, second] = stage.discord.guilds;
  assertEquals(stage.discord.dispatch("MESSAGE_DELETE", { id: "1", guild_id: second?.id }), 1);
  assertEquals(stage.discord.dispatch("MESSAGE_DELETE", { id: "1" }, { guildId: second?.id ?? "" }), 1);
  assertEquals(stage.discord.dispatch("ENTITLEMENT_CREATE", { id: "1" }), 1);
  assertEquals(stage.discord.dispatch("SOMETHING_NEW", {}, { shardId: 1 }), 1);
  await stage.settle();
  assertEquals(clients.map((client) => client.heard.slice(2)), [
    ["ENTITLEMENT_CREATE"],
    ["MESSAGE_DELETE", "MESSAGE_DELETE", "SOMETHING_NEW"],
  ]);
});

Deno.test("intents: GUILD_DELETE is about the guild of its id", () => {
  assertEquals(routeOf("GUILD_DELETE", { id: "12", unavailable: true }, BOT).guildId, "12");
  assertEquals(routeOf("MESSAGE_DELETE", { id: "12" }, BOT).guildId, null);
});
