/** An event loop of your own: `dial()` returns the connection, a `GatewayState` says what to do with it. No shard. */

import { dial, GatewayIntent } from "@discordgateway/edge";
import { fetchGatewayBot } from "@discordgateway/edge/shard";
import { type GatewayOutput, GatewayState, gatewayUrl, verdict } from "@discordgateway/edge/gateway";
import { assertExactlyOnce, openStage, type Story } from "./stage.ts";

const stage = await openStage(play);
const { token, api } = stage;

const { url } = await fetchGatewayBot(token, { api });
const connection = await dial(gatewayUrl(url));
const now = () => performance.now();
const intents = GatewayIntent.GUILD_MESSAGES | GatewayIntent.MESSAGE_CONTENT;
const state = new GatewayState({ token, intents, now: now(), random: Math.random });
stage.onStop(() => perform(state.close({ keepSession: false })));

let timer: ReturnType<typeof setTimeout> | undefined;
function perform(outputs: readonly GatewayOutput[]): void {
  for (const output of outputs) {
    if (output.type === "send") connection.send(output.frame);
    // One shard has nobody to share its identifies with; otherwise ask an identify limiter here.
    else if (output.type === "permit") perform(state.identify(now()));
    else if (output.type === "close") connection.close(output.code, output.reason);
    else if (output.event.t === "MESSAGE_CREATE") {
      console.log(`[loop] ${output.event.s}: ${output.event.d.content}`);
      stage.handled(output.event.d.id);
    } else console.log(`[loop] ${output.event.s}: ${output.event.t}`);
  }
  clearTimeout(timer);
  if (state.end === null) timer = setTimeout(() => perform(state.tick(now())), state.deadline.at - now());
}

perform([]);
for await (const frame of connection.readable) {
  if (state.end === null) perform(state.receive(frame, now()));
}
state.connectionEnded(await connection.closed);
clearTimeout(timer);

const end = state.end;
if (end === null) throw new Error("A connection that has ended has ended its state");
const next = verdict({ cause: end.cause, session: end.session, failedResumes: 0 });
console.log(`[loop] ended by ${end.cause} after sequence ${end.session?.sequence}; next: ${next.action}`);
await stage.close();

/** What happens when no token is set. */
async function play(story: Story): Promise<void> {
  const { discord, write, handled, written, until } = story;
  await until("READY", () => discord.connections.some((connection) => connection.session));
  for (const line of ["one", "two", "three"]) write("alice", line);
  discord.connections[0]?.requestHeartbeat();
  await until("every message", () => written.every((id) => handled.has(id)));
  await until("a heartbeat", () => discord.journal.heartbeats().length > 0);
  assertExactlyOnce(story);
}
