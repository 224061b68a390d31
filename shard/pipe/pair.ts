/** Two pipes joined back to back in memory: what one sends, the other receives synchronously. */

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
 * const received: unknown[] = [];
 * server.attach({ frame: (frame) => received.push(frame), end: (end) => received.push(end.code) });
 * client.send("hello");
 * client.close(1000);
 * if (received.join() !== "hello,1000") throw new Error(`unexpected: ${received}`);
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
