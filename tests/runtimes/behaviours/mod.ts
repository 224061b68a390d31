/** The contract suite: what has to be so on every runtime. The order is that of the matrix. */

import type { Behaviour } from "./behaviour.ts";
import { COMMANDS } from "./commands.ts";
import { AFTERWARDS, CONSUMING } from "./consuming.ts";
import { DIALLING } from "./dialling.ts";
import { SESSION } from "./session.ts";
import { TLS } from "./tls.ts";

export type { Behaviour } from "./behaviour.ts";
export { AFTERWARDS } from "./consuming.ts";

/** Those that may be played at the same time. */
export const TOGETHER: readonly Behaviour[] = [...DIALLING, ...TLS, ...SESSION, ...COMMANDS, ...CONSUMING];

/** All of them. */
export const BEHAVIOURS: readonly Behaviour[] = [...TOGETHER, ...AFTERWARDS];
