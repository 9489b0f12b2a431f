import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./tarball.ts";

/** The TypeScript blocks of a Markdown file of the checkout. */
export function codeBlocks(file: string): string[] {
  return Array.from(readFileSync(join(root, file), "utf8").matchAll(/^```ts\n(.*?)^```$/gms), ([, code]) => code!);
}

/** The only block of the README that contains a text. */
export function readmeExample(text: string): string {
  const found = codeBlocks("README.md").filter((code) => code.includes(text));
  if (found.length !== 1) throw new Error(`README.md has ${found.length} blocks with ${text}`);
  return found[0]!;
}
