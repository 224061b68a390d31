/**
 * The fake Discord by remote control: programs on other runtimes make one, play its story, and read its journal, all over
 * HTTP on loopback. The fakes themselves run here, since not every runtime can listen.
 */

import { FakeDiscord, type FakeDiscordOptions, type Faults, type MessageOptions } from "../fake/mod.ts";
import { type Certificate, selfSigned } from "../contract/certificate.ts";
import { until } from "../contract/until.ts";

/** What has happened at a fake, as plain JSON. */
export interface Seen {
  /** The dials, each with what became of it. */
  readonly dials: readonly { readonly url: string; readonly outcome: string }[];
  /** Paths that were asked of the REST API. */
  readonly requests: readonly string[];
  /** The bodies of the IDENTIFY frames. */
  readonly identifies: readonly unknown[];
  /** The bodies of the RESUME frames. */
  readonly resumes: readonly unknown[];
  /** When heartbeats came, in ms on the fake's clock. */
  readonly heartbeats: readonly number[];
  /** The opcodes of all other frames. */
  readonly commands: readonly number[];
  /** The codes that the client closed with, `null` where it vanished. */
  readonly closes: readonly (number | null)[];
  /** The rules that the client broke. */
  readonly violations: readonly string[];
  /** Connections that are open now. */
  readonly connections: number;
  /** Sessions that are alive now. */
  readonly sessions: number;
}

/** What can be done to the connection that is the newest now. */
export type Mishap =
  | { readonly do: "drop" | "stall" | "requestHeartbeat" | "reconnect" }
  | { readonly do: "close"; readonly code: number }
  | { readonly do: "invalidateSession"; readonly resumable: boolean }
  | { readonly do: "sendRaw"; readonly text: string };

/** Whether the programs trust the certificate of a fake that speaks TLS. */
export type Trust = "trusted" | "untrusted";

/** What a program may ask for. */
export type Wish =
  | { readonly ask: "make"; readonly options: FakeDiscordOptions; readonly tls?: Trust }
  | { readonly ask: "end"; readonly id: number }
  | { readonly ask: "faults"; readonly id: number; readonly faults: Partial<Faults> }
  | { readonly ask: "message"; readonly id: number; readonly message: MessageOptions }
  | { readonly ask: "dispatch"; readonly id: number; readonly name: string; readonly data: unknown }
  | { readonly ask: "flood"; readonly id: number; readonly count: number }
  | { readonly ask: "mishap"; readonly id: number; readonly mishap: Mishap }
  | { readonly ask: "seen"; readonly id: number; readonly atLeast?: Counts };

/** So many of each are waited for; of connections and sessions, exactly so many. */
export type Counts = { readonly [Key in keyof Seen]?: number };

/** A fake that was made. */
export interface Made {
  /** Names it in further wishes. */
  readonly id: number;
  /** The one valid token. */
  readonly token: string;
  /** Base URL of the REST API. */
  readonly api: string;
  /** URL of the gateway. */
  readonly gatewayUrl: string;
  /** The first guild. */
  readonly guildId: string;
}

/** The remote control's server. */
export class Control implements AsyncDisposable {
  /** Where wishes go, by POST. */
  readonly url: string;
  /** The certificate that programs have to trust, in PEM. */
  readonly certificate: string;
  /** The same as a file. */
  readonly certificateFile: string;
  readonly #certificates: Readonly<Record<Trust, Certificate>>;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #fakes = new Map<number, FakeDiscord>();
  #made = 0;

  private constructor(certificates: Readonly<Record<Trust, Certificate>>, certificateFile: string) {
    this.#certificates = certificates;
    this.certificate = certificates.trusted.cert;
    this.certificateFile = certificateFile;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      try {
        return Response.json(await this.#fulfil(await request.json()) ?? null);
      } catch (error) {
        return Response.json(String(error), { status: 500 });
      }
    });
    this.url = `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Makes the certificates, and listens on a free port. */
  static async start(): Promise<Control> {
    const [trusted, untrusted] = await Promise.all([selfSigned(), selfSigned()]);
    const file = await Deno.makeTempFile({ prefix: "certificate-", suffix: ".pem" });
    await Deno.writeTextFile(file, trusted.cert);
    return new Control({ trusted, untrusted }, file);
  }

  /** Ends every fake, and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#fakes.values()].map((fake) => fake.close()));
    await this.#server.shutdown();
    await Deno.remove(this.certificateFile);
  }

  async #fulfil(wish: Wish): Promise<unknown> {
    if (wish.ask === "make") return await this.#make(wish.options, wish.tls);
    const fake = this.#fakes.get(wish.id);
    if (!fake) throw new Error(`There is no such fake: ${wish.id}`);
    switch (wish.ask) {
      case "end":
        this.#fakes.delete(wish.id);
        return await fake.close();
      case "faults":
        return void Object.assign(fake.faults, wish.faults);
      case "message":
        return fake.sendMessage(wish.message);
      case "dispatch":
        return fake.dispatch(wish.name, wish.data);
      case "flood":
        return fake.flood(wish.count);
      case "mishap":
        return befall(fake, wish.mishap);
      case "seen":
        if (wish.atLeast) {
          const { atLeast } = wish;
          await until(`${JSON.stringify(atLeast)} at the fake`, () => reached(seen(fake), atLeast));
        }
        return seen(fake);
    }
  }

  async #make(options: FakeDiscordOptions, trust?: Trust): Promise<Made> {
    const id = ++this.#made;
    // Shards of one token share their identify limiter: with a token of its own none waits for another.
    const fake = new FakeDiscord({ token: `fake.token.${id}`, ...options });
    this.#fakes.set(id, fake);
    const server = await fake.listen(trust && { tls: this.#certificates[trust] });
    // By another name: Deno resumes the TLS session of one name on any of its ports, and checks no certificate then.
    const named = (url: string) => trust === "untrusted" ? url.replace("127.0.0.1", "localhost") : url;
    const [api, gatewayUrl] = [named(server.api), named(server.gatewayUrl)] as const;
    return { id, token: fake.token, api, gatewayUrl, guildId: fake.guilds[0]?.id ?? "" };
  }
}

function befall(fake: FakeDiscord, mishap: Mishap): void {
  const connection = fake.connections.at(-1);
  if (!connection) throw new Error(`Nobody is connected: ${mishap.do}`);
  switch (mishap.do) {
    case "close":
      return connection.close(mishap.code);
    case "invalidateSession":
      return connection.invalidateSession(mishap.resumable);
    case "sendRaw":
      return connection.sendRaw(mishap.text);
    default:
      return connection[mishap.do]();
  }
}

function seen({ journal, connections, sessions }: FakeDiscord): Seen {
  const opcodes = journal.of("frame").map(({ op }) => op ?? -1);
  return {
    dials: journal.dials().map(({ url, outcome }) => ({ url, outcome })),
    requests: journal.of("rest").map(({ path }) => path),
    identifies: journal.identifies().map(({ d }) => d),
    resumes: journal.resumes().map(({ d }) => d),
    heartbeats: journal.heartbeats().map(({ at }) => at),
    commands: opcodes.filter((op) => op !== 2 && op !== 6),
    closes: journal.of("close").flatMap(({ by, code }) => by === "client" ? [code] : []),
    violations: journal.violations().map(({ rule }) => rule),
    connections: connections.length,
    sessions: sessions.length,
  };
}

function reached(now: Seen, atLeast: Counts): boolean {
  return Object.entries(now).every(([key, value]) => {
    const wanted = atLeast[key as keyof Seen];
    if (wanted === undefined) return true;
    return typeof value === "number" ? value === wanted : value.length >= wanted;
  });
}
