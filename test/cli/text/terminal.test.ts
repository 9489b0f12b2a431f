import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { print, say, shellQuoted, visible } from "../../../src/cli/text/terminal.ts";

/** Each of these controls a terminal, or is invisible. */
const hostile = [
  "\u001b[2J",
  "\r",
  "\n",
  "\t",
  "\u0000",
  "\u007f",
  "\u009b31m",
  "\u202e",
  "\u2066",
  "\u200b",
  "\u200f",
  "\ufeff",
  "\u2028",
  "\u{e0041}",
  "\ud800",
];

describe("hidden characters", () => {
  test("are escaped as in JSON, and other characters are not", () => {
    expect(visible("a\u001b[31mb\r\n\tc\u202ed")).toBe("a\\u001b[31mb\\r\\n\\tc\\u202ed");
    expect(visible("Größe ≤ 5 µm, 花, 🌷, a\\b")).toBe("Größe ≤ 5 µm, 花, 🌷, a\\b");
    for (const text of hostile) {
      const shown = visible(text);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(visible(shown)).toBe(shown);
    }
  });

  test("keep their meaning in JSON after they are escaped", () => {
    for (const text of hostile) expect(JSON.parse(visible(JSON.stringify({ text })))).toEqual({ text });
  });

  test("never break a printed line", () => {
    let written = "";
    const stream = { write: (text: string) => (written += text) };
    print([hostile.join("x"), "second"], stream);
    say(hostile.join("x"), stream);
    const lines = written.split("\n");
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });
});

test("a quoted value reaches a shell's command unchanged, and nothing in it is executed", () => {
  const values = [
    "id",
    "a b",
    "it's",
    "$(touch x)",
    "`touch x`",
    '"; touch x; "',
    "\\",
    "*",
    "~",
    "a\nb",
    "\u001b[31m'\\",
    "é",
    "!!",
    "a;b",
    "#x",
    "",
    "-x",
  ];
  for (const value of values) {
    const shown = shellQuoted(value);
    expect(visible(shown)).toBe(shown);
    expect(
      execFileSync("bash", ["--norc", "-c", `printf %s ${shown}`], { encoding: "utf8", env: { LC_ALL: "C.UTF-8" } }),
    ).toBe(value);
  }
});

describe("on a terminal", () => {
  function said(text: string | string[], columns: number): string[] {
    let written = "";
    say(text, { isTTY: true, columns, write: (part: string) => (written += part) });
    return written.trimEnd().split("\n");
  }

  test("lines are wrapped between words, and the value of a field is indented", () => {
    const words =
      "error: flowers.csv, line 7: the row has 4 columns where 5 were expected. Give every row the same columns";
    const lines = said(words, 40);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(lines.join(" ")).toBe(words);
    expect(said(["data      flowers.csv, 4 columns as 6 features, 3 classes: 150", "short  line"], 40)).toEqual([
      "data      flowers.csv, 4 columns as 6",
      "          features, 3 classes: 150",
      "short  line",
    ]);
  });

  test("a quoted value is never broken, and an apostrophe is not a quote", () => {
    for (const value of ["a b c d e f", "it's a b c d", "a\nb c d it's e", "\u001b[31m a b"]) {
      const quoted = shellQuoted(value);
      for (let columns = 24; columns < 70; columns++) {
        const lines = said(`the model's columns: Leave it out with --drop ${quoted}, or allow more`, columns);
        expect(lines.filter((line) => line.includes(quoted))).toHaveLength(1);
        expect(lines.join(" ")).toBe(`the model's columns: Leave it out with --drop ${quoted}, or allow more`);
      }
    }
    expect(said("the models' values and the others' values are", 24)).toEqual([
      "the models' values and",
      "the others' values are",
    ]);
  });

  test("a word longer than a line is never broken, and a pipe gets unwrapped lines", () => {
    const path = "/".padEnd(60, "x");
    expect(said(`in ${path} there`, 40)).toEqual(["in", path, "there"]);
    let written = "";
    say(`in ${path} there`, { columns: 40, write: (part: string) => (written += part) });
    expect(written).toBe(`in ${path} there\n`);
  });
});
