/** Over TLS, as Discord is reached: the runtime itself checks the certificate, and says more or less of why it refuses. */

import { DialError, fetchGatewayBot, GatewayBotError } from "../../../shard/mod.ts";
import { expect, expectEqual, rejection } from "../expect.ts";
import type { RemoteDiscord } from "../remote_discord.ts";
import type { Scene } from "../scene.ts";
import { until } from "../timers.ts";
import type { Behaviour } from "./behaviour.ts";

/** Behaviours over `wss://` and `https://`. */
export const TLS: readonly Behaviour[] = [
  {
    name: "wss: GET /gateway/bot by https, identify, dispatch, cut → resume",
    run: async (scene) => {
      const discord = await scene.discord({}, "trusted");
      expect(/^https:.* wss:/.test(`${discord.api} ${discord.gatewayUrl}`), "it is TLS");
      const { shard, heard } = await scene.live(discord);
      await discord.message("before");
      await until("before", () => heard.includes("before"));
      await discord.befall({ do: "drop" });
      await discord.message("meanwhile");
      await until("RESUMED", () => heard.includes("RESUMED"));
      await discord.message("after");
      await until("after", () => heard.includes("after"));
      // A resume may be faster than the next message.
      const all = ["GUILD_CREATE", "READY", "RESUMED", "after", "before", "meanwhile"];
      expectEqual(heard.toSorted(), all);
      const { requests, dials, identifies, resumes } = await discord.seen();
      expectEqual(requests, ["/api/v10/gateway/bot"]);
      expectEqual(dials.map(({ outcome }) => outcome), ["open", "open"]);
      expectEqual([identifies.length, resumes.length], [1, 1]);
      await shard.close();
    },
  },
  {
    name: "wss: a certificate that nobody trusts is a typed error, and nothing is sent",
    run: async (scene) => {
      const discord = await scene.discord({}, "untrusted");
      const errors = [await dialled(scene, discord), await asked(discord)];
      expectEqual(errors.map(({ code }) => code), ["ERR_DIAL_FAILED", "ERR_GATEWAY_BOT"]);
      const { dials, requests } = await discord.seen();
      expectEqual([dials, requests], [[], []]);
      // Also that who is said not to name it does not.
      const { dialNamesCertificate = false, fetchNamesCertificate = false } = scene.surroundings.abilities;
      expectEqual(errors.map(({ message }) => /certificate/.test(message)), [
        dialNamesCertificate,
        fetchNamesCertificate,
      ]);
    },
  },
  {
    name: "wss: the error of the dial names the certificate",
    needs: "dialNamesCertificate",
    run: async (scene) => {
      const { message } = await dialled(scene, await scene.discord({}, "untrusted"));
      expect(/certificate/.test(message), message);
    },
  },
  {
    name: "wss: the error of GET /gateway/bot names the certificate",
    needs: "fetchNamesCertificate",
    run: async (scene) => {
      const { message } = await asked(await scene.discord({}, "untrusted"));
      expect(/certificate/.test(message), message);
    },
  },
];

async function dialled(scene: Scene, { gatewayUrl }: RemoteDiscord): Promise<DialError> {
  return await rejection(scene.dial(`${gatewayUrl}/?v=10&encoding=json`), DialError);
}

async function asked({ token, api }: RemoteDiscord): Promise<GatewayBotError> {
  return await rejection(fetchGatewayBot(token, { api }), GatewayBotError);
}
