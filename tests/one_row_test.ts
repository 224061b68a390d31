/**
 * "A new close code is one row": adds a row to a copy of each table, and compiles and runs what derives from it.
 *
 * The copy is a folder of its own, so that the compiler reads nothing but the changed sources.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ROOT } from "./gate/process.ts";
import { CONFIG } from "./gate/published.ts";
import { npmPackage } from "./runtimes/npm_package.ts";

/** One change to one file of the copy. */
interface Edit {
  readonly file: string;
  readonly before: string;
  readonly add: string;
}

const FOLDERS = ["gateway", "ratelimit", "ratelimit/commands", "voice/wire", "voice/gateway", "voice/dave"];

const GATEWAY_CODE: Edit = {
  file: "gateway/close_code.ts",
  before: '  UnknownError: [4000, "resume",',
  add: '  Maintenance: [4099, "identify", "Discord is under maintenance"],\n',
};
const GATEWAY_COMMAND: Edit = {
  file: "gateway/opcode.ts",
  before: "  PresenceUpdate: 3,",
  add: "  RequestStickers: 99,\n",
};
const EVENT: Edit = {
  file: "gateway/event.ts",
  before: "  CHANNEL_CREATE: GUILDS,",
  add: "  CAT_CREATE: GUILDS,\n",
};
const VOICE_CODE: Edit = {
  file: "voice/wire/close_code.ts",
  before: '  UnknownOpcode: [4001, "rejoin",',
  add: '  Maintenance: [4099, "wait", "The voice server is under maintenance"],\n',
};
const VOICE_OPCODE: Edit = {
  file: "voice/wire/opcode.ts",
  before: "  ClientsConnect: 11,",
  add: "  Applause: 99,\n",
};

Deno.test("one row: a close code of the gateway has its name, its cause, its verdict and its description", async () => {
  const program = `
    import { CLOSE_CODES, describeCloseCode, GatewayCloseCode } from "./gateway/close_code.ts";
    import { closeCause, type CloseCause, type StateEndCause } from "./gateway/transitions.ts";
    import { VERDICTS } from "./gateway/verdict.ts";

    const code: 4099 = GatewayCloseCode.Maintenance;
    const one: GatewayCloseCode = code;
    const cause: CloseCause & StateEndCause = "close_4099";
    export default {
      cause: closeCause(one) === cause,
      verdict: VERDICTS[cause],
      row: CLOSE_CODES.find((row) => row.code === code)?.name,
      text: describeCloseCode(code),
    };`;
  assertEquals(await outcome([GATEWAY_CODE], program), {
    cause: true,
    verdict: { action: "identify", delay: "backoff", why: "Discord is under maintenance" },
    row: "Maintenance",
    text: "4099 Maintenance: Discord is under maintenance",
  });
});

Deno.test("one row: an opcode of the gateway has its name, and among the commands it is one", async () => {
  const program = `
    import { type CommandOpcode, GatewayOpcode, isCommandOpcode, OPCODES } from "./gateway/opcode.ts";

    const code: 99 = GatewayOpcode.RequestStickers;
    const command: CommandOpcode = code;
    export default [isCommandOpcode(command), OPCODES.find((row) => row.code === code)?.command];`;
  assertEquals(await outcome([GATEWAY_COMMAND], program), [true, true]);
});

Deno.test("one row: an event has its name, its place, its intents and its type", async () => {
  const program = `
    import { type EventName, type GuildEventName, isEventName } from "./gateway/event.ts";
    import { intentsOf } from "./gateway/intent.ts";
    import type { GatewayDispatch } from "./gateway/payload.ts";

    const name: EventName & GuildEventName = "CAT_CREATE";
    const event: GatewayDispatch<"CAT_CREATE"> = { op: 0, s: 1, t: name, d: "whatever comes" };
    export default [isEventName(event.t), intentsOf({ guildEvents: [name] })];`;
  assertEquals(await outcome([EVENT], program), [true, 1]);
});

Deno.test("one row: a voice close code has its name, its cause, its verdict and its description", async () => {
  const program = `
    import { describeVoiceCloseCode, VoiceCloseCode } from "./voice/wire/close_code.ts";
    import { voiceCloseCause, type VoiceCloseCause } from "./voice/gateway/transitions.ts";
    import { VOICE_VERDICTS } from "./voice/gateway/verdict.ts";

    const code: 4099 = VoiceCloseCode.Maintenance;
    const cause: VoiceCloseCause = "close_4099";
    export default [voiceCloseCause(code) === cause, VOICE_VERDICTS[cause], describeVoiceCloseCode(code)];`;
  assertEquals(await outcome([VOICE_CODE], program), [
    true,
    { action: "wait", delay: "none", why: "The voice server is under maintenance" },
    "4099 Maintenance: The voice server is under maintenance",
  ]);
});

Deno.test("one row: a voice opcode has its name", async () => {
  const program = `
    import { VOICE_OPCODES, VoiceOpcode } from "./voice/wire/opcode.ts";

    const code: 99 = VoiceOpcode.Applause;
    const one: VoiceOpcode = code;
    export default VOICE_OPCODES.find((row) => row.code === one)?.received;`;
  assertEquals(await outcome([VOICE_OPCODE], program), true);
});

const INCOMPLETE: readonly [what: string, edit: Edit, complaint: RegExp][] = [
  [
    "a close code without its verdict",
    { ...GATEWAY_CODE, add: '  Maintenance: [4099, "Discord is under maintenance"],\n' },
    /^gateway\/close_code\.ts: .*(not assignable|does not satisfy|Source has 2 element)/s,
  ],
  [
    "a close code with a verdict that there is not",
    { ...GATEWAY_CODE, add: '  Maintenance: [4099, "pray", "Discord is under maintenance"],\n' },
    /^gateway\/close_code\.ts: .*VerdictAction/s,
  ],
  [
    "a voice close code without its verdict",
    { ...VOICE_CODE, add: '  Maintenance: [4099, "The voice server is under maintenance"],\n' },
    /^voice\/wire\/close_code\.ts: .*(not assignable|does not satisfy|Source has 2 element)/s,
  ],
  [
    "an event with an intent that there is not",
    { ...EVENT, add: '  CAT_CREATE: { guild: ["CATS"], direct: [] },\n' },
    /^gateway\/intent\.ts: .*"CATS"/s,
  ],
  [
    "a cause without its verdict",
    { file: "gateway/transitions.ts", before: '  | "connection_lost"', add: '  | "meteorite"\n' },
    /^gateway\/(transitions|verdict)\.ts: .*meteorite/s,
  ],
];

for (const [what, edit, complaint] of INCOMPLETE) {
  Deno.test(`one row: ${what} does not compile`, async () => {
    await using copy = await Copy.make(
      [edit],
      'import "./gateway/intent.ts"; import "./gateway/verdict.ts";',
    );
    const complaints = await copy.complaints([edit.file]);
    assertMatch(complaints[0] ?? "it compiles", complaint);
  });
}

/** What the program has as its default, once it compiles. */
async function outcome(edits: readonly Edit[], program: string): Promise<unknown> {
  await using copy = await Copy.make(edits, program);
  assertEquals(await copy.complaints([]), []);
  const { default: result }: { default: unknown } = await import(`file://${copy.path}/program.ts`);
  return result;
}

/** The sources in a folder of their own, edited, with a program beside them. */
class Copy {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(edits: readonly Edit[], program: string): Promise<Copy> {
    const path = await Deno.makeTempDir();
    for (const folder of FOLDERS) {
      await Deno.mkdir(`${path}/${folder}`, { recursive: true });
      for await (const { name, isFile } of Deno.readDir(new URL(`${folder}/`, ROOT))) {
        if (isFile) await Deno.copyFile(new URL(`${folder}/${name}`, ROOT), `${path}/${folder}/${name}`);
      }
    }
    for (const { file, before, add } of edits) {
      const text = await Deno.readTextFile(`${path}/${file}`);
      assertEquals(text.split(before).length, 2, `${file} has the row once: ${before}`);
      await Deno.writeTextFile(`${path}/${file}`, text.replace(before, () => add + before));
    }
    await Deno.writeTextFile(`${path}/program.ts`, program);
    return new Copy(path);
  }

  /** What the compiler has against the program and these files. */
  async complaints(files: readonly string[]): Promise<string[]> {
    const discord = await npmPackage((CONFIG.imports["discord-api-types"] ?? "").replace(/^npm:|\^/g, ""));
    const program = ts.createProgram({
      rootNames: ["program.ts", ...files].map((file) => `${this.path}/${file}`),
      options: {
        ...CONFIG.compilerOptions,
        lib: ["lib.esnext.d.ts", "lib.dom.d.ts"],
        types: [],
        target: ts.ScriptTarget.ESNext,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: true,
        paths: { "discord-api-types/*": [`${fileURLToPath(discord)}*`] },
      },
      host: HOST,
    });
    return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) =>
      `${file?.fileName.replace(`${this.path}/`, "") ?? ""}: ${
        ts.flattenDiagnosticMessageText(messageText, "\n")
      }`
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Reads the language's own files once. */
const HOST: ts.CompilerHost = (() => {
  const host = ts.createCompilerHost({});
  const known = new Map<string, ts.SourceFile | undefined>();
  return {
    ...host,
    getSourceFile: (path, version) => {
      if (!path.endsWith(".d.ts")) return host.getSourceFile(path, version);
      if (!known.has(path)) known.set(path, host.getSourceFile(path, version));
      return known.get(path);
    },
  };
})();
