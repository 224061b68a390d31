/**
 * DAVE's delivery service: it signs proposals as the group's external sender, judges commits, and cuts welcomes apart.
 *
 * It never holds a secret of the group, and so it can check neither the signature nor the tags of a commit. What it has
 * to know is which user sits in which leaf, and which proposals of this epoch are in the world. WebCrypto is all that it
 * takes.
 *
 * @see https://daveprotocol.com
 */

import { shapeFault, signatureFault } from "./key_package_check.ts";
import { type Bytes, concat, equal, hex, MlsFormatError, uint, vector } from "./codec.ts";
import { reference, Signer } from "./crypto.ts";
import {
  type Commit,
  type ProposedChange,
  readCommitWelcome,
  readKeyPackage,
  type Welcome,
  welcomeFor,
  writeAppend,
  writeExternalSender,
  writeProposal,
  writeRevoke,
} from "./messages.ts";

/** A key package that was found good. */
export interface ValidKeyPackage {
  /** The bare key package. */
  readonly bytes: Bytes;
  /** By what a welcome names it. */
  readonly reference: Bytes;
}

/** A signed proposal. */
export interface Proposal {
  /** Whom it adds or removes. */
  readonly userId: string;
  /** Which of both. */
  readonly kind: "add" | "remove";
  /** The MLSMessage. */
  readonly message: Bytes;
  /** By what a commit names it. */
  readonly reference: Bytes;
  /** By what a welcome names the added; `null` in a removal. */
  readonly keyPackageReference: Bytes | null;
}

/** What is said wrongly on purpose in the next proposal. */
export interface ProposalFault {
  /** Signed by somebody who is not the external sender. */
  readonly foreignKey?: boolean;
  /** So many epochs from the true one. */
  readonly epochOffset?: number;
  /** For another group. */
  readonly otherGroup?: boolean;
  /** The signer's place among the external senders, where there is one alone. */
  readonly senderIndex?: number;
}

/** A commit that was accepted. */
export interface AcceptedCommit {
  readonly outcome: "accepted";
  /** The MLSMessage, for op 29. */
  readonly commit: Bytes;
  /** For op 30, by user: those that were added. */
  readonly welcomes: ReadonlyMap<string, Bytes>;
  /** Who is in the group now, the added included. */
  readonly members: readonly string[];
  /** The epoch that it led to. */
  readonly epoch: number;
}

/** A commit that was not. */
export interface RefusedCommit {
  readonly outcome: "refused";
  /** Why, in plain words. */
  readonly reason: string;
  /** Whether the client did wrong, came too late, or, as davey does at times, left out a welcome. */
  readonly cause: "fault" | "late" | "no welcome";
}

/** Who signs, besides the name nobody looks at. */
const SIGNER_IDENTITY = new TextEncoder().encode("fake-sfu");

/** The service for one call. */
export class DeliveryService {
  /** The payload of op 25. */
  readonly externalSender: Bytes;
  readonly #groupId: Bytes;
  readonly #signer: Signer;
  #foreignSigner: Signer | null = null;
  #epoch = 0;
  /** Users by leaf. */
  #leaves: (string | null)[] = [];
  /** The proposals of this epoch that were sent and not taken back. */
  #proposals: Proposal[] = [];
  /** References of this epoch's proposals that were taken back, and of those of epochs that have passed. */
  readonly #void = new Set<string>();

  private constructor(channelId: string, signer: Signer) {
    this.#groupId = uint(8, BigInt(channelId));
    this.#signer = signer;
    this.externalSender = writeExternalSender(signer.publicKey, SIGNER_IDENTITY);
  }

  /** Makes the service for a channel's call, without a group. */
  static async create(channelId: string): Promise<DeliveryService> {
    return new DeliveryService(channelId, await Signer.create());
  }

  /** The epoch that the group is in; 0 before there is one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether there is a group. */
  get established(): boolean {
    return this.#epoch > 0;
  }

  /** The users in the group. */
  get members(): readonly string[] {
    return this.#leaves.filter((userId) => userId !== null);
  }

  /** Users by leaf, `null` where a leaf is blank. */
  get leaves(): readonly (string | null)[] {
    return [...this.#leaves];
  }

  /** The proposals of this epoch that wait for a commit. */
  get proposals(): readonly Proposal[] {
    return [...this.#proposals];
  }

  /**
   * Reads and checks op 26.
   *
   * @throws {MlsFormatError} If it is none, is not the user's, or is not signed by its own key.
   */
  async validateKeyPackage(payload: Uint8Array, userId: string): Promise<ValidKeyPackage> {
    const keyPackage = readKeyPackage(payload);
    const fault = shapeFault(keyPackage, userId) ?? await signatureFault(keyPackage);
    if (fault !== null) throw new MlsFormatError(`Cannot take the key package: ${fault}`);
    return { bytes: keyPackage.bytes, reference: await reference("KeyPackage", keyPackage.bytes) };
  }

  /** Proposes to add a user. */
  add(userId: string, keyPackage: ValidKeyPackage, fault: ProposalFault = {}): Promise<Proposal> {
    const change = { kind: "add", keyPackage: keyPackage.bytes } as const;
    return this.#propose(userId, change, keyPackage.reference, fault);
  }

  /**
   * Proposes to remove a user.
   *
   * @throws {TypeError} If the user is not in the group.
   */
  remove(userId: string, fault: ProposalFault = {}): Promise<Proposal> {
    const leaf = this.#leaves.indexOf(userId);
    if (leaf < 0) throw new TypeError(`Cannot remove: the user is not in the group: ${userId}`);
    return this.#propose(userId, { kind: "remove", leaf }, null, fault);
  }

  /** Op 27: from now on a commit has to hold these as well. */
  append(...proposals: readonly Proposal[]): Bytes {
    for (const proposal of proposals) {
      this.#void.delete(hex(proposal.reference));
      this.#proposals.push(proposal);
    }
    return writeAppend(proposals.map(({ message }) => message));
  }

  /** Op 27: from now on a commit must not hold these any more. */
  revoke(...proposals: readonly Proposal[]): Bytes {
    this.#proposals = this.#proposals.filter((one) => !proposals.includes(one));
    for (const { reference } of proposals) this.#void.add(hex(reference));
    return writeRevoke(proposals.map((one) => one.reference));
  }

  /** Judges op 28; the first good one of an epoch moves the group to the next. With `overtaken`, also one that leaves out. */
  acceptCommit(
    payload: Uint8Array,
    userId: string,
    { overtaken = false }: { readonly overtaken?: boolean } = {},
  ): AcceptedCommit | RefusedCommit {
    let read: ReturnType<typeof readCommitWelcome>;
    try {
      read = readCommitWelcome(payload);
    } catch (error) {
      if (!(error instanceof MlsFormatError)) throw error;
      return { outcome: "refused", reason: error.message, cause: "fault" };
    }
    const { commit, welcome } = read;
    const refusal = this.#refusal(commit, userId, overtaken);
    if (refusal !== null) return refusal;
    const chosen = commit.references.flatMap((ref) =>
      this.#proposals.filter((proposal) => equal(proposal.reference, ref))
    );
    const welcomes = welcomesOf(chosen, welcome);
    if (welcomes === null) {
      return { outcome: "refused", reason: "it has no welcome for one whom it adds", cause: "no welcome" };
    }
    this.#apply(chosen, userId);
    return { outcome: "accepted", commit: commit.bytes, welcomes, members: this.members, epoch: this.#epoch };
  }

  /** There is no group any more. */
  resetGroup(): void {
    this.#retire();
    this.#epoch = 0;
    this.#leaves = [];
  }

  async #propose(
    userId: string,
    change: ProposedChange,
    keyPackageReference: Bytes | null,
    fault: ProposalFault,
  ): Promise<Proposal> {
    const unsigned = writeProposal(change, {
      groupId: fault.otherGroup ? this.#groupId.map((byte) => byte ^ 0xff) : this.#groupId,
      epoch: this.#epoch + (fault.epochOffset ?? 0),
      senderIndex: fault.senderIndex ?? 0,
    });
    const signer = fault.foreignKey ? this.#foreignSigner ??= await Signer.create() : this.#signer;
    const signature = await signer.sign("FramedContentTBS", unsigned);
    const message = concat(unsigned, vector(signature));
    // An AuthenticatedContent is the message without the version.
    const ref = await reference("Proposal", message.slice(2));
    return { userId, kind: change.kind, message, reference: ref, keyPackageReference };
  }

  #refusal(commit: Commit, userId: string, overtaken: boolean): RefusedCommit | null {
    const refused = (reason: string): RefusedCommit => ({ outcome: "refused", reason, cause: "fault" });
    const late = (reason: string): RefusedCommit => ({ outcome: "refused", reason, cause: "late" });
    if (!equal(commit.groupId, this.#groupId)) return refused("it is for another group");
    const epoch = BigInt(this.#epoch);
    if (commit.epoch !== epoch) {
      const reason = `it is for epoch ${commit.epoch} of ${epoch}`;
      return commit.epoch < epoch || epoch === 0n ? late(reason) : refused(reason);
    }
    const leaf = this.established ? this.#leaves.indexOf(userId) : 0;
    if (leaf < 0) return refused("its sender is not in the group");
    if (commit.leaf !== leaf) return refused(`it is from leaf ${commit.leaf}, its sender has ${leaf}`);
    const named = new Set(commit.references.map(hex));
    if (named.size !== commit.references.length) return refused("it names a proposal twice");
    // Nobody is asked to add itself: before there is a group, each has one of its own.
    const due = this.#proposals.filter((one) => this.established || one.userId !== userId);
    const dueReferences = new Set(due.map((one) => hex(one.reference)));
    for (const ref of named) {
      if (dueReferences.has(ref)) continue;
      return this.#void.has(ref)
        ? late("it holds a proposal that was taken back")
        : refused("it holds a proposal that was never made");
    }
    if (due.length === 0) return late("there is nothing to commit to");
    return named.size < due.length && !overtaken ? late("it leaves out a proposal of this epoch") : null;
  }

  /** Removals blank their leaves; the added take the first blank ones. */
  #apply(chosen: readonly Proposal[], committer: string): void {
    if (!this.established) this.#leaves = [committer];
    for (const { kind, userId } of chosen) {
      if (kind === "remove") this.#leaves[this.#leaves.indexOf(userId)] = null;
    }
    for (const { kind, userId } of chosen) {
      if (kind !== "add") continue;
      const blank = this.#leaves.indexOf(null);
      if (blank < 0) this.#leaves.push(userId);
      else this.#leaves[blank] = userId;
    }
    while (this.#leaves.length > 0 && this.#leaves.at(-1) === null) this.#leaves.pop();
    this.#retire();
    this.#epoch++;
  }

  #retire(): void {
    for (const { reference } of this.#proposals) this.#void.add(hex(reference));
    this.#proposals = [];
  }
}

/** The welcome for each of the added; `null` if one is missing. */
function welcomesOf(chosen: readonly Proposal[], welcome: Welcome | null): Map<string, Bytes> | null {
  const welcomes = new Map<string, Bytes>();
  for (const { userId, keyPackageReference } of chosen) {
    if (keyPackageReference === null) continue;
    const own = welcome && welcomeFor(welcome, keyPackageReference);
    if (!own) return null;
    welcomes.set(userId, own);
  }
  return welcomes;
}
