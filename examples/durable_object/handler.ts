/**
 * What the bot does with its events: the part of this example that is yours to write.
 *
 * An event comes at least once, and again if this throws or does not finish. So what it does should not mind being done
 * twice: here Discord itself is asked, by `nonce`, not to take the same answer a second time.
 */

import type { GatewayDispatch } from "@discordgateway/edge";

/** What the handler needs. */
export interface HandlerContext {
  /** The bot's token. */
  readonly token: string;
  /** Base URL of the REST API. */
  readonly api: string;
  /** Aborted when the event takes too long, or the shard stops. */
  readonly signal: AbortSignal;
}

/** Answers `!ping`. */
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
  // Read to the end: a response that is left unread holds its connection.
  const answer = await response.text();
  if (!response.ok) throw new Error(`Cannot answer: status ${response.status}: ${answer.slice(0, 100)}`);
}
