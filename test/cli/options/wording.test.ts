import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { nameOptionsBy, type OptionError } from "../../../src/errors.ts";
import { TableBuilder } from "../../../src/data/table.ts";
import { Command } from "commander";
import { importCommand } from "../../../src/cli/commands/import.ts";
import { DeclaredOption } from "../../../src/cli/options/declared-option.ts";
import { trainOptions } from "../../../src/cli/options/train-options.ts";
import { commandLineNaming } from "../../../src/cli/options/wording.ts";
import { requirePositive } from "../../../src/nn/checks.ts";

afterEach(() => nameOptionsBy(() => undefined));

// As on the command line, several commands declare the same options.
const options = [...trainOptions(), ...trainOptions(), ...importCommand(new Command("import")).options];

test("the library's option names become the command line's, with values quoted for a shell", () => {
  const name = commandLineNaming(options);
  expect(name("drop", ["id", "it's $(x)"])).toBe("--drop 'id,it'\\''s $(x)'");
  expect(name("fitUntil patience")).toBe("--patience");
  expect(name("batchSize")).toBe("--batch");
  expect(name("learningRate", 0.5)).toBe("--lr 0.5");
  expect(name("header", false)).toBe("--no-header");
  expect(name("missing", "keep")).toBe("--missing mean or --missing zero");
  expect(name("standardize", false)).toBe("--no-standardize");
  expect(name("normalization scale")).toBe("--scale");
  expect(name("directory")).toBe("--data");
  expect(name("drop", ["constructor"])).toBe("--drop constructor");
  expect(name("adam beta1")).toBeUndefined();
  // The command line has no option for the interval of events; its --every is the interval of checkpoints.
  expect(name("fit every")).toBeUndefined();
});

describe("a message names", () => {
  function refusalOf(act: () => void): string {
    try {
      act();
    } catch (error) {
      return (error as OptionError).message;
    }
    throw new Error("nothing was refused");
  }

  function manyTexts(column: string): void {
    const builder = new TableBuilder({ name: "t.csv", label: "y", mostCategories: 1 });
    builder.add([column, "y"], 1);
    builder.add(["p", "0"], 2);
    builder.add(["q", "1"], 3);
    builder.finish();
  }

  test("the library's options by default", () => {
    expect(refusalOf(() => manyTexts("a b"))).toMatch(
      /Ignore it with drop: \["a b"\], or raise the limit with mostCategories\.$/,
    );
    expect(refusalOf(() => requirePositive("learningRate", 0))).toBe(
      "learningRate: 0 is out of range. Give a finite number above 0.",
    );
  });

  test("the command line's options in a command, and a column with a comma in its name by position", () => {
    nameOptionsBy(commandLineNaming(options));
    expect(refusalOf(() => manyTexts("a b"))).toMatch(
      /Ignore it with --drop 'a b', or raise the limit with --max-categories\.$/,
    );
    expect(refusalOf(() => manyTexts("a,b"))).toMatch(/Ignore it with --drop 1, or/);
    expect(refusalOf(() => requirePositive("learningRate", 0))).toBe(
      "--lr: 0 is out of range. Give a finite number above 0.",
    );
  });
});

test("every library name that an option declares occurs in the library", () => {
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) =>
    /^(nn|train|data|node|formats)\/.*\.ts$/.test(name),
  );
  const code = sources.map((name) => readFileSync(join("src", name), "utf8")).join("\n");
  const names = options.filter((option) => option instanceof DeclaredOption).flatMap(({ facts }) => facts.libraryNames);
  const isKnown = (name: string) => {
    const [where, option] = name.split(" ");
    const composed = code.includes(`"${where}"`) && code.includes(`} ${option}\``);
    return composed || [`"${name}"`, `\`${where} \${`].some((text) => code.includes(text));
  };
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !isKnown(name))).toEqual([]);
});

test("no message of the library names a flag of the command line", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !/^(web|cli)\//.test(name),
  );
  expect(files.length).toBeGreaterThan(100);
  const lines = files.flatMap((name) => {
    const code = readFileSync(join("src", name), "utf8")
      .replaceAll(/\/\*[\s\S]*?\*\//g, "")
      .split("\n");
    return code
      .filter((line) => /["'`][^"'`]* --[a-z]|["'`]--[a-z]/.test(line))
      .map((line) => `${name}: ${line.trim()}`);
  });
  // Messages may suggest whole commands of wgrad or npm.
  expect(lines.filter((line) => !/`(wgrad|npm) [a-z]+ --[a-z=]+`/.test(line))).toEqual([]);
});
