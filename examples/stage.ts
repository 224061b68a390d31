/**
 * Where the examples play. With DISCORD_TOKEN set that is Discord itself (or what DISCORD_API points to); without it, a
 * fake Discord in this process, on a port of its own, in which members act out a short story.
 */

import process from "node:process";
import { apiBaseUrl } from "@discordgateway/edge/shard";
import type { FakeDiscord, FakeDiscordOptions } from "@discordgateway/edge/testing";

/** What an example needs to know of the Discord that it talks to. */
export interface Stage {
  /** The bot's token. */
  readonly token: string;
  /** Base URL of the REST API. */
  readonly api: string;
  /** Counts an event as handled, so that the story can tell whether each came exactly once. */
  handled(id: string): void;
  /** Calls back when it is time to stop: after the story, or at Ctrl-C. */
  onStop(stop: () => void): void;
  /** Takes the stage down; prints what the fake Discord saw. */
  close(): Promise<void>;
}

/** What happens on the stage, told by the example. */
export interface Story {
  /** The fake Discord, to make things happen in it. */
  readonly discord: FakeDiscord;
  /** Prints a line of the story. */
  tell(line: string): void;
  /** A member writes. */
  write(author: string, content: string): void;
  /** How often each of the story's messages was handled, by its id. */
  readonly handled: ReadonlyMap<string, number>;
  /** The ids of what the members wrote. */
  readonly written: string[];
  /** Waits until something is so; gives up after ten seconds. */
  until(what: string, condition: () => boolean): Promise<void>;
}

/** Opens the stage; `play` is performed only on the fake one, which is made from `options`. */
export async function openStage(
  play: (story: Story) => Promise<void>,
  options: FakeDiscordOptions = {},
): Promise<Stage> {
  const token = process.env.DISCORD_TOKEN;
  return token ? realStage(token) : await fakeStage(play, options);
}

function realStage(token: string): Stage {
  const api = apiBaseUrl();
  console.log(`[stage] DISCORD_TOKEN is set: talking to ${api}; Ctrl-C ends it`);
  return {
    token,
    api,
    handled: () => {},
    onStop: (stop) => void process.once("SIGINT", stop),
    close: () => Promise.resolve(),
  };
}

async function fakeStage(play: (story: Story) => Promise<void>, options: FakeDiscordOptions): Promise<Stage> {
  const { FakeDiscord } = await import("@discordgateway/edge/testing");
  const discord = new FakeDiscord({ heartbeatInterval: 2_000, ...options });
  const server = await discord.listen();
  console.log(`[stage] no DISCORD_TOKEN: a fake Discord plays a story on ${server.api}`);

  const handled = new Map<string, number>();
  const written: string[] = [];
  const tell = (line: string) => console.log(`[story] ${line}`);
  const write = (author: string, content: string) => {
    tell(`${author} writes "${content}"`);
    written.push(discord.sendMessage({ author, content }).id);
  };
  let stop = () => {};
  const played = play({ discord, tell, write, handled, written, until }).finally(() => stop());

  return {
    token: discord.token,
    api: server.api,
    handled: (id) => void handled.set(id, (handled.get(id) ?? 0) + 1),
    onStop: (callback) => stop = callback,
    close: async () => {
      await played;
      const violations = discord.journal.violations();
      tell(`the fake Discord saw ${violations.length} broken rules`);
      await discord.close();
      if (violations.length > 0) throw new Error(violations.map(({ rule }) => rule).join("; "));
    },
  };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`The story got stuck: ${what} did not happen within ten seconds`);
}

/** Fails unless every MESSAGE_CREATE that the fake Discord sent was handled exactly once. */
export function assertExactlyOnce({ discord, tell, handled, written }: Story): void {
  const sent = discord.sessions[0]?.counts.get("MESSAGE_CREATE");
  const once = [...handled.values()].filter((count) => count === 1).length;
  tell(`the fake Discord sent ${sent} messages; ${handled.size} were handled, ${once} of them exactly once`);
  const complete = written.every((id) => handled.has(id));
  if (!complete || handled.size !== sent || once !== sent) {
    throw new Error("A message was lost or came twice");
  }
}
