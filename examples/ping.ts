/**
 * A bot that answers `!ping`.
 *
 * `deno task demo` plays it against a fake Discord; `DISCORD_TOKEN=… deno task demo` runs it on Discord. The bot needs the
 * MESSAGE CONTENT intent, which is switched on in Discord's developer portal.
 */

import { GatewayIntent, Shard, type ShardStatus } from "@discordgateway/edge";
import { assertExactlyOnce, openStage, type Story } from "./stage.ts";

const stage = await openStage(play);
const { token, api } = stage;

const shard = new Shard({
  token,
  api,
  guildEvents: ["MESSAGE_CREATE"],
  events: ["READY", "RESUMED"],
  intents: GatewayIntent.MESSAGE_CONTENT,
  onStatus: report,
});
stage.onStop(() => shard.close());

for await (const event of shard) {
  switch (event.t) {
    case "READY":
      console.log(`[bot] READY as ${event.d.user.username}`);
      break;
    case "RESUMED":
      console.log("[bot] RESUMED: whatever was missed has been replayed");
      break;
    case "MESSAGE_CREATE":
      console.log(`[bot] MESSAGE_CREATE from ${event.d.author.username}: ${event.d.content}`);
      if (event.d.content === "!ping") await reply(event.d.channel_id, "pong");
      stage.handled(event.d.id);
      break;
    case "SESSION_GAP":
      console.log(`[bot] Discord dropped the session; what came after ${event.d.sequence} is lost`);
  }
}
await stage.close();
console.log("[bot] closed, the session has ended");

async function reply(channelId: string, content: string): Promise<void> {
  const response = await fetch(`${api}/channels/${channelId}/messages`, {
    method: "POST",
    headers: { "Authorization": `Bot ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ content }),
  });
  console.log(`[bot] replied "${content}": HTTP ${response.status}`);
  await response.body?.cancel();
}

function report(status: ShardStatus): void {
  switch (status.state) {
    case "dialing":
      return console.log(`[shard] dialing ${status.url} to ${status.action}`);
    case "disconnected":
      return console.log(`[shard] ${status.why}; will ${status.action} in ${Math.round(status.delayMs)} ms`);
    default:
      return console.log(`[shard] ${status.state}`);
  }
}

/** What happens when no token is set: members write, the connection drops, a resume replays. */
async function play(story: Story): Promise<void> {
  const { discord, tell, write, handled, written, until } = story;
  await until("READY", () => discord.connections.some((connection) => connection.session));
  write("alice", "hello");
  write("bob", "!ping");
  // The bot hears its own message, too.
  await until("the reply", () => handled.size === 3);

  tell("the connection is cut");
  discord.connections[0]?.drop();
  write("alice", "is anybody there?");
  write("bob", "I think it fell over");
  await until("the resume", () => discord.journal.resumes().length === 1);
  write("alice", "welcome back");
  await until("every message", () => written.every((id) => handled.has(id)));
  assertExactlyOnce(story);
}
