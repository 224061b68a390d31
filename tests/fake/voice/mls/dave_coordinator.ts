/**
 * What the voice gateway does for the end-to-end encryption of one call: op 21 to 31.
 *
 * Theory of operation. Whatever happens (a key package comes, somebody leaves, a commit wins) ends in one look at what
 * the proposals of this epoch ought to be: removals of those who are gone or have to be added anew, then adds of those
 * whose key packages wait. Each receiver is told the difference to what it was told before. Where clients would lose a
 * welcome over that (a removal after an add), all is taken back, signed anew, and said in one op 27.
 *
 * The first good commit wins: op 29 to the group, op 30 to the added, and a transition that is executed by op 22 when
 * all have confirmed it by op 23, or when it has taken too long.
 *
 * Cryptography takes its time, so inputs wait in one queue.
 *
 * @see https://daveprotocol.com
 */

import type { DaveCoordinatorOptions } from "./coordinator_options.ts";
import { commitMessage } from "./commit_message.ts";
import { losesWelcome, ProposalBook } from "./proposal_book.ts";
import { DaveTransitions } from "./transitions.ts";
import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import { type AcceptedCommit, DeliveryService, type ValidKeyPackage } from "./delivery_service.ts";
import { MlsFormatError } from "./codec.ts";
import { takeDaveFault } from "./dave_faults.ts";

/** What a user asks for. */
type Input =
  | { readonly op: 23 | 31; readonly transitionId: number }
  | { readonly op: 26 | 28; readonly payload: Uint8Array };

/** After an upgrade, what was sent before it may still be on its way, in ms. */
const UPGRADE_GRACE_MS = 1000;

/** Op 21 to 31 of one call. */
export class DaveCoordinator {
  readonly #options: DaveCoordinatorOptions;
  #service: DeliveryService | null = null;
  #version: number;
  #plainUntil = -Infinity;
  /** Those in the call who take part, in the order of their coming. */
  readonly #present = new Set<string>();
  /** Key packages that wait to be added. */
  readonly #packages = new Map<string, ValidKeyPackage>();
  /** Members who have said by op 31 that they have lost the group. */
  readonly #recovering = new Set<string>();
  readonly #proposals: ProposalBook;
  readonly #transitions: DaveTransitions;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  /** Starts without a group. */
  constructor(options: DaveCoordinatorOptions) {
    this.#options = options;
    this.#version = options.version;
    this.#proposals = new ProposalBook(options);
    this.#transitions = new DaveTransitions({ ...options, executed: (version) => this.#moveTo(version) });
  }

  /** The version that media is sent with; 0 is in the clear. */
  get version(): number {
    return this.#version;
  }

  /** The group's epoch; 0 without a group. */
  get epoch(): number {
    return this.#service?.epoch ?? 0;
  }

  /** The users in the group. */
  get members(): readonly string[] {
    return this.#service?.members ?? [];
  }

  /** Transitions that wait for their execution. */
  get pending(): number {
    return this.#transitions.pending;
  }

  /** The next instant at which `tick` has something to do, `Infinity` if there is none. */
  get deadline(): number {
    return this.#transitions.deadline;
  }

  /** Whether a frame without encryption may pass now. */
  mayBePlain(now: number): boolean {
    return this.#version === 0 || now < this.#plainUntil;
  }

  /** A user takes part: it hears who signs proposals, and is expected to send a key package. */
  join(userId: string): void {
    this.#enqueue(async () => {
      this.#forget(userId);
      this.#present.add(userId);
      const { externalSender } = await this.#ready();
      this.#options.sendBinary(userId, VoiceOpcode.DaveMlsExternalSender, externalSender);
    });
  }

  /** A user has left the call. */
  leave(userId: string): void {
    this.#enqueue(async () => {
      if (!this.#present.delete(userId)) return;
      this.#forget(userId);
      this.#transitions.forget(userId);
      await this.#refresh();
    });
  }

  /** A user sent op 23, 26, 28 or 31. */
  receive(userId: string, input: Input): void {
    this.#enqueue(async () => {
      if (!this.#present.has(userId)) {
        this.#options.violation(userId, `op ${input.op} comes from a client that takes part in DAVE`);
      } else if (input.op === 26) await this.#keyPackage(userId, input.payload);
      else if (input.op === 28) await this.#commit(userId, input.payload);
      else if (input.op === 23) this.#confirmed(userId, input.transitionId);
      else await this.#lost(userId);
    });
  }

  /** Moves the call to another version: 0 gives the encryption up, 1 starts it with a new group. */
  setVersion(version: 0 | 1, userIds: readonly string[]): void {
    this.#enqueue(async () => {
      if (version === 0) {
        this.#transitions.start([...this.#present], 0, (userId, id) => {
          this.#options.send(userId, VoiceOpcode.DavePrepareTransition, {
            protocol_version: 0,
            transition_id: id,
          });
        });
        return;
      }
      const { externalSender } = await this.#ready();
      for (const userId of userIds) this.#present.add(userId);
      this.#startOver();
      for (const userId of userIds) {
        this.#options.sendBinary(userId, VoiceOpcode.DaveMlsExternalSender, externalSender);
      }
    });
  }

  /** Executes the transitions that have waited too long. */
  tick(now: number): void {
    this.#transitions.tick(now);
  }

  /** Nothing happens any more. */
  close(): void {
    this.#closed = true;
    this.#transitions.clear();
  }

  #enqueue(task: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (!this.#closed) await task();
      if (!this.#closed) this.#options.changed();
    });
    this.#options.hold(this.#queue);
  }

  async #ready(): Promise<DeliveryService> {
    return this.#service ??= await DeliveryService.create(this.#options.channelId);
  }

  async #keyPackage(userId: string, payload: Uint8Array): Promise<void> {
    const service = await this.#ready();
    if (service.members.includes(userId) && !this.#recovering.has(userId)) {
      return this.#options.violation(
        userId,
        "a member sends a key package only when it was asked to, or after op 31",
      );
    }
    try {
      this.#packages.set(userId, await service.validateKeyPackage(payload, userId));
    } catch (error) {
      if (!(error instanceof MlsFormatError)) throw error;
      return this.#options.violation(userId, error.message);
    }
    await this.#refresh();
  }

  async #commit(userId: string, payload: Uint8Array): Promise<void> {
    const service = await this.#ready();
    const judged = service.acceptCommit(payload, userId, {
      overtaken: this.#options.faults.announceOvertaken,
    });
    if (judged.outcome === "accepted") return await this.#announce(judged);
    if (judged.cause === "fault") {
      this.#options.violation(userId, `op 28 holds a good commit: ${judged.reason}`);
    }
  }

  /** Op 31: it has to be added anew, with the key package that follows. */
  async #lost(userId: string): Promise<void> {
    this.#packages.delete(userId);
    if (this.members.includes(userId)) this.#recovering.add(userId);
    this.#proposals.forget(userId);
    this.#transitions.forget(userId);
    await this.#refresh();
  }

  #forget(userId: string): void {
    this.#packages.delete(userId);
    this.#recovering.delete(userId);
    this.#proposals.forget(userId);
  }

  /** What the proposals of this epoch ought to be, and the difference to that for everybody. */
  async #refresh(): Promise<void> {
    const service = await this.#ready();
    const { faults } = this.#options;
    const { members, proposals, established } = service;
    const gone = members.filter((userId) => !this.#present.has(userId));
    const active = members.filter((userId) => this.#present.has(userId) && !this.#recovering.has(userId));
    if (established && (active.length === 0 || this.#present.size === 1 && gone.length > 0)) {
      return this.#startOver();
    }
    const anew = members.filter((userId) => this.#recovering.has(userId) && this.#packages.has(userId));
    const added = [...this.#packages.keys()];
    const enough = established || added.length > 1;
    const wanted = enough ? await this.#proposals.of(service, [...gone, ...anew], this.#packages) : [];
    const fresh = wanted.filter((proposal) => !proposals.includes(proposal));
    const stale = proposals.filter((proposal) => !wanted.includes(proposal));
    if (losesWelcome(proposals, fresh, stale) && fresh.length < wanted.length) return await this.#sayAnew();
    if (stale.length > 0) service.revoke(...stale);
    if (fresh.length > 0) service.append(...fresh);
    const kinds = new Set(fresh.map(({ kind }) => kind));
    const split = faults.splitAddRemove && kinds.size === 2;
    for (const userId of established ? active : added) {
      const own = wanted.filter((one) => established || one.userId !== userId || faults.ownAdd);
      if (split) this.#proposals.tell(userId, own.filter(({ kind }) => kind === "add"));
      this.#proposals.tell(userId, own);
    }
    if (split || kinds.has("add") && takeDaveFault(faults, "revokeAdds")) await this.#sayAnew(split);
  }

  /** Takes everything back, and signs it anew: a commit to the old is not taken for one to the new. */
  async #sayAnew(whole: boolean = false): Promise<void> {
    const { faults } = this.#options;
    this.#proposals.signAnew();
    const { splitAddRemove } = faults;
    if (whole) faults.splitAddRemove = false;
    await this.#refresh();
    faults.splitAddRemove = splitAddRemove;
  }

  async #announce(accepted: AcceptedCommit): Promise<void> {
    for (const userId of accepted.members) {
      if (accepted.welcomes.has(userId) || !this.#recovering.has(userId)) this.#forget(userId);
    }
    this.#proposals.clear();
    this.#tellCommit(accepted);
    await this.#refresh();
  }

  #tellCommit({ commit, welcomes, members }: AcceptedCommit): void {
    const { faults } = this.#options;
    const receivers = members.filter((userId) => this.#present.has(userId) && !this.#recovering.has(userId));
    const tell = (userId: string, transitionId: number) => {
      const { op, payload } = commitMessage(userId, { commit, welcomes, transitionId }, faults);
      this.#options.sendBinary(userId, op, payload);
    };
    if (faults.zeroTransitions) { for (const userId of receivers) tell(userId, 0); }
    else this.#transitions.start(receivers, 1, tell);
    if (faults.zeroTransitions) this.#moveTo(1);
  }

  #confirmed(userId: string, transitionId: number): void {
    if (this.#transitions.confirm(userId, transitionId)) return;
    this.#options.violation(userId, `op 23 confirms a transition that was prepared: ${transitionId}`);
  }

  #moveTo(version: number): void {
    if (version > this.#version) this.#plainUntil = this.#options.now() + UPGRADE_GRACE_MS;
    if (version === 0 && this.#version > 0) this.#dropGroup();
    this.#version = version;
  }

  /** There is no member left who could commit, or one alone: everybody present starts over, with a new key package. */
  #startOver(): void {
    this.#dropGroup();
    for (const userId of this.#present) {
      this.#options.send(userId, VoiceOpcode.DavePrepareEpoch, { protocol_version: 1, epoch: 1 });
    }
    const [sole, ...others] = this.#present;
    if (sole === undefined || others.length > 0) return;
    // Whom should it wait for?
    const body = { protocol_version: 1, transition_id: 0 };
    this.#options.send(sole, VoiceOpcode.DavePrepareTransition, body);
    this.#moveTo(1);
  }

  #dropGroup(): void {
    this.#service?.resetGroup();
    this.#packages.clear();
    this.#recovering.clear();
    this.#proposals.clear();
    this.#transitions.clear();
  }
}
