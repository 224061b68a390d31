/**
 * Environment variables for the length of a function.
 *
 * The real ones belong to the whole process, in which other tests may run at the same time.
 */

/** Calls `run` while the program finds these variables, and no others. */
export function withEnvironment(variables: Readonly<Record<string, string>>, run: () => void): void {
  const { get } = Deno.env;
  Deno.env.get = (name) => variables[name];
  try {
    run();
  } finally {
    Deno.env.get = get;
  }
}
