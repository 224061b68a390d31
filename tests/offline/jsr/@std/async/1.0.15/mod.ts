/**
 * Stand-in for the part of `@std/async` that the tests use, for machines that cannot reach JSR. Never published.
 *
 * @module
 */

export { abortable } from "./abortable.ts";
export { deadline, type DeadlineOptions } from "./deadline.ts";
export { delay, type DelayOptions } from "./delay.ts";
