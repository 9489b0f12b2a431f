import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModelFile } from "../../../src/node/index.ts";
import { buildCli, runCli, smallPictures, temporaryFolder, writeMnist } from "../built-cli.ts";

let cli: Awaited<ReturnType<typeof buildCli>>;
let folder: ReturnType<typeof temporaryFolder>;
const inFolder = (name: string) => join(folder.path, name);
const train = (...args: string[]) =>
  runCli(cli.path, ["train", "--data", "data", "--device", "cpu", "--hidden", "8", "--batch", "20", "--epochs", "4", ...args], { cwd: folder.path });

beforeAll(async () => {
  cli = await buildCli();
  folder = temporaryFolder();
  writeMnist(inFolder("data"), smallPictures());
});

afterAll(() => {
  cli.remove();
  folder.remove();
});

test("the report is written, and the model is the one trained without", async () => {
  const finished = await train("--report", "run.html", "--out", "with.safetensors", "--seed", "5");
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  expect(finished.stdout).toMatch(/\nreport {4}run\.html\n$/);
  await train("--out", "without.safetensors", "--seed", "5");
  const [reported, silent] = [await loadModelFile(inFolder("with.safetensors")), await loadModelFile(inFolder("without.safetensors"))];
  expect(reported.results).toEqual(silent.results);
  const valuesOf = ({ model }: typeof reported) => model.parameters.map(({ attributes }) => attributes);
  expect(valuesOf(reported)).toEqual(valuesOf(silent));

  const page = readFileSync(inFolder("run.html"), "utf8");
  const accuracy = /test accuracy ([\d.]+ %)/.exec(finished.stdout)![1]!;
  expect(page).toContain(`<dt>test accuracy</dt><dd>${accuracy}</dd>`);
  expect(page).toContain("<dt>adapter</dt><dd>none: CPU reference, float32</dd>");
  expect(page).toContain("<dt>seed</dt><dd>5</dd>");
  expect(page).toContain("<dt>hidden</dt><dd>8</dd>");
  expect(page).toContain("Of the 50 test examples.");
  // Eight units, and at least one mistake.
  expect(page.match(/width="5" height="4" alt="weights of unit/g)).toHaveLength(8);
  expect(page.match(/width="5" height="4" alt="\d, taken for \d"/g)!.length).toBeGreaterThan(0);
});

test("a report that cannot be written is refused before training, by its option", async () => {
  const { code, stdout, stderr } = await train("--report", "nowhere/run.html");
  expect(stderr).toMatch(/nowhere\/run\.html: the report cannot be written: folder nowhere.*Choose another path for --report/);
  expect([code, stdout]).toEqual([1, ""]);
  expect(existsSync(inFolder("nowhere"))).toBe(false);
});

test("charts are in the build, with their licences, and only a report loads them", () => {
  const chunks = join(dirname(cli.path), "chunks");
  const textOf = (name: string) => readFileSync(join(chunks, name), "utf8");
  const withCharts = readdirSync(chunks).filter((name) => textOf(name).includes("zrender/lib/"));
  expect(withCharts).toEqual([expect.stringMatching(/^report-.*\.js$/)]);
  expect(textOf(withCharts[0]!)).not.toMatch(/from "(?:echarts|zrender|tslib)/);
  expect(readFileSync(cli.path, "utf8")).toMatch(/import\("\.\/chunks\/report-/);
  expect(textOf("LICENSES.txt")).toMatch(/Apache ECharts[^]*Apache License[^]*BSD 3-Clause License/);
});
