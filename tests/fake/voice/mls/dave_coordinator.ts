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

import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import {
  type AcceptedCommit,
  DeliveryService,
  type Proposal,
  type ValidKeyPackage,
} from "./delivery_service.ts";
import { type Bytes, concat, hex, MlsFormatError, MlsReader, uint, vector } from "./codec.ts";
import { readWelcome, SUITE, writeAppend, writeRevoke } from "./messages.ts";
import { type DaveFaults, takeDaveFault } from "../gateway/faults.ts";

/** What a coordinator is made from. */
export interface DaveCoordinatorOptions {
  /** The channel, whose number is the group's. */
  readonly channelId: string;
  /** The DAVE version to start with: 1, or 0 where there is no encryption. */
  readonly version: number;
  /** What goes wrong. */
  readonly faults: DaveFaults;
  /** How long a transition may wait for its confirmations, in ms. */
  readonly transitionTimeoutMs: number;
  /** The present, in ms. */
  readonly now: () => number;
  /** Holds the clock until something is done. */
  readonly hold: (work: Promise<void>) => void;
  /** A deadline has changed. */
  readonly changed: () => void;
  /** Sends a JSON message to a user. */
  readonly send: (userId: string, op: number, d: unknown) => void;
  /** Sends a binary message to a user. */
  readonly sendBinary: (userId: string, op: number, payload: Uint8Array) => void;
  /** A user broke a rule. */
  readonly violation: (userId: string, rule: string) => void;
}

interface Transition {
  readonly version: number;
  readonly waiting: Set<string>;
  readonly told: readonly string[];
  readonly executeBy: number;
}

/** What a user asks for. */
type Input =
  | { readonly op: 23 | 31; readonly transitionId: number }
  | { readonly op: 26 | 28; readonly payload: Uint8Array };

/** A commit, and one for whom it is. */
interface Announcement {
  readonly commit: Bytes;
  readonly welcomes: ReadonlyMap<string, Bytes>;
  readonly members: readonly string[];
}

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
  /** Proposals of this epoch, by what they do. */
  readonly #made = new Map<string, Proposal>();
  /** What each receiver was told of them. */
  readonly #told = new Map<string, Set<Proposal>>();
  readonly #transitions = new Map<number, Transition>();
  #lastTransition = 0;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  /** Starts without a group. */
  constructor(options: DaveCoordinatorOptions) {
    this.#options = options;
    this.#version = options.version;
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
    return this.#transitions.size;
  }

  /** The next instant at which `tick` has something to do, `Infinity` if there is none. */
  get deadline(): number {
    return Math.min(...[...this.#transitions.values()].map(({ executeBy }) => executeBy), Infinity);
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
      this.#options.sendBinary(
        userId,
        VoiceOpcode.DaveMlsExternalSender,
        (await this.#ready()).externalSender,
      );
    });
  }

  /** A user has left the call. */
  leave(userId: string): void {
    this.#enqueue(async () => {
      if (!this.#present.delete(userId)) return;
      this.#forget(userId);
      for (const [id, { waiting }] of this.#transitions) {
        waiting.delete(userId);
        this.#executeIfReady(id);
      }
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
        this.#startTransition([...this.#present], 0, (userId, id) => {
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
    for (const [id, { executeBy }] of this.#transitions) if (now >= executeBy) this.#execute(id);
  }

  /** Nothing happens any more. */
  close(): void {
    this.#closed = true;
    this.#transitions.clear();
  }

  // Inputs.

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
    this.#told.delete(userId);
    for (const [id, { waiting }] of this.#transitions) {
      waiting.delete(userId);
      this.#executeIfReady(id);
    }
    await this.#refresh();
  }

  #forget(userId: string): void {
    this.#packages.delete(userId);
    this.#recovering.delete(userId);
    this.#told.delete(userId);
  }

  // Proposals.

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
    const wanted = enough ? await this.#proposalsFor([...gone, ...anew], added) : [];
    const fresh = wanted.filter((proposal) => !proposals.includes(proposal));
    const stale = proposals.filter((proposal) => !wanted.includes(proposal));
    if (losesWelcome(proposals, fresh, stale) && fresh.length < wanted.length) return await this.#sayAnew();
    if (stale.length > 0) service.revoke(...stale);
    if (fresh.length > 0) service.append(...fresh);
    const kinds = new Set(fresh.map(({ kind }) => kind));
    const split = faults.splitAddRemove && kinds.size === 2;
    for (const userId of established ? active : added) {
      const own = wanted.filter((one) => established || one.userId !== userId || faults.ownAdd);
      if (split) this.#tellProposals(userId, own.filter(({ kind }) => kind === "add"));
      this.#tellProposals(userId, own);
    }
    if (split || kinds.has("add") && takeDaveFault(faults, "revokeAdds")) await this.#sayAnew(split);
  }

  /** Takes everything back, and signs it anew: a commit to the old is not taken for one to the new. */
  async #sayAnew(whole: boolean = false): Promise<void> {
    const { faults } = this.#options;
    this.#made.clear();
    const { splitAddRemove } = faults;
    if (whole) faults.splitAddRemove = false;
    await this.#refresh();
    faults.splitAddRemove = splitAddRemove;
  }

  async #proposalsFor(removed: readonly string[], added: readonly string[]): Promise<Proposal[]> {
    const service = await this.#ready();
    const fault = () => this.#options.faults.proposals.shift() ?? {};
    const wanted: Proposal[] = [];
    for (const userId of removed) {
      wanted.push(await this.#once(`remove ${userId}`, () => service.remove(userId, fault())));
    }
    for (const userId of added) {
      const keyPackage = this.#packages.get(userId);
      if (!keyPackage) continue;
      const key = `add ${userId} ${hex(keyPackage.reference)}`;
      wanted.push(await this.#once(key, () => service.add(userId, keyPackage, fault())));
    }
    return wanted;
  }

  async #once(key: string, make: () => Promise<Proposal>): Promise<Proposal> {
    const made = this.#made.get(key) ?? await make();
    this.#made.set(key, made);
    return made;
  }

  #tellProposals(userId: string, wanted: readonly Proposal[]): void {
    const told = [...this.#told.get(userId) ?? []];
    const revoked = told.filter((proposal) => !wanted.includes(proposal));
    const appended = wanted.filter((proposal) => !told.includes(proposal));
    this.#told.set(userId, new Set(wanted));
    const propose = (payload: Bytes) =>
      this.#options.sendBinary(userId, VoiceOpcode.DaveMlsProposals, payload);
    if (revoked.length > 0) propose(writeRevoke(revoked.map((one) => one.reference)));
    if (appended.length > 0) propose(writeAppend(appended.map((one) => one.message)));
  }

  // Commits and transitions.

  async #announce(accepted: AcceptedCommit): Promise<void> {
    for (const userId of accepted.members) {
      if (accepted.welcomes.has(userId) || !this.#recovering.has(userId)) this.#forget(userId);
    }
    this.#told.clear();
    this.#made.clear();
    this.#tellCommit(accepted);
    await this.#refresh();
  }

  #tellCommit({ commit, welcomes, members }: Announcement): void {
    const { faults } = this.#options;
    const receivers = members.filter((userId) => this.#present.has(userId) && !this.#recovering.has(userId));
    const tell = (userId: string, transitionId: number) => {
      const welcome = welcomes.get(userId);
      if (welcome) {
        const payload = takeDaveFault(faults, "emptyWelcomes") ? withoutSecrets(welcome) : welcome;
        this.#options.sendBinary(userId, VoiceOpcode.DaveMlsWelcome, concat(uint(2, transitionId), payload));
        return;
      }
      const flip = faults.flipCommitFor.indexOf(userId);
      if (flip >= 0) faults.flipCommitFor.splice(flip, 1);
      const payload = flip >= 0 ? flipped(commit) : commit;
      const op = VoiceOpcode.DaveMlsAnnounceCommitTransition;
      this.#options.sendBinary(userId, op, concat(uint(2, transitionId), payload));
    };
    if (faults.zeroTransitions) { for (const userId of receivers) tell(userId, 0); }
    else this.#startTransition(receivers, 1, tell);
    if (faults.zeroTransitions) this.#moveTo(1);
  }

  #startTransition(
    userIds: readonly string[],
    version: number,
    tell: (userId: string, transitionId: number) => void,
  ): void {
    const id = this.#lastTransition = this.#lastTransition % 0xffff + 1;
    const executeBy = this.#options.now() + this.#options.transitionTimeoutMs;
    this.#transitions.set(id, { version, waiting: new Set(userIds), told: userIds, executeBy });
    for (const userId of userIds) tell(userId, id);
    this.#executeIfReady(id);
  }

  #confirmed(userId: string, transitionId: number): void {
    if (transitionId === 0 || transitionId > this.#lastTransition) {
      return this.#options.violation(
        userId,
        `op 23 confirms a transition that was prepared: ${transitionId}`,
      );
    }
    this.#transitions.get(transitionId)?.waiting.delete(userId);
    this.#executeIfReady(transitionId);
  }

  #executeIfReady(id: number): void {
    if (this.#transitions.get(id)?.waiting.size === 0) this.#execute(id);
  }

  #execute(id: number): void {
    const transition = this.#transitions.get(id);
    this.#transitions.delete(id);
    if (!transition || takeDaveFault(this.#options.faults, "silentExecute")) return;
    for (const userId of transition.told) {
      this.#options.send(userId, VoiceOpcode.DaveExecuteTransition, { transition_id: id });
    }
    this.#moveTo(transition.version);
  }

  #moveTo(version: number): void {
    if (version > this.#version) this.#plainUntil = this.#options.now() + UPGRADE_GRACE_MS;
    if (version === 0 && this.#version > 0) this.#dropGroup();
    this.#version = version;
  }

  // The group as a whole.

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
    this.#told.clear();
    this.#made.clear();
    this.#transitions.clear();
  }
}

/** Whether clients, who give a welcome only with an op 27 that adds somebody, would commit to an add without one. */
function losesWelcome(
  told: readonly Proposal[],
  fresh: readonly Proposal[],
  stale: readonly Proposal[],
): boolean {
  return told.some(({ kind }) => kind === "add") &&
    (stale.length > 0 || fresh.some(({ kind }) => kind === "remove"));
}

/** A welcome that welcomes nobody. */
function withoutSecrets(welcome: Bytes): Bytes {
  const { groupInfo } = readWelcome(new MlsReader(welcome));
  return concat(uint(2, SUITE), vector(), vector(groupInfo));
}

/** A commit of which one bit is another. */
function flipped(commit: Bytes): Bytes {
  return commit.map((byte, at) => at === commit.length - 9 ? byte ^ 1 : byte);
}
