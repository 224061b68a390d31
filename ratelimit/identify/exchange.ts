/** One exchange with a store of identifies: within a deadline, and with what the last reply said. */

import type { Clock } from "../clock.ts";
import { isPromiseLike } from "../unknown.ts";
import type { IdentifyBudgetState, IdentifyReply, IdentifyRequest } from "./record.ts";
import type { IdentifyStore } from "./store.ts";

/** Asks the store; one that answers with a promise has so many ms for it. */
export function exchangeWithin(
  store: IdentifyStore,
  request: IdentifyRequest,
  { clock, deadlineMs }: { readonly clock: Clock; readonly deadlineMs: number },
): IdentifyReply | Promise<IdentifyReply> {
  const controller = new AbortController();
  const reply = store.exchange(request, { signal: controller.signal });
  if (!isPromiseLike(reply) || deadlineMs === Infinity) return reply;
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      const error = new Error(`No response within ${deadlineMs} ms`);
      controller.abort(error);
      reject(error);
    }, deadlineMs);
    reply.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}

/** The budget as the last reply had it, for a record that is lost and begins anew. */
export class KnownBudget {
  #last: { readonly budget: IdentifyBudgetState; readonly at: number } | null = null;

  /** The period of a key in ms; `null` before the first reply. */
  get periodMs(): number | null {
    return this.#last?.budget.periodMs ?? null;
  }

  /** Remembers a reply's budget. */
  learn(budget: IdentifyBudgetState, now: number): void {
    this.#last = { budget, at: now };
  }

  /** The budget with the time to its reset as it is now; `null` before the first reply. */
  recall(now: number): IdentifyBudgetState | null {
    if (this.#last === null) return null;
    const { budget, at } = this.#last;
    if (budget.resetAfterMs === null) return budget;
    return { ...budget, resetAfterMs: Math.max(0, budget.resetAfterMs - (now - at)) };
  }
}

/** How late a permit is: not at all. */
export const IN_TIME = 0;
/** Counts as given only now. */
export const SLOW = 1;
/** Is asked for anew first. */
export const ASK_ANEW = 2;
/** Others may have it meanwhile. */
export const TOO_LATE = 3;

/** Judges the time of an exchange by the period of a key. */
export function latenessOf(elapsedMs: number, periodMs: number): 0 | 1 | 2 | 3 {
  const age = elapsedMs / Math.max(periodMs, 1);
  if (age > 0.5) return TOO_LATE;
  if (age > 0.1) return ASK_ANEW;
  return age > 0.02 ? SLOW : IN_TIME;
}
