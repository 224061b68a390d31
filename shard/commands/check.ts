/**
 * Checks whether Discord would accept a command, before the command joins the queue.
 *
 * Discord closes the connection with 4002 for a malformed body, or ignores it. The types rule out such a body, but one that
 * comes over HTTP can be anything. Only what Discord is known to refuse is refused here: fields that it may add in the
 * future pass.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#send-events
 */

import { shown } from "../../ratelimit/unknown.ts";
import { CommandError, encodeCommand, type GatewayCommand, isId } from "../../gateway/mod.ts";
import { EncodedCommand } from "../../gateway/command.ts";

const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
// The marks tell a bundler that it may drop the table if it is not used.
// @__NO_SIDE_EFFECTS__
const listOf = (holds: (one: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(holds);
// @__NO_SIDE_EFFECTS__
const oneOf = (...values: readonly unknown[]) => (value: unknown) => values.includes(value);

/** The kinds of value that a field can have, in the words of the error. */
const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  "an id": isId,
  "a list of ids": listOf(isId),
  "a list of up to 100": (value) => listOf(isId)(value) && Array.isArray(value) && value.length <= 100,
  "an integer from 0 on": isCount,
  "a string": (value) => typeof value === "string",
  "true": oneOf(true),
  "false": oneOf(false),
  "null": oneOf(null),
  "missing": oneOf(undefined),
  "one of online, dnd, idle, invisible, offline": oneOf("online", "dnd", "idle", "invisible", "offline"),
  "a list of objects with a name and a type": listOf((one) =>
    typeof one === "object" && one !== null && "name" in one && typeof one.name === "string" &&
    "type" in one && isCount(one.type)
  ),
  "a list of status and voice_start_time": listOf(oneOf("status", "voice_start_time")),
};

const FLAG = "true or false";

/** Fields by opcode; alternatives are joined by "or". */
const FIELDS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  3: {
    since: "an integer from 0 on or null",
    activities: "a list of objects with a name and a type",
    status: "one of online, dnd, idle, invisible, offline",
    afk: FLAG,
  },
  4: { guild_id: "an id", channel_id: "an id or null", self_mute: FLAG, self_deaf: FLAG },
  8: { guild_id: "an id", presences: "true or false or missing", nonce: "a string or missing" },
  31: { guild_ids: "a list of ids" },
  43: { guild_id: "an id", fields: "a list of status and voice_start_time" },
};
/** Of op 8, which has two forms. */
const BY_QUERY = { query: "a string", limit: "an integer from 0 on", user_ids: "missing" };
const BY_ID = { user_ids: "an id or a list of up to 100" };

/** An encoded command whose fields were checked: it is neither checked nor encoded a second time. */
class CheckedCommand extends EncodedCommand {}

/**
 * Checks a command, whatever types it claims to have, and encodes it. A command that was returned by it once is returned as it is.
 *
 * @throws {CommandError} Discord would not accept it: names the field, or the frame has more than 4096 bytes.
 */
export function checkCommand(given: GatewayCommand | EncodedCommand): EncodedCommand {
  if (given instanceof CheckedCommand) return given;
  const { command, frame } = given instanceof EncodedCommand ? given : encodeCommand(given);
  checkFields(command.op, command.d);
  return new CheckedCommand(command, frame);
}

/**
 * Checks the fields of a command's body, whatever types they claim to have.
 *
 * @throws {CommandError} Discord would not accept one: names it.
 */
export function checkFields(op: number, d: object): void {
  const body: Readonly<Record<string, unknown>> = { ...d };
  const form = op !== 8 ? {} : body.query === undefined ? BY_ID : BY_QUERY;
  const fields: Readonly<Record<string, string>> = { ...FIELDS[op], ...form };
  for (const [name, kinds] of Object.entries(fields)) {
    const value = body[name];
    if (kinds.split(" or ").some((kind) => KINDS[kind]?.(value))) continue;
    throw new CommandError(`Cannot send op ${op}: ${name} is ${kinds}: ${shown(value)}`);
  }
}
