/** Voice in a Durable Object: a join with media, one without, and what both come to. */

import { GatewayIntent } from "../../../gateway/mod.ts";
import { dial, Shard } from "../../../shard/mod.ts";
import { voice, type VoiceStatus } from "../../../voice/mod.ts";

/** Where a shard would live. */
export class Voice {
  /** Plays it. */
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const shard = new Shard({
      token: searchParams.get("token") ?? "",
      api: searchParams.get("api") ?? "",
      intents: GatewayIntent.GUILD_VOICE_STATES,
      voice: voice({ dial: (url, options = {}) => dial(url.replace("wss://", "ws://"), options) }),
    });
    const running = new Promise<void>((resolve) => {
      void shard.run(({ t }) => {
        if (t === "READY") resolve();
      });
    });
    await running;
    const statuses: VoiceStatus[] = [];
    const onStatus = (status: VoiceStatus) => void statuses.push(status);
    const joining = await codeOf(() => shard.joinVoice("4000", "4103", { onStatus }));
    const connection = await shard.joinVoice("4000", "4103", { onStatus, media: false });
    const playing = await codeOf(() => connection.play([]));
    const receiving = await codeOf(() => connection.receive("1"));
    await connection.close();
    await shard.close();
    return Response.json({
      joining,
      statuses: statuses.map(({ state }) => state).join(" "),
      playing,
      receiving,
    });
  }
}

async function codeOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return "no error";
  } catch (error) {
    return typeof error === "object" && error !== null && "code" in error ? error.code : `${error}`;
  }
}

interface Environment {
  readonly VOICE: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

const worker: { fetch(request: Request, environment: Environment): Promise<Response> } = {
  fetch: (request, { VOICE }) => VOICE.get(VOICE.idFromName("the one")).fetch(request),
};

export default worker;
