/**
 * The script of the status page. It is a string, since a bundler may rewrite a function whose source text is used.
 *
 * This half follows the status and sends orders; `page_show.ts` shows a status.
 */

import { SHOW_SCRIPT } from "./page_show.ts";

/** The page's script. */
export const PAGE_SCRIPT = String.raw`"use strict";${SHOW_SCRIPT}

// The secret stays in this tab; browsers do not send the URL's fragment to servers.
let secret = "";
try { secret = sessionStorage.getItem("secret") ?? ""; } catch { /* storage may be forbidden */ }
function takeFromAddress() {
  if (location.hash.length < 2 || location.hash === "#shards-title") return false;
  try { secret = decodeURIComponent(location.hash.slice(1)); } catch { secret = location.hash.slice(1); }
  history.replaceState(null, "", location.pathname);
  return true;
}
takeFromAddress();
addEventListener("hashchange", () => {
  if (!takeFromAddress()) return;
  $("sign-in").close();
  follow();
});
const remember = (value) => {
  secret = value;
  try {
    if (value) sessionStorage.setItem("secret", value);
    else sessionStorage.removeItem("secret");
  } catch { /* then for this page only */ }
};

// Following the status.

let following = null;

function connection(text, mood) {
  put($("connection"), text);
  $("connection").dataset.mood = mood;
}

async function follow() {
  following?.abort();
  const { signal } = following = new AbortController();
  for (let failures = 0; !signal.aborted;) {
    let silence;
    try {
      const attempt = new AbortController();
      signal.addEventListener("abort", () => attempt.abort(), { once: true });
      // A status takes ten seconds if a shard does not respond; a connection that is silent for longer is lost.
      const heard = () => { clearTimeout(silence); silence = setTimeout(() => attempt.abort(), 25_000); };
      heard();
      const response = await fetch("/status/events", { headers: { authorization: "Bearer " + secret }, signal: attempt.signal });
      if (response.status === 401) {
        await response.text();
        return refused();
      }
      if (!response.ok || response.body === null) throw new Error("status " + response.status);
      remember(secret);
      delete document.body.dataset.signedOut;
      let buffer = "";
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        failures = 0;
        heard();
        buffer += value;
        const events = buffer.split("\n\n");
        buffer = events.pop();
        for (const event of events) if (event.startsWith("data: ")) told(JSON.parse(event.slice(6)));
      }
    } catch { /* the next attempt shows whether the Worker responds */ } finally {
      clearTimeout(silence);
    }
    if (signal.aborted) return;
    connection("Connection lost, trying again", "bad");
    await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 500 * 2 ** failures++)));
  }
}

function told(status) {
  connection("Up to date", "good");
  show(status);
}

// A hidden tab stops following: each status is a request to every shard.
let hiding = null;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = setTimeout(() => {
      following?.abort();
      following = null;
      connection("Paused", "idle");
    }, 60_000);
  } else if (following === null && secret && !$("sign-in").open) follow();
});

// Signing in and out.

function refused() {
  const wasGiven = secret !== "";
  remember("");
  askForSecret(wasGiven ? "That secret was not accepted." : "");
}

function askForSecret(text) {
  following?.abort();
  following = null;
  connection("Not signed in", "idle");
  document.body.dataset.signedOut = "";
  put($("secret-problem"), text);
  if (!$("sign-in").open) $("sign-in").showModal();
  $("secret").focus();
}

$("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = $("secret").value;
  // A header has no other characters.
  if (!/^[\x20-\x7e]+$/.test(given)) return put($("secret-problem"), "A secret has only plain characters.");
  $("secret").value = "";
  secret = given;
  $("sign-in").close();
  connection("Connecting", "busy");
  follow();
});
// Without the secret there is nothing to show behind the dialog.
$("sign-in").addEventListener("cancel", (event) => event.preventDefault());
$("sign-out").addEventListener("click", () => {
  remember("");
  $("shards").replaceChildren();
  cards.clear();
  totals = [];
  askForSecret("");
});

// Giving orders.

function answer(text, mood) {
  put($("answer"), text);
  $("answer").dataset.mood = mood;
}

async function order(path, body, done) {
  answer("One moment …", "idle");
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { authorization: "Bearer " + secret, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status === 401) { answer("", "idle"); return refused(); }
    if (response.ok) return answer(done, "good");
    let message = null;
    try { message = JSON.parse(text).error.message; } catch { /* not an error of the Worker */ }
    answer(message ?? "The Worker answered with status " + response.status + ".", "bad");
  } catch (error) {
    answer("The Worker cannot be reached: " + error.message, "bad");
  }
}

const onSubmit = (id, act) => $(id).addEventListener("submit", (event) => {
  event.preventDefault();
  act();
});
onSubmit("start-form", () => {
  const shards = $("start-count").value;
  order("/start", shards === "" ? {} : { shards: Number(shards) }, "The shards start.");
});
onSubmit("stop-form", () => order("/stop", { keepSession: $("stop-keep").checked }, "The shards stop."));
onSubmit("reshard-form", () => {
  const shards = Number($("reshard-count").value);
  const isBack = String(shards) === $("reshard-form").dataset.present;
  order("/reshard", { shards }, isBack ? "The reshard is given up." : shards + " new shards come up beside the present ones.");
});
onSubmit("send-form", () => {
  let command;
  try { command = JSON.parse($("send-command").value); } catch (error) { return answer("The command is not JSON: " + error.message, "bad"); }
  const shard = $("send-shard").value;
  order("/send", shard === "" ? { command } : { shard: Number(shard), command }, "The command is sent.");
});

// The grid is one tab stop; inside it, arrow keys move by rows and columns.

const buttons = () => [...$("shards").querySelectorAll("button:not([hidden])")];

function keepOneTabStop() {
  const all = buttons();
  const stop = all.find((button) => button.tabIndex === 0) ?? all[0];
  for (const button of all) button.tabIndex = button === stop ? 0 : -1;
}

function columns() {
  const [first, ...rest] = $("shards").children;
  const next = rest.findIndex((item) => item.offsetTop > first.offsetTop);
  return next < 0 ? rest.length + 1 : next + 1;
}

$("shards").addEventListener("keydown", (event) => {
  const all = buttons();
  const at = all.indexOf(document.activeElement);
  if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
  const to = {
    ArrowRight: () => at + 1,
    ArrowLeft: () => at - 1,
    ArrowDown: () => at + columns(),
    ArrowUp: () => at - columns(),
    Home: () => 0,
    End: () => all.length - 1,
  }[event.key]?.();
  if (to === undefined) return;
  event.preventDefault();
  all[to]?.focus();
});
$("shards").addEventListener("focusin", ({ target }) => {
  if (target.tagName !== "BUTTON") return;
  for (const button of buttons()) button.tabIndex = button === target ? 0 : -1;
});

if (secret) follow();
else askForSecret("");
`;
