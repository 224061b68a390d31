/**
 * Stand-in for `@std/testing/types`: assertions that only the type checker sees. Never published.
 *
 * @module
 */

/** Asserts, while compiling, that the type argument is the literal type of the argument. */
export function assertType<T extends boolean>(expectTrue: T): void {
  void expectTrue;
}

/** Compiles only if `T` is `true`. */
export type AssertTrue<T extends true> = [T] extends [true] ? never : never;

/** Compiles only if `T` is `false`. */
export type AssertFalse<T extends false> = [T] extends [false] ? never : never;

/** Compiles only if `Expected` is assignable to `T`. */
export type Assert<T extends boolean, Expected extends T> = [Expected] extends [T] ? never : never;

/** Whether the union `T` has the member `U`. */
export type Has<T, U> = IsAny<T> extends true ? true
  : IsAny<U> extends true ? false
  : [Extract<T, U>] extends [never] ? false
  : true;

/** Whether the union `T` lacks the member `U`. */
export type NotHas<T, U> = Has<T, U> extends true ? false : true;

/** Whether `T` admits `null` or `undefined`. */
export type IsNullable<T> = [Extract<T, null | undefined>] extends [never] ? false : true;

/** Whether `T` and `U` are the same type, with `any` the same as nothing but itself. */
export type IsExact<T, U> = [
  Identical<Flat<Marked<T>>, Flat<Marked<U>>>,
  Identical<Flat<DeepMarked<T>>, Flat<DeepMarked<U>>>,
] extends [true, true] ? true : false;

/** The type checker takes two generic functions for one type only if what they compare with is identical. */
type Identical<T, U> = [Probe<T>, Probe<U>] extends [Probe<U>, Probe<T>] ? true : false;

type Probe<T> = <X>(_: T) => X extends T ? 1 : 2;

/** Intersections of plain records written as one record. */
type Flat<T> = T extends Record<PropertyKey, unknown> ? { [K in keyof T]: Flat<T[K]> } : T;

/** `any` in a form that only itself matches. */
interface Any {
  readonly "stands for any": unique symbol;
}

type Marked<T> = IsAny<T> extends true ? Any : T;

/** `T` with every `any` marked, however deep; a type that holds itself ends the descent. */
type DeepMarked<T, Seen = never> = {
  [P in keyof T]-?: IsAny<T[P]> extends true ? Any : MarkedMember<T[P], Seen | T>;
};

type MarkedMember<Member, Seen> = Member extends Seen ? Member : DeepMarked<Member, Seen>;

/** Whether `T` is `any`. */
export type IsAny<T> = 0 extends (1 & T) ? true : false;

/** Whether `T` is `never`. */
export type IsNever<T> = [T] extends [never] ? true : false;

/** Whether `T` is `unknown`. */
export type IsUnknown<T> = unknown extends T ? (IsAny<T> extends true ? false : true) : false;
