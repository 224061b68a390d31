/** Where a player's frames go: through the present session, encrypted, and only while there are keys. */

import type { Outlet } from "./audio/player.ts";
import type { ServerSession } from "./server_session.ts";

/** What an outlet is made from. */
export interface CallOutletOptions {
  /** The present session; `null` between two. */
  readonly session: () => ServerSession | null;
  /** Sends whether the bot speaks, in this session and in those that follow. */
  readonly speaks: (speaks: boolean) => void;
}

/** An outlet over the present session. */
export function callOutlet({ session, speaks }: CallOutletOptions): Outlet {
  return {
    get open() {
      return isOpen(session());
    },
    send: (frame) => {
      const encrypted = session()?.dave?.encrypt(frame) ?? null;
      // Without keys nothing leaves, and time passes.
      if (encrypted === null) session()?.media?.skip(1);
      else return session()?.media?.send(encrypted);
    },
    skip: (slots) => session()?.media?.skip(slots),
    speaks,
  };
}

function isOpen(session: ServerSession | null): boolean {
  if (!session?.media?.open || !session.dave) return false;
  const { phase, alone } = session.dave;
  return (phase !== "joining" || alone) && (session.hasSpoken || session.ready);
}
