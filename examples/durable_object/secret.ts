/** Who may give orders: whoever sends the secret, compared in a time that says nothing about it. */

/** Whether a request carries `Authorization: Bearer <secret>`. */
export async function isAuthorized(request: Request, secret: string | undefined): Promise<boolean> {
  // A Worker that was deployed without its secret takes orders from nobody.
  if (!secret) return false;
  const [, given = ""] = /^Bearer (.*)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  // Digests are of one length whatever was sent, so neither where they differ nor how long the secret is shows.
  const [a, b] = await Promise.all([digest(given), digest(secret)]);
  return isEqual(a, b);
}

/** Looks at every byte, whether or not one before it differed. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  a.forEach((byte, place) => difference |= byte ^ (b[place] ?? 0));
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
