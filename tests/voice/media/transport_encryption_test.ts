import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import process from "node:process";
import * as nodeCrypto from "node:crypto";
import { webAesGcm } from "../../../voice/media/aead.ts";
import { builtInAesGcm } from "../../../voice/media/built_in_crypto.ts";
import { RtpSizeCipher } from "../../../voice/media/transport_encryption.ts";
import { type EncryptionMode, VoiceMediaError } from "../../../voice/mod.ts";
import {
  createTransportCipher,
  encodeRtpHeader,
  packetNonce,
  RTCP_CLEAR_BYTES,
  type TransportCipher,
} from "../../../voice/core.ts";
import { assertProperty } from "../../property.ts";
import { hChaCha20, hex, sealIndependently, sealXChaCha } from "./independent_crypto.ts";

/** Both modes, on every implementation of their ciphers. */
const CIPHERS: readonly {
  readonly name: string;
  readonly mode: EncryptionMode;
  make(key: Uint8Array, firstNonce?: number): Promise<TransportCipher>;
}[] = [
  {
    name: "AES-256-GCM by node:crypto",
    mode: "aead_aes256_gcm_rtpsize",
    make: (key, firstNonce = 0) => {
      const aead = builtInAesGcm(key);
      assert(aead !== null, "this runtime has it");
      return Promise.resolve(new RtpSizeCipher("aead_aes256_gcm_rtpsize", aead, firstNonce));
    },
  },
  {
    name: "AES-256-GCM by WebCrypto",
    mode: "aead_aes256_gcm_rtpsize",
    make: async (key, firstNonce = 0) => {
      return new RtpSizeCipher("aead_aes256_gcm_rtpsize", await webAesGcm(key), firstNonce);
    },
  },
  {
    name: "XChaCha20-Poly1305",
    mode: "aead_xchacha20_poly1305_rtpsize",
    make: (key, firstNonce = 0) => {
      return createTransportCipher({ mode: "aead_xchacha20_poly1305_rtpsize", key, firstNonce });
    },
  },
];
const MODES: readonly EncryptionMode[] = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"];
const KEY = Uint8Array.from({ length: 32 }, (_, at) => 7 * at + 1);
const HEADER = encodeRtpHeader({ sequence: 1, timestamp: 960, ssrc: 7 });

Deno.test("transport encryption: the second implementation agrees with the published vectors", () => {
  const subkey = hChaCha20(
    hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
    hex("000000090000004a0000000031415927"),
  );
  assertEquals(subkey, hex("82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"));
  const plain = new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const key = Uint8Array.from({ length: 32 }, (_, at) => 0x80 + at);
  const nonce = Uint8Array.from({ length: 24 }, (_, at) => 0x40 + at);
  const sealed = sealXChaCha(key, nonce, { aad: hex("50515253c0c1c2c3c4c5c6c7"), plain });
  assertEquals(sealed.subarray(0, 16), hex("bd6d179d3e83d43b9576579493c0e939"));
  assertEquals(sealed.subarray(-16), hex("c0875924c1c7987947deafd8780acf49"));
});

for (const { name, mode, make } of CIPHERS) {
  Deno.test(`transport encryption: ${name}: packets are sealed byte by byte as by other code`, async () => {
    const cipher = await make(KEY, 0x01020304);
    for (const nonce of [[1, 2, 3, 4], [1, 2, 3, 5]] as const) {
      const plain = Uint8Array.of(0xf8, 1, 2, 3);
      const expected = sealIndependently({ mode, key: KEY, clear: HEADER, plain, nonce: [...nonce] });
      assertEquals(await cipher.seal(HEADER, plain), expected);
    }
  });

  Deno.test(`transport encryption: ${name}: packets of other code are opened, whatever their nonce`, async () => {
    const cipher = await make(KEY);
    await assertProperty(fc.asyncProperty(
      fc.uint8Array({ minLength: 12, maxLength: 80 }),
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)),
      async (clear, plain, nonce) => {
        const packet = sealIndependently({ mode, key: KEY, clear, plain, nonce });
        assertEquals(await cipher.open(packet, clear.length), plain);
      },
    ));
  });

  Deno.test(`transport encryption: ${name}: RTCP is opened behind its eight clear bytes`, async () => {
    const cipher = await make(KEY);
    const clear = hex("80 c8 0006 0000c0de");
    const plain = hex("e5 5a 2c 11 00 00 00 00 00 01 02 03");
    // The native client counts low bytes first, with the top bit set.
    const packet = sealIndependently({ mode, key: KEY, clear, plain, nonce: [1, 0, 0, 0x80] });
    assertEquals(await cipher.open(packet, RTCP_CLEAR_BYTES), plain);
  });

  Deno.test(`transport encryption: ${name}: one bit changed anywhere, and it does not open [case 71]`, async () => {
    const cipher = await make(KEY);
    const packet = await cipher.seal(HEADER, Uint8Array.of(1, 2, 3));
    for (let at = 0; at < packet.length; at++) {
      const changed = packet.slice();
      changed[at] = (changed[at] ?? 0) ^ 1 << at % 8;
      assertEquals(await cipher.open(changed, 12), null, `byte ${at}`);
    }
    assert(await cipher.open(packet, 12) !== null);
    assertEquals(await cipher.open(packet, 16), null, "another split");
    const other = await make(KEY.toReversed());
    assertEquals(await other.open(packet, 12), null, "another key");
  });

  Deno.test(`transport encryption: ${name}: a packet that is cut short anywhere does not open`, async () => {
    const cipher = await make(KEY);
    const packet = await cipher.seal(HEADER, Uint8Array.of(1, 2, 3));
    for (let length = 0; length < packet.length; length++) {
      assertEquals(await cipher.open(packet.subarray(0, length), 12), null, `${length} bytes`);
    }
  });

  Deno.test(`transport encryption: ${name}: an empty payload is sealed and opened`, async () => {
    const cipher = await make(KEY);
    const packet = await cipher.seal(HEADER, new Uint8Array());
    assertEquals([packet.length, (await cipher.open(packet, 12))?.length], [32, 0]);
  });

  Deno.test(`transport encryption: ${name}: nonces count in the order of the calls, and none comes twice`, async () => {
    const cipher = await make(KEY);
    const packets = await Promise.all(
      Array.from({ length: 300 }, (_, at) => cipher.seal(HEADER, Uint8Array.of(at & 255))),
    );
    assertEquals(packets.map(packetNonce), packets.map((_, at) => at));
    const opened = await Promise.all(packets.map((packet) => cipher.open(packet, 12)));
    assertEquals(opened, packets.map((_, at) => Uint8Array.of(at & 255)));
  });

  Deno.test(`transport encryption: ${name}: after the last nonce comes an error, at once and from then on`, async () => {
    const cipher = await make(KEY, 2 ** 32 - 2);
    const last = [await cipher.seal(HEADER, HEADER), await cipher.seal(HEADER, HEADER)];
    assertEquals(last.map(packetNonce), [0xffff_fffe, 0xffff_ffff]);
    for (let again = 0; again < 2; again++) {
      const error = assertThrows(() => cipher.seal(HEADER, HEADER), VoiceMediaError, "2 ** 32");
      assertEquals(error.code, "ERR_NONCE_EXHAUSTED");
    }
    assert(await cipher.open(last[0]!, 12) !== null, "opening goes on");
  });
}

for (const mode of MODES) {
  Deno.test(`transport encryption: ${mode}: the key is copied, and shows in no inspection`, async () => {
    const key = KEY.slice();
    const cipher = await createTransportCipher({ mode, key });
    key.fill(0);
    const nonce = [0, 0, 0, 0] as const;
    const plain = Uint8Array.of(5);
    assertEquals(
      await cipher.seal(HEADER, plain),
      sealIndependently({ mode, key: KEY, clear: HEADER, plain, nonce: [...nonce] }),
    );
    const shown = Deno.inspect(cipher, { depth: 10, showHidden: true, getters: true }).replaceAll(/\s/g, "");
    assertEquals(shown.includes(KEY.subarray(0, 4).join()), false);
  });

  for (
    const [what, options] of [
      ["a short key", { key: KEY.subarray(1).slice() }],
      ["a long key", { key: new Uint8Array(33) }],
      ["a first nonce of 33 bits", { firstNonce: 2 ** 32 }],
      ["a negative first nonce", { firstNonce: -1 }],
      ["half a first nonce", { firstNonce: 0.5 }],
    ] as const
  ) {
    Deno.test(`transport encryption: ${mode}: ${what} is refused`, async () => {
      await assertRejects(() => createTransportCipher({ mode, key: KEY, ...options }), RangeError);
    });
  }
}

Deno.test("transport encryption: a packet's nonce are its last four bytes", () => {
  assertEquals(packetNonce(hex("00 01 fffefdfc")), 0xfffefdfc);
  assertEquals([packetNonce(hex("010203")), packetNonce(hex("01020304"))], [null, 0x01020304]);
});

Deno.test("transport encryption: a packet is sealed and opened at once where node:crypto is", async () => {
  for (const mode of MODES) {
    const cipher = await createTransportCipher({ mode, key: KEY });
    const packet = cipher.seal(HEADER, Uint8Array.of(1));
    assert(packet instanceof Uint8Array, mode);
    assertEquals(cipher.open(packet, 12), Uint8Array.of(1));
  }
});

Deno.test("transport encryption: without node:crypto packets are the same, by promises", async () => {
  const mode = "aead_aes256_gcm_rtpsize";
  const before = await createTransportCipher({ mode, key: KEY });
  const { getBuiltinModule } = process;
  const asked: string[] = [];
  Object.assign(process, { getBuiltinModule: (name: string) => void asked.push(name) });
  const without = await createTransportCipher({ mode, key: KEY }).finally(() => {
    Object.assign(process, { getBuiltinModule });
  });
  assertEquals(asked, ["node:crypto"]);
  const packet = without.seal(HEADER, Uint8Array.of(1));
  assert(packet instanceof Promise);
  assertEquals(await packet, await before.seal(HEADER, Uint8Array.of(1)));
});

Deno.test("transport encryption: what is given may be changed while a promise is under way", async () => {
  const cipher = new RtpSizeCipher("aead_aes256_gcm_rtpsize", await webAesGcm(KEY), 0);
  const [clear, plain] = [HEADER.slice(), Uint8Array.of(1, 2, 3)];
  const sealing = cipher.seal(clear, plain);
  clear.fill(9);
  plain.fill(9);
  const packet = await sealing;
  const nonce = [0, 0, 0, 0] as const;
  const parts = { mode: cipher.mode, key: KEY, clear: HEADER, plain: [1, 2, 3], nonce };
  assertEquals(packet, sealIndependently(parts));
  const opening = cipher.open(packet, 12);
  packet.fill(9);
  assertEquals(await opening, Uint8Array.of(1, 2, 3));
});

Deno.test("transport encryption: a module that only has the name of node:crypto is not used", () => {
  assert(builtInAesGcm(KEY, nodeCrypto) !== null);
  const { createSecretKey, createCipheriv, createDecipheriv } = nodeCrypto;
  const whole = { createSecretKey, createCipheriv, createDecipheriv };
  const silent = {
    setAAD: () => {},
    setAuthTag: () => {},
    update: () => new Uint8Array(),
    final: () => new Uint8Array(),
  };
  const credulous = (...[name, key, iv, options]: Parameters<typeof createDecipheriv>) => {
    const decipher = createDecipheriv(name, key, iv, options);
    return {
      setAAD: () => {},
      setAuthTag: () => {},
      update: (text: Uint8Array) => decipher.update(text),
      final: () => {
        try {
          return decipher.final();
        } catch {
          return new Uint8Array();
        }
      },
    };
  };
  for (
    const [what, module] of [
      ["none", null],
      ["an empty one", {}],
      ["one without decryption", { createSecretKey, createCipheriv }],
      ["one whose key throws", {
        ...whole,
        createSecretKey: () => {
          throw new Error("unsupported");
        },
      }],
      ["one that does nothing", {
        ...whole,
        createCipheriv: () => ({ ...silent, getAuthTag: () => new Uint8Array(16) }),
      }],
      ["one that decrypts nothing", { ...whole, createDecipheriv: () => silent }],
      ["one that encrypts for another key", { ...whole, createSecretKey: () => createSecretKey(KEY) }],
      ["one that believes every tag", { ...whole, createDecipheriv: credulous }],
    ] as const
  ) assertEquals(builtInAesGcm(KEY, module), null, what);
});
