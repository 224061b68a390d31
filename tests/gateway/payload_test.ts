/** Most of what is asserted here is asserted by the type checker; the tests run so that it is known to have happened. */

import { assertEquals } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import type {
  GatewayGuildCreateDispatchData,
  GatewayHelloData,
  GatewayIdentifyData,
  GatewayIdentifyProperties,
  GatewayMessageCreateDispatchData,
  GatewayPresenceUpdateData,
  GatewayReadyDispatchData,
  GatewayRequestChannelInfoData,
  GatewayRequestGuildMembersDataBase,
  GatewayRequestSoundboardSoundsData,
  GatewayResumeData,
  GatewaySendPayload,
  GatewayTypingStartDispatchData,
  GatewayVoiceStateUpdateData,
} from "discord-api-types/v10";
import type {
  DirectMessageEventName,
  EventName,
  GuildEventName,
  UngatedEventName,
} from "../../gateway/event.ts";
import { intentsOf } from "../../gateway/intent.ts";
import type { CommandOpcode } from "../../gateway/opcode.ts";
import type {
  Activity,
  EventData,
  EventDataByName,
  GatewayCommand,
  GatewayDispatch,
  Hello,
  Identify,
  IdentifyProperties,
  PresenceUpdate,
  Ready,
  RequestChannelInfo,
  RequestGuildMembersBase,
  RequestSoundboardSounds,
  Resume,
  VoiceStateUpdate,
} from "../../gateway/payload.ts";

/** Something for the type checker to look at; it never runs. */
function typesOnly(_check: () => void): void {}

/** Stands for a value of any type, in code that never runs. */
declare function some<Type>(): Type;

Deno.test("payload: event.d narrows by event.t", () => {
  function read(event: GatewayDispatch<"MESSAGE_CREATE" | "TYPING_START" | "GUILD_CREATE">): string {
    switch (event.t) {
      case "MESSAGE_CREATE":
        assertType<IsExact<typeof event.d, GatewayMessageCreateDispatchData>>(true);
        return event.d.content;
      case "TYPING_START":
        assertType<IsExact<typeof event.d, GatewayTypingStartDispatchData>>(true);
        return event.d.user_id;
      case "GUILD_CREATE":
        assertType<IsExact<typeof event.d, GatewayGuildCreateDispatchData>>(true);
        return event.d.name;
      default:
        assertType<IsExact<typeof event, never>>(true);
        return event;
    }
  }
  const event: GatewayDispatch<"TYPING_START"> = {
    op: 0,
    s: 1,
    t: "TYPING_START",
    d: { channel_id: "1", user_id: "2", timestamp: 3 },
  };
  assertEquals(read(event), "2");
});

Deno.test("payload: event.d narrows by event.t among all events", () => {
  typesOnly(() => {
    const event = some<GatewayDispatch>();
    assertType<IsExact<typeof event.t, EventName>>(true);
    if (event.t === "READY") assertType<IsExact<typeof event.d, GatewayReadyDispatchData>>(true);
    // @ts-expect-error: before t is known, d may be anything.
    event.d.content;
  });
});

Deno.test("payload: an event that was not asked for is a type error", () => {
  typesOnly(() => {
    const event = some<GatewayDispatch<"MESSAGE_CREATE" | "READY">>();
    // @ts-expect-error: GUILD_CREATE was not asked for.
    event.t === "GUILD_CREATE";
    // @ts-expect-error: nobody's name.
    event.t === "MESSAGE_CRATE";
    // @ts-expect-error: an event is one of the names that Discord has.
    some<GatewayDispatch<"MESSAGE_CRATE">>();
    // @ts-expect-error: one event is not another.
    some<(event: GatewayDispatch<"READY">) => void>()(some<GatewayDispatch<"RESUMED">>());
    // Fewer events go where more are taken.
    some<(event: GatewayDispatch) => void>()(event);
  });
});

Deno.test("payload: every event has a type, and no type lacks its event", () => {
  assertType<IsExact<keyof EventDataByName, EventName>>(true);
  assertType<IsExact<EventData<"MESSAGE_CREATE">, GatewayMessageCreateDispatchData>>(true);
  // Discord documents no content for it, so nothing may be relied on.
  assertType<IsExact<EventData<"RESUMED">, unknown>>(true);
});

Deno.test("payload: the lists of wanted events take only the names that can come there", () => {
  assertType<IsExact<Extract<"MESSAGE_CREATE", GuildEventName>, "MESSAGE_CREATE">>(true);
  assertType<IsExact<Extract<GuildEventName, UngatedEventName>, never>>(true);
  assertType<IsExact<Exclude<DirectMessageEventName, GuildEventName>, never>>(true);
  assertType<IsExact<GuildEventName | UngatedEventName, EventName>>(true);
  assertType<
    IsExact<
      DirectMessageEventName,
      | "CHANNEL_PINS_UPDATE"
      | "MESSAGE_CREATE"
      | "MESSAGE_DELETE"
      | "MESSAGE_POLL_VOTE_ADD"
      | "MESSAGE_POLL_VOTE_REMOVE"
      | "MESSAGE_REACTION_ADD"
      | "MESSAGE_REACTION_REMOVE"
      | "MESSAGE_REACTION_REMOVE_ALL"
      | "MESSAGE_REACTION_REMOVE_EMOJI"
      | "MESSAGE_UPDATE"
      | "TYPING_START"
    >
  >(true);
  typesOnly(() => {
    // @ts-expect-error: an interaction needs no intent.
    intentsOf({ guildEvents: ["INTERACTION_CREATE"] });
    // @ts-expect-error: a guild is created in no direct message.
    intentsOf({ directMessageEvents: ["GUILD_CREATE"] });
    // @ts-expect-error: a message needs an intent.
    intentsOf({ events: ["MESSAGE_CREATE"] });
    // @ts-expect-error: nobody's name.
    intentsOf({ guildEvents: ["messageCreate"] });
  });
});

Deno.test("payload: the fields of what we send and read are those of discord-api-types", () => {
  assertType<IsExact<keyof Hello, keyof GatewayHelloData>>(true);
  assertType<IsExact<keyof Identify, keyof GatewayIdentifyData>>(true);
  assertType<IsExact<keyof IdentifyProperties, keyof GatewayIdentifyProperties>>(true);
  assertType<IsExact<keyof Resume, keyof GatewayResumeData>>(true);
  assertType<IsExact<keyof PresenceUpdate, keyof GatewayPresenceUpdateData>>(true);
  assertType<IsExact<keyof Activity, keyof GatewayPresenceUpdateData["activities"][number]>>(true);
  assertType<IsExact<keyof VoiceStateUpdate, keyof GatewayVoiceStateUpdateData>>(true);
  assertType<IsExact<keyof RequestGuildMembersBase, keyof GatewayRequestGuildMembersDataBase>>(true);
  assertType<IsExact<keyof RequestSoundboardSounds, keyof GatewayRequestSoundboardSoundsData>>(true);
  assertType<IsExact<keyof RequestChannelInfo, keyof GatewayRequestChannelInfoData>>(true);
  // The connection reads a part of READY, so all of READY must do.
  typesOnly(() => some<(ready: Ready) => void>()(some<GatewayReadyDispatchData>()));
});

Deno.test("payload: the commands are what discord-api-types says a client sends, but for the connection's own", () => {
  assertType<IsExact<GatewayCommand["op"], CommandOpcode>>(true);
  assertType<IsExact<`${GatewaySendPayload["op"]}`, `${CommandOpcode | 1 | 2 | 6}`>>(true);
});

Deno.test("payload: commands are checked against their opcode", () => {
  const commands: GatewayCommand[] = [
    { op: 3, d: { since: null, activities: [{ name: "chess", type: 0 }], status: "online", afk: false } },
    {
      op: 3,
      d: { since: null, activities: [{ name: "-", type: 4, state: "away" }], status: "idle", afk: true },
    },
    { op: 4, d: { guild_id: "1", channel_id: null, self_mute: false, self_deaf: true } },
    { op: 8, d: { guild_id: "1", query: "", limit: 0 } },
    { op: 8, d: { guild_id: "1", user_ids: ["2", "3"], presences: true, nonce: "n" } },
    { op: 8, d: { guild_id: "1", user_ids: "2" } },
    { op: 31, d: { guild_ids: ["1"] } },
    { op: 43, d: { guild_id: "1", fields: ["status", "voice_start_time"] } },
  ];
  assertEquals(new Set(commands.map((command) => command.op)).size, 5);

  typesOnly(() => {
    const send = some<(command: GatewayCommand) => void>();
    // @ts-expect-error: the connection identifies by itself.
    send({ op: 2, d: { token: "t", properties: { os: "", browser: "", device: "" }, intents: 0 } });
    // @ts-expect-error: the connection heartbeats by itself.
    send({ op: 1, d: null });
    // @ts-expect-error: the body is another command's.
    send({ op: 4, d: { guild_ids: ["1"] } });
    // @ts-expect-error: a query needs a limit.
    send({ op: 8, d: { guild_id: "1", query: "" } });
    // @ts-expect-error: either a query or ids.
    send({ op: 8, d: { guild_id: "1", query: "", limit: 0, user_ids: ["2"] } });
    const both = { guild_id: "1", query: "", limit: 0, user_ids: ["2"] };
    // @ts-expect-error: nor by way of a variable.
    send({ op: 8, d: both });
    // @ts-expect-error: one of the two there must be.
    send({ op: 8, d: { guild_id: "1" } });
    // @ts-expect-error: Discord has no such field.
    send({ op: 43, d: { guild_id: "1", fields: ["name"] } });
    // @ts-expect-error: Discord has no such status.
    send({ op: 3, d: { since: null, activities: [], status: "away", afk: false } });
  });
});
