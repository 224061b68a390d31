/** Assertions on equality, deep and strict. */

import { failWith, show } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/** Asserts deep equality. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  failWith(`Values are not equal\n\n${difference(actual, expected)}\n`, msg);
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  failWith(`Expected actual not to equal expected: ${show(actual)}`, msg);
}

/** Asserts `Object.is` equality: for objects, the very same one. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  if (Object.is(actual, expected)) return;
  if (show(actual) === show(expected)) {
    failWith(`Values have the same structure but are not reference-equal\n\n${show(actual)}\n`, msg);
  }
  failWith(`Values are not strictly equal\n\n${difference(actual, expected)}\n`, msg);
}

/** Asserts that two values are not `Object.is` equal. */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!Object.is(actual, expected)) return;
  failWith(`Expected "actual" to not be strictly equal to: ${show(actual)}`, msg);
}

/** Asserts that every value of `expected` is found in `actual`, by deep equality. */
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, msg?: string): void {
  const missing = Array.from(expected).filter((wanted) =>
    !Array.from(actual).some((item) => equal(wanted, item))
  );
  if (missing.length === 0) return;
  failWith(`Expected actual: ${show(actual)} to include: ${show(expected)}, missing: ${show(missing)}`, msg);
}

/** Asserts that `actual` has at least what `expected` has, deeply. */
export function assertObjectMatch(
  actual: object,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  const common = pick(actual, expected, new Map());
  const wanted = pick(expected, expected, new Map());
  if (equal(common, wanted)) return;
  failWith(`Values are not equal\n\n${difference(common, wanted)}\n`, msg);
}

/** The part of `value` that `pattern` speaks of, in plain objects. */
function pick(value: unknown, pattern: unknown, seen: Map<unknown, unknown>): unknown {
  if (!isOpen(value) || !isOpen(pattern)) return value;
  // A list never matches a record, whatever their keys.
  if (Array.isArray(value) !== Array.isArray(pattern)) return value;
  if (value instanceof Map && pattern instanceof Map) {
    const shared = [...value].filter(([key]) => pattern.has(key));
    return new Map(shared.map(([key, item]) => [key, pick(item, pattern.get(key), seen)]));
  }
  if (value instanceof Set && pattern instanceof Set) {
    return new Set([...value].filter((item) => pattern.has(item)));
  }
  const done = seen.get(value);
  if (done !== undefined) return done;
  const picked: Record<PropertyKey, unknown> = {};
  seen.set(value, picked);
  for (const key of Reflect.ownKeys(pattern)) {
    if (Array.isArray(pattern) && key === "length") continue;
    if (Object.hasOwn(value, key)) {
      picked[key] = pick(Reflect.get(value, key), Reflect.get(pattern, key), seen);
    }
  }
  return picked;
}

/** Objects whose properties are compared one by one, not as a whole. */
function isOpen(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof RegExp) &&
    !(value instanceof Date) &&
    !(value instanceof URL) && !ArrayBuffer.isView(value);
}

/** Actual and expected, line by line; equal lines at the start and the end are shown once. */
function difference(actual: unknown, expected: unknown): string {
  const [left, right] = [show(actual).split("\n"), show(expected).split("\n")];
  let start = 0;
  while (start < Math.min(left.length, right.length) && left[start] === right[start]) start++;
  let end = 0;
  while (end < Math.min(left.length, right.length) - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  return [
    "    [Diff] Actual (-) / Expected (+)",
    ...left.slice(0, start).map((line) => `    ${line}`),
    ...left.slice(start, left.length - end).map((line) => `-   ${line}`),
    ...right.slice(start, right.length - end).map((line) => `+   ${line}`),
    ...left.slice(left.length - end).map((line) => `    ${line}`),
  ].join("\n");
}
