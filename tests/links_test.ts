/** What the gate's `links` step finds in documents, and what it lets pass. */

import { assertEquals } from "@std/assert";
import { brokenLinks, type Repository } from "./gate/links.ts";

function repository(page: string): Repository {
  return {
    files: new Map([["docs/a.md", page], ["docs/b.md", "# One heading\n"], ["shard/shard.ts", ""], [
      "secret.md",
      "",
    ]]),
    isPublished: (path) => path !== "secret.md",
    ignored: ["tests/out/"],
    tasks: new Set(["demo", "example:ping"]),
  };
}

for (
  const [page, problems] of [
    ["[b](b.md) and [h](b.md#one-heading), [w](https://example.com), [s](../shard/shard.ts)", []],
    ["`deno task demo`, `npx -y deno@2 task example:ping`, `shard/shard.ts`, `shard/`", []],
    ["```md\n[no](gone.md)\n```", []],
    ["[no](gone.md)", ["docs/a.md: there is no docs/gone.md"]],
    ["[no](b.md#another)", ["docs/a.md: docs/b.md has no heading #another"]],
    ["[no](../secret.md)", ["docs/a.md: secret.md is not in the package"]],
    ["`deno task gone`", ["docs/a.md: there is no task gone"]],
    ["`tests/out/`", []],
    ["`tests/gone/`", ["docs/a.md: there is no tests/gone/"]],
    ["`shard/gone.ts`", ["docs/a.md: there is no shard/gone.ts"]],
  ] as const
) {
  Deno.test(`links: ${JSON.stringify(page).slice(0, 60)}: ${problems.length} problems`, () => {
    assertEquals(brokenLinks("docs/a.md", repository(page)), [...problems]);
  });
}
