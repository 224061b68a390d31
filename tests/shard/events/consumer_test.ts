/** The three ways to consume a shard, of which each shard has one, and how a consumer leaves. */

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertQuiet, closeCodes, Play, settled } from "../harness.ts";

Deno.test("shard: has one consumer, whichever comes first", async () => {
  const ways: readonly ((shard: Play["shard"]) => unknown)[] = [
    (shard) => shard[Symbol.asyncIterator](),
    (shard) => shard.events,
    (shard) => shard.run(() => {}),
  ];
  for (const first of ways) {
    for (const second of ways) {
      const play = new Play();
      const consumed = first(play.shard);
      if (first === second && first === ways[1]) {
        assertStrictEquals(second(play.shard), consumed, "the stream is one stream");
      } else if (second === ways[2]) {
        await assertRejects(() => play.shard.run(() => {}), TypeError, "the shard has a consumer already");
      } else {
        assertThrows(() => second(play.shard), TypeError, "the shard has a consumer already");
      }
      await play.shard.close();
      await consumed;
    }
  }
});

Deno.test("shard: break closes with 4200 and keeps the session, before the event in hand", async () => {
  const play = new Play();
  const left = (async () => {
    for await (const event of play.shard) if (event.t === "MESSAGE_CREATE") break;
  })();
  await play.clock.advance(0);
  play.write(3);
  await settled(play.clock, left);
  assertEquals(closeCodes(play), [4200]);
  assertEquals(play.discord.sessions.length, 1, "the session waits at Discord");
  assertEquals(play.shard.session?.sequence, 1, "nobody asked for the event after the first message");
  assertQuiet(play);
});

Deno.test("shard: an event that was acknowledged is handled when the loop is left", async () => {
  const play = new Play();
  const left = (async () => {
    for await (const event of play.shard) {
      if (event.t !== "MESSAGE_CREATE") continue;
      play.shard.acknowledge();
      break;
    }
  })();
  await play.clock.advance(0);
  play.write(3);
  await settled(play.clock, left);
  assertEquals(play.shard.session?.sequence, 2);
});

Deno.test("shard: an error thrown in the loop closes with 4200, keeps the session, and is the one that comes out", async () => {
  const play = new Play();
  const failure = new Error("in the loop");
  play.onEvent = () => {
    throw failure;
  };
  play.start();
  await play.clock.advance(0);
  assertStrictEquals(await play.finished, failure);
  assertEquals(closeCodes(play), [4200]);
  assertEquals(play.shard.session?.sequence, 0, "READY was not handled");
  assertQuiet(play);
});

Deno.test("shard: return out of a function that iterates closes with 4200", async () => {
  const play = new Play();
  const first = (async () => {
    for await (const event of play.shard) return event.t;
  })();
  assertEquals(await settled(play.clock, first), "READY");
  assertEquals(closeCodes(play), [4200]);
  assertQuiet(play);
});

Deno.test("shard: pipeTo moves the events anywhere, and ends when the shard closes", async () => {
  const play = new Play();
  const names: string[] = [];
  const piped = play.shard.events.pipeTo(new WritableStream({ write: ({ t }) => void names.push(t) }));
  await play.clock.advance(0);
  play.write(2);
  await play.clock.advance(0);
  await play.shard.close();
  await piped;
  assertEquals(names, ["READY", "MESSAGE_CREATE", "MESSAGE_CREATE"]);
  assertEquals(closeCodes(play), [1000]);
  assertQuiet(play);
});

Deno.test("shard: a sink that fails cancels the stream, which closes the shard keeping the session", async () => {
  const play = new Play();
  const failure = new Error("disk full");
  const sink = new WritableStream({
    write: () => {
      throw failure;
    },
  });
  const piped = assertRejects(() => play.shard.events.pipeTo(sink));
  await play.clock.advance(0);
  play.write(2);
  await play.clock.advance(0);
  assertStrictEquals(await piped, failure);
  assertEquals(closeCodes(play), [4200]);
  assertQuiet(play);
});

Deno.test("shard: what stops the shard errors the stream", async () => {
  const play = new Play();
  const reader = play.shard.events.getReader();
  assertEquals((await settled(play.clock, reader.read())).value?.t, "READY");
  const next = reader.read();
  play.connection.close(4004);
  await assertRejects(() => settled(play.clock, next), Error, "The token is not valid: 4004");
  await assertRejects(() => reader.closed);
  assertQuiet(play);
});

Deno.test("shard: run hands over each event and resolves when the shard is closed", async () => {
  const play = new Play();
  const names: string[] = [];
  const run = play.shard.run(({ t }) => void names.push(t));
  await play.clock.advance(0);
  play.write(3);
  await play.clock.advance(0);
  await play.shard.close();
  await run;
  assertEquals(names, ["READY", "MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_CREATE"]);
  assertQuiet(play);
});

Deno.test("shard: run rejects with what its handler throws, and the session is kept before that event", async () => {
  const play = new Play();
  const failure = new Error("in the handler");
  const run = assertRejects(() =>
    play.shard.run(async ({ t }) => {
      await Promise.resolve();
      if (t === "MESSAGE_CREATE") throw failure;
    })
  );
  await play.clock.advance(0);
  play.write(2);
  await play.clock.advance(0);
  assertStrictEquals(await run, failure);
  assertEquals(closeCodes(play), [4200]);
  assertEquals(play.shard.session?.sequence, 1);
  assertQuiet(play);
});

Deno.test("shard: a handler may close the shard that calls it", async () => {
  const play = new Play();
  const run = play.shard.run(async () => void await play.shard.close());
  await play.clock.advance(0);
  await run;
  assertEquals(closeCodes(play), [1000]);
  assertQuiet(play);
});
