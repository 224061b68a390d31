/**
 * As much of a DAVE delivery service as it takes to let real DAVE libraries form a group: it signs proposals as the group's
 * external sender and cuts commit and welcome apart. It checks nothing, and holds no secret of the group.
 */

import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";

/** A number in some bytes, the high ones first. */
function uint(bytes: number, value: number | bigint): number[] {
  return Array.from(
    { length: bytes },
    (_, at) => Number(BigInt(value) >> BigInt(8 * (bytes - 1 - at)) & 255n),
  );
}

/** A vector behind its length, as MLS writes it. */
function vector(bytes: ArrayLike<number>): number[] {
  const { length } = bytes;
  const size = length < 64
    ? [length]
    : length < 16_384
    ? uint(2, 0x4000 | length)
    : uint(4, 0x8000_0000 + length);
  return [...size, ...Array.from(bytes)];
}

/** Reads one thing after another. */
class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  uint(bytes: number): number {
    let value = 0;
    const end = this.at + bytes;
    for (; this.at < end; this.at++) {
      value = value * 256 + (this.#bytes[this.at] ?? 0);
    }
    return value;
  }

  skip(bytes: number): this {
    this.at += bytes;
    return this;
  }

  vector(): this {
    const first = this.uint(1);
    const length = first < 64
      ? first
      : first < 128
      ? (first & 63) * 256 + this.uint(1)
      : (first & 63) * 2 ** 24 + this.uint(3);
    return this.skip(length);
  }

  vectors(count: number): this {
    for (let at = 0; at < count; at++) this.vector();
    return this;
  }
}

/** The service of one channel. */
export class SmallDelivery {
  readonly #key: KeyObject;
  readonly #groupId: readonly number[];
  /** The payload of op 25. */
  readonly externalSender: Uint8Array<ArrayBuffer>;
  /** How many commits were accepted: the epoch that proposals are for. */
  epoch = 0;

  constructor(channelId: string) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    this.#groupId = uint(8, BigInt(channelId));
    const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65);
    this.externalSender = Uint8Array.from([...vector(point), 0, 1, ...vector([1, 2, 3, 4])]);
  }

  /** The body of an op 27 that adds and removes, in the order given. */
  append(
    ...changes: readonly ({ readonly add: Uint8Array } | { readonly remove: number })[]
  ): Uint8Array<ArrayBuffer> {
    const messages = changes.flatMap((change) =>
      this.#proposal("add" in change ? [0, 1, ...change.add] : [0, 3, ...uint(4, change.remove)])
    );
    return Uint8Array.from(vector(messages));
  }

  /** Cuts the payload of an op 28 apart. */
  split(payload: Uint8Array): { commit: Uint8Array<ArrayBuffer>; welcome: Uint8Array<ArrayBuffer> } {
    const reader = new Reader(payload);
    // Version, wire format, group, epoch, the member that sends, authenticated data, content type, proposals.
    reader.skip(4).vector().skip(8 + 1 + 4).vector().skip(1).vector();
    if (reader.uint(1) === 1) {
      reader.vectors(2).skip(2).vectors(6);
      const source = reader.uint(1);
      if (source === 1) reader.skip(16);
      if (source === 3) reader.vector();
      reader.vectors(3);
    }
    reader.vectors(3);
    return { commit: payload.slice(0, reader.at), welcome: payload.slice(reader.at) };
  }

  #proposal(proposal: readonly number[]): number[] {
    const external = [2, ...uint(4, 0), 0];
    const content = [
      0,
      1,
      0,
      1,
      ...vector(this.#groupId),
      ...uint(8, this.epoch),
      ...external,
      2,
      ...proposal,
    ];
    const label = new TextEncoder().encode("MLS 1.0 FramedContentTBS");
    const sign = createSign("SHA256").update(Uint8Array.from([...vector(label), ...vector(content)]));
    return [...content, ...vector(sign.sign(this.#key))];
  }
}
