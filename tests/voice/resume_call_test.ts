/**
 * A call of three with the real DAVE library, in which a connection is cut: at each message of each client in turn, the
 * message lost with it. After the resume everybody hears everybody, and the server has had every confirmation.
 */

import { assert, assertEquals } from "@std/assert";
import davey from "@snazzah/davey";
import { daveyProvider } from "../../voice/mod.ts";
import { binary, inPhase, json, SERVER, type VoiceDriver } from "./harness.ts";
import { SmallDelivery } from "./small_delivery.ts";

interface Client {
  readonly id: string;
  driver: VoiceDriver;
  connected: boolean;
  /** Every numbered message, from number 2 on: 1 was the description. */
  readonly log: (string | Uint8Array)[];
  /** How many of the driver's messages were looked at. */
  seen: number;
  keyPackage: Uint8Array | null;
  inGroup: boolean;
}

/** Which message of which client is lost: from it on its connection is dead. */
interface Cut {
  readonly id: string;
  readonly message: number;
}

/** A voice server that keeps DAVE's order: proposals, the first commit, confirmations, execution. */
class Server {
  readonly #delivery = new SmallDelivery(SERVER.channelId);
  readonly clients: Client[] = [];
  readonly #cut: Cut | null;
  #sent = 0;
  #proposed: Client[] = [];
  #transition = 0;
  readonly #unconfirmed = new Set<string>();

  constructor(cut: Cut | null) {
    this.#cut = cut;
  }

  /** Whether the cut has happened. */
  cutDone = false;

  join(id: string): void {
    const driver = inPhase("live", {
      version: 1,
      server: { ...SERVER, userId: id },
      dave: daveyProvider(davey),
    });
    const client = { id, driver, connected: true, log: [], seen: 0, keyPackage: null, inGroup: false };
    for (const other of this.clients) this.#send(other, (seq) => json(11, { user_ids: [id] }, seq));
    this.clients.push(client);
    this.#send(client, (seq) => json(11, { user_ids: this.clients.map((one) => one.id) }, seq));
    this.#send(client, (seq) => binary(seq, 25, ...this.#delivery.externalSender));
    this.#listen();
  }

  /** The client comes back, and hears what it has missed. */
  resume(client: Client): void {
    client.driver = client.driver.resumed();
    client.seen = 0;
    client.connected = true;
    const [resume] = client.driver.sentFor("resume") as { d: { seq_ack: number } }[];
    const missed = client.log.slice((resume?.d.seq_ack ?? 1) - 1);
    client.driver.receive(...missed, json(9));
    this.#listen();
  }

  /** Everybody hears everybody, in one epoch, and every transition was confirmed by all. */
  assertTalk(): void {
    assertEquals([...this.#unconfirmed], []);
    for (const from of this.clients) {
      const frame = Uint8Array.of(0x78, 1, 2, 3);
      const sent = from.driver.state.dave.encrypt(frame);
      assert(sent !== null, `${from.id} is ${from.driver.state.dave.phase}`);
      for (const to of this.clients.filter((one) => one !== from)) {
        const heard = to.driver.state.dave.decrypt(from.id, sent, to.driver.now);
        assertEquals(heard.frame && [...heard.frame], [...frame], `${from.id} to ${to.id}: ${heard.dropped}`);
      }
    }
  }

  #send(client: Client, message: (seq: number) => string | Uint8Array): void {
    const text = message(client.log.length + 2);
    client.log.push(text);
    if (client.connected) client.driver.receive(text);
  }

  /** Takes what clients have sent, one message of each in turn, until there is none, or up to the one that is lost. */
  #listen(): void {
    for (let heard = true; heard;) {
      heard = false;
      for (const client of this.clients) {
        const message = client.connected ? client.driver.sentFor("dave")[client.seen] : undefined;
        if (message === undefined) continue;
        client.seen++;
        heard = true;
        this.#take(client, message);
      }
    }
  }

  #take(client: Client, message: unknown): void {
    if (client.id === this.#cut?.id && !this.cutDone && ++this.#sent === this.#cut.message) {
      this.cutDone = true;
      client.connected = false;
      return;
    }
    this.#handle(client, message);
  }

  #handle(client: Client, message: unknown): void {
    if (!Array.isArray(message)) {
      const { op, d } = message as { op: number; d: { transition_id: number } };
      assertEquals(op, 23, "nothing here is a reason for op 31");
      this.#unconfirmed.delete(`${client.id} ${d.transition_id}`);
      this.#execute(d.transition_id);
      return;
    }
    const [op, ...payload] = message as number[];
    if (op === 26 && !client.inGroup) client.keyPackage = Uint8Array.from(payload);
    if (op === 28 && this.#proposed.length > 0) this.#accept(client, Uint8Array.from(payload));
    this.#propose();
  }

  /** One set of proposals at a time. */
  #propose(): void {
    const pending = this.clients.filter((client) => !client.inGroup && client.keyPackage !== null);
    const group = this.clients.filter((client) => client.inGroup);
    if (this.#proposed.length > 0 || pending.length === 0 || group.length + pending.length < 2) return;
    this.#proposed = pending;
    for (const client of group.length > 0 ? group : pending) {
      const added = pending.filter((one) => one !== client);
      const proposals = this.#delivery.append(
        ...added.map((one) => ({ add: one.keyPackage ?? new Uint8Array() })),
      );
      this.#send(client, (seq) => binary(seq, 27, 0, ...proposals));
    }
  }

  #accept(winner: Client, payload: Uint8Array): void {
    const { commit, welcome } = this.#delivery.split(payload);
    // An epoch that has passed: the commit came too late.
    if (commit[20] !== this.#delivery.epoch) return;
    this.#delivery.epoch++;
    const id = ++this.#transition;
    const added = this.#proposed.filter((one) => one !== winner);
    this.#proposed = [];
    const group = this.clients.filter((one) => one.inGroup || one === winner);
    for (const one of [...group, ...added]) {
      one.inGroup = true;
      this.#unconfirmed.add(`${one.id} ${id}`);
    }
    for (const one of group) this.#send(one, (seq) => binary(seq, 29, id >> 8, id & 255, ...commit));
    for (const one of added) this.#send(one, (seq) => binary(seq, 30, id >> 8, id & 255, ...welcome));
  }

  #execute(id: number): void {
    if ([...this.#unconfirmed].some((one) => one.endsWith(` ${id}`))) return;
    for (const client of this.clients) this.#send(client, (seq) => json(22, { transition_id: id }, seq));
  }
}

/** Plays the call; comes back at once or when all else is done. */
function play(cut: Cut | null, { late }: { readonly late: boolean }): Server {
  const server = new Server(cut);
  const comeBack = () => {
    for (const client of server.clients) if (!client.connected) server.resume(client);
  };
  for (const id of ["100", "200", "300"]) {
    server.join(id);
    if (!late) comeBack();
  }
  comeBack();
  return server;
}

Deno.test("voice resume: a call of three that is never cut", () => {
  play(null, { late: false }).assertTalk();
});

for (const id of ["100", "200", "300"]) {
  for (const late of [false, true]) {
    const when = late ? "when all else is done" : "at once";
    Deno.test(`voice resume: a message of ${id} is lost with its connection, and the resume ${when} repairs it`, () => {
      let cuts = 0;
      for (let message = 1; message < 20; message++) {
        const server = play({ id, message }, { late });
        if (!server.cutDone) break;
        cuts++;
        server.assertTalk();
      }
      assert(cuts >= 2, `there is something to lose: ${cuts}`);
    });
  }
}
