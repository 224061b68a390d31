/** Two pipes joined back to back in memory: what one sends, the other receives, within the same turn. */

import { type Connection, Pipe } from "./connection.ts";

/**
 * Makes two connected {@linkcode Connection}s without a socket, for tests.
 *
 * A close on one side ends the other with the same code and reason, `by: "remote"`.
 *
 * @example
 * ```ts
 * import { connectionPair } from "@discordgateway/edge/shard";
 *
 * const [client, server] = connectionPair();
 * const heard: unknown[] = [];
 * server.attach({ frame: (frame) => heard.push(frame), end: (end) => heard.push(end.code) });
 * client.send("hello");
 * client.close(1000);
 * if (heard.join() !== "hello,1000") throw new Error(`unexpected: ${heard}`);
 * ```
 */
export function connectionPair(): [client: Connection, server: Connection] {
  const client: Pipe = new Pipe({
    send: (frame) => server.push(frame),
    close: (code, reason) => server.finish({ code, reason, by: "remote" }),
  });
  const server: Pipe = new Pipe({
    send: (frame) => client.push(frame),
    close: (code, reason) => client.finish({ code, reason, by: "remote" }),
  });
  return [client, server];
}
