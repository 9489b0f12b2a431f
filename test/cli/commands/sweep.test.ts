import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Random } from "../../../src/random.ts";
import { commandLine, type Finished } from "../built-cli.ts";

const cli = commandLine();
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

beforeAll(async () => {
  const random = new Random(1);
  const rows = Array.from({ length: 60 }, () => {
    const [a, b] = [random.uniform(0, 1), random.uniform(0, 1)];
    return `${a.toFixed(3)},${b.toFixed(3)},${(3 * a + b + random.normal(0, 0.5)).toFixed(3)}`;
  });
  writeFileSync(join(cli.folder, "sums.csv"), `a,b,y\n${rows.join("\n")}\n`);
});

const sums = "--csv sums.csv --label y --device cpu --hidden 4 --max-steps 40 --validation 0.2";

test("a sweep in which every run diverges fails, also when repeated, and saves no best model", async () => {
  // At a learning rate of 1e6 the loss is finite but huge; at 1e30 it overflows.
  const command = `sweep ${sums} --grid lr=1e6,1e30 --out diverged`;
  for (const attempt of [await wgrad(command), await wgrad(command)]) {
    expect(attempt.stderr).toMatch(
      /^error: sweep: all 2 runs diverged, so there is no best model\. Try smaller values of --lr/,
    );
    expect(attempt.stdout).not.toContain("best.safetensors");
    expect(attempt.code).toBe(1);
  }
  expect(readFileSync(join(cli.folder, "diverged/results.csv"), "utf8").trimEnd().split("\n")).toHaveLength(3);
});

test("a run that diverged is never the best run", async () => {
  const { code, stdout, stderr } = await wgrad(`sweep ${sums} --grid lr=1e6,0.01 --out mixed`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^1\/2 {2}lr 1000000: .* \(diverged\)$/m);
  expect(stdout).toMatch(/^2\/2 {2}lr 0\.01: .* loss [\d.]+$/m);
  expect(stdout).toMatch(/^best +mixed\/best\.safetensors$/m);
});

test("the seed does not change the held-out rows: `wgrad train` with the same options repeats a run of a sweep", async () => {
  const { stdout } = await wgrad(`sweep ${sums} --grid seed=1,2 --out seeds`);
  const result = (text: string) => /validation R² .* loss [\d.]+/.exec(text)?.[0];
  const lines = stdout.split("\n").filter((line) => /^\d\/2/.test(line));
  expect(lines).toHaveLength(2);
  for (const [index, line] of lines.entries()) {
    expect(result((await wgrad(`train ${sums} --seed ${index + 1}`)).stdout)).toBe(result(line));
  }
  expect(result((await wgrad(`train ${sums} --seed 2 --split-seed 9`)).stdout)).not.toBe(result(lines[1]!));
});
