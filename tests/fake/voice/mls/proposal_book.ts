/** The proposals of one epoch: made once each, and what every receiver was told of them. */

import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import { type Bytes, hex } from "./codec.ts";
import type { DeliveryService, Proposal, ProposalFault, ValidKeyPackage } from "./delivery_service.ts";
import { writeAppend, writeRevoke } from "./messages.ts";

/** What a book is made from. */
export interface ProposalBookOptions {
  /** What is wrong with the next proposals, one each. */
  readonly faults: { readonly proposals: ProposalFault[] };
  /** Sends a binary message to a user. */
  readonly sendBinary: (userId: string, op: number, payload: Uint8Array) => void;
}

/** The proposals of one epoch. */
export class ProposalBook {
  readonly #options: ProposalBookOptions;
  /** By what they do. */
  readonly #made = new Map<string, Proposal>();
  /** What each receiver was told of them. */
  readonly #told = new Map<string, Set<Proposal>>();

  /** There are none. */
  constructor(options: ProposalBookOptions) {
    this.#options = options;
  }

  /** The proposals that remove and add these, signed where that has not happened yet. */
  async of(
    service: DeliveryService,
    removed: readonly string[],
    added: ReadonlyMap<string, ValidKeyPackage>,
  ): Promise<Proposal[]> {
    const fault = () => this.#options.faults.proposals.shift() ?? {};
    const wanted: Proposal[] = [];
    for (const userId of removed) {
      wanted.push(await this.#once(`remove ${userId}`, () => service.remove(userId, fault())));
    }
    for (const [userId, keyPackage] of added) {
      const key = `add ${userId} ${hex(keyPackage.reference)}`;
      wanted.push(await this.#once(key, () => service.add(userId, keyPackage, fault())));
    }
    return wanted;
  }

  /** Tells a receiver the difference to what it was told before. */
  tell(userId: string, wanted: readonly Proposal[]): void {
    const told = [...this.#told.get(userId) ?? []];
    const revoked = told.filter((proposal) => !wanted.includes(proposal));
    const appended = wanted.filter((proposal) => !told.includes(proposal));
    this.#told.set(userId, new Set(wanted));
    const propose = (payload: Bytes) =>
      this.#options.sendBinary(userId, VoiceOpcode.DaveMlsProposals, payload);
    if (revoked.length > 0) propose(writeRevoke(revoked.map((one) => one.reference)));
    if (appended.length > 0) propose(writeAppend(appended.map((one) => one.message)));
  }

  /** A receiver was told nothing. */
  forget(userId: string): void {
    this.#told.delete(userId);
  }

  /** All are signed anew when they are wanted next. */
  signAnew(): void {
    this.#made.clear();
  }

  /** Another epoch begins. */
  clear(): void {
    this.#told.clear();
    this.#made.clear();
  }

  async #once(key: string, make: () => Promise<Proposal>): Promise<Proposal> {
    const made = this.#made.get(key) ?? await make();
    this.#made.set(key, made);
    return made;
  }
}

/** Whether clients, who give a welcome only with an op 27 that adds somebody, would commit to an add without one. */
export function losesWelcome(
  told: readonly Proposal[],
  fresh: readonly Proposal[],
  stale: readonly Proposal[],
): boolean {
  return told.some(({ kind }) => kind === "add") &&
    (stale.length > 0 || fresh.some(({ kind }) => kind === "remove"));
}
