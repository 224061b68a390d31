/**
 * The markup of the status page. Every changing element has an id, and every card is made from one template.
 *
 * One live region, `announcer`, speaks changes: if the cards were live regions, a screen reader would read every number.
 */

/** The body of the page. */
export const PAGE_MARKUP = `
<a class="skip" href="#shards-title">Skip to the shards</a>
<header class="bar">
  <svg class="mark" viewBox="0 0 16 16" aria-hidden="true"><rect width="7" height="7" rx="2"/><rect x="9" width="7"
    height="7" rx="2"/><rect y="9" width="7" height="7" rx="2"/><rect class="lit" x="9" y="9" width="7" height="7" rx="2"/></svg>
  <h1>Gateway</h1>
  <p id="fleet-state" class="pill" data-mood="idle">No status yet</p>
  <p id="connection" data-mood="busy" role="status">Connecting</p>
  <button type="button" id="sign-out" class="quiet">Sign out</button>
</header>
<p id="announcer" class="unseen" role="status"></p>
<main>
  <section aria-labelledby="overview-title">
    <h2 id="overview-title" class="unseen">Overview</h2>
    <dl class="tiles">
      <div><dt>Shards live</dt><dd><span id="live">–</span> <small id="live-of"></small></dd>
        <dd class="note" id="attention"></dd></div>
      <div><dt>Events per second</dt><dd><span id="rate">–</span></dd>
        <svg class="spark" viewBox="0 0 60 20" preserveAspectRatio="none" aria-hidden="true"><polyline id="rate-line"/></svg></div>
      <div><dt>Median latency</dt><dd><span id="latency">–</span> <small id="latency-unit"></small></dd>
        <dd class="note" id="slowest"></dd></div>
      <div><dt><label for="identify">Identifies left today</label></dt>
        <dd><span id="identify-left">–</span> <small id="identify-of"></small>
          <meter id="identify" min="0" max="1" value="0" hidden aria-describedby="identify-reset"></meter></dd>
        <dd class="note" id="identify-reset"></dd></div>
    </dl>
    <div id="reshard-banner" class="banner" data-mood="busy" hidden>
      <p id="reshard-note"></p>
      <progress id="reshard-progress" max="1" value="0" aria-labelledby="reshard-note"></progress>
    </div>
    <p id="problem-banner" class="banner" data-mood="bad" hidden></p>
  </section>
  <section aria-labelledby="controls-title" class="panel">
    <h2 id="controls-title">Controls</h2>
    <div class="forms">
      <form id="start-form">
        <label for="start-count">Number of shards</label>
        <input id="start-count" type="number" min="1" max="16384" step="1" inputmode="numeric"
          placeholder="automatic" aria-describedby="start-hint">
        <button>Start</button>
        <p class="note" id="start-hint">Empty: as many as before, or as Discord recommends.</p>
      </form>
      <form id="reshard-form">
        <label for="reshard-count">New number of shards</label>
        <input id="reshard-count" type="number" min="1" max="16384" step="1" inputmode="numeric" required
          aria-describedby="reshard-hint">
        <button>Reshard</button>
        <p class="note" id="reshard-hint">The old shards retire once the new ones deliver. Each new one costs an identify.</p>
      </form>
      <form id="stop-form">
        <span class="check"><input id="stop-keep" type="checkbox" checked aria-describedby="stop-hint">
          <label for="stop-keep">Keep the sessions</label></span>
        <button>Stop</button>
        <p class="note" id="stop-hint">A start within a few minutes then resumes, and misses nothing.</p>
      </form>
    </div>
    <details>
      <summary>Send a command</summary>
      <form id="send-form">
        <label for="send-shard">Shard</label>
        <input id="send-shard" type="number" min="0" step="1" inputmode="numeric" placeholder="the guild’s"
          aria-describedby="send-hint">
        <label for="send-command">Command, as JSON</label>
        <textarea id="send-command" rows="3" required spellcheck="false">{"op":3,"d":{"since":null,"activities":[],"status":"online","afk":false}}</textarea>
        <button>Send</button>
        <p class="note" id="send-hint">Without a shard, the guild’s shard is used; a presence goes to all.</p>
      </form>
    </details>
    <p id="answer" role="status"></p>
  </section>
  <section aria-labelledby="shards-title">
    <div class="grid-head">
      <h2 id="shards-title" tabindex="-1">Shards</h2>
      <p class="note" id="grid-hint">Arrow keys move from shard to shard.</p>
    </div>
    <ul id="shards" role="list" aria-labelledby="shards-title"></ul>
    <p id="empty" class="empty">Nothing runs. Start some shards above.</p>
  </section>
</main>
<template id="card">
  <li class="card">
    <div class="head">
      <h3 data-part="name"></h3>
      <p class="pill" data-part="state"></p>
    </div>
    <div class="row">
      <p class="since"><span data-part="since"></span> <span class="tag" data-part="tag"></span></p>
      <button class="quiet" type="button" data-part="restart" tabindex="-1">Restart</button>
    </div>
    <p class="why" data-part="why"></p>
    <svg class="spark" viewBox="0 0 60 20" preserveAspectRatio="none" aria-hidden="true"><polyline data-part="line"/></svg>
    <dl>
      <div><dt>Latency</dt><dd data-part="latency"></dd></div>
      <div><dt>Events per second</dt><dd data-part="rate"></dd></div>
      <div><dt>Commands left</dt><dd data-part="commands"></dd></div>
      <div><dt>Restarts</dt><dd data-part="restarts"></dd></div>
    </dl>
  </li>
</template>
<dialog id="sign-in" aria-labelledby="sign-in-title">
  <form id="sign-in-form">
    <h2 id="sign-in-title">Sign in</h2>
    <label for="secret">Control secret</label>
    <input id="secret" type="password" required autocomplete="current-password" aria-describedby="secret-hint secret-problem">
    <p class="note" id="secret-hint">The one that the Worker was deployed with. It stays in this tab.</p>
    <p id="secret-problem" role="alert"></p>
    <button class="main">Sign in</button>
  </form>
</dialog>
<noscript><p class="empty">The page reads the status with a script, which this browser does not run.</p></noscript>
`;
