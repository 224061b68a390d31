/** Authorizes requests by the control secret, compared in constant time. */

/** Whether a request carries `Authorization: Bearer <secret>`. */
export async function isAuthorized(request: Request, secret: string | undefined): Promise<boolean> {
  // A Worker without a secret authorizes no request.
  if (!secret) return false;
  const [, given = ""] = /^Bearer (.*)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  // Digests have a fixed length, so the time reveals neither where the values differ nor how long the secret is.
  const [a, b] = await Promise.all([digest(given), digest(secret)]);
  return isEqual(a, b);
}

/** Compares every byte, even after a difference. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  a.forEach((byte, index) => difference |= byte ^ (b[index] ?? 0));
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
