/**
 * The MLS messages that pass through a DAVE delivery service, read and written as far as it needs to.
 *
 * It holds no secret of the group, so most of a message is opaque to it.
 *
 * @see https://daveprotocol.com
 */

import { type Bytes, concat, equal, MlsFormatError, MlsReader, readAll, uint, vector } from "./codec.ts";

/** MLS 1.0. */
export const MLS_VERSION = 1;
/** DHKEMP256_AES128GCM_SHA256_P256, the only suite of DAVE 1. */
export const SUITE = 2;

const PUBLIC_MESSAGE = 1;
const KEY_PACKAGE_MESSAGE = 5;
const SENDER_MEMBER = 1;
const SENDER_EXTERNAL = 2;
const CONTENT_PROPOSAL = 2;
const CONTENT_COMMIT = 3;
const BY_REFERENCE = 2;
const BASIC_CREDENTIAL = 1;
const SOURCE_KEY_PACKAGE = 1;
const SOURCE_COMMIT = 3;
const PROPOSAL_ADD = 1;
const PROPOSAL_REMOVE = 3;

/** A leaf as it is signed. */
interface LeafNode {
  readonly signatureKey: Bytes;
  readonly identity: Bytes;
  readonly source: number;
  readonly lifetime: readonly [from: bigint, to: bigint] | null;
  readonly suites: Bytes;
  /** Everything before the signature. */
  readonly signed: Bytes;
  readonly signature: Bytes;
}

/** A key package, op 26. */
export interface KeyPackage {
  /** All of it, without the wrapping that some clients put around. */
  readonly bytes: Bytes;
  /** The cipher suite. */
  readonly suite: number;
  /** What its owner signs with. */
  readonly signatureKey: Bytes;
  /** Whose it is, as the credential says. */
  readonly identity: Bytes;
  /** The leaf node: where it comes from, and when it is valid. */
  readonly leaf: LeafNode;
  /** Everything before the signature. */
  readonly signed: Bytes;
  /** The last signature. */
  readonly signature: Bytes;
}

/** Reads a key package, bare as clients send it, or in an MLSMessage as the protocol says. */
export function readKeyPackage(payload: Uint8Array): KeyPackage {
  const wrapped = payload[2] === 0 && payload[3] === KEY_PACKAGE_MESSAGE;
  const bytes = Uint8Array.from(wrapped ? payload.subarray(4) : payload);
  const reader = new MlsReader(bytes);
  expect(reader.uint(2), MLS_VERSION, "the version of a key package");
  const suite = reader.uint(2);
  reader.vector(); // init_key
  const leaf = readLeaf(reader);
  reader.vector(); // extensions
  const signed = reader.since(0);
  const signature = reader.vector();
  reader.end("the key package");
  return { bytes, suite, signatureKey: leaf.signatureKey, identity: leaf.identity, leaf, signed, signature };
}

function readLeaf(reader: MlsReader): LeafNode {
  const start = reader.at;
  reader.vector(); // encryption_key
  const signatureKey = reader.vector();
  expect(reader.uint(2), BASIC_CREDENTIAL, "the kind of a credential");
  const identity = reader.vector();
  reader.vector(); // versions
  const suites = reader.vector();
  for (let list = 0; list < 3; list++) reader.vector(); // extensions, proposals, credentials
  const source = reader.uint(1);
  const lifetime = source === SOURCE_KEY_PACKAGE ? [reader.uint64(), reader.uint64()] as const : null;
  if (source === SOURCE_COMMIT) reader.vector(); // parent_hash
  reader.vector(); // extensions
  const signed = reader.since(start);
  return { signatureKey, identity, source, lifetime, suites, signed, signature: reader.vector() };
}

/** A commit, op 28's first part. */
export interface Commit {
  /** The MLSMessage. */
  readonly bytes: Bytes;
  /** The group. */
  readonly groupId: Bytes;
  /** The epoch that it ends. */
  readonly epoch: bigint;
  /** The leaf of whom it is from. */
  readonly leaf: number;
  /** The proposals, by reference, in the order in which they take effect. */
  readonly references: readonly Bytes[];
}

/** A welcome, op 28's second part. */
export interface Welcome {
  /** Who is welcomed, by key package reference, and the encrypted secret for each as it is written. */
  readonly secrets: readonly { readonly newMember: Bytes; readonly bytes: Bytes }[];
  /** The group, encrypted. */
  readonly groupInfo: Bytes;
}

/** Reads op 28: a commit, and, with no length in between, a welcome if it adds somebody. */
export function readCommitWelcome(payload: Uint8Array): { commit: Commit; welcome: Welcome | null } {
  const reader = new MlsReader(payload);
  expect(reader.uint(2), MLS_VERSION, "the version of a commit");
  expect(reader.uint(2), PUBLIC_MESSAGE, "the wire format of a commit");
  const groupId = reader.vector();
  const epoch = reader.uint64();
  expect(reader.uint(1), SENDER_MEMBER, "the sender of a commit");
  const leaf = reader.uint(4);
  reader.vector(); // authenticated_data
  expect(reader.uint(1), CONTENT_COMMIT, "the content of a commit");
  const references = readAll(reader.vector(), (proposals) => {
    expect(proposals.uint(1), BY_REFERENCE, "a proposal in a commit");
    return proposals.vector();
  });
  if (reader.uint(1) === 1) {
    readLeaf(reader);
    reader.vector(); // nodes
  }
  for (let list = 0; list < 3; list++) reader.vector(); // signature, confirmation_tag, membership_tag
  const commit = { bytes: reader.since(0), groupId, epoch, leaf, references };
  return { commit, welcome: reader.done ? null : readWelcome(reader) };
}

/** Reads a bare welcome. */
export function readWelcome(reader: MlsReader): Welcome {
  expect(reader.uint(2), SUITE, "the cipher suite of a welcome");
  const secrets = readAll(reader.vector(), (list) => {
    const start = list.at;
    const newMember = list.vector();
    list.vector(); // kem_output
    list.vector(); // ciphertext
    return { newMember, bytes: list.since(start) };
  });
  const groupInfo = reader.vector();
  reader.end("the welcome");
  return { secrets, groupInfo };
}

/** The welcome for one of those welcomed; `null` if it is not among them. */
export function welcomeFor({ secrets, groupInfo }: Welcome, keyPackageReference: Uint8Array): Bytes | null {
  const secret = secrets.find(({ newMember }) => equal(newMember, keyPackageReference));
  return secret ? concat(uint(2, SUITE), vector(secret.bytes), vector(groupInfo)) : null;
}

/** Op 25: who signs proposals. */
export function writeExternalSender(publicKey: Uint8Array, identity: Uint8Array): Bytes {
  return concat(vector(publicKey), uint(2, BASIC_CREDENTIAL), vector(identity));
}

/** What a proposal would do. */
export type ProposedChange =
  | { readonly kind: "add"; readonly keyPackage: Uint8Array }
  | { readonly kind: "remove"; readonly leaf: number };

/** Where and when a proposal is valid. */
export interface ProposalFrame {
  /** The group. */
  readonly groupId: Uint8Array;
  /** The epoch that its receivers are in. */
  readonly epoch: number;
  /** The place of the signer among the external senders. */
  readonly senderIndex: number;
}

/** A proposal up to its signature, which is over just that. */
export function writeProposal(change: ProposedChange, { groupId, epoch, senderIndex }: ProposalFrame): Bytes {
  const proposal = change.kind === "add"
    ? concat(uint(2, PROPOSAL_ADD), change.keyPackage)
    : concat(uint(2, PROPOSAL_REMOVE), uint(4, change.leaf));
  return concat(
    uint(2, MLS_VERSION),
    uint(2, PUBLIC_MESSAGE),
    vector(groupId),
    uint(8, epoch),
    uint(1, SENDER_EXTERNAL),
    uint(4, senderIndex),
    vector(), // authenticated_data
    uint(1, CONTENT_PROPOSAL),
    proposal,
  );
}

/** Op 27: these proposals are new. */
export function writeAppend(messages: readonly Uint8Array[]): Bytes {
  return concat(Uint8Array.of(0), vector(...messages));
}

/** Op 27: these proposals are taken back. */
export function writeRevoke(references: readonly Uint8Array[]): Bytes {
  return concat(Uint8Array.of(1), vector(...references.map((one) => vector(one))));
}

function expect(found: number, expected: number, what: string): void {
  if (found !== expected) throw new MlsFormatError(`Cannot read MLS: ${what} must be ${expected}: ${found}`);
}
