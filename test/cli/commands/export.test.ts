import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { initialValues, saveModel } from "../../../src/formats/model.ts";
import { startFromPytorch } from "../../../src/formats/pytorch-layers.ts";
import { writeSafetensors } from "../../../src/formats/safetensors.ts";
import { constant } from "../../../src/graph/leaves.ts";
import { sizeOf } from "../../../src/graph/tensor.ts";
import { add, dense, functionalModel, summary } from "../../../src/index.ts";
import { loadMnist, loadModelFile } from "../../../src/node/index.ts";
import { Random } from "../../../src/random.ts";
import { createEvaluator, probabilities } from "../../../src/train/index.ts";
import { largestDifference, runOnnx, runOnnxInputs } from "../../formats/onnxruntime.ts";
import { evaluate } from "../../nn/run.ts";
import { commandLine, expectRefusal, runCli } from "../built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;
const wgrad = (...args: readonly string[]) => cli.run(args);

beforeAll(async () => {
  const options =
    "--data data --device cpu --hidden 8,6 --activation gelu --batch 20 --lr 0.02 --epochs 5 --out model.safetensors";
  const { code, stderr } = await wgrad("train", ...options.split(" "));
  if (code !== 0) throw new Error(stderr);
});

/** The outputs of the model in the folder for the test pictures, computed in this process. */
async function predictions() {
  const { test: held } = await loadMnist({ directory: inFolder("data") });
  const { model, normalization } = await loadModelFile(inFolder("model.safetensors"));
  const backend = createCpuBackend();
  const evaluator = createEvaluator({ model, normalization, backend, session: backend.createSession() });
  return { features: held.features, outputs: await evaluator.predict(held.features) };
}

describe("wgrad export", () => {
  test("writes ONNX with the same outputs", async () => {
    const { code, stdout, stderr } = await wgrad("export", "model.safetensors", "--onnx", "model.onnx");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "model     model.safetensors: 20-8-6-10, 292 parameters",
      "onnx      model.onnx: features [batch, 4, 5] → logits, probabilities [batch, 10]",
      "",
    ]);
    const { features, outputs } = await predictions();
    const found = await runOnnx(readFileSync(inFolder("model.onnx")), features, [50, 4, 5]);
    expect(largestDifference(found.outputs["logits"]!.values, outputs)).toBeLessThan(1e-5);
    expect(largestDifference(found.outputs["probabilities"]!.values, probabilities(outputs, 10))).toBeLessThan(1e-5);
  });

  test("writes PyTorch's layout, from which `wgrad import` restores the same file", async () => {
    const { code, stdout } = await wgrad("export", "model.safetensors", "--safetensors", "torch.safetensors");
    expect(code).toBe(0);
    expect(stdout).toContain('with safe_open("torch.safetensors", "pt") as file:');
    expect(stdout).toContain(
      "nn.Sequential(nn.Linear(20, 8), nn.GELU(), nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 10))",
    );
    const imported = await wgrad("import", "torch.safetensors", "--out", "back.safetensors");
    expect(imported).toMatchObject({
      code: 0,
      stderr: "",
      stdout: "network   20-8-6-10, 292 parameters\nmodel     back.safetensors\n",
    });
    expect(
      Buffer.compare(readFileSync(inFolder("back.safetensors")), readFileSync(inFolder("model.safetensors"))),
    ).toBe(0);
  });

  test("does not replace the model or another output under any name", async () => {
    const before = readFileSync(inFolder("model.safetensors"));
    symlinkSync("model.safetensors", inFolder("link.safetensors"));
    for (const args of [
      ["--safetensors", "./model.safetensors"],
      ["--onnx", "link.safetensors"],
      ["--onnx", "both", "--safetensors", join(cli.folder, "both")],
      [],
    ]) {
      const { code, stderr } = await wgrad("export", "model.safetensors", ...args);
      expect(stderr).toMatch(args.length > 0 ? /is the same file as/ : /there is nothing to write/);
      expect(code).toBe(2);
    }
    expect(Buffer.compare(readFileSync(inFolder("model.safetensors")), before)).toBe(0);
    expect(existsSync(inFolder("both"))).toBe(false);
  });

  test("refuses a file that is not a model, and a folder that does not exist", async () => {
    writeFileSync(inFolder("text"), "this is a text and no model at all");
    const refused = await wgrad("export", "text", "--onnx", "text.onnx");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("error: text: this is not a safetensors file"),
    });
    expect(existsSync(inFolder("text.onnx"))).toBe(false);
    const lost = await wgrad("export", "model.safetensors", "--onnx", "absent/model.onnx");
    expect(lost).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("absent/model.onnx: cannot be written: no such file"),
    });
  });
});

describe("wgrad export of a functional model", () => {
  /** A module whose default export, besides others, is a function of two inputs. It imports the package of the command line. */
  const moduleWith = (head: string) => [
    `import { add, dense } from ${JSON.stringify(pathToFileURL(join(dirname(cli.path), "index.js")).href)};`,
    "export default ({ left, right }, { use }) => {",
    "  const tower = dense(3);",
    `  return { both: use(${head}, add(use(tower, left), use(tower, right))) };`,
    "};",
  ];
  const model = functionalModel({ inputs: { left: [2], right: [2] }, seed: 3 }, ({ left, right }, { use }) => {
    const tower = dense(3);
    return { both: use(dense(2, { activation: "tanh" }), add(use(tower, left), use(tower, right))) };
  });

  beforeAll(() => {
    writeFileSync(inFolder("pair.safetensors"), saveModel({ model, step: 5, training: {} }, initialValues(model)));
    cli.write("pair.mjs", moduleWith('dense(2, { activation: "tanh" })'));
    cli.write("other.mjs", moduleWith("dense(2)"));
    cli.write("number.mjs", ["export default 3;"]);
  });

  test("writes its inputs and outputs, with the function of a module", async () => {
    const options = "--function pair.mjs --onnx pair.onnx --safetensors pair.torch.safetensors";
    const { code, stdout, stderr } = await wgrad("export", "pair.safetensors", ...options.split(" "));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("model     pair.safetensors: a functional model, 17 values");
    expect(lines[1]).toBe("onnx      pair.onnx: left [batch, 2], right [batch, 2] → both [batch, 2]");
    expect(lines).toContain("    def forward(self, left, right):");
    expect(stdout).toContain('with safe_open("pair.torch.safetensors", "pt") as file:');
    const inputs = { left: [1, 2], right: [-0.5, 0.25] };
    const given = Object.entries(inputs).map(([name, values]) => [name, constant(values, [1, 2])]);
    const { outputs } = await evaluate(model.apply(Object.fromEntries(given)));
    const found = await runOnnxInputs(
      readFileSync(inFolder("pair.onnx")),
      Object.fromEntries(
        Object.entries(inputs).map(([name, values]) => [name, { shape: [1, 2], values: Float32Array.from(values) }]),
      ),
    );
    expect(largestDifference(found.outputs["both"]!.values, outputs["both"]!)).toBeLessThan(1e-6);
    const start = startFromPytorch(model, readFileSync(inFolder("pair.torch.safetensors")), "pair");
    expect(initialValues(start.model)).toEqual(initialValues(model));
  });

  test("has a summary with shapes and operations", async () => {
    const { code, stdout, stderr } = await wgrad("summary", "pair.safetensors", "--function", "pair.mjs");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("inputs    left [2], right [2]\n\n");
    expect(stdout).toContain(summary(model).text);
    expectRefusal(await wgrad("summary", "model.safetensors", "--function", "pair.mjs"), 2, /^error: --function: /m);
  });

  test.each([
    [["pair.safetensors"], 2, /whose function is not part of the file\. Give --function/],
    [["pair.safetensors", "--function", "absent.mjs"], 2, /--function absent\.mjs: the module cannot be loaded/],
    [["pair.safetensors", "--function", "number.mjs"], 2, /its default export is 3 instead of a function/],
    [["pair.safetensors", "--function", "other.mjs"], 1, /layer "1": its activation is "tanh" in the config/],
    [
      ["model.safetensors", "--function", "pair.mjs"],
      2,
      /--function: model\.safetensors is a model of layers in sequence/,
    ],
  ])("refuses %s", async (args, code, message) => {
    expectRefusal(await wgrad("export", ...args, "--onnx", "refused.onnx"), code, message);
    expect(existsSync(inFolder("refused.onnx"))).toBe(false);
  });
});

test("an exported regression model gives the same predictions as `wgrad predict`, as ONNX and after `wgrad import`", async () => {
  const rows = Array.from({ length: 40 }, (_, index) => [
    index % 7,
    index % 2 === 0 ? "brick" : "wood",
    1000 + 50 * (index % 7) - 80 * (index % 2),
  ]);
  writeFileSync(inFolder("homes.csv"), ["rooms,wall,price", ...rows.map((row) => row.join(","))].join("\n"));
  const trained = await wgrad(
    ..."train --csv homes.csv --label price --task regression --hidden 4 --epochs 3 --device cpu --out homes.safetensors".split(
      " ",
    ),
  );
  expect(trained).toMatchObject({ code: 0 });
  const predicted = await wgrad("predict", "homes.safetensors", "homes.csv", "--device", "cpu");
  const expected = predicted.stdout.trimEnd().split("\n").slice(1).map(Number);
  expect(Math.min(...expected)).toBeGreaterThan(500);
  const exported = await wgrad(
    "export",
    "homes.safetensors",
    "--onnx",
    "homes.onnx",
    "--safetensors",
    "homes.torch.safetensors",
  );
  expect(exported.stdout).toMatch(
    /mean = torch\.tensor\(\[\d+(\.\d+)?\]\)\ndeviation = torch\.tensor\(\[\d+\.\d+\]\)\npredict = .* \* deviation \+ mean\n/,
  );
  const features = Float32Array.from(
    rows.flatMap(([rooms, wall]) => [rooms as number, Number(wall === "brick"), Number(wall === "wood")]),
  );
  const { outputs } = await runOnnx(readFileSync(inFolder("homes.onnx")), features, [40, 3]);
  // Six digits of numbers near 1,000.
  expect(largestDifference(outputs["outputs"]!.values, expected)).toBeLessThan(1e-3);
  await wgrad("import", "homes.torch.safetensors", "--out", "back.safetensors");
  expect((await wgrad("predict", "back.safetensors", "homes.csv", "--device", "cpu")).stdout).toBe(predicted.stdout);
});

describe("wgrad import", () => {
  test("imports PyTorch's layers as a model for the other commands", async () => {
    const layer = (name: string, outputs: number, inputs: number) => [
      { name: `${name}.weight`, shape: [outputs, inputs], values: new Float32Array(outputs * inputs).fill(0.01) },
      { name: `${name}.bias`, shape: [outputs], values: Float32Array.from({ length: outputs }, (_, index) => index) },
    ];
    writeFileSync(inFolder("torch.st"), writeSafetensors([...layer("head", 10, 7), ...layer("body", 7, 20)], {}));
    const options = "--modules body,head --activation tanh --shape 4,5 --scale 0.004 --out imported.safetensors";
    expect(await wgrad("import", "torch.st", ...options.split(" "))).toMatchObject({ code: 0, stderr: "" });
    const { model, normalization, classes } = await loadModelFile(inFolder("imported.safetensors"));
    expect(model.config.layers).toMatchObject([
      { type: "flatten" },
      { units: 7, activation: "tanh" },
      { units: 10, activation: "identity" },
    ]);
    expect({ normalization, classes }).toEqual({
      normalization: { scale: 0.004, offset: 0 },
      classes: [..."0123456789"],
    });
    const evaluated = await wgrad("evaluate", "imported.safetensors", "--data", "data", "--device", "cpu");
    expect(evaluated.stdout).toContain("imported.safetensors: imported from torch.st");
    // The largest bias predicts 9 for every picture, which is right for a tenth of them.
    expect(evaluated.stdout).toContain("test accuracy 10.0 %");
  });

  test("imports convolutions and batch normalization as the layers of --layers", async () => {
    const text = "conv 2 3x3 padding=same, batchnorm, relu, maxpool 2, flatten, dense 10";
    const random = new Random(3);
    const tensor = (name: string, shape: readonly number[]) => ({
      name,
      shape,
      values: Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(0.1, 1)),
    });
    const tensors = [
      tensor("stem.weight", [2, 1, 3, 3]),
      tensor("stem.bias", [2]),
      ...["weight", "bias", "running_mean", "running_var"].map((name) => tensor(`norm.${name}`, [2])),
      tensor("head.weight", [10, 8]),
      tensor("head.bias", [10]),
    ];
    writeFileSync(inFolder("cnn.st"), writeSafetensors(tensors, {}));
    const options = ["--layers", text, "--modules", "stem,norm,head", "--shape", "4,5", "--out", "cnn.safetensors"];
    const { code, stdout, stderr } = await wgrad("import", "cnn.st", ...options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^network +4×5, conv 2, dense 10, 114 parameters$/m);
    const values = initialValues((await loadModelFile(inFolder("cnn.safetensors"))).model);
    expect(values["layers.1.runningVariance"]!.values).toEqual(tensors[5]!.values);
    // [outputs, channels, rows, columns] in PyTorch, [rows, columns, channels, outputs] here.
    expect(values["layers.0.weight"]!.values[2 * (3 * 1 + 2) + 1]).toBe(tensors[0]!.values[9 + 3 * 1 + 2]);
    // Of the 2 × 2 pixels with 2 channels, PyTorch flattens the channels first.
    expect(values["layers.5.weight"]!.values[10 * (2 * 3 + 0) + 7]).toBe(tensors[6]!.values[8 * 7 + 3]);
  });

  test.each([
    [["x", "--out", "y", "--layers", "flatten, dense 3"], 1, /^error: x: cannot be read/m],
    [
      ["torch.st", "--out", "y", "--layers", "flatten, dense 3"],
      2,
      /--layers: the shape of .* is not known\. Add --shape/,
    ],
    [
      ["torch.st", "--out", "y", "--layers", "conv 3 3x3", "--shape", "2,2"],
      2,
      /--layers, conv2d: a window of 3 × 3 does not fit images of 2 × 2/,
    ],
    [
      ["torch.st", "--out", "y", "--layers", "body,head", "--shape", "20"],
      2,
      /--layers, position 1: there is no layer "body"/,
    ],
    [
      ["torch.st", "--out", "y", "--layers", "dense 3", "--shape", "20", "--activation", "tanh"],
      2,
      /--activation: --layers already has it/,
    ],
    [["model.safetensors", "--out", "x"], 1, /this is already a model of wgrad/],
    [["model.safetensors", "--out", "model.safetensors"], 2, /is the same file as/],
    [["model.safetensors"], 2, /required option '--out <file>'/],
    [["x", "--out", "y", "--activation", "rleu"], 2, /Did you mean relu/],
    [["x", "--out", "y", "--scale", "1,,2"], 2, /--scale: "1,,2" is neither a finite number nor a list/],
    [["x", "--out", "y", "--classes", "a,"], 2, /--classes: "a," contains an empty name/],
  ])("refuses %j", async (args, expected, message) => {
    const { code, stderr } = await wgrad("import", ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
    expect(existsSync(inFolder("y"))).toBe(false);
  });
});

test("a model predicts the same bits in another process", async () => {
  const built = dirname(cli.path);
  const program = `
    import { createCpuBackend, createEvaluator } from ${JSON.stringify(pathToFileURL(join(built, "index.js")).href)};
    import { loadMnist, loadModelFile } from ${JSON.stringify(pathToFileURL(join(built, "node.js")).href)};
    const { test } = await loadMnist({ directory: "data" });
    const backend = createCpuBackend();
    const evaluator = createEvaluator({ ...await loadModelFile("model.safetensors"), backend, session: backend.createSession() });
    console.log(Buffer.from((await evaluator.predict(test.features)).buffer).toString("hex"));
  `;
  writeFileSync(inFolder("predict.mjs"), program);
  const { stdout, stderr } = await runCli(inFolder("predict.mjs"), [], { cwd: cli.folder });
  const { outputs } = await predictions();
  expect(stderr).toBe("");
  expect(stdout.trim()).toBe(Buffer.from(outputs.buffer).toString("hex"));
});

test("the library imports neither protobuf nor Node's modules; ONNX is a separate entry", () => {
  const reached = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    // Docstrings have examples with imports of their own.
    const code = readFileSync(file, "utf8").replaceAll(/\/\*\*.*?\*\//gs, "");
    for (const [, specifier] of code.matchAll(/(?:from|import)\s*\(?\s*"([^"\s]+)"/g)) {
      if (specifier!.startsWith(".")) visit(join(dirname(file), specifier!));
      else packages.add(specifier!);
    }
  };
  visit(join(dirname(cli.path), "index.js"));
  expect(reached.size).toBeGreaterThan(3);
  expect([...packages]).toEqual([]);
  visit(join(dirname(cli.path), "onnx.js"));
  expect([...packages].sort()).toEqual(["@bufbuild/protobuf", "@bufbuild/protobuf/wkt"]);
});
