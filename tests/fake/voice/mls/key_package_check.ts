/** What a key package has to be, as DAVE wants it. */

import { equal, uint } from "./codec.ts";
import { verify } from "./crypto.ts";
import { type KeyPackage, SUITE } from "./messages.ts";

/** What is wrong with its content; `null` if nothing is. */
export function shapeFault({ suite, identity, leaf }: KeyPackage, userId: string): string | null {
  if (suite !== SUITE) return `its cipher suite is ${SUITE}: ${suite}`;
  if (!equal(identity, uint(8, BigInt(userId)))) return "its identity is the user's id";
  if (leaf.lifetime === null) return "its leaf is made for a key package";
  const [from, to] = leaf.lifetime;
  if (from !== 0n || to !== 2n ** 64n - 1n) return `its lifetime has no limit: ${from} to ${to}`;
  return null;
}

/** What is wrong with its signatures; `null` if nothing is. */
export async function signatureFault(
  { signatureKey, leaf, signed, signature }: KeyPackage,
): Promise<string | null> {
  const leafIsGood = await verify(signatureKey, {
    label: "LeafNodeTBS",
    content: leaf.signed,
    signature: leaf.signature,
  });
  if (!leafIsGood) return "its leaf is signed by its own key";
  const isGood = await verify(signatureKey, { label: "KeyPackageTBS", content: signed, signature });
  return isGood ? null : "it is signed by its own key";
}
