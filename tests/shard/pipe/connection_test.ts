/** The pipe: one sink with two faces, the first end wins, and what each side may do to it. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  ConnectionClosedError,
  type ConnectionEnd,
  type ConnectionPort,
  type Frame,
  Pipe,
} from "../../../shard/mod.ts";

/** A pipe, what left through its port, and what its sink was given. */
function recorded(port: Partial<ConnectionPort> = {}) {
  const sent: string[] = [];
  const closes: { code: number; reason: string }[] = [];
  const received: (Frame | ConnectionEnd)[] = [];
  const pipe = new Pipe({
    send: (frame) => sent.push(String(frame)),
    close: (code, reason) => closes.push({ code, reason }),
    ...port,
  });
  const sink = {
    frame: (frame: Frame) => void received.push(frame),
    end: (end: ConnectionEnd) => void received.push(end),
  };
  return { pipe, sent, closes, received, sink };
}

const LOST: ConnectionEnd = { code: null, reason: "", by: "remote" };

Deno.test("pipe: a sink and the readable deliver the same frames in the same order", async () => {
  const frames: Frame[] = ["early", new Uint8Array([1, 2]), "between", "late"];
  const play = async (attach: (pipe: Pipe) => Promise<Frame[]> | Frame[]) => {
    const { pipe } = recorded();
    pipe.push(frames[0]!);
    pipe.push(frames[1]!);
    const received = attach(pipe);
    pipe.push(frames[2]!);
    pipe.push(frames[3]!);
    pipe.finish(LOST);
    return await received;
  };

  const bySink = await play((pipe) => {
    const received: Frame[] = [];
    pipe.attach({ frame: (frame) => received.push(frame), end: () => {} });
    return received;
  });
  const byReadable = await play((pipe) => Array.fromAsync(pipe.readable));

  assertEquals(bySink, frames);
  assertEquals(byReadable, frames);
});

Deno.test("pipe: frames and the end that come before anybody is attached are kept", () => {
  const { pipe, received, sink } = recorded();
  pipe.push("hello");
  pipe.push("and more");
  pipe.finish(LOST);
  pipe.attach(sink);
  assertEquals(received, ["hello", "and more", LOST]);
});

Deno.test("pipe: a frame that comes while the kept ones are handed over keeps its place", () => {
  const { pipe, received } = recorded();
  pipe.push("1");
  pipe.push("2");
  pipe.attach({
    frame: (frame) => {
      received.push(frame);
      // As in memory, where the peer responds synchronously.
      if (frame === "1") pipe.push("3");
    },
    end: () => {},
  });
  pipe.push("4");
  assertEquals(received, ["1", "2", "3", "4"]);
});

Deno.test("pipe: a sink that closes while the kept frames are handed over gets no further one", () => {
  const { pipe, received } = recorded();
  pipe.push("1");
  pipe.push("2");
  pipe.attach({
    frame: (frame) => {
      received.push(frame);
      pipe.close(4200);
    },
    end: (end) => received.push(end),
  });
  assertEquals(received, ["1", { code: 4200, reason: "", by: "local" }]);
});

Deno.test("pipe: takes one sink in its run", () => {
  const { pipe, sink } = recorded();
  pipe.attach(sink);
  assertThrows(() => pipe.attach(sink), TypeError, "Cannot attach: the connection has a sink already");
  assertThrows(() => pipe.readable, TypeError, "Cannot attach");
});

Deno.test("pipe: close takes 1000 and 3000-4999, and nothing else reaches the socket", () => {
  for (const code of [1000, 3000, 4200, 4999]) {
    const { pipe, closes } = recorded();
    pipe.close(code, "why");
    assertEquals(closes, [{ code, reason: "why" }]);
  }
  for (const code of [0, 999, 1001, 1005, 1006, 1011, 1012, 2999, 5000, 4200.5, NaN]) {
    const { pipe, closes, received, sink } = recorded();
    pipe.attach(sink);
    assertThrows(() => pipe.close(code), RangeError, "the code must be 1000 or in 3000-4999");
    assertEquals(closes, []);
    assertEquals(received, [], "and the connection lives on");
    pipe.send("still open");
  }
});

Deno.test("pipe: close without a code says 1000", () => {
  const { pipe, closes } = recorded();
  pipe.close();
  assertEquals(closes, [{ code: 1000, reason: "" }]);
});

Deno.test("pipe: a local close and then the socket's close event are one end [case 18]", async () => {
  const { pipe, closes, received, sink } = recorded();
  pipe.attach(sink);
  pipe.close(4200, "first");
  pipe.finish({ code: 1000, reason: "second", by: "remote" });
  pipe.close(1000, "third");
  const end: ConnectionEnd = { code: 4200, reason: "first", by: "local" };
  assertEquals(received, [end]);
  assertEquals(closes.length, 1, "the socket is closed once");
  assertEquals(await pipe.closed, end);
});

Deno.test("pipe: of an error and a close event the first wins", async () => {
  const { pipe, received, sink } = recorded();
  pipe.attach(sink);
  const error = new Error("reset by peer");
  pipe.finish({ ...LOST, error });
  pipe.finish({ code: 4000, reason: "late", by: "remote" });
  assertEquals(received, [{ ...LOST, error }]);
  assertStrictEquals((await pipe.closed).error, error);
});

Deno.test("pipe: frames after the end have no effect, attached or not [case 11]", () => {
  const { pipe, received, sink } = recorded();
  pipe.finish(LOST);
  pipe.push("late");
  pipe.attach(sink);
  pipe.push("later");
  assertEquals(received, [LOST]);
});

Deno.test("pipe: after the end send throws a typed error that tells how it ended", () => {
  const { pipe, sent } = recorded();
  pipe.send("one");
  pipe.finish({ code: 4004, reason: "Authentication failed.", by: "remote" });
  const error = assertThrows(() => pipe.send("two"), ConnectionClosedError);
  assertEquals(error.code, "ERR_CONNECTION_CLOSED");
  assertEquals(error.end.code, 4004);
  assertEquals(error.message, "Cannot send: the connection has ended (4004, Authentication failed.)");
  assertEquals(sent, ["one"]);
});

Deno.test("pipe: what the socket's send throws reaches the caller, and the pipe stays open", () => {
  const broken = new Error("not open");
  const { pipe, received, sink } = recorded({
    send: () => {
      throw broken;
    },
  });
  pipe.attach(sink);
  assertStrictEquals(assertThrows(() => pipe.send("x")), broken);
  assertEquals(received, []);
});

Deno.test("pipe: a socket whose close() throws is still owned, open, and can be closed again [case 17]", async () => {
  let broken = true;
  const { pipe, received, sink, sent } = recorded({
    close: () => {
      if (broken) throw new Error("InvalidStateError");
    },
  });
  pipe.attach(sink);
  assertThrows(() => pipe.close(4200), Error, "InvalidStateError");
  pipe.push("still here");
  pipe.send("here too");
  assertEquals(received, ["still here"]);
  assertEquals(sent, ["here too"]);
  broken = false;
  pipe.close(4200);
  assertEquals((await pipe.closed).code, 4200);
});

Deno.test("pipe: closed resolves at once after a local close, whatever the peer does", async () => {
  const { pipe } = recorded();
  pipe.close(1000, "bye");
  assertEquals(await pipe.closed, { code: 1000, reason: "bye", by: "local" });
});

Deno.test("pipe: readable closes when the connection ends, after what had come", async () => {
  const { pipe } = recorded();
  const reader = pipe.readable.getReader();
  pipe.push("last words");
  pipe.finish(LOST);
  assertEquals(await reader.read(), { value: "last words", done: false });
  assertEquals((await reader.read()).done, true);
});

Deno.test("pipe: readable is one stream however often it is asked for", () => {
  const { pipe } = recorded();
  assertStrictEquals(pipe.readable, pipe.readable);
  assertStrictEquals(pipe.writable, pipe.writable);
});

Deno.test("pipe: cancelling readable closes with a code that keeps the session", async () => {
  const { pipe, closes } = recorded();
  const reader = pipe.readable.getReader();
  const pending = reader.read();
  await reader.cancel("enough");
  assertEquals((await pending).done, true);
  assertEquals(closes, [{ code: 4200, reason: "" }]);
  pipe.push("late");
  assertEquals((await pipe.closed).by, "local");
});

Deno.test("pipe: cancelling readable tells of a socket that cannot be closed, and what it still says is dropped", async () => {
  const { pipe } = recorded({
    close: () => {
      throw new Error("InvalidStateError");
    },
  });
  await assertRejects(() => pipe.readable.cancel(), Error, "InvalidStateError");
  pipe.push("late");
  pipe.finish(LOST);
});

Deno.test("pipe: writable sends each chunk; closing it ends the session", async () => {
  const { pipe, sent, closes } = recorded();
  const writer = pipe.writable.getWriter();
  await writer.write("one");
  await writer.write("two");
  await writer.close();
  assertEquals(sent, ["one", "two"]);
  assertEquals(closes, [{ code: 1000, reason: "" }]);
});

Deno.test("pipe: aborting writable keeps the session", async () => {
  const { pipe, closes } = recorded();
  await pipe.writable.abort(new Error("enough"));
  assertEquals(closes, [{ code: 4200, reason: "" }]);
});

Deno.test("pipe: a write after the end fails with the end, not silently", async () => {
  const { pipe } = recorded();
  const writer = pipe.writable.getWriter();
  pipe.finish(LOST);
  const error = await assertRejects(() => writer.write("x"), ConnectionClosedError);
  assertEquals(error.message, "Cannot send: the connection has ended (no close code)");
  await assertRejects(() => writer.closed);
});

Deno.test("pipe: readable pipes into another connection's writable", async () => {
  const from = recorded();
  const to = recorded();
  const piped = from.pipe.readable
    .pipeThrough(
      new TransformStream<Frame, string>({
        transform: (frame, out) => out.enqueue(typeof frame === "string" ? frame : "bytes"),
      }),
    )
    .pipeTo(to.pipe.writable);
  from.pipe.push("a");
  from.pipe.push("b");
  from.pipe.finish(LOST);
  await piped;
  assertEquals(to.sent, ["a", "b"]);
  assertEquals(to.closes.length, 1);
});

Deno.test("pipe: the errors are errors with stable names", () => {
  const error = new ConnectionClosedError(LOST);
  assertInstanceOf(error, Error);
  assertEquals(`${error}`, "ConnectionClosedError: Cannot send: the connection has ended (no close code)");
  assert(!("cause" in error));
});
