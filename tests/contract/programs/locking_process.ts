/**
 * Holds an exclusive lock on a SQLite file until it is killed. Prints `locked`.
 *
 * Its argument is the path of the file.
 */

import { DatabaseSync } from "node:sqlite";

const [path = ""] = Deno.args;
const database = new DatabaseSync(path);
database.exec("BEGIN EXCLUSIVE");
console.log("locked");
setInterval(() => database.isOpen, 1_000);
