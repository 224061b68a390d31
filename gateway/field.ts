/** Reading what came from outside, of which nobody knows the shape. */

/** A field of `body`, `undefined` where there is none or `body` is no object. */
export function field(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
}
