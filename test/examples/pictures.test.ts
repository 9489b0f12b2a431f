import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { main as neuron } from "../../examples/01-neuron.ts";
import { fieldPlaces, filledContours, image, line, picture, points } from "../../examples/lib/picture.ts";
import { logLabel } from "../../src/cli/report/svg.ts";
import { createCpuBackend } from "../../src/index.ts";

const run = promisify(execFile);

test("every example has a file, a picture and an entry in the index", async () => {
  const files = (await readdir("examples")).filter((name) => name.endsWith(".ts")).sort();
  const numbers = files.map((name) => name.slice(0, 2));
  expect(numbers.slice(0, 14)).toEqual(Array.from({ length: 14 }, (_, index) => String(index + 1).padStart(2, "0")));
  expect((await readdir("docs/examples")).sort()).toEqual(numbers.map((number) => `${number}.svg`));
  const index = await readFile("examples/README.md", "utf8");
  for (const file of files) expect(index).toContain(`(${file})`);
  for (const number of numbers) {
    expect(index).toContain(`(../docs/examples/${number}.svg)`);
    const svg = await readFile(`docs/examples/${number}.svg`, "utf8");
    expect(svg).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect(svg.length).toBeLessThan(100_000);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|<script|zr\d|NaN/);
  }
});

test("a picture has the same text each time, with unique ids and its values", () => {
  const draw = (name: string) =>
    picture(name, [
      {
        title: "a < b & c",
        series: [
          line("f", [
            [0, 0],
            [1, 2],
          ]),
          points("p", [[0.5, 1]]),
        ],
      },
    ]);
  expect(draw("one")).toBe(draw("one"));
  expect(draw("one")).toContain("a &lt; b &amp; c");
  expect(draw("one").replaceAll("example-one-", "example-two-")).toBe(draw("two"));
  expect(draw("one")).toMatch(/id="example-one-c0"/);
});

test("a logarithmic axis has short labels", () => {
  expect([1e-8, 1e-5, 0.001, 0.1, 1, 1000, 1e4, 1e12].map(logLabel)).toEqual([
    "10⁻⁸",
    "10⁻⁵",
    "0.001",
    "0.1",
    "1",
    "1,000",
    "10,000",
    "10¹²",
  ]);
});

test("filled contours are where the values cross the threshold", () => {
  const field = { x: [0, 1], y: [0, 1], size: 21 } as const;
  const places = fieldPlaces(field);
  expect([...places.slice(0, 4), ...places.slice(-2)].map((value) => Number(value.toFixed(6)))).toEqual([
    0, 0, 0.05, 0, 1, 1,
  ]);
  const values = Array.from({ length: 441 }, (_, index) => places[2 * index]!);
  const contours = filledContours({ ...field, values, thresholds: [0.3], colors: ["#aaaaaa", "#bbbbbb"] });
  const panel = { width: 200, height: 200, left: 50, right: 50, top: 50, bottom: 50 };
  const svg = picture("c", [{ title: "", x: { min: 0, max: 1 }, y: { min: 0, max: 1 }, series: [contours] }], 1, panel);
  const path = (fill: string) => new RegExp(`<path d="([^"]*)"[^>]*fill="${fill}"`).exec(svg)![1]!;
  const xs = (d: string) => [...d.matchAll(/[ML](-?[\d.]+)/g)].map(([, x]) => Number(x));
  // 30 % of the way from 50 to 150.
  expect(Math.min(...xs(path("#aaaaaa")))).toBe(50);
  expect(Math.min(...xs(path("#bbbbbb")))).toBeCloseTo(80, 0);
  expect(Math.max(...xs(path("#bbbbbb")))).toBe(150);
});

test("an image has a rectangle for each run of pixels, from the top row down, and levels that cover the higher ones", () => {
  const pixels = {
    width: 3,
    height: 2,
    values: [0, 1, 1, 0.4, 0, 2],
    range: [0, 1],
    colors: ["#aa0000", "#bb0000", "#cc0000"],
  } as const;
  const panel = { width: 160, height: 140, left: 50, right: 50, top: 50, bottom: 50 };
  const axes = { x: { min: 0, max: 3, hidden: true }, y: { min: 0, max: 2, hidden: true } };
  const svg = picture("i", [{ title: "", ...axes, series: [image(pixels)] }], 1, panel);
  const rectangles = (fill: string) => {
    const path = new RegExp(`<path d="([^"]*)"[^>]*fill="${fill}"`).exec(svg)![1]!;
    return [...path.matchAll(/M(\d+) (\d+)L(\d+) \2L\3 (\d+)L\1 \4Z/g)].map((corners) => corners.slice(1).map(Number));
  };
  // Left, top, right and bottom. The plot has 60 by 40 pixels, 20 by 20 for each of the image.
  expect(rectangles("#aa0000")).toEqual([
    [50, 50, 110, 70],
    [50, 70, 110, 90],
  ]);
  expect(rectangles("#bb0000")).toEqual([
    [70, 50, 110, 70],
    [50, 70, 70, 90],
    [90, 70, 110, 90],
  ]);
  expect(rectangles("#cc0000")).toEqual([
    [70, 50, 110, 70],
    [90, 70, 110, 90],
  ]);
  expect(svg).not.toContain("<text");
});

test("an example's main prints and draws, and runs only when called", async () => {
  const [lines, pictures]: [string[], string[]] = [[], []];
  const backend = createCpuBackend();
  await neuron({ backend, print: (text) => lines.push(text), draw: async (svg) => void pictures.push(svg) });
  expect(lines).toContain("1 AND 1 = 1");
  expect(lines).toContain("0 OR 0 = 0");
  expect(pictures).toHaveLength(1);
  // The committed picture is the one that the example draws.
  expect(`${pictures[0]}\n`).toBe(await readFile("docs/examples/01.svg", "utf8"));
});

test("npm run example takes a number, a device and a folder, and refuses others by name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  try {
    const refused = (...args: string[]) =>
      run("node", ["scripts/run.mjs", ...args]).catch((error: unknown) => error as { code: number; stderr: string });
    const [{ stdout }, unknownNumber, unknownDevice] = await Promise.all([
      run("node", ["scripts/run.mjs", "4", "--device", "cpu", "--out", folder]),
      refused("99"),
      refused("4", "--device", "gpu"),
    ]);
    expect(stdout).toContain("z = (2 + 3) · 4 = 20, ∂z/∂x = 4, ∂z/∂y = 4, ∂z/∂w = 5");
    expect(await readFile(join(folder, "04.svg"), "utf8")).toBe(await readFile("docs/examples/04.svg", "utf8"));
    expect(unknownNumber).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("13-vanishing-gradients.ts"),
    });
    expect(unknownDevice).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("npm run example -- 4 --device cpu"),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
