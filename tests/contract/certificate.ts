/**
 * A certificate for 127.0.0.1 and localhost, signed by itself: for clients that dial `wss://` as they would dial Discord.
 *
 * Made with WebCrypto for each test, so no private key lies in the repository.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */

/** Key and certificate, both in PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const NUMBER_BYTES = 32;

const [INTEGER, BIT_STRING, OCTET_STRING, OID, UTF8, SEQUENCE, SET, UTC_TIME] = [
  2,
  3,
  4,
  6,
  12,
  0x30,
  0x31,
  0x17,
];
const [VERSION, EXTENSIONS, DNS_NAME, IP_ADDRESS] = [0xa0, 0xa3, 0x82, 0x87];

const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const SUBJECT_ALTERNATIVE_NAME = [0x55, 0x1d, 0x11];
const TRUE = [0x01, 0x01, 0xff];

/** Makes one. */
export async function selfSigned(): Promise<Certificate> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const algorithm = der(SEQUENCE, der(OID, ECDSA_WITH_SHA256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, [...der(OID, COMMON_NAME), ...der(UTF8, text("fake"))])));
  const time = (year: string) => der(UTC_TIME, text(`${year}0101000000Z`));
  const extensions = [
    // rustls wants no authority here.
    ...der(SEQUENCE, [...der(OID, BASIC_CONSTRAINTS), ...TRUE, ...der(OCTET_STRING, der(SEQUENCE, []))]),
    ...der(SEQUENCE, [
      ...der(OID, SUBJECT_ALTERNATIVE_NAME),
      ...der(
        OCTET_STRING,
        der(SEQUENCE, [...der(IP_ADDRESS, [127, 0, 0, 1]), ...der(DNS_NAME, text("localhost"))]),
      ),
    ]),
  ];
  const unsigned = der(SEQUENCE, [
    ...der(VERSION, der(INTEGER, [2])),
    ...der(INTEGER, [1]),
    ...algorithm,
    ...name,
    ...der(SEQUENCE, [...time("20"), ...time("49")]),
    ...name,
    ...spki,
    ...der(EXTENSIONS, der(SEQUENCE, extensions)),
  ]);
  const raw = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    privateKey,
    Uint8Array.from(unsigned),
  );
  const signature = der(BIT_STRING, [0, ...signatureOf(new Uint8Array(raw))]);
  const cert = der(SEQUENCE, [...unsigned, ...algorithm, ...signature]);
  return { key: pem("PRIVATE KEY", pkcs8), cert: pem("CERTIFICATE", cert) };
}

function der(tag: number, content: ArrayLike<number>): number[] {
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return [tag, ...size, ...Array.from(content)];
}

function signatureOf(raw: Uint8Array): number[] {
  const integer = (number: Uint8Array) => {
    const start = Math.max(0, number.findIndex((byte) => byte !== 0));
    const bytes = [...number.subarray(start)];
    return der(INTEGER, (bytes[0] ?? 0) < 0x80 ? bytes : [0, ...bytes]);
  };
  return der(SEQUENCE, [...integer(raw.subarray(0, NUMBER_BYTES)), ...integer(raw.subarray(NUMBER_BYTES))]);
}

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

function pem(label: string, bytes: ArrayLike<number>): string {
  const lines = btoa(String.fromCharCode(...Array.from(bytes))).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
