/** Opening a connection, and failing to. */

import { dial, DialError, type WebSocketConstructor, type WebSocketLike } from "../../../shard/mod.ts";
import { expect, expectEqual, rejection } from "../expect.ts";
import { until } from "../timers.ts";
import type { Behaviour } from "./behaviour.ts";

const QUERY = "/?v=10&encoding=json";

/** Behaviours of `dial()`. */
export const DIALLING: readonly Behaviour[] = [
  {
    name: "dial: frames that come with the handshake are kept",
    run: async (scene) => {
      const discord = await scene.discord();
      await discord.fault({ coalesceHello: true });
      const connection = await scene.dial(`${discord.gatewayUrl}${QUERY}`);
      await discord.seen({ connections: 1 });
      const reader = connection.readable.getReader();
      const { value } = await reader.read();
      expectEqual(JSON.parse(String(value)).op, 10);
      connection.close(1000, "that is all");
      expectEqual(await connection.closed, { code: 1000, reason: "that is all", by: "local" });
      expect((await reader.read()).done, "the stream ends with the connection");
      expectEqual((await discord.seen({ closes: 1 })).closes, [1000]);
    },
  },
  {
    name: "dial: a refusal is a typed error",
    run: async (scene) => {
      const discord = await scene.discord();
      // Not 401: after that one, Node asks a second time by itself.
      await discord.fault({ rejectDials: [503, 520] });
      for (let time = 0; time < 2; time++) {
        const error = await rejection(scene.dial(`${discord.gatewayUrl}${QUERY}`), DialError);
        expectEqual(error.code, "ERR_DIAL_FAILED");
      }
      await discord.end();
      const error = await rejection(scene.dial(`${discord.gatewayUrl}${QUERY}`), DialError);
      expectEqual(error.code, "ERR_DIAL_FAILED");
    },
  },
  {
    name: "dial: no response ends by its deadline, or by an abort",
    run: async (scene) => {
      const discord = await scene.discord();
      await discord.fault({ blackHoleDials: 2 });
      const url = `${discord.gatewayUrl}${QUERY}`;
      const controller = new AbortController();
      const dialling = rejection(scene.dial(url, { signal: controller.signal }), DialError);
      await discord.seen({ dials: 1 });
      const reason = new Error("we changed our minds");
      controller.abort(reason);
      const aborted = await dialling;
      expectEqual([aborted.code, aborted.cause === reason], ["ERR_DIAL_ABORTED", true]);
      const late = await rejection(scene.dial(url, { deadlineMs: 100 }), DialError);
      expectEqual(late.code, "ERR_DIAL_TIMEOUT");
    },
  },
  {
    name: "dial: without a global WebSocket the error says so",
    run: async (scene) => {
      const discord = await scene.discord();
      const own = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
      Object.defineProperty(globalThis, "WebSocket", { value: undefined, configurable: true });
      // Not through the scene, which gives a constructor where the runtime has none. Others run meanwhile: the global is
      // away in this turn only.
      const dialling = rejection(dial(`${discord.gatewayUrl}${QUERY}`), TypeError);
      // Where it is inherited, the one behind it appears again.
      if (own) Object.defineProperty(globalThis, "WebSocket", own);
      else Reflect.deleteProperty(globalThis, "WebSocket");
      const { message } = await dialling;
      expectEqual(message, "Cannot dial: this runtime has no global WebSocket, pass one in the options");
    },
  },
  {
    name: "dial: a constructor of one's own is used",
    run: async (scene) => {
      const discord = await scene.discord();
      const urls: string[] = [];
      const Own: WebSocketConstructor = scene.surroundings.WebSocket ?? globalThis.WebSocket;
      const connection = await scene.dial(`${discord.gatewayUrl}${QUERY}`, {
        WebSocket: class extends Own {
          constructor(url: string) {
            super(url);
            urls.push(url);
          }
        },
      });
      expectEqual(urls, [`${discord.gatewayUrl}${QUERY}`]);
      connection.close();
    },
  },
  {
    name: "dial: npm's ws as the constructor",
    needs: "ws",
    run: async (scene) => {
      const discord = await scene.discord();
      const { ws } = scene.surroundings.abilities;
      expect(ws, "it needs ws");
      const { heard, shard } = await scene.live(discord, {
        dial: (url, options) => scene.dial(url, { ...options, WebSocket: ws }),
      });
      await discord.befall({ do: "drop" });
      await discord.message("missed");
      await until("RESUMED", () => heard.includes("RESUMED"));
      await discord.message("after");
      await until("the message", () => heard.includes("after"));
      // A resume may be faster than the next message.
      expectEqual(heard.toSorted(), ["GUILD_CREATE", "READY", "RESUMED", "after", "missed"]);
      await shard.close();
    },
  },
  {
    name: "close: only codes that every runtime sends, 1000 and 3000-4999",
    run: async (scene) => {
      const discord = await scene.discord();
      const codes: (number | undefined)[] = [];
      const WebSocket = recording(scene.surroundings.WebSocket ?? globalThis.WebSocket, codes);
      const recorded = (url: string) => scene.dial(url, { WebSocket });
      const first = await recorded(`${discord.gatewayUrl}${QUERY}`);
      for (const code of [1001, 1011, 2999, 5000]) {
        try {
          first.close(code);
        } catch (error) {
          expect(error instanceof RangeError, `${code}: ${error}`);
          continue;
        }
        throw new Error(`${code} was taken`);
      }
      first.close(4999);
      const kept = await scene.live(discord, { dial: recorded });
      const session = await kept.shard.close({ keepSession: true });
      await discord.seen({ closes: 2, connections: 0, sessions: 1 });
      const ended = await scene.live(discord, { dial: recorded, session });
      await ended.shard.close();
      const { closes } = await discord.seen({ closes: 3, connections: 0, sessions: 0 });
      expectEqual(closes, [4999, 4200, 1000]);
      // npm's ws also answers the peer's close through this method.
      expectEqual([...new Set(codes)], closes);
    },
  },
];

/** The constructor with a witness of what its sockets are closed with. */
function recording(Base: WebSocketConstructor, codes: (number | undefined)[]): WebSocketConstructor {
  return class extends Base {
    override close(code?: number, reason?: string): void {
      codes.push(code);
      super.close(code, reason);
    }
  } satisfies new (url: string) => WebSocketLike;
}
