/**
 * The stand-ins for `@std/assert` fail where the real ones fail: a lenient assertion would hide every bug behind it. Written
 * against the public names alone and without their help, so the same tests judge the real packages where JSR answers.
 */

import * as std from "@std/assert";
import { assertType, type IsExact, type IsUnknown } from "@std/testing/types";

Deno.test("stand-ins: assertEquals accepts equal structures", () => {
  for (const [a, b] of EQUAL) {
    if (throws(() => std.assertEquals(a, b))) throw new Error(`Refused: ${Deno.inspect([a, b])}`);
  }
  for (const [a, b] of EQUAL) {
    if (!throws(() => std.assertNotEquals(a, b))) throw new Error(`Not told: ${Deno.inspect([a, b])}`);
  }
});

Deno.test("stand-ins: assertEquals refuses different structures, either way round", () => {
  for (const [a, b] of DIFFERENT) {
    if (!throws(() => std.assertEquals(a, b))) throw new Error(`Accepted: ${Deno.inspect([a, b])}`);
    if (!throws(() => std.assertEquals(b, a))) throw new Error(`Accepted: ${Deno.inspect([b, a])}`);
    if (throws(() => std.assertNotEquals(a, b))) throw new Error(`Taken for equal: ${Deno.inspect([a, b])}`);
  }
});

Deno.test("stand-ins: every assertion passes and fails as it should", () => {
  const passing: (() => void)[] = [
    () => std.assert(1),
    () => std.assertFalse(0),
    () => std.assertExists(0),
    () => std.assertStrictEquals(NaN, NaN),
    () => std.assertNotStrictEquals<unknown>([], []),
    () => std.assertGreater(2, 1),
    () => std.assertGreaterOrEqual(1, 1),
    () => std.assertLess(1n, 2n),
    () => std.assertLessOrEqual(1, 1),
    () => std.assertAlmostEquals(1, 1 + 1e-9),
    () => std.assertAlmostEquals(10, 11, 1),
    () => std.assertStringIncludes("abc", "b"),
    () => std.assertMatch("abc", /b/),
    () => std.assertNotMatch("abc", /x/),
    () => std.assertInstanceOf(new RangeError(), Error),
    () => std.assertNotInstanceOf(new Error(), RangeError),
    () => std.assertArrayIncludes<unknown>([1, { a: 1 }, 3], [{ a: 1 }]),
    () => std.assertObjectMatch({ a: 1, b: [1, { c: 2, d: 3 }] }, { b: [1, { c: 2 }] }),
    () => std.assertObjectMatch({ a: [1, 2, 3] }, { a: [1, 2] }),
  ];
  const failing: (() => void)[] = [
    () => std.assert(""),
    () => std.assertFalse("x"),
    () => std.assertExists(null),
    () => std.assertExists(undefined),
    () => std.assertStrictEquals<unknown>([], []),
    () => std.assertStrictEquals(0, -0),
    () => std.assertNotStrictEquals(1, 1),
    () => std.assertGreater(1, 1),
    () => std.assertGreater(NaN, 1),
    () => std.assertGreaterOrEqual(0, 1),
    () => std.assertLess(1, 1),
    () => std.assertLessOrEqual(2, 1),
    () => std.assertAlmostEquals(1, 1.001),
    () => std.assertAlmostEquals(1, NaN),
    () => std.assertStringIncludes("abc", "x"),
    () => std.assertMatch("abc", /x/),
    () => std.assertNotMatch("abc", /b/),
    () => std.assertInstanceOf(new Error(), RangeError),
    () => std.assertInstanceOf(null, Error),
    () => std.assertNotInstanceOf(new RangeError(), Error),
    () => std.assertArrayIncludes([1, 2], [3]),
    () => std.assertObjectMatch({ a: 1 }, { a: 2 }),
    () => std.assertObjectMatch({ a: 1 }, { b: undefined }),
    () => std.assertObjectMatch({ a: [1] }, { a: [1, 2] }),
    () => std.assertObjectMatch({ a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }),
    () =>
      std.assertObjectMatch({
        get a() {
          return new Map([[1, 2]]);
        },
      }, { a: new Map([[1, 3]]) }),
    () => std.fail(),
    () => std.unreachable(),
  ];
  passing.forEach((run) => {
    if (throws(run)) throw new Error(`Failed: ${run}`);
  });
  failing.forEach((run) => {
    if (!throws(run)) throw new Error(`Passed: ${run}`);
  });
});

Deno.test("stand-ins: a failed assertion names both values and the caller's message", () => {
  const error = caught(() => std.assertEquals({ a: "left" }, { a: "right" }, "my message"));
  for (const part of ["left", "right", "my message"]) {
    if (!error?.message.includes(part)) throw new Error(`Without ${part}: ${error?.message}`);
  }
});

Deno.test("stand-ins: assertThrows returns the error and looks at class and message", () => {
  const boom = new RangeError("too large: 7");
  const raise = () => {
    throw boom;
  };
  const error = std.assertThrows(raise, RangeError, "too large");
  assertType<IsExact<typeof error, RangeError>>(true);
  const unknownError = std.assertThrows(raise, "my message");
  assertType<IsUnknown<typeof unknownError>>(true);
  if (error !== boom || unknownError !== boom || std.assertThrows(raise) !== boom) {
    throw new Error("another error");
  }
  if (std.assertThrows(raise, Error) !== boom) throw new Error("a base class must do");
  const wrong: (() => void)[] = [
    () => std.assertThrows(raise, TypeError),
    () => std.assertThrows(raise, RangeError, "too small"),
    () => std.assertThrows(() => {}),
    () => std.assertThrows(() => {}, Error),
    () => std.assertThrows(() => throwText(), Error),
  ];
  wrong.forEach((run) => {
    if (!throws(run)) throw new Error(`Passed: ${run}`);
  });
});

Deno.test("stand-ins: assertRejects resolves with the error and looks at class and message", async () => {
  const boom = new RangeError("too large: 7");
  const error = await std.assertRejects(() => Promise.reject(boom), RangeError, "too large");
  assertType<IsExact<typeof error, RangeError>>(true);
  if (error !== boom || await std.assertRejects(() => Promise.reject(boom)) !== boom) {
    throw new Error("another error");
  }
  const wrong: (() => Promise<unknown>)[] = [
    () => std.assertRejects(() => Promise.reject(boom), TypeError),
    () => std.assertRejects(() => Promise.reject(boom), RangeError, "too small"),
    () => std.assertRejects(() => Promise.resolve()),
    () => std.assertRejects(() => Promise.resolve(), Error),
    () => std.assertRejects(() => Promise.reject("text"), Error),
    () =>
      std.assertRejects(() => {
        throw boom;
      }),
  ];
  for (const run of wrong) {
    const reason = await run().then(() => null, (reason) => reason);
    if (!(reason instanceof std.AssertionError)) throw new Error(`Passed: ${run}`);
  }
});

class Point {
  readonly x: number;
  #hidden = 1;

  constructor(x: number) {
    this.x = x;
  }

  get half(): number {
    return this.x / (this.#hidden + 1);
  }
}

const shared = new Error("shared");

const EQUAL: readonly (readonly [unknown, unknown])[] = [
  [1, 1],
  [NaN, NaN],
  [0, -0],
  ["a", "a"],
  [1n, 1n],
  [null, null],
  [[1, [2, { a: 3 }]], [1, [2, { a: 3 }]]],
  [{ a: 1, b: undefined }, { b: undefined, a: 1 }],
  [Object.create(null), {}],
  [new Map([["a", { b: 1 }], ["c", { b: 2 }]]), new Map([["c", { b: 2 }], ["a", { b: 1 }]])],
  [new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 1]])],
  [new Set([1, 2]), new Set([2, 1])],
  [new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }])],
  [new Date(5), new Date(5)],
  [/a/g, /a/g],
  [new URL("https://a/b"), new URL("https://a/b")],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2]).buffer],
  [new Point(1), new Point(1)],
  [shared, shared],
  [{ cause: shared }, { cause: shared }],
  [circular(1), circular(1)],
];

const DIFFERENT: readonly (readonly [unknown, unknown])[] = [
  [1, 2],
  [1, "1"],
  [1, 1n],
  [0, false],
  [null, undefined],
  [null, {}],
  [[], {}],
  [[1, 2], [2, 1]],
  [[1], [1, undefined]],
  [{ a: 1 }, { a: 1, b: undefined }],
  [{ a: undefined }, { b: undefined }],
  [{ [Symbol.for("s")]: 1 }, { [Symbol.for("s")]: 2 }],
  [new Map([["a", 1]]), new Map([["a", 2]])],
  [new Map([["a", undefined]]), new Map([["b", undefined]])],
  [new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 2]])],
  [new Set([1]), new Set([2])],
  [new Set([1]), new Map([[1, 1]])],
  [new Date(5), new Date(6)],
  [new Date(5), 5],
  [/a/g, /a/],
  [new URL("https://a/b"), new URL("https://a/c")],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  [new Uint8Array([1, 2]), new Uint8Array([1])],
  [new Uint8Array([1]), new Int8Array([1])],
  [new Uint8Array([1]), [1]],
  [new Point(1), new Point(2)],
  [new Point(1), { x: 1 }],
  [new Error("a"), new Error("b")],
  [new Error("a"), new TypeError("a")],
  [new Error("a", { cause: 1 }), new Error("a", { cause: 2 })],
  [circular(1), circular(2)],
  [() => 1, () => 1],
];

function circular(value: number): unknown {
  const object: { value: number; self?: unknown } = { value };
  object.self = { around: object };
  return object;
}

/** Throws what is no error. */
function throwText(): never {
  const text: unknown = "text";
  throw text;
}

/** The error of a failed assertion; anything else that is thrown stays thrown. */
function caught(run: () => void): Error | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof std.AssertionError) return error;
    throw error;
  }
}

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof std.AssertionError) return true;
    throw error;
  }
}
