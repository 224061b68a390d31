import { assertEquals } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import {
  type VoiceClientDisconnectData,
  type VoiceClientsConnectData,
  type VoiceDaveExecuteTransitionData,
  type VoiceDavePrepareEpochData,
  type VoiceDavePrepareTransitionData,
  VoiceEncryptionMode,
  type VoiceHelloData,
  type VoiceResumeData,
  type VoiceSelectProtocolData,
  type VoiceSpeakingData,
  type VoiceSpeakingSendData,
} from "discord-api-types/voice/v8";
import type { EncryptionMode } from "../../../voice/mod.ts";
import type {
  ClientDisconnect,
  ClientsConnect,
  DavePrepareEpoch,
  DavePrepareTransition,
  DaveTransition,
  SelectProtocol,
  Speaking,
  SpeakingCommand,
  VoiceHello,
  VoiceResume,
} from "../../../voice/core.ts";

Deno.test("voice payloads: the fields are those of discord-api-types", () => {
  assertType<IsExact<keyof VoiceHello, keyof VoiceHelloData>>(true);
  assertType<IsExact<keyof VoiceResume, keyof VoiceResumeData>>(true);
  assertType<IsExact<keyof SelectProtocol, keyof VoiceSelectProtocolData>>(true);
  assertType<IsExact<keyof ClientsConnect, keyof VoiceClientsConnectData>>(true);
  assertType<IsExact<keyof ClientDisconnect, keyof VoiceClientDisconnectData>>(true);
  assertType<IsExact<keyof DaveTransition, keyof VoiceDaveExecuteTransitionData>>(true);
  assertType<IsExact<keyof DavePrepareTransition, keyof VoiceDavePrepareTransitionData>>(true);
  assertType<IsExact<keyof SpeakingCommand, keyof VoiceSpeakingSendData>>(true);
  const speaking: (keyof Speaking)[] = ["speaking", "ssrc", "user_id"];
  const theirs: (keyof VoiceSpeakingData)[] = speaking;
  assertEquals(theirs, speaking);
});

Deno.test("voice payloads: PREPARE_EPOCH has an epoch, and no transition", () => {
  // Discord's prose and discord-api-types say transition_id; captures and the protocol's paper say epoch.
  assertType<IsExact<keyof DavePrepareEpoch, "protocol_version" | "epoch">>(true);
  const version: keyof VoiceDavePrepareEpochData = "protocol_version";
  assertEquals(version, "protocol_version");
});

Deno.test("voice payloads: the encryption modes are the two that Discord has kept", () => {
  const kept: Record<EncryptionMode, VoiceEncryptionMode> = {
    aead_aes256_gcm_rtpsize: VoiceEncryptionMode.AeadAes256GcmRtpSize,
    aead_xchacha20_poly1305_rtpsize: VoiceEncryptionMode.AeadXChaCha20Poly1305RtpSize,
  };
  assertEquals<string[]>(Object.keys(kept), Object.values(kept));
});
