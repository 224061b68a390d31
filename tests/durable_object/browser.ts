/** A headless Chromium with one page, and the errors on it. */

import { type BrowserContext, chromium, type Page } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of Chromium on this machine; `null` if there is none. */
export function findChromium(): string | null {
  return PATHS.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}

/** One page, with a temporary profile. */
export class Browser implements AsyncDisposable {
  /** The page. */
  readonly page: Page;
  /** Console errors and warnings, exceptions, failed requests and violations of the page's policy, since `forget`. */
  readonly troubles: string[] = [];
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, page: Page, profile: string) {
    this.#context = context;
    this.#profile = profile;
    this.page = page;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.troubles.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.troubles.push(`exception: ${error.message}`));
    page.on(
      "requestfailed",
      (request) => this.troubles.push(`request: ${request.url()} ${request.failure()?.errorText}`),
    );
  }

  /** Starts it. */
  static async start(executablePath: string): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "chromium-" });
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      args: FLAGS,
      viewport: { width: 1280, height: 900 },
    });
    context.setDefaultTimeout(60_000);
    return new Browser(context, context.pages()[0] ?? await context.newPage(), profile);
  }

  /** Runs a script in the page, and returns its value. */
  async run(script: string): Promise<unknown> {
    return await this.page.evaluate(script);
  }

  /** The named nodes of the accessibility tree, as role, name and value. */
  async accessible(): Promise<readonly { role: string; name: string; value: string | null }[]> {
    const session = await this.#context.newCDPSession(this.page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    await session.detach();
    return nodes.filter(({ ignored }) => !ignored).map(({ role, name, value }) => ({
      role: `${role?.value}`,
      name: `${name?.value ?? ""}`,
      value: value === undefined ? null : `${value.value}`,
    }));
  }

  /** The focused element, as a screen reader names it. */
  async focused(): Promise<string> {
    return String(
      await this.run(`(() => {
      const node = document.activeElement;
      return node.getAttribute("aria-label") ?? (node.labels?.[0] ?? node).textContent.trim();
    })()`),
    );
  }

  /** Texts on the page whose contrast is below `least`, with the contrast. */
  async faintTexts(least: number): Promise<string[]> {
    return await this.page.evaluate(`(${faintTexts})(${least})`);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await Deno.remove(this.#profile, { recursive: true });
  }
}

/** Runs in the page. @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
const faintTexts = `(least) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = rgba(color).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgba(color)[3] === 255) return color;
    }
    return "white";
  };
  const faint = [];
  let looked = 0;
  const judge = (node, color, text) => {
    const [a, b] = [luminance(color), luminance(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    looked++;
    if (ratio < least) faint.push(text.trim().slice(0, 40) + ": " + ratio.toFixed(2));
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: node, data } = walker.currentNode;
    if (data.trim() === "" || !node.checkVisibility() || node.closest("script, style, noscript, .unseen")) continue;
    judge(node, getComputedStyle(node).color, data);
  }
  for (const node of document.querySelectorAll("input[placeholder]")) {
    judge(node, getComputedStyle(node, "::placeholder").color, node.placeholder);
  }
  if (looked < 50) faint.push("only " + looked + " texts were looked at");
  return faint;
}`;
