import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireSeparatePaths } from "../../../src/cli/options/paths.ts";

let folder: string;
const inFolder = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wgrad-paths-"));
  mkdirSync(inFolder("sub"));
  writeFileSync(inFolder("data.csv"), "a,b\n1,2\n");
  writeFileSync(inFolder("other.csv"), "a,b\n1,2\n");
  symlinkSync("data.csv", inFolder("link.csv"));
  symlinkSync("..", inFolder("sub/up"));
  symlinkSync("future.log", inFolder("to-future"));
  linkSync(inFolder("data.csv"), inFolder("hard.csv"));
});

afterAll(() => rmSync(folder, { recursive: true }));

const check = (input: string, output: string) =>
  requireSeparatePaths({ inputs: [{ option: "--csv", path: input }], outputs: [{ option: "--out", path: output }] });

describe("refuses an output that is an input", () => {
  test.each([
    "data.csv",
    "./data.csv",
    "sub/../data.csv",
    "link.csv",
    "hard.csv",
    "sub/up/data.csv",
    "sub/up/link.csv",
  ])("as %s", (name) => {
    const message = `--out: ${folder}/${name} is the same file as ${inFolder("data.csv")} (--csv), which is an input. Give another path.`;
    expect(() => check(inFolder("data.csv"), `${folder}/${name}`)).toThrow(message);
    expect(() => check(relative(process.cwd(), inFolder("data.csv")), `${folder}/${name}`)).toThrow(
      /is the same file as/,
    );
    expect(() => check(`${folder}/${name}`, inFolder("data.csv"))).toThrow(/is the same file as/);
    expect(() => check(inFolder("other.csv"), `${folder}/${name}`)).not.toThrow();
  });
});

test("accepts an invalid path through a file, which is refused when it is opened", () => {
  expect(() => check(inFolder("data.csv/train"), inFolder("new"))).not.toThrow();
});

describe("refuses two outputs that are the same file", () => {
  const outputs = (...paths: (string | undefined)[]) =>
    requireSeparatePaths({
      inputs: [],
      outputs: paths.map((path, index) => ({ option: `--output-${index}`, path: path && join(folder, path) })),
    });

  test.each([
    ["future.log", "future.log"],
    ["future.log", "sub/../future.log"],
    ["future.log", "sub/up/future.log"],
    ["to-future", "future.log"],
    ["new/deep/future.log", "sub/up/new/deep/future.log"],
    ["sub", "sub/up/sub"],
  ])("%s and %s", (one, other) => {
    expect(() => outputs(one, other)).toThrow(
      /^--output-1: .* is the same file as .* \(--output-0\), which is also an output/,
    );
  });

  test("but accepts different files, options that are not given, and devices", () => {
    expect(() =>
      outputs("future.log", "other.log", undefined, undefined, "sub/future.log", "FUTURE.log2"),
    ).not.toThrow();
    const devices = ["--log", "--report"].map((option) => ({ option, path: "/dev/null" }));
    expect(() => requireSeparatePaths({ inputs: [], outputs: devices })).not.toThrow();
  });
});
