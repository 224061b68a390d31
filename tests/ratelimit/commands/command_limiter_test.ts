import { assertEquals, assertThrows } from "@std/assert";
import { CommandLimiter, type HeartbeatSchedule } from "../../../ratelimit/mod.ts";

function filled(count: number, at = 0): CommandLimiter {
  const limiter = new CommandLimiter();
  for (let n = 0; n < count; n++) limiter.record(at);
  return limiter;
}

Deno.test("command limiter: keeps a slot for each heartbeat that is due in the life of a command, and no other [case 52]", () => {
  // Other projects reserve a constant worked out from the interval: 118, 117, 117, 116, 110. The rule here looks at
  // the heartbeats themselves. One heartbeat was sent at 0, the next one comes an interval later.
  const available = (intervalMs: number) => filled(1).available(0, { nextAt: intervalMs, intervalMs });
  assertEquals([60_000, 42_500, 30_000, 29_999, 0].map(available), [119, 118, 118, 117, 0]);
});

Deno.test("command limiter: without heartbeats the whole limit is there", () => {
  const limiter = filled(1);
  assertEquals([limiter.available(0, null), limiter.nextAvailableAt(0, null)], [119, 0]);
});

Deno.test("command limiter: emptied at once, nothing until exactly 60 s, then everything [case 53]", () => {
  const limiter = filled(120);
  assertEquals([limiter.available(59_999, null), limiter.available(60_000, null)], [0, 120]);
  assertEquals(limiter.nextAvailableAt(1, null), 60_000);
  assertEquals(limiter.nextAvailableAt(59_999.5, null), 60_000);
  assertEquals(limiter.nextAvailableAt(60_000, null), 60_000);
});

Deno.test("command limiter: half now and half 30 s later come back in two halves [case 53]", () => {
  const limiter = filled(60);
  for (let n = 0; n < 60; n++) limiter.record(30_000);
  assertEquals([59_999, 60_000, 89_999, 90_000].map((at) => limiter.available(at, null)), [0, 60, 60, 120]);
});

Deno.test("command limiter: commands 20 ms apart come back 20 ms apart, however often it is asked [case 54]", () => {
  const limiter = new CommandLimiter();
  for (let n = 0; n < 120; n++) limiter.record(n * 20);
  let now = 2_400;
  for (let n = 0; n < 120; n++) {
    for (let asked = 0; asked < 3; asked++) {
      assertEquals(limiter.nextAvailableAt(now, null), 60_000 + n * 20);
    }
    now = 60_000 + n * 20;
    assertEquals(limiter.available(now, null), 1);
    limiter.record(now);
  }
});

Deno.test("command limiter: a clock that ran over never gives an instant in the past [case 57]", () => {
  const limiter = filled(120);
  assertEquals(limiter.nextAvailableAt(3_600_000, { nextAt: 60_000, intervalMs: 41_250 }), 3_600_000);
  assertEquals(limiter.nextUrgentAt(3_600_000), 3_600_000);
});

/** Sends the heartbeats of a schedule, each as soon as it may go; tells which were late. */
function lateHeartbeats(limiter: CommandLimiter, { nextAt, intervalMs }: HeartbeatSchedule): number[] {
  const late: number[] = [];
  for (let heartbeat = 0, dueAt = nextAt; heartbeat < 200; heartbeat++, dueAt += intervalMs) {
    if (limiter.nextUrgentAt(dueAt) > dueAt) late.push(dueAt);
    limiter.record(limiter.nextUrgentAt(dueAt));
  }
  return late;
}

/** Sends commands as long as they are admitted; tells how many. */
function fill(limiter: CommandLimiter, now: number, heartbeats: HeartbeatSchedule): number {
  let commands = 0;
  for (; limiter.nextAvailableAt(now, heartbeats) === now; commands++) limiter.record(now);
  return commands;
}

Deno.test("command limiter: commands after the clock went back take no place of a heartbeat", () => {
  // Identify and a heartbeat at 0, then 99 heartbeats while they count: 19 commands. 1200 ms earlier these are 97 heartbeats.
  const limiter = filled(2);
  const heartbeats = { nextAt: 600, intervalMs: 600 };
  assertEquals(fill(limiter, 0, heartbeats), 19);
  assertEquals(fill(limiter, -1_200, heartbeats), 2);
  // Noted at 0 and not where the clock stood, these two would still count at 59.4 s.
  assertEquals(lateHeartbeats(limiter, heartbeats), []);
});

Deno.test("command limiter: a heartbeat that the clock went back to before the last command goes at once", () => {
  // Identify and 19 commands at 0, and heartbeats until the machine slept.
  const limiter = filled(20);
  for (let at = 0; at <= 55_800; at += 600) limiter.record(at);
  // It wakes up just when the frames of 0 have left. The overdue heartbeat is weighed as one that goes now.
  assertEquals(fill(limiter, 60_000, { nextAt: 56_400, intervalMs: 600 }), 20);
  // It goes 1 ms before: the frames of 0 have left in truth, and do not count again.
  assertEquals(lateHeartbeats(limiter, { nextAt: 59_999, intervalMs: 600 }), []);
});

Deno.test("command limiter: any question finds out that the clock went back", () => {
  const heartbeats = { nextAt: 59_000, intervalMs: 60_000 };
  const noticed = () => {
    const limiter = filled(119);
    limiter.record(60_000);
    return limiter;
  };
  // 119 frames of 0 left when the last one was sent, so they are gone whatever the clock shows now.
  assertEquals(noticed().available(59_000, null), 119);
  assertEquals(noticed().nextAvailableAt(59_000, null), 59_000);
  assertEquals(noticed().nextUrgentAt(59_000), 59_000);
  assertEquals(noticed().requestedHeartbeatAt(58_000, heartbeats), 58_000);
});

Deno.test("command limiter: an overdue heartbeat counts as due now", () => {
  const limiter = filled(119);
  const overdue = { nextAt: 9_000, intervalMs: 41_250 };
  assertEquals(limiter.available(10_000, overdue), 0);
  assertEquals(limiter.nextUrgentAt(10_000), 10_000);
  assertEquals(limiter.nextAvailableAt(10_000, overdue), 60_000);
});

Deno.test("command limiter: user commands never take what a heartbeat, an identify or a resume needs", () => {
  const limiter = filled(1);
  const heartbeats = { nextAt: 41_250, intervalMs: 41_250 };
  let commands = 0;
  while (limiter.nextAvailableAt(0, heartbeats) === 0) {
    limiter.record(0);
    commands++;
  }
  assertEquals(commands, 118);
  assertEquals(limiter.nextUrgentAt(0), 0);
});

Deno.test("command limiter: a frame of high priority waits only where the limit itself is reached", () => {
  assertEquals(filled(119).nextUrgentAt(10), 10);
  assertEquals(filled(120).nextUrgentAt(10), 60_000);
});

Deno.test("command limiter: heartbeats so dense that they fill the budget leave no command, and no endless search", () => {
  for (const intervalMs of [0, 1, 500, -1]) {
    const limiter = filled(1);
    const heartbeats = { nextAt: 0, intervalMs };
    assertEquals(limiter.available(0, heartbeats), 0);
    assertEquals(limiter.nextAvailableAt(0, heartbeats), Infinity);
    assertEquals(limiter.requestedHeartbeatAt(0, heartbeats), 0);
  }
  // A first heartbeat that is far away: commands go until its window would meet too many heartbeats.
  const far = { nextAt: 50_000, intervalMs: 1 };
  assertEquals(new CommandLimiter().available(0, far), 0);
  assertEquals(new CommandLimiter().nextAvailableAt(0, { nextAt: 60_000, intervalMs: 0 }), 0);
});

Deno.test("command limiter: 505 ms leaves one slot, 504 ms none", () => {
  const saturate = (intervalMs: number) => {
    const limiter = new CommandLimiter();
    for (let nextAt = 0; nextAt < 120_000; nextAt += intervalMs) limiter.record(nextAt);
    const nextAt = Math.ceil(120_000 / intervalMs) * intervalMs;
    return limiter.nextAvailableAt(120_000, { nextAt, intervalMs });
  };
  assertEquals(saturate(505), 120_000);
  assertEquals(saturate(504), Infinity);
});

Deno.test("command limiter: a requested heartbeat goes at once where there is room", () => {
  assertEquals(filled(1).requestedHeartbeatAt(5_000, { nextAt: 41_250, intervalMs: 41_250 }), 5_000);
});

Deno.test("command limiter: a requested heartbeat waits until the heartbeats after it fit as well", () => {
  // Full but for the slot of the heartbeat at 41.25 s. Sent at 5 s already, the one after it would come at 46.25 s, where
  // all the frames of 0 s still count: it waits until that one falls on their end.
  const limiter = filled(119);
  const heartbeats = { nextAt: 41_250, intervalMs: 41_250 };
  assertEquals(limiter.requestedHeartbeatAt(5_000, heartbeats), 60_000 - 41_250);
});

Deno.test("command limiter: a requested heartbeat waits no longer than until the next scheduled one", () => {
  const limiter = filled(119);
  limiter.record(1_000);
  const heartbeats = { nextAt: 60_000, intervalMs: 41_250 };
  assertEquals(limiter.requestedHeartbeatAt(5_000, heartbeats), 60_000);
  assertEquals(limiter.requestedHeartbeatAt(70_000, heartbeats), 70_000);
});

Deno.test("command limiter: a schedule without sense costs nothing but its reserve", () => {
  const limiter = filled(1);
  for (const heartbeats of [{ nextAt: NaN, intervalMs: NaN }, { nextAt: Infinity, intervalMs: 41_250 }]) {
    assertEquals([limiter.available(0, heartbeats), limiter.nextAvailableAt(0, heartbeats)], [119, 0]);
  }
});

Deno.test("command limiter: refuses limits that make no sense", () => {
  for (const limit of [0, 1, 2.5, NaN]) assertThrows(() => new CommandLimiter({ limit }), RangeError);
  assertThrows(() => new CommandLimiter({ periodMs: 0 }), RangeError);
});
