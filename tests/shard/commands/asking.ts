/** What the tests of requests have in common: a shard that may ask for members, and an iterator that is read alongside. */

import { Play, type PlayOptions } from "../harness.ts";

const GUILD_MEMBERS = 2;
const GUILD_PRESENCES = 256;

/** A shard whose guild has so many members besides the bot. */
export function crowd(members: number, { fake, ...options }: PlayOptions = {}): Play {
  return new Play({
    intents: GUILD_MEMBERS | GUILD_PRESENCES,
    fake: { guilds: [{ members }], ...fake },
    ...options,
  });
}

/** The id of the one guild. */
export function guildOf({ discord }: Play): string {
  return discord.guilds[0]!.id;
}

/** Asks for everybody in this guild. */
export function everybody(
  guildId: string,
): { readonly guild_id: string; readonly query: ""; readonly limit: 0 } {
  return { guild_id: guildId, query: "", limit: 0 };
}

/** An iterator that is read while the test moves the clock. */
export class Reading<T> {
  /** What came. */
  readonly responses: T[] = [];
  /** How it ended: `undefined` as long as it has not, `null` without an error. */
  end: unknown = undefined;

  constructor(iterable: AsyncIterable<T>, onResponse: (response: T) => unknown = () => {}) {
    void this.#read(iterable, onResponse);
  }

  async #read(iterable: AsyncIterable<T>, onResponse: (response: T) => unknown): Promise<void> {
    try {
      for await (const response of iterable) {
        this.responses.push(response);
        await onResponse(response);
      }
      this.end = null;
    } catch (error) {
      this.end = error;
    }
  }
}

/** How often a command of this opcode came to Discord. */
export function timesAsked({ discord }: Play, op: number): number {
  return discord.journal.of("frame").filter((frame) => frame.op === op).length;
}

/** When commands of this opcode came to Discord, in ms. */
export function askedAt({ discord }: Play, op: number): number[] {
  return discord.journal.of("frame").filter((frame) => frame.op === op).map(({ at }) => at);
}
