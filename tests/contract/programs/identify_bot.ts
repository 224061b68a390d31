/**
 * One of several processes of a bot, with some of its shards, which share an identify limiter with the others. Prints
 * each change of what a shard does: `shard 3 live`; and `all asked` once all have asked the record for their permits.
 *
 * Its one argument is {@linkcode IdentifyBotOptions} as JSON.
 */

import { Shard } from "../../../mod.ts";
import { connectLimiter, type LimiterAddress } from "../identify_backends.ts";

/** What the process is told. */
export interface IdentifyBotOptions extends LimiterAddress {
  /** The REST API of the fake Discord. */
  readonly api: string;
  /** The ids of its shards. */
  readonly shardIds: readonly number[];
  /** How many shards the bot has in all. */
  readonly shardCount: number;
}

const options: IdentifyBotOptions = JSON.parse(Deno.args[0] ?? "");
const { api, shardIds, shardCount } = options;
const { limiter } = await connectLimiter(options);
const waiting = new Set<number>();
for (const id of shardIds) {
  const shard = new Shard({
    token: "identifying.bot.token",
    api,
    shard: [id, shardCount],
    guildEvents: ["MESSAGE_CREATE"],
    identifyLimiter: limiter,
    onStatus: ({ state }) => {
      console.log(`shard ${id} ${state}`);
      if (state !== "awaiting_permit" || waiting.has(id)) return;
      waiting.add(id);
      if (waiting.size === shardIds.length) setTimeout(askedAll);
    },
  });
  shard.run(() => {}).catch((error) => console.log(`shard ${id} stopped: ${error.code}`));
}

/** An update goes with the requests of all that wait, and is answered with them. */
async function askedAll(): Promise<void> {
  await limiter.update({});
  console.log("all asked");
}
