/** Events for listeners besides the consumer; and the bot's user id. */

import { assertEquals } from "@std/assert";
import { Shard } from "../../../mod.ts";
import { Listeners } from "../../../shard/events/listeners.ts";
import { WantedNames } from "../../../shard/events/wanted_names.ts";
import { userIdOf } from "../../../shard/user_id.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";

function stage(): {
  discord: FakeDiscord;
  clock: VirtualClock;
  shard: Shard<"MESSAGE_CREATE">;
  names: string[];
} {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  const { token, dial, fetch } = discord;
  const shard = new Shard({
    token,
    guildEvents: ["MESSAGE_CREATE"],
    intents: 1,
    dial,
    fetch,
    platform: clock,
  });
  const names: string[] = [];
  void shard.run(({ t }) => void names.push(t));
  return { discord, clock, shard, names };
}

Deno.test("shard listen: a listener gets events that were not named, and the consumer does not", async () => {
  const { discord, clock, shard, names } = stage();
  const heard: string[] = [];
  const stop = shard.listen(["GUILD_CREATE", "MESSAGE_CREATE"], ({ t }) => heard.push(t));
  await clock.runUntil(() => shard.status.state === "live");
  discord.sendMessage({ content: "hello" });
  await clock.advance(0);
  assertEquals([heard, names], [["GUILD_CREATE", "MESSAGE_CREATE"], ["MESSAGE_CREATE"]]);
  stop();
  stop();
  discord.dispatch("GUILD_CREATE", {});
  discord.sendMessage({ content: "again" });
  await clock.advance(0);
  assertEquals([heard.length, names.length], [2, 2]);
  await shard.close();
  assertEquals(clock.pending, 0);
});

Deno.test("shard listen: a consumer that takes nothing holds no listener up", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  const { token, dial, fetch } = discord;
  const shard = new Shard({ token, guildEvents: ["MESSAGE_CREATE"], dial, fetch, platform: clock });
  let release = () => {};
  const running = shard.run(() => new Promise<void>((resolve) => release = resolve));
  await clock.runUntil(() => shard.status.state === "live");
  const heard: number[] = [];
  shard.listen(["MESSAGE_CREATE"], ({ s }) => heard.push(s));
  for (const content of ["a", "b", "c"]) discord.sendMessage({ content });
  await clock.advance(0);
  assertEquals(heard.length, 3);
  release();
  await shard.close();
  release();
  await running;
});

Deno.test("shard listen: a name stays wanted as long as one listener or request wants it", () => {
  const wanted = new WantedNames(["READY"]);
  const listeners = new Listeners(wanted);
  const stops = [1, 2].map(() => listeners.add(["GUILD_CREATE", "READY"], () => {}));
  assertEquals([...wanted.names ?? []], ["READY", "GUILD_CREATE"]);
  // A second call of the first one says nothing about the other.
  stops[0]?.();
  stops[0]?.();
  assertEquals([...wanted.names ?? []], ["READY", "GUILD_CREATE"]);
  stops[1]?.();
  assertEquals([...wanted.names ?? []], ["READY"]);
  assertEquals(new WantedNames(null).names, null);
});

Deno.test("shard listen: a request that is over takes no name from a listener, nor the other way round", async () => {
  const { discord, clock, shard } = stage();
  await clock.runUntil(() => shard.status.state === "live");
  const guild = discord.guilds[0]!.id;
  const heard: string[] = [];
  const ask = async () => {
    const asking = Array.fromAsync(shard.requestSoundboardSounds([guild]));
    await clock.advance(0);
    assertEquals((await asking).length, 1);
  };
  const stop = shard.listen(["SOUNDBOARD_SOUNDS"], ({ d }) => heard.push(d.guild_id));
  await ask();
  await shard.send({ op: 31, d: { guild_ids: [guild] } });
  await clock.advance(0);
  assertEquals(heard, [guild, guild]);
  const asking = Array.fromAsync(shard.requestSoundboardSounds([guild]));
  stop();
  await clock.advance(0);
  assertEquals([(await asking).length, heard.length], [1, 2]);
  await shard.close();
});

Deno.test("shard: the user id comes from READY, though it was not named, and before that from the token", async () => {
  const { discord, clock, shard, names } = stage();
  assertEquals(shard.userId, null);
  await clock.runUntil(() => shard.status.state === "live");
  const bot = discord.guilds[0]?.members.find(({ user }) => user.bot);
  assertEquals([shard.userId, names], [bot?.user.id, []]);
  await shard.close();
  assertEquals(
    new Shard({ token: `${btoa("80351110224678912")}.time.sign`, intents: 0 }).userId,
    "80351110224678912",
  );
});

Deno.test("shard: a token that names no user id gives none", () => {
  for (
    const token of [
      "",
      "abc",
      "fake.discord.token",
      `${btoa("not a number at all")}.a.b`,
      "A".repeat(21) + ".",
    ]
  ) {
    assertEquals(userIdOf(token), null, token);
  }
});
