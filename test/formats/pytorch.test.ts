import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DataError, OptionError } from "../../src/errors.ts";
import { initialValues, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { loadPytorch, pytorchCode, savePytorch, type ImportOptions } from "../../src/formats/pytorch.ts";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../../src/formats/safetensors.ts";
import { activation, dense, dropout, flatten } from "../../src/nn/layers/index.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { createEvaluator } from "../../src/train/index.ts";

const layers = [
  flatten(),
  dense(4, { activation: "tanh" }),
  dropout(0.25),
  dense(5),
  activation("step"),
  dense(3, { bias: false }),
];

const trained: TrainedModel = {
  model: sequential(layers, { inputShape: [2, 3], seed: 4 }),
  loss: "softmaxCrossEntropy",
  normalization: { scale: [1, 2, 3, 4, 5, 6], offset: -0.5 },
  classes: ["cat", "dog", "ox"],
  step: 9,
  training: { optimizer: "adam" },
  results: { accuracy: 0.5 },
};

const tensor = (name: string, shape: readonly number[], first = 1): NamedTensor => {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return { name, shape, values: Float32Array.from({ length: size }, (_, index) => first + index) };
};

describe("a model for PyTorch", () => {
  test("names its layers by the numbers of their modules, with weights as [outputs, inputs]", () => {
    const { tensors, metadata } = readSafetensors(savePytorch(trained), "file");
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ["layers.0.weight", [4, 6]],
      ["layers.0.bias", [4]],
      ["layers.3.weight", [5, 4]],
      ["layers.3.bias", [5]],
      ["layers.5.weight", [3, 5]],
    ]);
    expect(metadata).toMatchObject({ format: "pt", normalization: JSON.stringify(trained.normalization) });
    const own = initialValues(trained.model)["layers.1.weight"]!.values;
    const theirs = tensors.get("layers.0.weight")!.values;
    for (let unit = 0; unit < 4; unit++) {
      for (let input = 0; input < 6; input++) expect(theirs[unit * 6 + input]).toBe(own[input * 4 + unit]);
    }
  });

  test("comes with the code that loads it", () => {
    expect(pytorchCode(trained, 'a "b".safetensors').split("\n")).toEqual([
      "import json, torch",
      "from torch import nn",
      "from safetensors import safe_open",
      'Step = type("Step", (nn.Module,), {"forward": lambda self, x: (x >= 0).to(x.dtype)})',
      'with safe_open("a \\"b\\".safetensors", "pt") as file:',
      "    state = {name: file.get_tensor(name) for name in file.keys()}",
      '    normalization = json.loads(file.metadata()["normalization"])',
      'network = nn.ModuleDict({"layers": nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Dropout(0.25), nn.Linear(4, 5), Step(), nn.Linear(5, 3, bias=False))}).eval()',
      "network.load_state_dict(state)",
      'scale, offset = (torch.tensor(normalization[name]) for name in ("scale", "offset"))',
      'predict = lambda x: network["layers"](x.float().flatten(1) * scale + offset).softmax(-1)',
    ]);
    const relu = sequential([activation("relu"), flatten(), dense(3)], { inputShape: [2, 3] });
    expect(pytorchCode({ ...trained, model: relu }, "f")).toContain(
      "(x.float().flatten(1) * scale + offset).unflatten(1, (2, 3))",
    );
    const quantities = { ...trained, loss: "meanSquaredError", classes: [], outputs: ["x", "y", "z"] } as const;
    expect(pytorchCode(quantities, "f")).toMatch(/\* scale \+ offset\)$/);
  });

  test("gives a table's targets in the units of the label, also after reading it back", () => {
    const columns = [1, 2, 3, 4, 5, 6].map((position) => ({ name: `x${position}`, position, kind: "number" }));
    const table = {
      header: true,
      width: 7,
      columns,
      label: { name: "price", position: 7, kind: "number", mean: 268.6, deviation: 81.25 },
    };
    const model = sequential([dense(1)], { inputShape: [6], seed: 4 });
    const quantities: TrainedModel = {
      ...trained,
      model,
      loss: "meanSquaredError",
      classes: [],
      outputs: ["price"],
      table,
    };
    expect(pytorchCode(quantities, "f").split("\n").slice(-3)).toEqual([
      "mean = torch.tensor([268.6])",
      "deviation = torch.tensor([81.25])",
      'predict = lambda x: network["layers"](x.float().flatten(1) * scale + offset) * deviation + mean',
    ]);
    const back = loadPytorch(savePytorch(quantities), "file");
    expect(back.table).toEqual(table);
    expect(
      Buffer.compare(saveModel(back, initialValues(back.model)), saveModel(quantities, initialValues(model))),
    ).toBe(0);
  });

  test("is read back as the same file, including NaN values", () => {
    const parameters = initialValues(trained.model);
    const odd = Uint32Array.of(0x7fc00001, 0xff800000, 0x80000000, 1, 0x7fffffff);
    new Uint32Array(parameters["layers.5.weight"]!.values.buffer).set(odd, 3);
    const expected = saveModel(trained, parameters);
    const back = loadPytorch(savePytorch(trained, parameters), "file");
    expect(Buffer.compare(saveModel(back, initialValues(back.model)), expected)).toBe(0);
  });
});

describe("a network from PyTorch", () => {
  const written = (tensors: readonly NamedTensor[]) => writeSafetensors(tensors, { format: "pt" });
  // In alphabetical order, as PyTorch's library writes them.
  const file = written([
    tensor("net.0.bias", [2], 0.5),
    tensor("net.0.weight", [2, 4]),
    tensor("net.10.weight", [3, 5], -7),
    tensor("net.2.bias", [5], -2),
    tensor("net.2.weight", [5, 2], -4),
  ]);

  test("computes y = activation(x·Wᵀ + b), layer by layer in the order of their numbers", async () => {
    const options: ImportOptions = {
      activation: "leakyRelu",
      inputShape: [2, 2],
      normalization: { scale: 0.5, offset: -1 },
    };
    const { model, ...facts } = loadPytorch(file, "net.safetensors", options);
    expect(facts).toEqual({
      loss: "softmaxCrossEntropy",
      normalization: { scale: 0.5, offset: -1 },
      classes: ["0", "1", "2"],
      step: 0,
      training: { importedFrom: "net.safetensors" },
    });
    const backend = createCpuBackend({ precision: "float64" });
    const evaluator = createEvaluator({
      model,
      normalization: facts.normalization,
      backend,
      session: backend.createSession(),
    });
    const outputs = await evaluator.predict(Float32Array.of(1, 2, 3, 4));
    const { tensors } = readSafetensors(file, "file");
    const linear = (name: string, x: readonly number[]) => {
      const { shape, values } = tensors.get(`${name}.weight`)!;
      return Array.from({ length: shape[0]! }, (_, unit) =>
        x.reduce(
          (sum, value, input) => sum + value * values[unit * x.length + input]!,
          tensors.get(`${name}.bias`)?.values[unit] ?? 0,
        ),
      );
    };
    const leaky = (values: readonly number[]) => values.map((value) => (value > 0 ? value : 0.01 * value));
    const expected = linear("net.10", leaky(linear("net.2", leaky(linear("net.0", [-0.5, 0, 0.5, 1])))));
    expected.forEach((value, index) => expect(outputs[index]).toBeCloseTo(value, 4));
  });

  test("accepts the order of layers by name, names of outputs, and 16-bit values", () => {
    const named = written([
      tensor("fc1.weight", [2, 3]),
      tensor("first.weight", [3, 4]),
      tensor("last.weight", [1, 2]),
    ]);
    const { model, loss, outputs, classes } = loadPytorch(named, "f", {
      layers: ["first", "fc1", "last"],
      outputs: ["rent"],
    });
    expect(model.shapes).toEqual([[4], [3], [2], [1]]);
    expect({ loss, outputs, classes }).toEqual({ loss: "meanSquaredError", outputs: ["rent"], classes: [] });
    expect(loadPytorch(written([tensor("weight", [1, 2])]), "f")).toMatchObject({ outputs: ["output"] });
    const two = loadPytorch(written([tensor("weight", [1, 2])]), "f", {
      classes: ["no", "yes"],
      loss: "sigmoidBinaryCrossEntropy",
    });
    expect(two).toMatchObject({ classes: ["no", "yes"], loss: "sigmoidBinaryCrossEntropy" });

    const header = JSON.stringify({ weight: { dtype: "F16", shape: [1, 2], data_offsets: [0, 4] } });
    const half = new Uint8Array(8 + header.length + 4);
    new DataView(half.buffer).setBigUint64(0, BigInt(header.length), true);
    half.set(new TextEncoder().encode(header), 8);
    half.set([0, 0x3c, 0, 0xc0], 8 + header.length);
    expect([...initialValues(loadPytorch(half, "f").model)["layers.0.weight"]!.values]).toEqual([1, -2]);
  });

  test.each<[string, readonly NamedTensor[], ImportOptions, RegExp]>([
    ["no tensors", [], {}, /f: there are no tensors/],
    [
      "a convolution",
      [tensor("conv.weight", [4, 1, 3, 3])],
      {},
      /tensor "conv\.weight": \[4, 1, 3, 3\] is not the shape of a Linear layer's weight/,
    ],
    [
      "a normalization layer",
      [tensor("bn.running_mean", [4])],
      {},
      /tensor "bn\.running_mean": \[4\] is not the shape of a Linear/,
    ],
    ["an empty weight", [tensor("a.weight", [0, 4])], {}, /tensor "a\.weight": \[0, 4\] is not the shape of a Linear/],
    ["a bias alone", [tensor("a.bias", [4])], {}, /layer "a": the layer has a bias but no weight/],
    [
      "a bias of another length",
      [tensor("a.weight", [4, 2]), tensor("a.bias", [3])],
      {},
      /layer "a": its bias is \[3\], but its weight \[4, 2\] has 4 outputs/,
    ],
    [
      "layers that do not fit each other",
      [tensor("a.weight", [4, 2]), tensor("b.weight", [3, 5])],
      {},
      /layer "b": its weight \[3, 5\] has 5 inputs, but the layer "a" before it, \[4, 2\], has 4 outputs/,
    ],
  ])("is refused with %s", (_, tensors, options, message) => {
    expect(() => loadPytorch(written(tensors), "f", options)).toThrow(DataError);
    expect(() => loadPytorch(written(tensors), "f", options)).toThrow(message);
  });

  test.each<[string, ImportOptions, RegExp]>([
    [
      "an order without one of the layers",
      { layers: ["net.0", "net.2"] },
      /layers: .*Give layers: \["net\.0","net\.2","net\.10"\] in the order/,
    ],
    ["an order with a layer twice", { layers: ["net.0", "net.2", "net.2"] }, /does not list each layer/],
    [
      "a shape with another number of features",
      { inputShape: [5] },
      /inputShape: \[5\] has 5 features, but the first layer takes 4/,
    ],
    ["an unknown activation", { activation: "mish" as "relu" }, /unknown activation "mish"/],
    [
      "classes and outputs",
      { classes: ["a", "b", "c"], outputs: ["a", "b", "c"] },
      /classes and outputs exclude each other/,
    ],
    [
      "constants for another number of features",
      { normalization: { scale: [1, 2], offset: 0 } },
      /normalization scale: 2 values for 4 features/,
    ],
    ["a constant that is not a number", { normalization: { scale: 1, offset: NaN } }, /normalization offset/],
  ])("is refused with the option %s", (_, options, message) => {
    expect(() => loadPytorch(file, "f", options)).toThrow(OptionError);
    expect(() => loadPytorch(file, "f", options)).toThrow(message);
  });

  test("is refused if the classes do not match the outputs", () => {
    expect(() => loadPytorch(file, "f", { classes: ["a", "b"] })).toThrow(/output is \[3\] but the data has 2 classes/);
  });
});

test("a file with its own description refuses options, and a model of wgrad is not imported", () => {
  expect(() => loadPytorch(savePytorch(trained), "f", { activation: "relu" })).toThrow(
    /^activation: f was written by wgrad/,
  );
  expect(() => loadPytorch(saveModel(trained, initialValues(trained.model)), "f")).toThrow(
    /this is already a model of wgrad/,
  );
});
