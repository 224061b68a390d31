/**
 * Which JSR the tests resolve `jsr:@std/…` against: the real one, or the stand-ins in `tests/offline/jsr/`.
 *
 * A registry is nothing but files under a URL, so `JSR_URL` may name a folder. Whoever sets that variable decides;
 * otherwise the real registry is used wherever it answers. The choice is handed on through the same variable, so it is
 * made once per run.
 */

const JSR = "https://jsr.io/";
const ANSWER_WITHIN_MS = 3000;

/** A registry, and in one plain line why it was chosen. */
export interface JsrChoice {
  /** What `JSR_URL` is to hold. */
  readonly url: string;
  /** One line for the person who runs the tests. */
  readonly line: string;
}

/** Decides for one registry. */
export async function chooseJsr(): Promise<JsrChoice> {
  const given = Deno.env.get("JSR_URL");
  if (given) return { url: given, line: `@std from ${given} (JSR_URL)` };
  if (await isJsrReachable()) return { url: JSR, line: `@std from ${JSR}` };
  const offline = new URL("../offline/jsr/", import.meta.url).href;
  return {
    url: offline,
    line: `@std from the stand-ins in tests/offline/jsr, because ${JSR} does not answer`,
  };
}

async function isJsrReachable(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const response = await fetch(new URL("@std/assert/meta.json", JSR), { signal });
    // A captive portal also answers 200, but not with a list of versions.
    return response.ok && "versions" in await response.json();
  } catch {
    return false;
  }
}
