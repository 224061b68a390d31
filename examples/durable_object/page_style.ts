/** The look of the status page, light or dark as the system prefers. */

/** The page's style sheet. Every text has a contrast of at least 4.5 to 1 on its background. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f5f8, #0e1014);
  --card: light-dark(#ffffff, #171a21);
  --line: light-dark(#dfe2e9, #2a2f3a);
  --field: light-dark(#868e9c, #6b7484);
  --text: light-dark(#171a21, #e9ebf1);
  --soft: light-dark(#566072, #a3abba);
  --accent: light-dark(#4450c9, #a9b1ff);
  --on-accent: light-dark(#ffffff, #10131c);
  --good: light-dark(#0b6b3f, #6bdba2);
  --good-tint: light-dark(#e3f5eb, #14301f);
  --busy: light-dark(#7d5000, #f2c063);
  --busy-tint: light-dark(#fdf1d8, #35280c);
  --bad: light-dark(#b01f2c, #ff9297);
  --bad-tint: light-dark(#fdeaeb, #3d1619);
  --idle: var(--soft);
  --idle-tint: light-dark(#eceef2, #242832);
  font: 16px/1.45 system-ui, "Segoe UI", Roboto, sans-serif;
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--page); color: var(--text); }
h1, h2, h3, p, dl, dd, ul { margin: 0; padding: 0; }
h1 { font-size: 1.2rem; letter-spacing: -.01em; }
h2 { font-size: 1rem; }
h3 { font-size: 1rem; }
small, .note { font-size: .8125rem; font-weight: 400; color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; background: var(--card); color: var(--accent); padding: .6rem 1rem; z-index: 2; }
.skip:focus { left: 1rem; top: .4rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .3rem; }
h2:focus { outline: none; }

[data-mood="good"] { --mood: var(--good); --tint: var(--good-tint); }
[data-mood="busy"] { --mood: var(--busy); --tint: var(--busy-tint); }
[data-mood="bad"] { --mood: var(--bad); --tint: var(--bad-tint); }
[data-mood="idle"] { --mood: var(--idle); --tint: var(--idle-tint); }
.pill { background: var(--tint); color: var(--mood); border-radius: 1rem; padding: .1rem .65rem; font-size: .8125rem;
  font-weight: 600; white-space: nowrap; }

.bar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem;
  padding: .7rem max(1.25rem, calc((100vw - 80rem) / 2)); background: var(--card); border-bottom: 1px solid var(--line); }
.mark { width: 1.35rem; height: 1.35rem; fill: var(--accent); }
.mark .lit { fill: var(--good); }
#connection { margin-left: auto; font-size: .875rem; color: var(--soft); display: flex; align-items: center; gap: .5rem; }
#connection::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: var(--mood); }

main { max-width: 80rem; margin: 0 auto; padding: 1.25rem; display: grid; gap: 1.25rem; }
.tiles { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(9.75rem, 1fr)); }
.tiles > div, .panel, .card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
.tiles > div { padding: .85rem 1rem; position: relative; overflow: hidden; min-height: 6.2rem; }
.tiles dt, .tiles label { color: var(--soft); font-size: .875rem; font-weight: 400; }
.tiles dd { font-size: 1.75rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
.tiles dd.note { font-size: .8125rem; font-weight: 400; letter-spacing: 0; }
.tiles small { letter-spacing: 0; }
.tiles .spark { position: absolute; left: 0; right: 0; bottom: 0; height: 1.6rem; }
meter { display: block; width: 100%; height: .5rem; margin: .1rem 0 .2rem; border: 0; border-radius: .25rem; background: var(--idle-tint); }
meter::-webkit-meter-inner-element { display: block; }
meter::-webkit-meter-bar { height: .5rem; border: 0; border-radius: .25rem; background: var(--idle-tint); }
meter::-webkit-meter-optimum-value { border-radius: .25rem; background: var(--accent); }
meter::-webkit-meter-suboptimum-value { border-radius: .25rem; background: var(--busy); }
meter::-webkit-meter-even-less-good-value { border-radius: .25rem; background: var(--bad); }
meter::-moz-meter-bar { border-radius: .25rem; background: var(--accent); }
.banner { margin-top: .75rem; padding: .7rem 1rem; border-radius: .75rem; background: var(--tint); color: var(--mood); }
progress { display: block; width: 100%; height: .4rem; margin-top: .45rem; accent-color: var(--mood); }

.panel { padding: 1rem; display: grid; gap: .9rem; }
.forms { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
form { display: grid; grid-template-columns: 1fr auto; gap: .3rem .5rem; align-content: start; align-items: center; }
form > label, form > .note, form > textarea { grid-column: 1 / -1; }
label { font-size: .875rem; font-weight: 600; }
.check { display: flex; align-items: center; gap: .5rem; min-height: 2.45rem; }
.forms form:has(.check) { padding-top: 1.55rem; }
body[data-signed-out] #sign-out { visibility: hidden; }
input, textarea { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--field); border-radius: .5rem;
  padding: .4rem .65rem; width: 100%; min-width: 0; }
input::placeholder { color: var(--soft); opacity: 1; }
input[type="checkbox"] { width: 1.1rem; height: 1.1rem; margin: 0; accent-color: var(--accent); }
textarea { font: .875rem/1.45 ui-monospace, SFMono-Regular, Menlo, monospace; resize: vertical; }
button { font: inherit; font-size: .9375rem; font-weight: 600; color: var(--accent); background: var(--card); cursor: pointer;
  border: 1px solid var(--accent); border-radius: .5rem; padding: .4rem .95rem; }
button:hover { background: var(--idle-tint); }
button.main { background: var(--accent); color: var(--on-accent); }
button.main:hover { filter: brightness(1.08); }
button.quiet { color: var(--soft); border-color: var(--line); font-size: .8125rem; padding: .2rem .7rem; }
button.quiet:hover { color: var(--text); border-color: var(--field); }
summary { cursor: pointer; font-size: .9375rem; color: var(--accent); width: fit-content; }
details form { margin-top: .6rem; max-width: 42rem; row-gap: .4rem; }
#send-shard { grid-column: 1 / -1; max-width: 9rem; }
details form button { justify-self: start; }
#answer { font-size: .9375rem; overflow-wrap: anywhere; color: var(--mood, var(--text)); }
#answer:empty, .why:empty, .tag:empty, #secret-problem:empty { display: none; }

.grid-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .25rem 1rem; margin-bottom: .6rem; }
#shards { list-style: none; display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
.card { padding: .8rem .95rem; display: flex; flex-direction: column; gap: .35rem; border-top: 3px solid var(--mood, var(--line)); }
.card .head, .card .row { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .25rem .5rem; }
.card .row { min-height: 1.8rem; }
.since { font-size: .8125rem; color: var(--soft); }
.tag { border: 1px solid var(--field); border-radius: .3rem; padding: 0 .35rem; }
.why { font-size: .8125rem; overflow-wrap: anywhere; color: var(--mood); }
.card dl { display: grid; grid-template-columns: 1fr 1fr; gap: .4rem .75rem; }
.card dt { font-size: .8125rem; color: var(--soft); }
.card dd { font-weight: 600; font-variant-numeric: tabular-nums; }
.spark { display: block; width: 100%; height: 1.4rem; }
.spark polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; opacity: .75; }
.empty { color: var(--soft); padding: 2.5rem 1rem; text-align: center; border: 1px dashed var(--field); border-radius: .75rem; }
#shards:not(:empty) + .empty { display: none; }

dialog { background: var(--card); color: var(--text); border: 1px solid var(--line); border-radius: .9rem; padding: 1.5rem;
  width: min(24rem, calc(100vw - 2rem)); box-shadow: 0 1rem 3rem rgb(0 0 0 / .3); }
dialog::backdrop { background: rgb(10 12 18 / .55); }
dialog form { grid-template-columns: 1fr; gap: .45rem; }
dialog h2 { font-size: 1.15rem; margin-bottom: .35rem; }
dialog button { margin-top: .6rem; }
#secret-problem { color: var(--bad); font-size: .875rem; }

@media (prefers-reduced-motion: no-preference) { .card, .pill { transition: border-color .25s, background-color .25s, color .25s; } }
@media (forced-colors: active) { .card { border: 1px solid; } .pill { border: 1px solid; } }
`;
