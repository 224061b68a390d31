/** Our voice connection in one call with @discordjs/voice, with DAVE: each hears the other, by UDP. */

import davey from "@snazzah/davey";
import { assert, assertEquals } from "@std/assert";
import { daveyProvider, isSilenceFrame, joinVoice } from "../../voice/mod.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { selfSigned } from "./certificate.ts";
import { DiscordjsVoice } from "./discordjs_voice.ts";
import { until } from "./until.ts";

const GUILD = { id: "4000", channels: [{ name: "voice", type: 2, id: "4101" }], members: ["alice", "bob"] };

/** Opus frames that cannot be taken for others. */
function frames(name: string, count: number): Uint8Array[] {
  const letters = [...new TextEncoder().encode(name)];
  return Array.from({ length: count }, (_, at) => Uint8Array.of(0x78, at, ...letters));
}

Deno.test("voice peers: a connection of ours and a client of @discordjs/voice hear each other with DAVE", async () => {
  await using discord = new FakeDiscord({ guilds: [GUILD] });
  const voice = await discord.openVoice();
  const tls = await selfSigned();
  await voice.listen({ tls });
  await using peers = await DiscordjsVoice.start(tls.cert);
  const credentials = voice.enter("bob", { channelId: "4101" });
  await peers.join("bob", credentials);
  await peers.until("bob is in the call", () => voice.call().userIds.length === 1);
  // The gateway in memory: the runtime's WebSocket does not trust the certificate. Media goes by UDP.
  const alice = await joinVoice(voice.gatewayOf("alice"), {
    guildId: "4000",
    channelId: "4101",
    dave: daveyProvider(davey),
    dial: voice.dial,
  });
  await peers.until("both are secured", () => peers.isSecured("bob") && alice.dave?.phase === "secured");
  assertEquals(alice.dave?.privacyCode, peers.privacyCode("bob"));

  const heard: string[] = [];
  const hearing = (async () => {
    for await (const { frame } of alice.receive(credentials.userId)) {
      if (!isSilenceFrame(frame)) heard.push(frame.join());
    }
  })();
  const said = frames("bob says", 10);
  for (const frame of said) {
    await peers.say("bob", frame);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until("alice has heard bob", () => heard.includes(said.at(-1)?.join() ?? ""));
  assertEquals(heard, said.map((frame) => frame.join()));

  const [aliceId] = voice.call().userIds.filter((id) => id !== credentials.userId);
  assert(aliceId);
  // The other side subscribes when it hears that somebody speaks; its first frames may be lost by that.
  const played = frames("alice says", 50);
  await alice.play(played);
  const last = played.at(-1);
  assert(last);
  await peers.until("bob has heard alice", () => peers.hasHeard("bob", aliceId, last));
  const count = played.filter((frame) => peers.hasHeard("bob", aliceId, frame)).length;
  assert(count >= 40, `${count} of 50`);

  assertEquals([peers.errors, voice.media.plain, voice.journal.violations()], [[], 0, []]);
  await alice.close();
  await hearing;
  await peers.leave("bob");
});
