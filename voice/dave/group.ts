/**
 * The MLS group of a call as one of its members knows it: begun by a key package, established by the first commit or welcome,
 * and going on from epoch to epoch.
 *
 * The cryptography is injected ({@linkcode DaveSession}), and trusted with keys and with nothing else. Whether there is a group
 * is remembered here, and a commit of our own that is no longer the newest is refused here: a library takes it for the newest,
 * and the group splits in silence.
 */

import { equalBytes } from "../wire/bytes.ts";
import type { DaveOptions, DaveOutput, DaveSend } from "./io.ts";
import { daveBinary, daveRefused } from "./outputs.ts";
import type { DaveOutcome, DaveSession } from "./provider.ts";
import { VoiceOpcode } from "../wire/opcode.ts";

/** The group of one call, over all its epochs and beginnings. */
export class DaveGroup {
  readonly #options: DaveOptions;
  #session: DaveSession | null = null;
  #externalSender: Uint8Array | null = null;
  #version = 0;
  /** A commit or welcome has given keys, and nothing has taken them since. */
  #established = false;
  /** Our newest commit in this epoch, and those that newer proposals have overtaken. */
  #ownCommit: Uint8Array | null = null;
  #overtaken: Uint8Array[] = [];
  /** The newest op 28 and op 26, as they were sent. */
  #commitMessage: DaveSend["frame"] | null = null;
  #keyPackageMessage: DaveSend["frame"] | null = null;

  /** Nothing has begun. */
  constructor(options: DaveOptions) {
    this.#options = options;
  }

  /** What the group is for: the version that its transition leads to. */
  get version(): number {
    return this.#version;
  }

  /** There is a group, and this client is in it. */
  get established(): boolean {
    return this.#established;
  }

  /** What decrypts, with or without a group; `null` before the first one was begun. */
  get session(): DaveSession | null {
    return this.#session;
  }

  /** There are keys to encrypt with. */
  get ready(): boolean {
    return this.#established && this.#session?.ready === true;
  }

  /** `null` without an established group. */
  get epoch(): bigint | null {
    return this.#established ? this.#session?.epoch ?? null : null;
  }

  /** Empty without an established group. */
  get privacyCode(): string {
    return this.#established ? this.#session?.privacyCode ?? "" : "";
  }

  /** Starts over: whatever there was is gone, and a key package asks to be added. */
  begin(version: number, outputs: DaveOutput[]): void {
    this.#version = version;
    this.#established = false;
    this.#forgetCommits();
    if (this.#session === null) {
      const { provider, userId, channelId } = this.#options;
      this.#session = provider?.create({ version, userId, channelId }) ?? null;
    } else {
      this.#session.reset(version);
    }
    if (this.#session === null) return;
    this.#giveExternalSender(outputs);
    const message = daveBinary(VoiceOpcode.DaveMlsKeyPackage, this.#session.keyPackage());
    this.#keyPackageMessage = message.frame;
    outputs.push(message);
  }

  /** The group goes on for another version. */
  prepare(version: number): void {
    this.#version = version;
  }

  /** Who may propose, besides members. */
  setExternalSender(externalSender: Uint8Array, outputs: DaveOutput[]): void {
    this.#externalSender = externalSender;
    this.#giveExternalSender(outputs);
  }

  /** Members are to be added or removed: a commit does so. */
  propose(operation: "append" | "revoke", proposals: Uint8Array, outputs: DaveOutput[]): void {
    if (this.#session === null || this.#externalSender === null) return;
    try {
      const { recognizedUserIds } = this.#options.roster;
      const answer = this.#session.processProposals(operation, proposals, recognizedUserIds);
      if (this.#ownCommit !== null) this.#overtaken.push(this.#ownCommit);
      this.#ownCommit = answer?.commit ?? null;
      this.#commitMessage = null;
      if (answer === null) return;
      const parts = answer.welcome === null ? [answer.commit] : [answer.commit, answer.welcome];
      const message = daveBinary(VoiceOpcode.DaveMlsCommitWelcome, ...parts);
      this.#commitMessage = message.frame;
      outputs.push(message);
    } catch (error) {
      outputs.push(daveRefused(error));
    }
  }

  /** The commit that leads to the next epoch. */
  commit(commit: Uint8Array): DaveOutcome {
    if (this.#session === null) return { outcome: "ignored", reason: "no session" };
    if (this.#isOvertaken(commit)) {
      const error = new Error(
        "Cannot follow the group: a commit that newer proposals have overtaken was announced",
      );
      return { outcome: "failed", error };
    }
    return this.#followed(this.#session.processCommit(commit));
  }

  /** The welcome into a group. */
  welcome(welcome: Uint8Array): DaveOutcome {
    if (this.#session === null) return { outcome: "ignored", reason: "no session" };
    return this.#followed(this.#session.processWelcome(welcome));
  }

  /** Whether a message of this group still says something: what asks for membership while there is none, the newest commit. */
  isStillDue({ op, frame }: Pick<DaveSend, "op" | "frame">): boolean {
    switch (op) {
      case VoiceOpcode.DaveMlsCommitWelcome:
        return frame === this.#commitMessage;
      case VoiceOpcode.DaveMlsKeyPackage:
        return frame === this.#keyPackageMessage && !this.#established;
      default:
        return !this.#established;
    }
  }

  /** It may come before there is a session; within an established group it has no use. */
  #giveExternalSender(outputs: DaveOutput[]): void {
    if (this.#session === null || this.#externalSender === null || this.#established) return;
    try {
      this.#session.setExternalSender(this.#externalSender);
    } catch (error) {
      outputs.push(daveRefused(error));
    }
  }

  #isOvertaken(commit: Uint8Array): boolean {
    if (this.#ownCommit !== null && equalBytes(this.#ownCommit, commit)) return false;
    return this.#overtaken.some((own) => equalBytes(own, commit));
  }

  #followed(result: DaveOutcome): DaveOutcome {
    if (result.outcome === "applied") {
      this.#established = true;
      this.#forgetCommits();
    }
    return result;
  }

  #forgetCommits(): void {
    this.#ownCommit = null;
    this.#overtaken = [];
    this.#commitMessage = null;
  }
}
