import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { initialValues, saveModel } from "../../../src/formats/model.ts";
import { dense, functionalModel, layersToText } from "../../../src/nn/index.ts";
import { loadModelFile } from "../../../src/node/index.ts";
import { add } from "../../../src/ops/elementwise/index.ts";
import { Random } from "../../../src/random.ts";
import { writeIdx } from "../../data/idx-files.ts";
import { commandLine, expectRefusal, resultOf, type Finished } from "../built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;
const wgrad = (...args: string[]): Promise<Finished> => cli.run(args);

const LAYERS = "conv 4 3x3 padding=same bias=false, batchnorm, relu, flatten, dense 10";
const common = ["--data", "data", "--device", "cpu", "--batch", "20", "--lr", "0.02"];
const training = [...common, "--layers", LAYERS, "--max-steps", "30"];

test("a functional model is summarized as far as its file tells, and exported with its function only", async () => {
  const model = functionalModel({ inputs: { a: [3], b: [3] } }, ({ a, b }, { use }) => {
    const tower = dense(4);
    return { y: add(use(tower, a, "tower"), use(tower, b)) };
  });
  writeFileSync(inFolder("pair.safetensors"), saveModel({ model, step: 7, training: {} }, initialValues(model)));
  const { code, stdout } = await wgrad("summary", "pair.safetensors");
  expect({ code, lines: stdout.split("\n").slice(0, 7) }).toEqual({
    code: 0,
    lines: [
      "model     pair.safetensors: a functional model, 16 values",
      "training  7 steps",
      "inputs    a [3], b [3]",
      "",
      "layer         type   values",
      "layers.tower  dense      16",
      "1 layer                  16",
    ],
  });
  const table = JSON.parse((await wgrad("summary", "pair.safetensors", "--json")).stdout) as object;
  expect(table).toMatchObject({ inputs: { a: { shape: [3] } }, layers: [{ type: "dense", values: 16 }], values: 16 });
  const refused = await wgrad("export", "pair.safetensors", "--onnx", "pair.onnx");
  expectRefusal(refused, 2, /this is a functional model, whose function is not part of the file\. Give --function/);
});

describe("a convolutional network with batch normalization", () => {
  let finished: Finished;
  beforeAll(async () => {
    const kept = ["--checkpoint", "kept", "--every", "10", "--keep", "9"];
    const files = ["--out", "conv.safetensors", "--log", "conv.csv", "--report", "conv.html"];
    finished = await wgrad("train", ...training, ...kept, ...files);
  });

  test("is trained, described, saved and evaluated", async () => {
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    // 9·4 weights, 2·4 of the normalization, and 80·10 + 10
    expect(finished.stdout).toMatch(/^network +4×5, conv 4, dense 10, 854 parameters$/m);
    const { model, configuration } = await loadModelFile(inFolder("conv.safetensors"));
    expect(layersToText(model.config.layers)).toBe(LAYERS);
    expect(configuration).toMatchObject({ layers: LAYERS });
    const evaluated = await wgrad("evaluate", "conv.safetensors", "--data", "data", "--device", "cpu");
    expect(resultOf(evaluated)).toBeDefined();
    expect(resultOf(evaluated)).toBe(resultOf(finished));
  });

  test("is summarized and exported", async () => {
    const { code, stdout } = await wgrad("summary", "conv.safetensors");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^model +conv\.safetensors: 854 parameters\ntraining +30 steps on MNIST.*\ninput +\[4, 5\]$/m,
    );
    expect(stdout).toMatch(/^layers\.0 +conv2d +\[4, 5, 4\] +36 +1,440$/m);
    expect(stdout).toMatch(/^5 layers +854 /m);
    const table = JSON.parse((await wgrad("summary", "conv.safetensors", "--json")).stdout) as object;
    expect(table).toMatchObject({ layers: [{ name: "layers.0" }, {}, {}, {}, {}], parameters: 854, nonTrainable: 8 });
    const exported = await wgrad("export", "conv.safetensors", "--onnx", "conv.onnx");
    expect(exported.stdout).toMatch(
      /^onnx +conv\.onnx: features \[batch, 4, 5\] → logits, probabilities \[batch, 10\]$/m,
    );
  });

  test("has a log with the same columns in every row, and a report with its filters", () => {
    const [header, ...rows] = readFileSync(inFolder("conv.csv"), "utf8").trimEnd().split("\n");
    const columns = header!.split(",");
    expect(rows).toHaveLength(31);
    for (const row of rows) expect(row.split(",")).toHaveLength(columns.length);
    const last = rows.at(-1)!.split(",");
    expect(last[columns.indexOf("event")]).toBe("done");
    expect(Number(last[columns.indexOf("testAccuracy")])).toBeGreaterThan(0.3);
    const page = readFileSync(inFolder("conv.html"), "utf8");
    expect(page).toMatch(/<h1>MNIST.*: 4×5, conv 4, dense 10, 854 parameters<\/h1>/);
    expect(page).toContain('width="3" height="3" alt="weights of unit 3"');
    expect(page).toContain("layer 0, conv2d 4");
  });

  test("resumes from a checkpoint to the same bits, with its layers written in another way", async () => {
    for (const file of readdirSync(inFolder("kept"))) {
      if (/^step-0*(?:20|30)\./.test(file)) rmSync(join(inFolder("kept"), file));
    }
    const written = "CONV2D 4 3 padding=same bias=false,batchNorm,relu,flatten,dense 10";
    const resuming = ["--checkpoint", "kept", "--resume", "--out", "again.safetensors"];
    const again = await wgrad("train", ...common, "--layers", written, "--max-steps", "30", ...resuming);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toMatch(/^resumed +at step 10, /m);
    const values = async (name: string) => initialValues((await loadModelFile(inFolder(name))).model);
    expect(await values("again.safetensors")).toEqual(await values("conv.safetensors"));
  });

  test("does not resume with other layers", async () => {
    const other = LAYERS.replace("conv 4", "conv 3");
    const args = [...common, "--layers", other, "--max-steps", "30", "--checkpoint", "kept", "--resume"];
    expectRefusal(await wgrad("train", ...args), 2, /it has --layers 'conv 4 .*', this run has --layers 'conv 3 /);
  });

  test("is what --init starts from, with the states of its normalization", async () => {
    const still = ["--lr", "1e-12", "--max-steps", "1"];
    const from = ["--data", "data", "--device", "cpu", "--init", "conv.safetensors"];
    const started = await wgrad("train", ...from, ...still, "--batch", "200", "--out", "started.safetensors");
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(started.stdout).toMatch(/^network +4×5, conv 4, dense 10, 854 parameters\nstart +conv\.safetensors$/m);
    const values = async (name: string) => initialValues((await loadModelFile(inFolder(name))).model);
    const [before, after] = [await values("conv.safetensors"), await values("started.safetensors")];
    const means = "layers.1.runningMean";
    const initial = 0;
    // One step of training moves a running mean by a tenth towards the mean of the batch.
    after[means]!.values.forEach((value, channel) => {
      const was = before[means]!.values[channel]!;
      expect(was).not.toBe(initial);
      expect(Math.abs(value - was)).toBeLessThan(Math.abs(was));
    });
    expect(after["layers.0.weight"]!.values[5]).toBeCloseTo(before["layers.0.weight"]!.values[5]!, 6);
    expectRefusal(
      await wgrad("train", ...from, "--layers", "flatten, dense 10"),
      2,
      /--layers: flatten, dense 10, but conv\.safetensors has conv 4 .*\. Omit --layers: the network is that of the model/,
    );
  });
});

test("--init replaces the last dense layer of a convolutional network for other classes", async () => {
  const random = new Random(4);
  const pixels = Uint8Array.from({ length: 30 * 20 }, () => random.below(256));
  writeFileSync(inFolder("images.idx"), writeIdx([30, 4, 5], pixels));
  writeFileSync(
    inFolder("labels.idx"),
    writeIdx(
      [30],
      Uint8Array.from({ length: 30 }, (_, index) => index % 3),
    ),
  );
  const data = ["--images", "images.idx", "--labels", "labels.idx", "--device", "cpu", "--batch", "30"];
  const still = ["--lr", "1e-12", "--max-steps", "1", "--init", "conv.safetensors", "--out", "three.safetensors"];
  const { code, stdout, stderr } = await wgrad("train", ...data, ...still);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^network +4×5, conv 4, dense 3, 287 parameters$/m);
  expect(stdout).toMatch(
    /^start +conv\.safetensors, with a new last layer:\n +its outputs were 0, 1, 2, … \(10\), now 0, 1, 2$/m,
  );
  const { model } = await loadModelFile(inFolder("three.safetensors"));
  expect(model.outputShape).toEqual([3]);
  const before = initialValues((await loadModelFile(inFolder("conv.safetensors"))).model);
  expect(initialValues(model)["layers.0.weight"]!.values[7]).toBeCloseTo(before["layers.0.weight"]!.values[7]!, 6);
});

test("augmentations and weights of the classes are named, stored, and change what is trained", async () => {
  const weights = "0,1,1,1,1,1,1,1,1,1";
  const more = ["--augment", "shift=1,cutout=2", "--class-weights", weights, "--out", "changed.safetensors"];
  const { code, stdout, stderr } = await wgrad("train", ...common, "--preset", "mlp", "--max-steps", "60", ...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^augment +shift=1,cutout=2\nweights +of the classes: 0,1,1,/m);
  const { configuration } = await loadModelFile(inFolder("changed.safetensors"));
  expect(configuration).toMatchObject({ augment: "shift=1,cutout=2", classWeights: weights.split(",").map(Number) });
  // A class without weight is never predicted.
  const metrics = await wgrad("evaluate", "changed.safetensors", "--data", "data", "--device", "cpu", "--json");
  const { classes } = JSON.parse(metrics.stdout) as { classes: { recall: number }[] };
  expect(classes[0]!.recall).toBe(0);
  expect(classes.some(({ recall }) => recall > 0.5)).toBe(true);
  expectRefusal(
    await wgrad("train", ...common, "--class-weights", "1,2"),
    2,
    /^error: --class-weights: \[1,2\] for 10 classes\. Give a list of 10 numbers, or "balanced"/m,
  );
});

test("a sweep over layers names each in its results", async () => {
  const grid = "layers=flatten, dense 10;conv 2 3x3, flatten, dense 10";
  const { code, stdout } = await wgrad("sweep", ...common, "--grid", grid, "--max-steps", "10", "--out", "runs");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^1\/2 {2}layers flatten, dense 10: validation accuracy/m);
  expect(stdout).toMatch(/^ *conv 2 3x3, flatten, dense 10 /m);
  expect(readFileSync(inFolder("runs/results.csv"), "utf8")).toMatch(/^\w+,"conv 2 3x3, flatten, dense 10",/m);
});

test("a sweep compares augmentations and weights of the classes with none, which is a run without the options", async () => {
  const options = ["--preset", "mlp", "--max-steps", "10", "--out"];
  const grid = ["--grid", "augment=none;shift=1,mixup", "--grid", "class-weights=none;balanced"];
  const { code, stdout } = await wgrad("sweep", ...common, ...grid, ...options, "augmented");
  expect(code).toBe(0);
  const losses = [...stdout.matchAll(/^\d\/4 .* loss ([\d.]+)$/gm)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(4);
  const plain = await wgrad("sweep", ...common, ...options, "plain", "--grid", "seed=1");
  expect(Number(/^1\/1 .* loss ([\d.]+)$/m.exec(plain.stdout)![1])).toBe(losses[0]);
  expect(losses[2]).not.toBe(losses[0]);
});

test("a position in the text of --layers is part of the message", async () => {
  const { code, stderr } = await wgrad("train", ...common, "--layers", "flatten, desne 10");
  expect(stderr).toBe('error: --layers, position 10: there is no layer "desne". Did you mean dense?\n');
  expect(code).toBe(2);
});
