/** The fake's voice side on ports: the runtime's own WebSocket, and datagrams of `node:dgram`. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createSocket } from "node:dgram";
import { until } from "../../contract/until.ts";
import { FakeDiscord } from "../../fake/mod.ts";

Deno.test("voice ports: a client comes from HELLO to its description, in whatever pieces frames are sent", async () => {
  for (const splitFrames of [false, true]) {
    await using discord = new FakeDiscord({ guilds: [{ channels: [{ name: "voice", type: 2 }] }] });
    const voice = await discord.openVoice();
    voice.faults.splitFrames = splitFrames;
    await voice.listen();
    const { endpoint, token, sessionId, guildId, userId } = voice.enter("alice");
    assert(/^127\.0\.0\.1:\d+$/.test(endpoint));
    await assertRejects(() => voice.listen(), TypeError, "somebody has joined already");

    const socket = new WebSocket(`ws://${endpoint}/?v=8`);
    socket.binaryType = "arraybuffer";
    const ops: number[] = [];
    let media = { ssrc: 0, ip: "", port: 0 };
    const send = (op: number, d: object) => socket.send(JSON.stringify({ op, d }));
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return void ops.push(new Uint8Array(data)[2] ?? -1);
      const { op, d } = JSON.parse(data);
      ops.push(op);
      if (op === 2) media = d;
    };
    await until("HELLO", () => ops.includes(8));
    send(0, {
      server_id: guildId,
      user_id: userId,
      session_id: sessionId,
      token,
      max_dave_protocol_version: 1,
    });
    await until("READY", () => media.port !== 0);

    const udp = createSocket("udp4");
    const answers: Uint8Array[] = [];
    udp.on("message", (datagram) => answers.push(datagram));
    const question = new Uint8Array(74);
    question.set([0, 1, 0, 70]);
    new DataView(question.buffer).setUint32(4, media.ssrc);
    udp.send(question, media.port, media.ip);
    await until("an address", () => answers.length > 0);
    const port = new DataView(Uint8Array.from(answers[0] ?? []).buffer).getUint16(72);
    assertEquals(port, udp.address().port);
    send(1, { protocol: "udp", data: { address: "127.0.0.1", port, mode: "aead_aes256_gcm_rtpsize" } });
    await until("the external sender, in bytes", () => ops.includes(25));
    assertEquals(ops, [8, 2, 4, 25]);
    assertEquals(voice.journal.violations(), []);

    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
    await new Promise<void>((resolve) => udp.close(() => resolve()));
  }
});
