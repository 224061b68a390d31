/** What a shard is doing until it has a connection. */

/** Requesting the gateway's URL and the limits: `GET /gateway/bot`. */
export interface ShardLocating {
  /** The discriminant. */
  readonly state: "locating";
}

/** Opening a connection. */
export interface ShardDialing {
  /** The discriminant. */
  readonly state: "dialing";
  /** The URL dialled; there is no secret in it. */
  readonly url: string;
  /** What the connection is for. */
  readonly action: "identify" | "resume";
}
