/**
 * A bot that may be killed at any instant: it prints each event that it handles, and saves its session after each, so
 * that its next run goes on from there.
 *
 * Arguments: the shard's `url`, the file of the record.
 */

import { parseSessionRecord, type SessionRecord, Shard } from "../../../mod.ts";

const [url = "", file = ""] = Deno.args;

const shard = new Shard({
  token: "mortal.bot.token",
  url,
  session: load(),
  guildEvents: ["MESSAGE_CREATE"],
  events: ["READY"],
  intents: 1 << 15,
});

const encoder = new TextEncoder();
await shard.run(async (event) => {
  // In one write: a line is printed whole or not at all.
  if (event.t === "MESSAGE_CREATE") Deno.stdout.writeSync(encoder.encode(`${event.d.content}\n`));
  // Other events come in meanwhile, and wait: they are received, but not handled.
  await new Promise((resolve) => setTimeout(resolve, 1));
  shard.acknowledge();
  save(shard.session);
});

function load(): SessionRecord | null {
  try {
    return parseSessionRecord(JSON.parse(Deno.readTextFileSync(file)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Through a second file: a kill in the middle leaves the old record whole. */
function save(session: SessionRecord | null): void {
  Deno.writeTextFileSync(`${file}.new`, JSON.stringify(session));
  Deno.renameSync(`${file}.new`, file);
}
