import { encode } from "fast-png";
import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { initialValues } from "../../../src/formats/model.ts";
import { writeSafetensors } from "../../../src/formats/safetensors.ts";
import { loadModelFile } from "../../../src/node/index.ts";
import { Random } from "../../../src/random.ts";
import { commandLine, type Finished } from "../built-cli.ts";

const cli = commandLine();
const { inFolder } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));
const { write } = cli;

/** Rows with price = 3·area + 20·rooms, and areas between `size` and 2·`size`. */
function homes(count: number, seed: number, size: number): string[] {
  const random = new Random(seed);
  const rows = Array.from({ length: count }, () => {
    const [area, rooms] = [random.uniform(size, 2 * size), 1 + random.below(6)];
    return `${area.toFixed(2)},${rooms},${(3 * area + 20 * rooms).toFixed(2)}`;
  });
  return ["area,rooms,price", ...rows];
}

/** Rows of these classes, which two numbers separate. */
function leaves(kinds: readonly string[], count: number): string[] {
  const random = new Random(2);
  const rows = Array.from({ length: count }, (_, index) => {
    const kind = index % kinds.length;
    return `${random.normal(3 * kind, 0.3).toFixed(3)},${random.normal(-kind, 0.3).toFixed(3)},${kinds[kind]}`;
  });
  return ["length,width,kind", ...rows];
}

beforeAll(async () => {
  write("homes.csv", homes(80, 1, 50));
  write("larger.csv", homes(60, 2, 200));
  write("leaves.csv", leaves(["elm", "fir"], 60));
  write("more.csv", leaves(["ash", "elm", "fir"], 60));
  for (const [data, label, more] of [
    ["homes", "price", "--hidden 6 --activation tanh"],
    ["leaves", "kind", "--hidden 5,4"],
  ]) {
    await wgrad(
      `train --csv ${data}.csv --label ${label} ${more} --lr 0.02 --max-steps 200 --device cpu --out ${data}.safetensors`,
    );
  }
});

/** One step that hardly changes the parameters. */
const still = "--lr 1e-12 --max-steps 1 --device cpu";

describe("train --init", () => {
  test("starts from the model's predictions, also on rows with another mean and deviation", async () => {
    const started = await wgrad(
      `train --csv larger.csv --label price --init homes.safetensors ${still} --out again.safetensors`,
    );
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(started.stdout).toMatch(/^network +2-6-1 tanh, 25 parameters$/m);
    expect(started.stdout).toMatch(/^start +homes\.safetensors$/m);
    const predictions = async (model: string) =>
      (await wgrad(`predict ${model}.safetensors homes.csv --device cpu`)).stdout
        .trimEnd()
        .split("\n")
        .slice(1)
        .map(Number);
    const [before, after] = [await predictions("homes"), await predictions("again")];
    expect(after).toHaveLength(80);
    after.forEach((value, row) => expect(value).toBeCloseTo(before[row]!, 2));
    const { configuration, training } = await loadModelFile(inFolder("again.safetensors"));
    expect(configuration).toMatchObject({ init: "homes.safetensors", hidden: [6], activation: "tanh" });
    expect(training).toMatchObject({ startedFrom: "homes.safetensors" });
  });

  test("replaces the last layer for other classes, with a message, and keeps the other layers", async () => {
    const { code, stdout } = await wgrad(
      `train --csv more.csv --label kind --init leaves.safetensors ${still} --out three.safetensors`,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^start +leaves\.safetensors, with a new last layer:\n +its outputs were elm, fir, now ash, elm, fir$/m,
    );
    const [before, after] = [
      await loadModelFile(inFolder("leaves.safetensors")),
      await loadModelFile(inFolder("three.safetensors")),
    ];
    const values = [before, after].map(({ model }) => initialValues(model));
    for (const layer of [1, 2]) {
      for (const part of ["weight", "bias"]) {
        const [then, now] = values.map((all) => all[`layers.${layer}.${part}`]!.values);
        now!.forEach((value, index) => expect(value).toBeCloseTo(then![index]!, 6));
      }
    }
    expect(after.model.outputShape).toEqual([3]);
    expect(after.normalization).toEqual(before.normalization);
  });

  test("works in a configuration file and in a sweep", async () => {
    writeFileSync(
      inFolder("run.json"),
      JSON.stringify({ csv: "leaves.csv", label: "kind", init: "leaves.safetensors", device: "cpu" }),
    );
    expect((await wgrad("train --config run.json --lr 1e-12 --max-steps 1")).stdout).toMatch(
      /^start +leaves\.safetensors$/m,
    );
    const swept = await wgrad("sweep --config run.json --max-steps 1 --grid lr=1e-12,1e-11 --out runs");
    expect(swept.stdout).toMatch(/^1\/2 .*accuracy 100\.0 %/m);
    const varied = await wgrad("sweep --config run.json --max-steps 1 --grid hidden=5;4 --out runs");
    expect(varied).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: --hidden: 5, but leaves\.safetensors has 5,4\. Omit/m) as string,
    });
  });

  test.each<[string, RegExp]>([
    [
      "--csv leaves.csv --label kind --init leaves.safetensors --hidden 5",
      /^error: --hidden: 5, but leaves\.safetensors has 5,4\. Omit --hidden/m,
    ],
    [
      "--csv leaves.csv --label kind --init leaves.safetensors --activation elu",
      /^error: --activation: elu, but leaves\.safetensors has relu/m,
    ],
    [
      "--csv homes.csv --label price --init leaves.safetensors",
      /feature 1 of leaves\.safetensors is "length", but that of the table is "area"/,
    ],
    [
      "--csv homes.csv --label price --drop rooms --init homes.safetensors",
      /homes\.safetensors expects 2 features, but the examples have 1/,
    ],
  ])("refuses %s", async (args, message) => {
    const { code, stderr } = await wgrad(`train ${args} --device cpu`);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe("a network imported from PyTorch", () => {
  /** Predicts the second class if 2·a − b is above 1. */
  beforeAll(() => {
    const tensors = [
      { name: "0.weight", shape: [2, 2], values: Float32Array.of(2, -1, -2, 1) },
      { name: "0.bias", shape: [2], values: Float32Array.of(-1, 1) },
      { name: "2.weight", shape: [2, 2], values: Float32Array.of(0, 1, 1, 0) },
    ];
    writeFileSync(inFolder("net.safetensors"), writeSafetensors(tensors, {}));
  });
  const rows = ["3,1", "0,0", "1,2", "2,0"];
  const labels = ["yes", "no", "no", "yes"];
  const predicted = `prediction\n${labels.join("\n")}\n`;

  test("predicts and evaluates tables by position, with or without a header and a label", async () => {
    expect(await wgrad("import net.safetensors --classes no,yes --out plain.safetensors")).toMatchObject({
      code: 0,
      stderr: "",
    });
    const labelled = rows.map((row, index) => `${row},${labels[index]}`);
    write("rows.csv", rows);
    write("named.csv", ["b,a", ...rows]);
    write("labelled.csv", ["p,q,truth", ...labelled]);
    for (const file of ["rows", "named", "labelled"]) {
      expect(await wgrad(`predict plain.safetensors ${file}.csv --device cpu`)).toEqual({
        code: 0,
        stdout: predicted,
        stderr: "",
      });
    }
    expect((await wgrad("evaluate plain.safetensors --csv labelled.csv --device cpu")).stdout).toMatch(
      /^test accuracy 100\.0 %/m,
    );
    write("wide.csv", ["1,2,3,4"]);
    expect((await wgrad("predict plain.safetensors wide.csv --device cpu")).stderr).toMatch(
      /^error: wide\.csv, line 1, column 3: the row has 4 columns/,
    );
  });

  test("reads columns by the names of --columns, in any order", async () => {
    expect(
      await wgrad("import net.safetensors --classes no,yes --columns a,b --label truth --out columns.safetensors"),
    ).toMatchObject({ code: 0 });
    const turned = rows.map((row, index) => [labels[index], "x", ...row.split(",").reverse()].join(","));
    write("turned.csv", ["truth,other,b,a", ...turned]);
    expect((await wgrad("predict columns.safetensors turned.csv --device cpu")).stdout).toBe(predicted);
    expect((await wgrad("evaluate columns.safetensors --csv turned.csv --device cpu")).stdout).toMatch(
      /^test accuracy 100\.0 %/m,
    );
    const few = await wgrad("import net.safetensors --columns a --out x.safetensors");
    expect(few).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /--columns: the columns are "a" and the label is "label", but the network has 2 inputs/,
      ) as string,
    });
  });

  test("can be the starting model of a run", async () => {
    write("lessons.csv", ["a,b,truth", ...rows.map((row, index) => `${row},${labels[index]}`)]);
    const { code, stdout } = await wgrad(
      `train --csv lessons.csv --label truth --init plain.safetensors ${still} --out lesson.safetensors`,
    );
    expect({ code, start: /^start .*$/m.exec(stdout)?.[0] }).toEqual({ code: 0, start: "start     plain.safetensors" });
    expect((await wgrad("predict lesson.safetensors lessons.csv --device cpu")).stdout).toBe(predicted);
  });
});

test("a model of tables refuses a picture, even with as many pixels as columns", async () => {
  writeFileSync(inFolder("two.png"), encode({ width: 1, height: 1, channels: 1, data: Uint8Array.of(7) }));
  write("one.csv", [
    "x,y",
    ...Array.from({ length: 30 }, (_, index) => `${index % 7},${index % 7 > 3 ? "high" : "low"}`),
  ]);
  expect(
    await wgrad("train --csv one.csv --label y --hidden 2 --max-steps 2 --device cpu --out one.safetensors"),
  ).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await wgrad("predict one.safetensors two.png --resize --device cpu");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(
    /^error: two\.png: this is an image, but the model expects rows of a table\. Give a CSV file\.$/m,
  );
});
