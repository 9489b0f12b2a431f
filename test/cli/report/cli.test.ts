import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { loadModelFile } from "../../../src/node/index.ts";
import { actingWhen, commandLine, HAS_CHECKPOINT, signaled, type RunOptions } from "../built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;
const quick = ["train", "--data", "data", "--device", "cpu", "--hidden", "8", "--batch", "20"];
const train = (args: readonly string[], options?: Omit<RunOptions, "cwd">) =>
  cli.run([...quick, ...(args.includes("--epochs") ? [] : ["--epochs", "4"]), ...args], options);

test("the report is written, and does not change the model", async () => {
  const finished = await train(["--report", "run.html", "--out", "with.safetensors", "--seed", "5"]);
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  expect(finished.stdout).toMatch(/\nreport {4}run\.html\n$/);
  await train(["--out", "without.safetensors", "--seed", "5"]);
  const [reported, silent] = [
    await loadModelFile(inFolder("with.safetensors")),
    await loadModelFile(inFolder("without.safetensors")),
  ];
  expect(reported.results).toEqual(silent.results);
  const valuesOf = ({ model }: typeof reported) => model.parameters.map(({ attributes }) => attributes);
  expect(valuesOf(reported)).toEqual(valuesOf(silent));

  const page = readFileSync(inFolder("run.html"), "utf8");
  const accuracy = /test accuracy ([\d.]+ %)/.exec(finished.stdout)![1]!;
  expect(page).toContain(`<dt>test accuracy</dt><dd>${accuracy}</dd>`);
  expect(page).toContain("<dt>adapter</dt><dd>none: CPU reference, float32</dd>");
  expect(page).toContain("<dt>seed</dt><dd>5</dd>");
  expect(page).toContain("<dt>hidden</dt><dd>8</dd>");
  expect(page).toContain("On the 50 test examples.");
  // Eight units, and at least one mistake.
  expect(page.match(/width="5" height="4" alt="weights of unit/g)).toHaveLength(8);
  expect(page.match(/width="5" height="4" alt="\d, predicted as \d"/g)!.length).toBeGreaterThan(0);
});

test("an interrupted run writes a report, and so does the resumed run", async () => {
  const args = [
    "--epochs",
    "400",
    "--checkpoint",
    "kept",
    "--every",
    "25",
    "--report",
    "part.html",
    "--out",
    "part.safetensors",
  ];
  const interrupted = await train(args, { env: actingWhen(HAS_CHECKPOINT, signaled("SIGINT")) });
  expect(interrupted).toMatchObject({ code: 130, stderr: "" });
  expect(interrupted.stdout).toMatch(
    /\npart\.safetensors was not written, because the run did not finish\.\nreport {4}part\.html\n$/,
  );
  expect(existsSync(inFolder("part.safetensors"))).toBe(false);
  const [, reached] = /interrupted at step ([\d,]+) of 4,000/.exec(interrupted.stdout)!;
  const partial = readFileSync(inFolder("part.html"), "utf8");
  expect(partial).toContain(`<dt>steps</dt><dd>${reached!}, 20 examples each</dd>`);
  expect(partial).toContain("<dt>stopped</dt><dd>interrupted</dd>");
  expect(partial).not.toContain("<dt>resumed</dt>");

  expect(await train([...args, "--resume"])).toMatchObject({ code: 0, stderr: "" });
  const whole = readFileSync(inFolder("part.html"), "utf8");
  expect(whole).toContain("<dt>steps</dt><dd>4,000, 20 examples each</dd>");
  expect(whole).toContain(`<dt>resumed</dt><dd>at step ${reached!}; the curves and the time start there</dd>`);
});

test("a report that cannot be written is refused before training, with its option", async () => {
  const { code, stdout, stderr } = await train(["--report", "nowhere/run.html"]);
  expect(stderr).toMatch(
    /nowhere\/run\.html: the report cannot be written: folder nowhere.*Choose another path for --report/,
  );
  expect([code, stdout]).toEqual([1, ""]);
  expect(existsSync(inFolder("nowhere"))).toBe(false);
});

test("the build contains the chart library with its licenses, and only a report loads it", () => {
  const chunks = join(dirname(cli.path), "chunks");
  const textOf = (name: string) => readFileSync(join(chunks, name), "utf8");
  const withCharts = readdirSync(chunks).filter((name) => textOf(name).includes("zrender/lib/"));
  expect(withCharts).toEqual([expect.stringMatching(/^report-.*\.js$/)]);
  expect(textOf(withCharts[0]!)).not.toMatch(/from "(?:echarts|zrender|tslib)/);
  const importing = readdirSync(chunks).filter((name) => textOf(name).includes('"./report-'));
  expect(importing.map((name) => textOf(name).includes('import("./report-'))).toEqual([true]);
  expect(textOf("LICENSES.txt")).toMatch(/Apache ECharts[^]*Apache License[^]*BSD 3-Clause License/);
});
