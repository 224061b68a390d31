/**
 * A bot on several shards in one process, which is split into more while members go on writing.
 *
 * `deno task example:fleet` plays it against a fake Discord: 4 shards, of which one is cut and one restarted manually, then
 * 8 that take their place without a gap. With DISCORD_TOKEN set the same file runs as many shards as Discord recommends.
 */

import { GatewayIntent } from "@discordgateway/edge";
import { Fleet, type FleetShardStatus } from "@discordgateway/edge/fleet";
import { openStage, type Story } from "./stage.ts";

const stage = await openStage(play, {
  shards: 4,
  maxConcurrency: 8,
  guilds: Array.from({ length: 16 }, (_, place) => ({ name: `Guild ${place}` })),
});
const { token, api } = stage;

const fleet = new Fleet({
  token,
  api,
  guildEvents: ["MESSAGE_CREATE", "GUILD_CREATE"],
  events: ["READY"],
  intents: GatewayIntent.MESSAGE_CONTENT,
  onStatus: report,
});
stage.onStop(() => fleet.close());

// Each shard's events come one at a time; a slow handler in one guild does not delay the other shards.
await fleet.run(async ({ shardId, shardCount, event }) => {
  switch (event.t) {
    case "READY":
      return console.log(
        `[bot] shard ${shardId} of ${shardCount} is READY for ${event.d.guilds.length} guilds`,
      );
    case "MESSAGE_CREATE":
      await new Promise((resolve) => setTimeout(resolve, 1)); // whatever a bot does
      return stage.handled(event.d.id);
    case "SHARD_STOPPED":
      // The others go on. Once the cause is mended, `fleet.restart(shardId)` brings it back.
      return console.log(`[bot] shard ${shardId} has stopped: ${event.d.error}`);
    case "SESSION_GAP":
      console.log(`[bot] shard ${shardId} lost its session; what came after ${event.d.sequence} is missing`);
  }
});
await stage.close();
console.log("[bot] closed, the sessions have ended");

function report({ shardId, shardCount, status }: FleetShardStatus): void {
  if (status.state === "disconnected") console.log(`[shard ${shardId} of ${shardCount}] ${status.why}`);
}

/** What happens when no token is set. */
async function play(story: Story): Promise<void> {
  const { discord, tell, handled, written, until } = story;
  await until("four sessions", () => discord.sessions.length === 4);
  await until("four shards", () => fleet.status.counts.live === 4);
  tell(
    `live: ${JSON.stringify(fleet.status.counts)}; members begin to write in ${discord.guilds.length} guilds`,
  );
  let count = 0;
  const writing = setInterval(() => {
    const guild = discord.guilds[count++ % discord.guilds.length];
    if (guild) written.push(discord.sendMessage({ guildId: guild.id, content: `message ${count}` }).id);
  }, 5);

  tell("the connection of shard 2 is cut");
  discord.connections.find(({ shard }) => shard?.[0] === 2)?.drop();
  await until("the resume", () => fleet.status.counts.live === 4 && discord.journal.resumes().length === 1);
  tell("shard 2 is back and has caught up; the others never noticed");
  await fleet.restart(3);
  await until("the restart", () => fleet.status.counts.live === 4 && discord.journal.resumes().length === 2);
  tell("shard 3 was restarted manually, with its session");

  tell("8 shards come up beside the 4");
  const { from, to, startedInMs, overlapMs, duplicates } = await fleet.reshard(8, { overlapMs: 500 });
  tell(
    `${from} -> ${to} shards: up after ${Math.round(startedInMs)} ms, together for ${
      Math.round(overlapMs)
    } ms, ` +
      `${duplicates.dropped} copies dropped`,
  );
  await until("more messages", () => written.length > 500);
  clearInterval(writing);
  await until("every message", () => written.every((id) => handled.has(id)));
  const once = written.filter((id) => handled.get(id) === 1).length;
  tell(`${written.length} messages were written, each was handled, ${once} of them exactly once`);
  if (once !== written.length) throw new Error("A message came twice");
}
