/** JSON over HTTP for hosts in Durable Objects: the last part of the path is the route, and every failure has a code. */

import { isObject, shown } from "../../ratelimit/unknown.ts";
import { CommandError } from "../../gateway/mod.ts";
import { type ErrorReport, HostError, type HostErrorCode } from "./errors.ts";

/** A parsed request body: a JSON object. */
export type JsonBody = Readonly<Record<string, unknown>>;

/** One route. */
export interface Route<Subject> {
  /** The HTTP method. */
  readonly method: "GET" | "POST";
  /** The fields that the body may have. */
  readonly fields?: readonly string[];
  /** Handles a request; the response is its result, or an empty object. */
  readonly act: (subject: Subject, body: JsonBody) => unknown;
}

/** Options of {@linkcode respondTo}. */
export interface RespondOptions<Subject> {
  /** The host that the routes act on. */
  readonly subject: Subject;
  /** The routes by name. */
  readonly routes: Readonly<Record<string, Route<Subject>>>;
  /** Turns an error into JSON. */
  readonly report: (error: unknown) => ErrorReport;
  /** The status of an error that only this host has; `null` for any other. */
  readonly statusOf?: (error: unknown) => number | null;
}

/** Many times the length of the longest valid body. */
const MAX_BODY_BYTES = 65_536;

/** A malformed request. */
export class HttpError extends Error {
  /** The name of the class. */
  override readonly name = "HttpError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_REQUEST";
  /** HTTP status. */
  readonly status: number;

  /** Made where a request is parsed. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Responds to one request; never rejects. */
export async function respondTo<Subject>(
  request: Request,
  options: RespondOptions<Subject>,
): Promise<Response> {
  const { subject, routes, report, statusOf = () => null } = options;
  try {
    const name = new URL(request.url).pathname.split("/").at(-1) ?? "";
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (!route) {
      throw new HttpError(
        404,
        `Cannot answer: the path ends in one of ${Object.keys(routes).join(", ")}: ${name}`,
      );
    }
    if (request.method !== route.method) {
      throw new HttpError(405, `Cannot answer: ${name} takes ${route.method}: ${request.method}`);
    }
    const body = route.method === "GET" ? {} : await bodyOf(request);
    assertFields(body, route.fields ?? [], name);
    return Response.json(await route.act(subject, body) ?? {});
  } catch (error) {
    const status = error instanceof HttpError
      ? error.status
      : statusOf(error) ?? hostStatus(error) ?? misuseStatus(error) ?? 500;
    return Response.json({ error: report(error) }, { status });
  }
}

/** Parses the body; an empty body counts as an empty object. */
async function bodyOf(request: Request): Promise<JsonBody> {
  const text = await textOf(request);
  if (text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HttpError(400, "Cannot answer: the body has to be JSON");
  }
  if (!isObject(body)) {
    throw new HttpError(400, `Cannot answer: the body has to be an object: ${shown(body)}`);
  }
  return body;
}

/**
 * Reads the body, and keeps at most `MAX_BODY_BYTES` of it. The rest is read too: a connection that is cut in the middle of
 * an upload takes the response with it.
 */
async function textOf({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let text = "";
  let bytes = 0;
  for (let read = await reader?.read(); read?.value; read = await reader?.read()) {
    bytes += read.value.length;
    if (bytes <= MAX_BODY_BYTES) text += decoder.decode(read.value, { stream: true });
  }
  if (bytes > MAX_BODY_BYTES) {
    throw new HttpError(413, `Cannot answer: a body has at most ${MAX_BODY_BYTES} bytes`);
  }
  return text + decoder.decode();
}

/** Rejects unknown fields: a misspelt field must not count as a missing one. */
function assertFields(body: JsonBody, known: readonly string[], route: string): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const takes = known.length === 0 ? "no fields" : known.join(" and ");
  throw new HttpError(400, `Cannot answer: ${route} takes ${takes}: ${shown(unknown)}`);
}

/** The HTTP status of each code of a host. */
const HOST_STATUS: { readonly [Code in HostErrorCode]: number } = {
  ERR_SHARD_HOST_STORAGE: 503,
  ERR_SHARD_HOST_STOPPED: 503,
  ERR_SHARD_HOST_DEADLINE: 504,
  ERR_SHARD_HOST_STUCK: 503,
  ERR_FLEET_HOST_RUNNING: 409,
  ERR_FLEET_HOST_STOPPED: 409,
  ERR_FLEET_HOST_RESHARDING: 409,
  ERR_FLEET_HOST_SHARD: 400,
  ERR_FLEET_HOST_UNREACHABLE: 503,
};

function hostStatus(error: unknown): number | null {
  return error instanceof HostError ? HOST_STATUS[error.code] : null;
}

/** 400 for an error that the request has caused; `null` for any other. */
function misuseStatus(error: unknown): number | null {
  const isMisuse = error instanceof CommandError || error instanceof RangeError || error instanceof TypeError;
  return isMisuse ? 400 : null;
}

/**
 * Reads an integer field of at least `least` and at most `most`.
 *
 * @throws {HttpError} The field has another value; names the field.
 */
export function integerField(body: JsonBody, name: string, least: number, most = Infinity): number {
  const value = body[name];
  const isFine = typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
  if (isFine) return value;
  const range = most === Infinity ? `from ${least} on` : `from ${least} to ${most}`;
  throw new HttpError(400, `Cannot answer: ${name} is an integer ${range}: ${shown(value)}`);
}

/**
 * Reads a boolean field; a missing one is false.
 *
 * @throws {HttpError} The field has another value; names the field.
 */
export function booleanField(body: JsonBody, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value === "boolean") return value;
  throw new HttpError(400, `Cannot answer: ${name} is true or false: ${shown(value)}`);
}

/**
 * Reads a field that is an object.
 *
 * @throws {HttpError} The field has another value; names the field.
 */
export function objectField(body: JsonBody, name: string): JsonBody {
  const value = body[name];
  if (isObject(value)) return value;
  throw new HttpError(400, `Cannot answer: ${name} is an object: ${shown(value)}`);
}
