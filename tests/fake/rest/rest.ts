/**
 * The few REST routes that a bot needs to live, as a pure function.
 *
 * @see https://docs.discord.com/developers/reference
 */

import type { SessionStartLimit } from "../gateway/identify_budget.ts";
import { isObject, isSnowflake, type JsonObject, parseObject } from "../base/json.ts";
import { type FakeMessage, newMessage } from "../world/payloads.ts";
import type { World } from "../world/world.ts";

/** A call. */
export interface RestRequest {
  /** The HTTP method. */
  readonly method: string;
  /** The path, without a query. */
  readonly path: string;
  /** The `Authorization` header. */
  readonly authorization: string | null;
  /** The body as text, empty if there is none. */
  readonly body: string;
}

/** Its answer. */
export interface RestResponse {
  /** The HTTP status. */
  readonly status: number;
  /** The body, to be sent as JSON. */
  readonly body: unknown;
  /** A message that came into being by it. */
  readonly message?: FakeMessage;
}

/** What the responses depend on. */
export interface RestContext {
  /** What exists. */
  readonly world: World;
  /** The valid token, `null` if it was reset. */
  readonly token: string | null;
  /** Where clients are to dial. */
  readonly gatewayUrl: string;
  /** How many shards are recommended. */
  readonly shards: number;
  /** How often the bot may still identify. */
  readonly sessionStartLimit: SessionStartLimit;
  /** The present, in ms. */
  readonly now: number;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly open?: boolean;
  readonly answer: (context: RestContext, body: string, id: string) => RestResponse;
}

const PREFIX = "/api/v10";
const MAX_CONTENT = 2000;

const ROUTES: readonly Route[] = [
  { method: "GET", path: /^\/gateway$/, open: true, answer: ({ gatewayUrl }) => ok({ url: gatewayUrl }) },
  { method: "GET", path: /^\/gateway\/bot$/, answer: gatewayBot },
  { method: "GET", path: /^\/users\/@me$/, answer: ({ world }) => ok(world.bot) },
  { method: "POST", path: /^\/users\/@me\/channels$/, answer: createDirectMessage },
  { method: "POST", path: /^\/channels\/([^/]+)\/messages$/, answer: createMessage },
];

/** Answers a call as Discord would. */
export function respond(request: RestRequest, context: RestContext): RestResponse {
  const { method, path, authorization, body } = request;
  const inner = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : "";
  const there = ROUTES.filter((route) => route.path.test(inner));
  if (there.length === 0) return failure(404, 0, "404: Not Found");
  const route = there.find((route) => route.method === method);
  if (!route) return failure(405, 0, "405: Method Not Allowed");
  const authorized = context.token !== null && authorization === `Bot ${context.token}`;
  if (!route.open && !authorized) return failure(401, 0, "401: Unauthorized");
  return route.answer(context, body, route.path.exec(inner)?.[1] ?? "");
}

/** The answer to a call that was told to fail. */
export function refusal(status: number): RestResponse {
  if (status !== 429) return failure(status, 0, `${status}: Fake Fault`);
  return { status, body: { message: "You are being rate limited.", retry_after: 1, global: false } };
}

function gatewayBot({ gatewayUrl, shards, sessionStartLimit }: RestContext): RestResponse {
  return ok({ url: gatewayUrl, shards, session_start_limit: sessionStartLimit });
}

function createDirectMessage({ world }: RestContext, body: string): RestResponse {
  const id = parseObject(body)?.recipient_id;
  const user = isSnowflake(id) ? world.userById(id) : undefined;
  return user ? ok(world.directMessageChannel(user)) : failure(400, 50033, "Invalid Recipient(s)");
}

function createMessage({ world, now }: RestContext, body: string, channelId: string): RestResponse {
  const channel = world.channel(channelId);
  if (!channel) return failure(404, 10003, "Unknown Channel");
  const draft = parseObject(body);
  if (!draft) return failure(400, 50109, "The request body contains invalid JSON.");
  const refused = draftRefusal(draft);
  if (refused) return refused;
  const { content, embeds, components, tts, nonce } = draft;
  const message = newMessage(world, {
    author: world.bot,
    channel,
    content: typeof content === "string" ? content : "",
    embeds: Array.isArray(embeds) ? embeds : [],
    components: Array.isArray(components) ? components : [],
    tts: tts === true,
    nonce: typeof nonce === "string" || typeof nonce === "number" ? nonce : undefined,
  }, now);
  return { ...ok(message), message };
}

function draftRefusal({ content, embeds, components, nonce }: JsonObject): RestResponse | null {
  if (content !== undefined && content !== null && typeof content !== "string") {
    return invalidForm("content", "BASE_TYPE_BAD_STRING", "Could not interpret content as string.");
  }
  // Characters, not UTF-16 units.
  if (typeof content === "string" && [...content].length > MAX_CONTENT) {
    return invalidForm("content", "BASE_TYPE_MAX_LENGTH", `Must be ${MAX_CONTENT} or fewer in length.`);
  }
  if (nonce !== undefined && nonce !== null && String(nonce).length > 25) {
    return invalidForm("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.");
  }
  const more = [embeds, components].some((list) => Array.isArray(list) && list.length > 0);
  return content || more ? null : failure(400, 50006, "Cannot send an empty message");
}

function invalidForm(field: string, code: string, message: string): RestResponse {
  const errors = { [field]: { _errors: [{ code, message }] } };
  return { status: 400, body: { message: "Invalid Form Body", code: 50035, errors } };
}

function ok(body: unknown): RestResponse {
  return { status: 200, body };
}

function failure(status: number, code: number, message: string): RestResponse {
  return { status, body: { message, code } };
}

/** The answer as a `Response`. */
export function toResponse({ status, body }: RestResponse): Response {
  const retryAfter = isObject(body) ? body.retry_after : undefined;
  const headers = typeof retryAfter === "number" ? { "retry-after": `${retryAfter}` } : undefined;
  return Response.json(body, { status, ...(headers && { headers }) });
}
