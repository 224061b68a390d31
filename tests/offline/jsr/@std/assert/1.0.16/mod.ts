/**
 * Stand-in for the part of `@std/assert` that the tests use, for machines that cannot reach JSR.
 *
 * Names and signatures are those of the real package. Where the two could differ, this one is the stricter, so
 * that a test which passes here passes there too. Never published.
 *
 * @module
 */

export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export {
  assertArrayIncludes,
  assertEquals,
  assertNotEquals,
  assertNotStrictEquals,
  assertObjectMatch,
  assertStrictEquals,
} from "./equality.ts";
export { assertIsError, assertRejects, assertThrows } from "./throws.ts";
export {
  assert,
  assertAlmostEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotInstanceOf,
  assertNotMatch,
  assertStringIncludes,
  fail,
  unimplemented,
  unreachable,
} from "./values.ts";
export type { Falsy } from "./values.ts";
