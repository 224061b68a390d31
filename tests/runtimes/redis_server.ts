/** A Redis of one's own, on a free port of this machine, gone with the test. */

/** How long a Redis may take to answer on a busy machine, in ms. */
const LIMIT_MS = 30_000;
const ATTEMPTS = 3;

/** A running server. */
export class RedisServer implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  readonly #folder: string;
  #child: Deno.ChildProcess;

  private constructor(port: number, folder: string, child: Deno.ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  /** Whether the program is on this machine. Where it is not, the message says how to get it. */
  static async missing(): Promise<string | null> {
    try {
      const { success } = await new Deno.Command("redis-server", { args: ["--version"] }).output();
      if (success) return null;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return "redis-server is not on this machine (Debian: apt-get install redis-server)";
  }

  /** Starts one with nothing in it, that keeps nothing on disk. */
  static async start(): Promise<RedisServer> {
    const folder = await Deno.makeTempDir({ prefix: "redis-" });
    for (let attempt = 1;; attempt++) {
      const port = freePort();
      const server = new RedisServer(port, folder, spawn(port, folder));
      try {
        await server.#answers();
        return server;
      } catch (error) {
        await server.kill();
        // Somebody else may have taken the port meanwhile.
        if (attempt < ATTEMPTS) continue;
        await Deno.remove(folder, { recursive: true });
        throw error;
      }
    }
  }

  /** For a client that takes a URL. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Ends it without warning; clients lose their connection. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await this.#child.status;
  }

  /** Starts it again on the same port after a kill; all data is gone. */
  async restart(): Promise<void> {
    this.#child = spawn(this.port, this.#folder);
    await this.#answers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #answers(): Promise<void> {
    let hasEnded = false;
    this.#child.status.then(() => hasEnded = true);
    const giveUpAt = performance.now() + LIMIT_MS;
    while (!hasEnded && performance.now() < giveUpAt) {
      try {
        using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
        await connection.write(new TextEncoder().encode("PING\r\n"));
        const buffer = new Uint8Array(64);
        const count = await connection.read(buffer);
        const isRedis = new TextDecoder().decode(buffer.subarray(0, count ?? 0)).startsWith("+PONG");
        if (isRedis && !hasEnded) return;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`Cannot start redis-server: it does not answer on port ${this.port}`);
  }
}

function spawn(port: number, folder: string): Deno.ChildProcess {
  return new Deno.Command("redis-server", {
    args: ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
