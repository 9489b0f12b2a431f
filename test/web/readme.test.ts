import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL(".", import.meta.url));

test("the README of the page lists every test ID that the tests use", () => {
  const list = readFileSync(new URL("../../src/web/README.md", import.meta.url), "utf8");
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
  const text = files.map((name) => readFileSync(join(folder, name), "utf8")).join("");
  const used = [...text.matchAll(/\b(?:getByTestId|text|number|says|reaches|click|at)\("([a-z0-9-]+)"/g)].map(
    ([, id]) =>
      id!
        .replace(/^(playground|convolution|text)-/, "")
        .replace(/^unit-\d-\d$/, "unit-0-0")
        .replace(/^(layer|head|sample|maps|run|predict|lesson-action|keep)-\d/, "$1-N"),
  );
  expect(used.length).toBeGreaterThan(100);
  expect([...new Set(used)].filter((id) => !list.includes(`\`${id}\``))).toEqual([]);
});
