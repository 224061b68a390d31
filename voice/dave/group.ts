/**
 * The MLS group of a call as one of its members knows it: a key package begins it, the first commit or welcome establishes
 * it, and commits take it from epoch to epoch.
 *
 * The cryptography is injected ({@linkcode DaveSession}), and trusted with keys only. This file remembers whether there is a
 * group, and rejects a commit of this client that is no longer the newest: a library would take it for the newest, and the
 * group would split without an error.
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
  /** A commit or welcome has given keys, and no new group has begun since. */
  #established = false;
  /** This client's newest commit in this epoch, and those that newer proposals have overtaken. */
  #ownCommit: Uint8Array | null = null;
  #overtaken: Uint8Array[] = [];
  /** The newest op 28 and op 26, as they were sent. */
  #commitMessage: DaveSend["frame"] | null = null;
  #keyPackageMessage: DaveSend["frame"] | null = null;

  /** Nothing has begun. */
  constructor(options: DaveOptions) {
    this.#options = options;
  }

  /** The version that the group's transition leads to. */
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

  /** Starts over: drops the group that there was, and sends a key package to be added. */
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

  /** The group goes on with another version. */
  prepare(version: number): void {
    this.#version = version;
  }

  /** Sets who may propose, besides members. */
  setExternalSender(externalSender: Uint8Array, outputs: DaveOutput[]): void {
    this.#externalSender = externalSender;
    this.#giveExternalSender(outputs);
  }

  /** Proposals to add or remove members: the response is a commit. */
  propose(operation: "append" | "revoke", proposals: Uint8Array, outputs: DaveOutput[]): void {
    if (this.#session === null || this.#externalSender === null) return;
    try {
      const { recognizedUserIds } = this.#options.roster;
      const result = this.#session.processProposals(operation, proposals, recognizedUserIds);
      if (this.#ownCommit !== null) this.#overtaken.push(this.#ownCommit);
      this.#ownCommit = result?.commit ?? null;
      this.#commitMessage = null;
      if (result === null) return;
      const parts = result.welcome === null ? [result.commit] : [result.commit, result.welcome];
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

  /** Whether a message is still needed: a request for membership while there is none, or the newest commit. */
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
