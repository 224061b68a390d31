/**
 * The half of the status page's script that shows a status; a string for the same reason as `page_script.ts`.
 *
 * Each shard's card is created once and changed in place, so that focus, scroll position and a screen reader's position
 * survive every update.
 */

/** Defines `show(status)`, and the functions that both halves use. */
export const SHOW_SCRIPT = String.raw`
const $ = (id) => document.getElementById(id);
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

// The label and the mood of each state of a shard.
const STATES = {
  live: ["live", "good"],
  failing: ["handler failing", "bad"],
  unreachable: ["unreachable", "bad"],
  disconnected: ["disconnected", "bad"],
  closed: ["ended", "bad"],
  stopped: ["stopped", "idle"],
  idle: ["starting", "busy"],
  waiting: ["starting again", "busy"],
  locating: ["connecting", "busy"],
  dialing: ["connecting", "busy"],
  awaiting_hello: ["connecting", "busy"],
  awaiting_permit: ["in line to identify", "busy"],
  identifying: ["identifying", "busy"],
  resuming: ["resuming", "busy"],
  draining: ["handler behind", "busy"],
};
const HISTORY = 60;

// Showing a status.

const cards = new Map();
let totals = [];
let lastNote = "";

/* The rate over the last minute; zero for a stopped shard. */
const rateOf = (status) => status?.running ? status.events.perSecond : 0;

function cardOf(key, id) {
  let card = cards.get(key);
  if (card) return card;
  const item = $("card").content.firstElementChild.cloneNode(true);
  const part = {};
  for (const node of item.querySelectorAll("[data-part]")) part[node.dataset.part] = node;
  for (const name of ["name", "state", "why"]) part[name].id = name + "-" + key;
  item.setAttribute("aria-labelledby", part.name.id);
  part.restart.setAttribute("aria-describedby", part.state.id + " " + part.why.id);
  part.restart.addEventListener("click", () => order("/restart", { shard: id }, "Shard " + id + " restarts."));
  card = { item, part, rates: [], word: null };
  cards.set(key, card);
  return card;
}

function showShard({ shardId, shardCount, status, error }, { running, shardCount: present, resharding }) {
  const key = shardId + "-of-" + shardCount;
  const card = cardOf(key, shardId);
  const { item, part, rates } = card;
  const isOfNow = shardCount === present;
  const name = "Shard " + shardId + (isOfNow ? "" : " of " + shardCount);
  const state = status === null ? "unreachable" : status.failing ? "failing" : status.state;
  const [word, mood] = STATES[state] ?? [state, "busy"];
  const problem = status === null ? error : status.failing?.error ?? (mood === "good" || mood === "idle" ? null : status.lastError);
  item.dataset.mood = mood;
  item.dataset.state = state;
  put(part.name, name);
  part.restart.setAttribute("aria-label", "Restart " + name.toLowerCase());
  put(part.state, word);
  put(part.since, status === null ? "" : "for " + duration(Date.now() - status.since));
  put(part.tag, isOfNow ? "" : shardCount === resharding ? "new set" : "old set, finishing");
  const failing = status?.failing ? status.failing.event + ", attempt " + status.failing.attempts + ": " : "";
  put(part.why, [status?.why, problem && failing + problem.message].filter(Boolean).join(" · "));
  put(part.latency, status?.latency ? Math.round(status.latency.lastMs) + " ms" : "–");
  put(part.rate, status?.running ? status.events.perSecond.toFixed(1) : "–");
  put(part.commands, status?.commands ? status.commands.available + " of " + status.commands.limit : "–");
  put(part.restarts, status ? String(status.restarts) : "–");
  part.restart.hidden = !isOfNow || !running;
  rates.push(rateOf(status));
  draw(part.line, rates);
  const change = card.word !== null && card.word !== word ? name + " " + word : null;
  card.word = word;
  return { key, change };
}

function show(status) {
  const list = $("shards");
  const hadFocus = list.contains(document.activeElement) ? [...list.children].findIndex((item) => item.contains(document.activeElement)) : -1;
  const keys = new Set();
  const changes = [];
  status.shards.forEach((shard, place) => {
    const { key, change } = showShard(shard, status);
    keys.add(key);
    if (change) changes.push(change);
    const { item } = cards.get(key);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  for (const [key, card] of cards) {
    if (keys.has(key)) continue;
    card.item.remove();
    cards.delete(key);
  }
  keepOneTabStop();
  // A focus on a removed card moves to the card at the same position.
  const focused = document.activeElement;
  if (hadFocus >= 0 && (focused.hidden || !list.contains(focused))) {
    (buttons()[Math.min(hadFocus, buttons().length - 1)] ?? $("shards-title")).focus();
  }
  overview(status, changes);
}

function overview(status, changes) {
  const { running, shardCount, resharding, lastReshard, identifies, lastError, shards } = status;
  const liveOf = (count) => shards.filter((shard) => shard.shardCount === count && shard.status?.state === "live").length;
  const live = liveOf(shardCount);
  const latencies = shards.flatMap(({ shardId, status }) => status?.latency ? [{ shardId, ms: status.latency.lastMs }] : []);
  latencies.sort((a, b) => a.ms - b.ms);
  const rate = shards.reduce((sum, { status }) => sum + rateOf(status), 0);
  put($("live"), shardCount === null ? "–" : String(live));
  put($("live-of"), shardCount === null ? "" : "of " + shardCount);
  put($("rate"), rate.toFixed(1));
  totals.push(rate);
  draw($("rate-line"), totals);
  put($("latency-unit"), latencies.length ? "ms" : "");
  put($("latency"), latencies.length ? String(Math.round(latencies[latencies.length >> 1].ms)) : "–");
  const last = latencies.at(-1);
  put($("slowest"), last && latencies.length > 1 ? "slowest: shard " + last.shardId + ", " + Math.round(last.ms) + " ms" : "");
  const bad = [...cards.values()].filter(({ item }) => item.dataset.mood === "bad").map(({ part }) => part.name.textContent);
  put($("attention"), bad.length > 0 ? "in trouble: " + bad.slice(0, 4).join(", ").replaceAll("Shard", "shard") + (bad.length > 4 ? " and " + (bad.length - 4) + " more" : "")
    : running && live === shardCount ? "all is well" : "");

  const [word, mood] = shardCount === null ? ["not started", "idle"]
    : !running ? ["stopped", "idle"]
    : resharding !== null ? ["resharding", "busy"]
    : live === shardCount ? ["running", "good"] : ["not complete", "busy"];
  put($("fleet-state"), word);
  $("fleet-state").dataset.mood = mood;
  document.title = (running ? live + " of " + shardCount + " live" : word) + " · Gateway";
  $("start-form").querySelector("button").classList.toggle("main", !running);

  const meter = $("identify");
  put($("identify-left"), identifies ? String(identifies.remaining) : "–");
  put($("identify-of"), identifies ? "of " + identifies.total : "");
  meter.hidden = !identifies;
  if (identifies) {
    Object.assign(meter, { max: identifies.total, low: identifies.total * .2, high: identifies.total * .5,
      optimum: identifies.total, value: identifies.remaining });
    meter.setAttribute("aria-valuetext", identifies.remaining + " of " + identifies.total);
  }
  put($("identify-reset"), identifies && identifies.resetAfterMs !== null ? "full again in " + duration(identifies.resetAfterMs) : "");

  $("reshard-form").dataset.present = shardCount;
  $("reshard-banner").hidden = resharding === null;
  if (resharding !== null) {
    put($("reshard-note"), "Resharding from " + shardCount + " to " + resharding + ": " + liveOf(resharding) + " of the new shards live. A reshard to " + shardCount + " gives it up.");
    Object.assign($("reshard-progress"), { max: resharding, value: liveOf(resharding) });
  }
  const failed = lastReshard?.error && resharding === null ? "The last reshard did not take place. " + lastReshard.error.message : "";
  const trouble = lastError ? "Coordinator, " + clock(lastError.at) + ": " + lastError.message : "";
  problem([failed, trouble].filter(Boolean).join(" · "));

  const note = resharding !== null ? "resharding from " + shardCount + " to " + resharding : word;
  const sentences = [];
  const count = live + " of " + shardCount + " shards live";
  if (lastNote && note !== lastNote) sentences.push("Fleet " + note + (running ? ", " + count : ""));
  // A whole fleet that starts is announced in one sentence, not in a hundred.
  if (changes.length <= 3) sentences.push(...changes);
  else if (sentences.length === 0) sentences.push(changes.length + " shards changed, " + count);
  lastNote = note;
  if (sentences.length > 0) put($("announcer"), sentences.join("; "));
}

function problem(text) {
  put($("problem-banner"), text);
  $("problem-banner").hidden = text === "";
}

function draw(line, values) {
  if (values.length > HISTORY) values.splice(0, values.length - HISTORY);
  const top = Math.max(1, ...values) * 1.15;
  const from = HISTORY - values.length;
  line.setAttribute("points", values.map((value, place) => (from + place) + "," + (19 - 18 * value / top).toFixed(1)).join(" "));
}

function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return seconds + " s";
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes + " min";
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? hours + " h " + minutes % 60 + " min" : Math.floor(hours / 24) + " days";
}

const clock = (at) => "at " + new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
`;
