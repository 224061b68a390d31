/**
 * The status page: one document without a build step or a framework, which sends requests to this Worker only.
 *
 * It holds no data. Its script asks for the control secret (or takes it from the URL's fragment, which browsers do not
 * send to servers), and reads `/status/events` as a stream.
 */

import { PAGE_MARKUP } from "./page_markup.ts";
import { PAGE_SCRIPT } from "./page_script.ts";
import { PAGE_STYLE } from "./page_style.ts";

const ICON = "data:image/svg+xml," + encodeURIComponent(
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><g fill='#4f5bd5'><rect width='7' height='7' rx='2'/>" +
    "<rect x='9' width='7' height='7' rx='2'/><rect y='9' width='7' height='7' rx='2'/></g>" +
    "<rect x='9' y='9' width='7' height='7' rx='2' fill='#1f9d61'/></svg>",
);

/** The page as a response. */
export function statusPage(): Response {
  // New for each response: the policy allows only the style and the script with this nonce.
  const nonce = crypto.randomUUID();
  return new Response(documentWith(nonce), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy(nonce),
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    },
  });
}

/** The content security policy: only the page's own script, and only requests to this Worker. */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function documentWith(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Gateway</title>
<link rel="icon" href="${ICON}">
<style nonce="${nonce}">${PAGE_STYLE}</style>
</head>
<body>
${PAGE_MARKUP}
<script nonce="${nonce}">${PAGE_SCRIPT}</script>
</body>
</html>
`;
}
