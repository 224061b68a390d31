import { assertEquals, assertThrows } from "@std/assert";
import { NotReadyError } from "../../../gateway/mod.ts";
import {
  description,
  hello,
  inPhase,
  json,
  KEY,
  OPEN_PHASES,
  ready,
  SELF,
  SERVER,
  VoiceDriver,
} from "../harness.ts";
import { ScriptedProvider } from "../scripted_dave.ts";

Deno.test("voice state: a new session, step by step", () => {
  const driver = new VoiceDriver();
  assertEquals(driver.state.phase, "awaiting_hello");
  assertEquals(driver.state.deadline, { at: 20_000, reason: "hello" });

  driver.receive(hello());
  assertEquals(driver.sentFor("identify"), [{
    op: 0,
    d: {
      server_id: SERVER.guildId,
      user_id: SELF,
      session_id: SERVER.sessionId,
      token: SERVER.token,
      max_dave_protocol_version: 0,
    },
  }]);

  const media = { ssrc: 12_871, ip: "66.22.243.5", port: 50_004, mode: "aead_aes256_gcm_rtpsize" as const };
  assertEquals(driver.receive(ready()), [{ type: "discover", media }]);
  // The interval of HELLO counts, not READY's 1 ms.
  assertEquals(driver.state.deadline, { at: 13_750, reason: "heartbeat" });

  driver.address();
  const data = { address: "91.90.123.93", port: 54_148, mode: media.mode };
  assertEquals(driver.sentFor("select_protocol"), [{ op: 1, d: { protocol: "udp", data } }]);

  assertEquals(driver.receive(description({ seq: 3 })), [
    { type: "key", mode: media.mode, key: Uint8Array.from(KEY) },
    { type: "event", event: { type: "live", resumed: false, daveVersion: 0 } },
  ]);
  assertEquals([driver.state.phase, driver.session.sequence, driver.session.ssrc], ["live", 3, 12_871]);
});

Deno.test("voice state: the DAVE version announced is the library's", () => {
  const driver = new VoiceDriver({ dave: new ScriptedProvider() });
  driver.receive(hello());
  const [identify] = driver.sentFor("identify") as { d: { max_dave_protocol_version: number } }[];
  assertEquals(identify?.d.max_dave_protocol_version, 1);
});

Deno.test("voice state: the first mode that both speak is chosen, and one that nobody speaks any more is none", () => {
  const modeOf = (modes: string[], options = {}) => {
    const driver = inPhase("identifying", options);
    driver.receive(ready({ modes }));
    const discover = driver.outputs.find((output) => output.type === "discover");
    return discover?.type === "discover" ? discover.media.mode : driver.end.cause;
  };
  const [gcm, xchacha] = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"] as const;
  assertEquals(modeOf([xchacha, gcm]), gcm);
  assertEquals(modeOf([xchacha]), xchacha);
  assertEquals(modeOf([xchacha, gcm], { modes: [xchacha] }), xchacha);
  assertEquals(modeOf([gcm], { modes: [xchacha] }), "no_common_mode");
  assertEquals(modeOf(["xsalsa20_poly1305", "aead_aes256_gcm"]), "no_common_mode");
  assertEquals(modeOf([]), "no_common_mode");
});

for (
  const [phase, reason, cause] of [
    ["awaiting_hello", "hello", "hello_timeout"],
    ["identifying", "ready", "ready_timeout"],
    ["selecting", "session_description", "session_description_timeout"],
    ["resuming", "resumed", "resumed_timeout"],
  ] as const
) {
  Deno.test(`voice state: ${phase} lasts 20 s at most, whatever heartbeats say`, () => {
    const driver = inPhase(phase);
    const from = driver.now;
    driver.advance(19_999);
    assertEquals(driver.state.phase, phase);
    assertEquals(driver.state.deadline, { at: from + 20_000, reason });
    driver.advance(1);
    assertEquals([driver.end.cause, driver.end.phase], [cause, phase]);
  });
}

Deno.test("voice state: each deadline has an option", () => {
  const options = { helloTimeoutMs: 11, readyTimeoutMs: 12, descriptionTimeoutMs: 13, resumedTimeoutMs: 14 };
  const at = (phase: "awaiting_hello" | "identifying" | "selecting" | "resuming") => {
    const driver = phase === "resuming" ? inPhase("live").resumed(options) : inPhase(phase, options);
    return driver.state.deadline.at - driver.now;
  };
  assertEquals([at("awaiting_hello"), at("identifying"), at("selecting"), at("resuming")], [11, 12, 13, 14]);
});

Deno.test("voice state: a discovery may take as long as it likes, and heartbeats go on", () => {
  const driver = inPhase("discovering");
  driver.advance(3_600_000);
  assertEquals(driver.state.phase, "discovering");
  assertEquals(driver.sentFor("heartbeat").length, Math.floor(3_600_000 / 13_750));
  driver.address();
  driver.receive(description());
  assertEquals(driver.state.phase, "live");
});

for (const phase of OPEN_PHASES) {
  if (phase === "discovering") continue;
  Deno.test(`voice state: an address is refused when ${phase}, and nothing changes`, () => {
    const driver = inPhase(phase);
    assertThrows(() => driver.address(), TypeError, phase);
    assertEquals(driver.state.phase, phase);
  });
}

for (const phase of OPEN_PHASES) {
  if (phase === "live") continue;
  Deno.test(`voice state: speaking is refused when ${phase}`, () => {
    const error = assertThrows(() => inPhase(phase).state.speaking(1), NotReadyError, phase);
    assertEquals(error.code, "ERR_NOT_READY");
  });
}

Deno.test("voice state: speaking names the SSRC of READY, also after a resume", () => {
  const frame = { op: 5, d: { speaking: 1, delay: 0, ssrc: 12_871 } };
  const driver = inPhase("live");
  assertEquals(JSON.parse(driver.state.speaking(1)), frame);
  const next = driver.resumed();
  next.receive(json(9));
  assertEquals(JSON.parse(next.state.speaking(1)), frame);
});

Deno.test("voice state: READY and SESSION_DESCRIPTION where they are not due change nothing", () => {
  for (const phase of OPEN_PHASES) {
    const driver = inPhase(phase);
    if (phase !== "identifying") assertEquals(driver.receive(ready()), []);
    if (phase !== "selecting") assertEquals(driver.receive(description({ seq: 60 })), []);
    assertEquals(driver.state.phase === phase || phase === "identifying", true);
  }
});

for (
  const [what, phase, message] of [
    ["a HELLO without an interval", "awaiting_hello", json(8, {})],
    ["a HELLO with an interval of 0", "awaiting_hello", json(8, { heartbeat_interval: 0 })],
    ["a HELLO with an endless interval", "awaiting_hello", json(8, { heartbeat_interval: 1e12 })],
    ["a READY without an SSRC", "identifying", ready({ ssrc: undefined })],
    ["a READY with an SSRC of 33 bits", "identifying", ready({ ssrc: 2 ** 32 })],
    ["a READY without an address", "identifying", ready({ ip: "" })],
    ["a READY with port 0", "identifying", ready({ port: 0 })],
    ["a READY without modes", "identifying", ready({ modes: undefined })],
    ["a description of another mode", "selecting", description({ d: { mode: "xsalsa20_poly1305" } })],
    ["a description with a short key", "selecting", description({ d: { secret_key: KEY.slice(1) } })],
    [
      "a description with a key beyond bytes",
      "selecting",
      description({ d: { secret_key: KEY.map(() => 256) } }),
    ],
    [
      "a description with a version of words",
      "selecting",
      description({ d: { dave_protocol_version: "1" } }),
    ],
    ["a version that was not announced", "selecting", description({ version: 1 })],
  ] as const
) {
  Deno.test(`voice state: ${what} ends it as a protocol error`, () => {
    const driver = inPhase(phase);
    driver.receive(message);
    assertEquals([driver.end.cause, driver.end.session], ["protocol_error", null]);
    assertEquals(driver.end.error?.name, "ProtocolError");
  });
}

Deno.test("voice state: a description without a DAVE version is one of version 0", () => {
  const driver = inPhase("selecting");
  driver.receive(description({ d: { dave_protocol_version: undefined } }));
  assertEquals([driver.state.phase, driver.state.dave.phase], ["live", "plain"]);
});
