/**
 * What the bot does with its events: the part of this example that you write.
 *
 * Each event is delivered at least once, and again if the handler throws or does not finish. So the handler should be
 * idempotent: here `nonce` and `enforce_nonce` let Discord drop a second copy of the same message.
 */

import type { GatewayDispatch } from "@discordgateway/edge";

/** What the handler needs. */
export interface HandlerContext {
  /** The bot's token. */
  readonly token: string;
  /** Base URL of the REST API. */
  readonly api: string;
  /** Aborted when the handler takes too long, or the shard stops. */
  readonly signal: AbortSignal;
}

/** Responds to `!ping`. */
export async function handle(
  event: GatewayDispatch<"MESSAGE_CREATE">,
  context: HandlerContext,
): Promise<void> {
  const { id, content, channel_id, author } = event.d;
  if (author.bot || content !== "!ping") return;
  const response = await fetch(`${context.api}/channels/${channel_id}/messages`, {
    method: "POST",
    headers: { authorization: `Bot ${context.token}`, "content-type": "application/json" },
    body: JSON.stringify({ content: "pong", nonce: id, enforce_nonce: true }),
    signal: context.signal,
  });
  // Read to the end: an unread response keeps its connection open.
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot answer: status ${response.status}: ${text.slice(0, 100)}`);
}
