/** Assertions on what a function throws or a promise rejects with. Both return the error for a closer look. */

import { AssertionError, failWith, show } from "./assertion_error.ts";

type ErrorConstructor<E> = abstract new (...args: never[]) => E;

/** Asserts that `error` is an `ErrorClass` whose message includes `msgMatches`, or matches it. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorConstructor<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    failWith(`Expected "error" to be an Error object: ${show(error)}`, msg);
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    failWith(
      `Expected error to be instance of "${ErrorClass.name}", but was "${
        error.constructor?.name ?? "unknown"
      }": ${error.message}`,
      msg,
    );
  }
  if (msgMatches === undefined || matches(error.message, msgMatches)) return;
  failWith(`Expected error message to include ${show(msgMatches)}, but got ${show(error.message)}`, msg);
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
}

/** Asserts that `fn` throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that `fn` throws an `ErrorClass` whose message includes `msgIncludes`, and returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  errorClassOrMsg?: ErrorConstructor<Error> | string,
  msgIncludesOrMsg?: string,
  msg?: string,
): unknown {
  const expected = expectation(errorClassOrMsg, msgIncludesOrMsg, msg);
  try {
    fn();
  } catch (error) {
    return expected.check(error, "thrown");
  }
  return failWith("Expected function to throw", expected.msg);
}

/** Asserts that the promise of `fn` rejects, and resolves with its reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Asserts that the promise of `fn` rejects with an `ErrorClass` whose message includes `msgIncludes`. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ErrorConstructor<Error> | string,
  msgIncludesOrMsg?: string,
  msg?: string,
): Promise<unknown> {
  const expected = expectation(errorClassOrMsg, msgIncludesOrMsg, msg);
  let promise: unknown;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError("Function throws when expected to reject", { cause: error });
  }
  if (!isThenable(promise)) failWith("Function returns no promise when expected to reject", expected.msg);
  try {
    await promise;
  } catch (error) {
    return expected.check(error, "rejected");
  }
  return failWith("Expected function to reject", expected.msg);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function expectation(
  errorClassOrMsg: ErrorConstructor<Error> | string | undefined,
  msgIncludesOrMsg: string | undefined,
  msg: string | undefined,
): { msg: string | undefined; check: (error: unknown, how: string) => unknown } {
  if (errorClassOrMsg === undefined || typeof errorClassOrMsg === "string") {
    return { msg: errorClassOrMsg, check: (error) => error };
  }
  return {
    msg,
    check: (error, how) => {
      if (!(error instanceof Error)) failWith(`A non-Error object was ${how}: ${show(error)}`, msg);
      assertIsError(error, errorClassOrMsg, msgIncludesOrMsg, msg);
      return error;
    },
  };
}
