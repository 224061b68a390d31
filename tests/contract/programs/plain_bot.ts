/** A bot that is told nothing but its token: everything else comes from the environment. Prints the events' names. */

import { Shard } from "../../../mod.ts";

const token = Deno.env.get("DISCORD_TOKEN") ?? "";
const shard = new Shard({ token, guildEvents: ["MESSAGE_CREATE"], events: ["READY"] });
for await (const event of shard) console.log(event.t);
