/**
 * What every session store has to do, as a list of sentences that hold or do not.
 *
 * Nothing of a test framework: the same file runs inside workerd and in a child process.
 */

import type { SessionRecord } from "../../../gateway/mod.ts";
import { type SessionStore, SessionStoreError } from "../../../shard/stores/mod.ts";

/** One kind of store. */
export interface StoreUnderTest {
  /** Opens the store as another process would: the same record, nothing in memory. */
  open(): SessionStore;
  /** Puts something else where the record lies; left out where nobody else can write. */
  spoil?: (what: "no record" | "half a record") => void | Promise<void>;
}

const RECORD: SessionRecord = {
  sessionId: "5b9a8f\u00e9\u{1f600}",
  sequence: 4_294_967_296,
  resumeGatewayUrl: 'wss://gateway-us-east1-b.discord.gg/?a="b"',
  shardId: 3,
  shardCount: 16,
};

/** The sentences that do not hold. */
export async function brokenRules(store: StoreUnderTest): Promise<string[]> {
  const broken: string[] = [];
  const holds = (rule: string, condition: boolean) => condition || broken.push(rule);

  holds("a fresh store holds nothing", await store.open().load() === null);
  await store.open().clear();
  holds("clearing a fresh store is fine", await store.open().load() === null);
  await store.open().save(RECORD);
  holds("a record comes back as it was", same(await store.open().load(), RECORD));
  await store.open().save({ ...RECORD, sequence: 7, resumeGatewayUrl: null });
  holds(
    "a record replaces the one before",
    same(await store.open().load(), { ...RECORD, sequence: 7, resumeGatewayUrl: null }),
  );
  const one = store.open();
  for (let sequence = 8; sequence < 40; sequence++) await one.save({ ...RECORD, sequence });
  holds("the last of many counts", same(await store.open().load(), { ...RECORD, sequence: 39 }));
  await one.clear();
  holds("a cleared store holds nothing", await store.open().load() === null);

  for (const what of store.spoil ? ["no record", "half a record"] as const : []) {
    await store.spoil?.(what);
    const error = await rejection(() => store.open().load());
    holds(
      `${what}: a typed error`,
      error instanceof SessionStoreError && error.code === "ERR_SESSION_STORE_CORRUPT",
    );
    holds(`${what}: the error does not quote it`, !`${error} ${describe(error)}`.includes(RECORD.sessionId));
    await store.open().save(RECORD);
    holds(`${what}: can be written over`, same(await store.open().load(), RECORD));
  }
  await store.open().clear();
  return broken;
}

/** What the stores of texts are spoilt with. */
export const SPOILT_TEXT = {
  "no record": `{"sessionId":7}`,
  "half a record": `{"sessionId":"${RECORD.sessionId}","seq`,
};
/** What the stores of values are spoilt with. */
export const SPOILT_VALUE = {
  "no record": { sessionId: 7 },
  "half a record": { sessionId: RECORD.sessionId },
};

function same(one: SessionRecord | null, other: SessionRecord): boolean {
  return one !== null &&
    (Object.keys(other) as (keyof SessionRecord)[]).every((field) => one[field] === other[field]);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.message} ${error.cause}` : "";
}

async function rejection(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
}
