/** Clients of @discordjs/voice, the library behind most bots that speak, on Node in a process of its own. */

import { npmBinary } from "../runtimes/npm_binary.ts";
import type { VoiceCredentials } from "../fake/mod.ts";
import { until } from "./until.ts";

/** What is installed for it: the versions are those of deno.json. */
const PACKAGES = ["@discordjs/voice", "@snazzah/davey", "@noble/ciphers"];

/** What one of its clients reports. */
export interface PeerReport {
  readonly as: string;
  readonly event: "state" | "transitioned" | "heard" | "played" | "op 4" | "error";
  readonly to?: string;
  readonly from?: string;
  readonly frame?: string;
  readonly code?: string | null;
  readonly channelId?: string | null;
  readonly message?: string;
}

/** The process; its clients are told apart by names. */
export class DiscordjsVoice implements AsyncDisposable {
  /** What they have reported, in order. */
  readonly reports: PeerReport[] = [];
  stderr = "";
  readonly #directory: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #read: Promise<unknown>;
  #ended = false;

  private constructor(directory: string, child: Deno.ChildProcess) {
    this.#directory = directory;
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#read = Promise.all([this.#readReports(), this.#readErrors(), child.status]).then(() => {
      this.#ended = true;
    });
  }

  /** Starts it; it trusts the certificate as it would trust Discord's. */
  static async start(certificate: string): Promise<DiscordjsVoice> {
    const directory = await Deno.makeTempDir({ prefix: "discordjs-voice-" });
    const write = (name: string, text: string) => Deno.writeTextFile(`${directory}/${name}`, text);
    await write("package.json", JSON.stringify({ type: "module", dependencies: await versions() }));
    await write("deno.json", JSON.stringify({ nodeModulesDir: "auto" }));
    await write("ca.pem", certificate);
    const program = "discordjs_voice.mjs";
    await Deno.copyFile(new URL(`programs/${program}`, import.meta.url), `${directory}/${program}`);
    const install = new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd: directory });
    const { success, stderr } = await install.output();
    if (!success) throw new Error(`Cannot install @discordjs/voice: ${new TextDecoder().decode(stderr)}`);
    const child = new Deno.Command(await npmBinary("node"), {
      args: [program],
      cwd: directory,
      env: { NODE_EXTRA_CA_CERTS: `${directory}/ca.pem` },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new DiscordjsVoice(directory, child);
  }

  /** A client joins. */
  async join(as: string, credentials: VoiceCredentials): Promise<void> {
    await this.#tell({ as, join: credentials });
  }

  /** A client sends one frame of sound. */
  async say(as: string, frame: Uint8Array): Promise<void> {
    await this.#tell({ as, say: hex(frame) });
  }

  /** A client plays frames by its own player, one in 20 ms, and its five frames of silence; resolves when it has. */
  async play(as: string, frames: readonly Uint8Array[]): Promise<void> {
    const played = () =>
      this.reports.filter((report) => report.as === as && report.event === "played").length;
    const before = played();
    await this.#tell({ as, play: frames.map(hex) });
    await this.until(`${as} has played`, () => played() > before);
  }

  /** A client leaves. */
  async leave(as: string): Promise<void> {
    await this.#tell({ as, leave: true });
  }

  /** Whether a client is connected and has its part in an encrypted group. */
  isSecured(as: string): boolean {
    return this.#last(as, "state")?.to === "ready" && (this.#last(as, "transitioned")?.code?.length ?? 0) > 0;
  }

  /** The privacy code that a client last showed. */
  privacyCode(as: string): string | null {
    return this.#last(as, "transitioned")?.code ?? null;
  }

  /** Whether a client has heard a frame of a user. */
  hasHeard(as: string, userId: string, frame: Uint8Array): boolean {
    return this.reports.some((report) =>
      report.as === as && report.event === "heard" && report.from === userId && report.frame === hex(frame)
    );
  }

  /** All that a client has heard of a user, in hexadecimal. */
  heard(as: string, userId: string): readonly string[] {
    return this.reports.flatMap((report) =>
      report.as === as && report.event === "heard" && report.from === userId ? [report.frame ?? ""] : []
    );
  }

  /** What went wrong in it. */
  get errors(): readonly string[] {
    return this.reports.filter(({ event }) => event === "error").map(({ as, message }) =>
      `${as}: ${message}`
    );
  }

  /** Waits until something is so, or until the process has ended, which it must not. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const brief = this.reports.slice.bind(this.reports, -8);
    const story = () =>
      `${
        JSON.stringify(brief(), (name, value) => name === "frame" ? value.slice(0, 16) : value)
      } ${this.stderr}`;
    try {
      await until(what, () => this.#ended || condition());
    } catch (error) {
      throw new Error(`${what}: ${story()}`, { cause: error });
    }
    if (!condition()) throw new Error(`It ended before: ${what}: ${story()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#read;
    await Deno.remove(this.#directory, { recursive: true });
  }

  #last(as: string, event: PeerReport["event"]): PeerReport | undefined {
    return this.reports.findLast((report) => report.as === as && report.event === event);
  }

  async #tell(order: object): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
  }

  async #readReports(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.reports.push(JSON.parse(line));
    }
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.stderr += text;
  }
}

/** The versions of the packages, by name. */
async function versions(): Promise<Record<string, string>> {
  const { imports, scopes }: {
    imports: Record<string, string>;
    scopes: Record<string, Record<string, string>>;
  } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  const known = { ...imports, ...scopes["./tests/"] };
  return Object.fromEntries(PACKAGES.map((name) => [name, known[name]?.split("@").at(-1) ?? ""]));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
