/*
 * Checks that links and paths in the Markdown pages of the checkout lead to existing files.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./tarball.ts";

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...["docs", "docs/guide", "examples", "data", "bench/peers", "bench/nanogpt", "src/web"].flatMap(pagesIn),
];

function pagesIn(folder: string): string[] {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(".md"));
  return names.map((name) => `${folder}/${name}`);
}

/** The text of a page without code blocks. */
const proseOf = (page: string) => readFileSync(join(root, page), "utf8").replaceAll(/^```.*?^```$/gms, "");

test.each(pages)("links in %s lead to files", (page) => {
  const targets = Array.from(proseOf(page).matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g), ([, target]) => target!);
  expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
});

test("the folders and files in docs/architecture.md exist", () => {
  const paths = Array.from(
    proseOf("docs/architecture.md").matchAll(/`((?:src|shaders|test|docs)\/[^`<]*)`/g),
    ([, path]) => path!,
  );
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
