/** The status page of `examples/durable_object/` in a real browser, before a real Worker. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../contract/until.ts";
import { ROOT } from "../gate/process.ts";
import { Browser, findChromium } from "./browser.ts";
import { CuttableProxy } from "./cuttable_proxy.ts";
import { ExampleServer, SECRET } from "./example_server.ts";

/** Guilds of the shards 0 to 15. */
const GUILDS = Array.from(
  { length: 16 },
  (_, shard) => ({ id: `${BigInt(250_000_000_000 + shard) << 22n}` }),
);
const OUT = new URL("tests/out/", ROOT);
const chromium = findChromium();

if (chromium === null) console.log("The status page is not tested: there is no Chromium on this machine");

Deno.test({ name: "status page: sixteen shards in Chromium", ignore: chromium === null, fn: play });

async function play(t: Deno.TestContext): Promise<void> {
  await using server = await ExampleServer.start({ shards: 16, guilds: GUILDS, heartbeatInterval: 2_000 });
  await using browser = await Browser.start(chromium ?? "");
  await using proxy = new CuttableProxy(server.url);
  const { discord } = server;
  const { url } = proxy;
  const { page, troubles } = browser;
  const card = (shard: number) => page.getByRole("listitem", { name: `Shard ${shard}`, exact: true });
  const cardIn = (shard: number, state: string) =>
    page.locator(`#shards > [data-state="${state}"]`).and(card(shard));
  const said = async () => String(await browser.run('said.join("; ")'));
  const text = async (id: string) => await page.locator(`#${id}`).textContent() ?? "";

  await t.step("without a secret it asks for one, and a wrong one is not accepted", async () => {
    await page.goto(url.href);
    const dialog = page.getByRole("dialog", { name: "Sign in" });
    await dialog.waitFor();
    assertEquals(await browser.focused(), "Control secret");
    await page.keyboard.press("Escape");
    assert(await dialog.isVisible());
    await page.keyboard.type("a wrong secret");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").filter({ hasText: "That secret was not accepted." }).waitFor();
    assertEquals(troubles.splice(0), [
      "console: Failed to load resource: the server responded with a status of 401 (Unauthorized)",
    ]);
  });

  await t.step("the right one signs in, for as long as the tab is open", async () => {
    await page.getByLabel("Control secret").fill(SECRET);
    await page.keyboard.press("Enter");
    await page.getByText("Up to date").waitFor();
    assertEquals(await text("fleet-state"), "not started");
    await page.reload();
    await page.getByText("Up to date").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.reload();
    await page.getByRole("dialog", { name: "Sign in" }).waitFor();
  });

  await t.step("the secret behind # signs in, and is gone from the address", async () => {
    await page.goto(`${url}#${encodeURIComponent(SECRET)}`);
    await page.getByText("Up to date").waitFor();
    assertEquals(page.url(), url.href);
    // From here on nothing may go wrong, and nothing may load the page anew.
    troubles.length = 0;
    await browser.run(`
      globalThis.marker = "the same document";
      globalThis.violations = [];
      globalThis.said = [];
      new MutationObserver(() => said.push(document.getElementById("announcer").textContent))
        .observe(document.getElementById("announcer"), { childList: true });
      document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
    `);
  });

  await t.step("Start brings up as many shards as Discord recommends", async () => {
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("The shards start.").waitFor();
    await page.locator('#shards > [data-state="live"]').nth(15).waitFor();
    await page.getByText("all is well").waitFor();
    assertEquals([await text("live"), await text("live-of")], ["16", "of 16"]);
    assertEquals(await text("fleet-state"), "running");
    assertEquals(await text("identify-left"), "984");
    assertMatch(await said(), /Fleet running, 16 of 16 shards live/);
    assertEquals(await page.title(), "16 of 16 live · Gateway");
  });

  const writing = setInterval(() => {
    for (const { id } of GUILDS) {
      if (Math.random() < 0.5) discord.sendMessage({ guildId: id, content: "hello" });
    }
  }, 100);
  try {
    await t.step("latency, events per second and the command budget come alive", async () => {
      const rates = new Set<string>();
      await eventually("the rate moves", async () => rates.add(await text("rate")).size > 3);
      await eventually("every shard knows its latency", async () => !/–/.test((await details(0)).latency));
      const { latency, rate, commands, restarts } = await details(5);
      assertMatch(latency, /^\d+ ms$/);
      assertMatch(rate, /^\d+\.\d$/);
      assertMatch(commands, /^\d+ of 120$/);
      assertEquals(restarts, "0");
    });

    await t.step(
      "a screen reader finds headings, sixteen named items, meters, and a name on every control",
      async () => {
        const tree = await browser.accessible();
        const named = (role: string) => tree.filter((node) => node.role === role).map(({ name }) => name);
        const shards = Array.from({ length: 16 }, (_, id) => `Shard ${id}`);
        assertEquals(named("heading"), ["Gateway", "Overview", "Controls", "Shards", ...shards]);
        assertEquals(named("listitem"), shards);
        assertEquals(named("list"), ["Shards"]);
        assertEquals(named("main").length, 1);
        const [meter] = tree.filter(({ role }) => role === "meter");
        assertEquals(meter, { role: "meter", name: "Identifies left today", value: "984" });
        const live = named("button").filter((name) => /^Restart shard \d+$/.test(name));
        assertEquals(live.length, 16);
        const controls = ["button", "spinbutton", "textbox", "checkbox", "link", "DisclosureTriangle"];
        const nameless = tree.filter(({ role, name }) => controls.includes(role) && name === "");
        assertEquals(nameless, []);
        for (const name of ["Number of shards", "New number of shards"]) {
          assert(named("spinbutton").includes(name));
        }
        assert(named("checkbox").includes("Keep the sessions"));
        assert(await page.getByRole("status").count() >= 2);
        assertEquals(await page.locator("html").getAttribute("lang"), "en");
      },
    );

    await t.step("the tab key goes through the page once, and stops once at the grid", async () => {
      await browser.run(`
        document.body.tabIndex = -1;
        document.body.focus();
        document.body.removeAttribute("tabindex");
      `);
      const stops: string[] = [];
      for (let stop = 0; stop < 10; stop++) {
        await page.keyboard.press("Tab");
        stops.push(await browser.focused());
      }
      assertEquals(stops, [
        "Skip to the shards",
        "Sign out",
        "Number of shards",
        "Start",
        "New number of shards",
        "Reshard",
        "Keep the sessions",
        "Stop",
        "Send a command",
        "Restart shard 0",
      ]);
      await page.keyboard.press("Tab");
      assert(!(await browser.focused()).startsWith("Restart"));
      await page.keyboard.press("Shift+Tab");
      assertEquals(await browser.focused(), "Restart shard 0");
    });

    await t.step("arrows move by rows and columns, and the focus survives updates", async () => {
      const moves = [
        ["ArrowRight", 1],
        ["ArrowDown", 5],
        ["ArrowLeft", 4],
        ["ArrowUp", 0],
        ["ArrowLeft", 0],
        ["End", 15],
        ["ArrowDown", 15],
        ["Home", 0],
        ["ArrowDown", 4],
        ["ArrowRight", 5],
      ] as const;
      for (const [key, shard] of moves) {
        await page.keyboard.press(key);
        assertEquals(await browser.focused(), `Restart shard ${shard}`, key);
      }
      const before = await text("rate");
      await eventually("an update", async () => await text("rate") !== before);
      assertEquals(await browser.focused(), "Restart shard 5");
      // The grid is left and entered again where one was.
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Tab");
      assertEquals(await browser.focused(), "Restart shard 5");
    });

    await t.step("Enter restarts the shard, which resumes; the focus stays", async () => {
      const resumes = discord.journal.resumes().length;
      await page.keyboard.press("Enter");
      await page.getByText("Shard 5 restarts.").waitFor();
      await until("a resume", () => discord.journal.resumes().length === resumes + 1);
      await cardIn(5, "live").waitFor();
      assertEquals(await browser.focused(), "Restart shard 5");
    });

    await t.step(
      "a shard whose connection is lost and one whose handler fails show it, in words",
      async () => {
        await browser.run('for (const node of document.querySelectorAll("#shards > li")) node.marker = true');
        discord.faults.rejectDials = Array(1_000).fill(503);
        discord.faults.rejectRequests = Array(1_000).fill(500);
        discord.connections.find(({ shard }) => shard?.[0] === 9)?.drop();
        discord.sendMessage({ guildId: GUILDS[3]?.id ?? "", content: "!ping" });
        await cardIn(3, "failing").waitFor();
        await cardIn(9, "disconnected").waitFor();
        await page.getByText("in trouble: shard 3, shard 9").waitFor();
        await card(3).getByText("handler failing").waitFor();
        await card(3).getByText(/MESSAGE_CREATE, attempt \d+: Cannot answer: status 500/).waitFor();
        assertMatch(await said(), /Shard 9 disconnected/);
        assertMatch(await said(), /Shard 3 handler failing/);
        assertEquals(await text("fleet-state"), "not complete");
        assertEquals(await text("live"), "15");
      },
    );

    await t.step("every text has a contrast of 4.5 to 1 or more, in light and dark", async () => {
      await Deno.mkdir(OUT, { recursive: true });
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        assertEquals(await browser.faintTexts(4.5), [], colorScheme);
        const path = new URL(`status_page_${colorScheme}_trouble.png`, OUT).pathname;
        await page.screenshot({ path, fullPage: true });
      }
      // Black on white cannot do 22 to 1.
      assert((await browser.faintTexts(22)).length > 50);
    });

    await t.step("both come back on the same page, and the event is handled", async () => {
      discord.faults.rejectDials = [];
      discord.faults.rejectRequests = [];
      await cardIn(3, "live").waitFor();
      await cardIn(9, "live").waitFor();
      await page.getByText("all is well").waitFor();
      await until(
        "pong",
        () => discord.journal.of("rest").some(({ method, status }) => method === "POST" && status === 200),
      );
      const kept = await browser.run(
        '[...document.querySelectorAll("#shards > li")].filter((node) => node.marker === true).length',
      );
      assertEquals(kept, 16);
    });

    await t.step("it looks well in light and dark", async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        const path = new URL(`status_page_${colorScheme}.png`, OUT).pathname;
        const picture = await page.screenshot({ path, fullPage: true });
        assert(picture.byteLength > 50_000);
      }
      // Nothing sticks out of a telephone's screen.
      await page.setViewportSize({ width: 360, height: 740 });
      assertEquals(await browser.run("document.documentElement.scrollWidth"), 360);
      await page.setViewportSize({ width: 1280, height: 900 });
    });

    await t.step("a command goes out, and one that makes no sense is explained", async () => {
      await page.getByText("Send a command").click();
      const sent = () => discord.journal.of("frame").filter(({ op }) => op === 3).length;
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("The command is sent.").waitFor();
      await until("a presence on each shard", () => sent() === 16);
      await page.getByLabel("Command, as JSON").fill("{");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("The command is not JSON").waitFor();
    });

    await t.step(
      "a reshard shows both sets, then the new one; a focus on a card that goes stays in the grid",
      async () => {
        await page.getByLabel("New number of shards").fill("12");
        await page.getByRole("button", { name: "Reshard" }).click();
        await page.getByRole("button", { name: "Restart shard 5", exact: true }).focus();
        await page.getByRole("progressbar", { name: "Resharding from 16 to 12" }).waitFor();
        await page.getByRole("listitem", { name: "Shard 11 of 12", exact: true }).getByText("new set")
          .waitFor();
        await eventually(
          "twelve shards are left",
          async () => await page.getByRole("listitem").count() === 12,
        );
        await card(11).waitFor();
        assertEquals([await text("live"), await text("live-of")], ["12", "of 12"]);
        assert(await page.getByRole("progressbar").isHidden());
        assertMatch(await browser.focused(), /^Restart shard \d+$/);
      },
    );

    await t.step("Stop shows a fleet that is stopped", async () => {
      await page.getByLabel("Keep the sessions").uncheck();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.locator('#shards > [data-state="stopped"]').nth(11).waitFor();
      assertEquals(await text("fleet-state"), "stopped");
      await until("all sessions have ended", () => discord.sessions.length === 0);
    });
  } finally {
    clearInterval(writing);
  }

  await t.step(
    "all that on one document, without an error, a failed request or a forbidden script",
    async () => {
      assertEquals(await browser.run("marker"), "the same document");
      assertEquals(await browser.run("violations"), []);
      assertEquals(troubles, []);
      assertEquals(discord.journal.violations(), []);
    },
  );

  await t.step("a lost connection is said, and found again by itself", async () => {
    proxy.isDown = true;
    proxy.cut();
    await page.getByText("Connection lost, trying again").waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText(/^The Worker cannot be reached/).waitFor();
    proxy.isDown = false;
    await page.getByText("Up to date").waitFor();
    assertEquals(await browser.run("marker"), "the same document");
    assert(troubles.every((trouble) => /net::ERR_/.test(trouble)), troubles.join());
  });

  async function details(
    shard: number,
  ): Promise<Record<"latency" | "rate" | "commands" | "restarts", string>> {
    const part = async (name: string) =>
      await card(shard).locator(`[data-part="${name}"]`).textContent() ?? "";
    return {
      latency: await part("latency"),
      rate: await part("rate"),
      commands: await part("commands"),
      restarts: await part("restarts"),
    };
  }
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (!await holds()) {
    if (performance.now() > giveUpAt) throw new Error(`Nothing came of it: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
