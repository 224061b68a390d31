/**
 * The part of `cloudflare:workers` that the worker uses, for editors and checks without Cloudflare's own types. With
 * `@cloudflare/workers-types` installed, as in a project created by `wrangler`, this file is not needed.
 */

/** The base class of objects with RPC methods. */
export class DurableObject<Env = unknown> {
  /** The object's state: storage and alarm. */
  protected ctx: {
    readonly storage: {
      readonly kv: {
        get(key: string): unknown;
        put(key: string, value: unknown): void;
        delete(key: string): boolean;
      };
      getAlarm(): Promise<number | null>;
      setAlarm(at: number): Promise<void>;
      deleteAlarm(): Promise<void>;
    };
  };
  /** Bindings, variables and secrets. */
  protected env: Env;
  /** Called with each request to the object. */
  fetch?(request: Request): Response | Promise<Response>;
  /** Called when the object's alarm is due. */
  alarm?(): void | Promise<void>;
  /** Called by the runtime. */
  constructor(ctx: DurableObject<Env>["ctx"], env: Env);
}
