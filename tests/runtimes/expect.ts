/** Assertions that need nothing of a runtime. */

/** Throws unless the condition holds. */
export function expect(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Throws unless both are the same JSON. */
export function expectEqual(actual: unknown, wanted: unknown): void {
  const [is, ought] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (is !== ought) throw new Error(`${is} is not ${ought}`);
}

/** What the promise was rejected with; throws if it was not, or with an error of another class. */
export async function rejection<T extends Error>(
  promise: Promise<unknown>,
  kind: abstract new (...args: never[]) => T,
): Promise<T> {
  const error = await promise.then(() => null, (error: unknown) => error);
  if (error instanceof kind) return error;
  throw new Error(error === null ? `no ${kind.name} came` : `it is no ${kind.name}: ${error}`);
}
