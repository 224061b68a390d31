/** A TCP proxy on loopback whose connections can be cut, and which can reject new ones. */

/** Forwards all bytes until it is cut. */
export class CuttableProxy implements AsyncDisposable {
  /** The URL of the proxied server, through the proxy. */
  readonly url: URL;
  /** New connections are cut at once. */
  isDown = false;
  readonly #target: URL;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  readonly #piping = new Set<Promise<void>>();

  /** Forwards to the server of this URL. */
  constructor(target: URL) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.url = new URL(`http://127.0.0.1:${this.#listener.addr.port}/`);
    this.#accepting = this.#accept();
  }

  /** Cuts every open connection. */
  cut(): void {
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    this.cut();
    await Promise.all(this.#piping);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) {
        if (this.isDown) {
          close(client);
          continue;
        }
        const server = await Deno.connect({
          hostname: this.#target.hostname,
          port: Number(this.#target.port),
        });
        this.#open.add(client).add(server);
        this.#pipe(client, server);
        this.#pipe(server, client);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
        throw error;
      }
    }
  }

  #pipe(from: Deno.TcpConn, to: Deno.TcpConn): void {
    const piping = from.readable.pipeTo(to.writable).catch(() => {}).finally(() => {
      close(from);
      close(to);
      this.#piping.delete(piping);
    });
    this.#piping.add(piping);
  }
}

/** Closes a connection that may be closed already. */
function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
