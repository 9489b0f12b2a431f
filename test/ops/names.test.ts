/*
 * Outside an op's folder, nothing depends on the op's name: what others need to know of it are traits on its record, and
 * kernels and rules in its folder.
 */
import { expect, test } from "vitest";

const sources = import.meta.glob<string>("../../src/**/*.{ts,tsx}", { eager: true, query: "?raw", import: "default" });

const NAME = String.raw`\bop\.(name|kernel)\b`;

/** Comparisons with a name, and sets and tables of names. */
const tests = new RegExp(
  [
    String.raw`${NAME}\s*[!=]==`,
    String.raw`[!=]==\s*(\w+[.?!]+)*${NAME}`,
    String.raw`\b(has|includes|indexOf|test|switch|startsWith|endsWith)\s*\([^()]*${NAME}`,
    String.raw`\[[^\[\]]*${NAME}[^\[\]]*\]`,
    String.raw`${NAME}\s+in\b`,
  ].join("|"),
);

/** Backends look up kernels by name. */
const LOOKUP = /\b[kK]ernels\.has\(op\.kernel \?\? op\.name\)/;

const found = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).flatMap(([file, text]) =>
    text
      .split("\n")
      .flatMap((line, index) => (tests.test(line.replace(LOOKUP, "")) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );

test.each([
  'if (op.name === "matmul") return;',
  'nodes.find(({ op }) => "sum" !== op.name)',
  "if (ROWS.has(node.op.name)) return true;",
  'if (node.op.kind === "compute" && node.op.kernel === "move") return;',
  "switch (node.op.name) {",
  "const cost = costs[node.op.name];",
])("the test finds %s", (line) => {
  expect(found({ file: line })).toHaveLength(1);
});

test("nothing outside src/ops tests an op's name", () => {
  const outside = Object.entries(sources).filter(([file]) => !file.startsWith("../../src/ops/"));
  expect(outside.length).toBeGreaterThan(300);
  expect(found(Object.fromEntries(outside))).toEqual([]);
});

/** Names of ops and of kernels in assembly/ and shaders/. */
const names = Object.entries(sources)
  .filter(([file]) => file.startsWith("../../src/ops/"))
  .flatMap(([, text]) => [...text.matchAll(/\b(?:name|kernel): "(\w+)"/g)].map(([, name]) => name!));

test("nothing that compiles or runs graphs compares anything with the name of an op or a kernel", () => {
  expect(names).toEqual(expect.arrayContaining(["matmul", "takeBatch", "pack", "softmax"]));
  const comparison = new RegExp(`\\b(name|kernel) *[!=]== *"(${names.join("|")})"`);
  const lines = Object.entries(sources)
    .filter(([file]) => /src\/(graph|compiler|backends|device)\//.test(file))
    .flatMap(([, text]) => text.split("\n"));
  expect(lines.filter((line) => comparison.test(line))).toEqual([]);
});
