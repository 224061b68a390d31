/**
 * A host in a class that extends the real `DurableObject`, called over RPC. Prints the results as JSON.
 *
 * The class is written in JavaScript: `cloudflare:workers` has no types here.
 */

import { Miniflare } from "miniflare";
import { FakeDiscord } from "../fake/mod.ts";
import { bundle } from "../runtimes/bundle.ts";

const MAIN = `
import { DurableObject } from "cloudflare:workers";
import { ShardHost } from "./library.js";

export class Bot extends DurableObject {
  #host = new ShardHost(this.ctx, {
    token: this.env.TOKEN, url: this.env.GATEWAY, guildEvents: ["MESSAGE_CREATE"], handler: () => {},
  });
  start() { return this.#host.start(); }
  status() { return this.#host.status; }
  send(command) { return this.#host.trySend(command); }
  stop(options) { return this.#host.stop(options); }
  alarm(info) { return this.#host.alarm(info); }
}

export default {
  async fetch(request, env) {
    const bot = env.BOT.getByName("bot");
    const early = await bot.send({ op: 31, d: { guild_ids: ["1"] } });
    await bot.start();
    const sent = await bot.send({ op: 31, d: { guild_ids: ["1"] } });
    const wrong = await bot.send({ op: 2, d: {} });
    const { state } = await bot.status();
    await bot.stop({ keepSession: true });
    const { running } = await bot.status();
    return Response.json({ early, sent, wrong, state, running });
  },
};
`;

const discord = new FakeDiscord();
const { gatewayUrl } = await discord.listen();
const miniflare = new Miniflare({
  modules: [
    { type: "ESModule", path: "main.js", contents: MAIN },
    { type: "ESModule", path: "library.js", contents: await bundle("shard/durable_object/mod.ts") },
  ],
  compatibilityDate: "2026-07-30",
  durableObjects: { BOT: { className: "Bot", useSQLite: true } },
  bindings: { TOKEN: discord.token, GATEWAY: gatewayUrl },
});
const response = await fetch(await miniflare.ready);
console.log(await response.text());
await miniflare.dispose();
await discord.close();
Deno.exit(0);
