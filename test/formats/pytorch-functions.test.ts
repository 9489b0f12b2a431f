/*
 * Functional models as classes of PyTorch. `pytorch-functions/check.ts` runs the code of all cases in PyTorch: in version 1.13,
 * the outputs differ from those of wgrad by at most 7e-7 of the largest one.
 */
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../../src/errors.ts";
import { initialValues } from "../../src/formats/model.ts";
import { startFromPytorch } from "../../src/formats/pytorch-layers.ts";
import { loadPytorch, pytorchCode, savePytorch } from "../../src/formats/pytorch.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import {
  add,
  constant,
  conv2d,
  dense,
  flatten,
  functionalModel,
  layers,
  multiply,
  relu,
  sequential,
  type FunctionalModel,
  type ModelFunction,
} from "../../src/index.ts";
import { functionCases, trainedCase, twiceUsed } from "./function-cases.ts";

const trainedOf = (model: FunctionalModel) => ({ model, step: 0, training: {} });

const linesOf = (compute: ModelFunction<"left" | "my-input", string>) =>
  pytorchCode(trainedOf(functionalModel({ inputs: { left: [3], "my-input": [3] } }, compute)), "f.safetensors").split(
    "\n",
  );

test("the function becomes a forward, in which a shared layer is one module", () => {
  const shared = dense(2, { activation: "tanh" });
  const lines = linesOf(({ left, "my-input": right }, { use }) => {
    const [a, b] = [use(shared, left, "tower"), use(shared, right)];
    return { sum: add(a, multiply(0.5, relu(b))), hidden: b };
  });
  expect(lines).toEqual([
    "import json, torch",
    "from torch import nn",
    "from safetensors import safe_open",
    "class Network(nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    "        self.layers = nn.ModuleDict({",
    '            "tower": nn.Sequential(nn.Linear(3, 2), nn.Tanh()),',
    "        })",
    "    def forward(self, left, my_input):",
    '        tower = self.layers["tower"](left)',
    '        tower_2 = self.layers["tower"](my_input)',
    '        return {"sum": (tower + (0.5 * torch.relu(tower_2))), "hidden": tower_2}',
    'with safe_open("f.safetensors", "pt") as file:',
    "    state = {name: file.get_tensor(name) for name in file.keys()}",
    "network = Network().eval()",
    "network.load_state_dict(state)",
    "predict = lambda left, my_input: network(left, my_input)",
  ]);
});

test("names that Python or nn.ModuleDict reserve are changed, and values that are read twice get a variable", () => {
  const lines = linesOf(({ left }, { use }) => {
    const own = use(dense(3), use(dense(3), use(dense(3), left, "lambda"), "values"));
    const gate = relu(own);
    return { y: multiply(gate, gate) };
  });
  expect(lines).toContain('            "values_": nn.Sequential(nn.Linear(3, 3)),');
  expect(lines).toContain('        lambda_ = self.layers["lambda"](left)');
  expect(lines).toContain('        layer_2 = self.layers["2"](values)');
  expect(lines).toContain("        x = torch.relu(layer_2)");
  expect(lines).toContain('        return {"y": (x * x)}');
});

test("a layer without parameters has another module for inputs of another shape", () => {
  const pool = layers.maxPool2d(2, { padding: "same" });
  const model = functionalModel({ inputs: { even: [4, 4, 1], odd: [5, 5, 1] } }, ({ even, odd }, { use }) => ({
    a: use(pool, even),
    b: use(pool, odd),
    c: use(pool, even),
  }));
  const code = pytorchCode(trainedOf(model), "f");
  expect(code).toContain('"0_2": nn.Sequential(Permute(0, 3, 1, 2), nn.ConstantPad2d((0, 1, 0, 1)');
  expect(code).toContain('layer_0_3 = self.layers["0"](even)');
});

test("a layer with parameters that needs other modules for its shapes is refused", () => {
  const conv = layers.conv2d(1, 3, { stride: 2, padding: "same" });
  const model = functionalModel({ inputs: { even: [4, 4, 1], odd: [5, 5, 1] } }, ({ even, odd }, { use }) => ({
    a: use(conv, even, "conv"),
    b: use(conv, odd),
  }));
  expect(() => pytorchCode(trainedOf(model), "f")).toThrow("PyTorch: layer conv is used on several shapes");
});

test("the code of all cases is the one that was run in PyTorch; if it changes, run check.ts again", async () => {
  const codes = Object.entries(functionCases).map(
    ([name, make]) => `# ${name}\n${pytorchCode(trainedCase(make()), "model.safetensors")}\n`,
  );
  await expect(codes.join("\n")).toMatchFileSnapshot("pytorch-functions/generated.py.txt");
});

describe("a file of savePytorch", () => {
  const cases = [...Object.entries(functionCases).map(([name, make]) => [name, make()] as const), ...twiceUsed];

  test.each(cases.filter(([, { parameters }]) => parameters.length > 0))(
    "gives its values back to the same functional model: %s",
    (_, made) => {
      const trained = trainedCase(made);
      const wanted = initialValues(trained.model);
      const { model, matched, unused } = startFromPytorch(made, savePytorch(trained), "file");
      expect(initialValues(model)).toEqual(wanted);
      expect(matched.map(({ name }) => name).toSorted()).toEqual(Object.keys(wanted).toSorted());
      expect(unused).toEqual([]);
    },
  );

  const chain = [layers.conv2d(2, 2), flatten(), dense(3)];
  const inputShape = [3, 4, 1];

  test("gives its values back to a sequential model, whose features stay in wgrad's order", () => {
    const model = sequential(chain, { inputShape, seed: 4 });
    const facts = {
      loss: "meanSquaredError",
      normalization: { scale: 1, offset: 0 },
      classes: [],
      outputs: ["y"],
    } as const;
    const file = savePytorch({ ...facts, model, step: 0, training: {} });
    const found = startFromPytorch(sequential(chain, { inputShape, seed: 9 }), file, "file");
    expect(initialValues(found.model)).toEqual(initialValues(model));
    expect(found.matched[0]).toEqual({ name: "layers.0.weight", tensor: "layers.1.weight", shape: [2, 1, 2, 2] });
    expect(() => startFromPytorch(model, file, "file", { layers: ["a", "b"] })).toThrow(OptionError);
    const other = sequential([...chain.slice(0, 2), dense(4)], { inputShape });
    expect(() => startFromPytorch(other, file, "file")).toThrow(
      new DataError({
        where: "file",
        what: "there is no tensor for layers.2.weight, [12, 4]",
        fix: "Give the model that was written to the file",
      }),
    );
  });

  test("names its tensors by the layers, with PyTorch's layout, and describes the model", () => {
    const model = functionalModel({ inputs: { x: inputShape }, name: "net" }, ({ x }, { use }) => ({
      y: use(dense(3), use(flatten(), use(layers.conv2d(2, 2), x, "filters")), "head"),
    }));
    const file = savePytorch(trainedOf(model));
    const { tensors, metadata } = readSafetensors(file, "file");
    expect(Array.from(tensors, ([name, { shape }]) => [name, shape])).toEqual([
      ["layers.filters.1.weight", [2, 1, 2, 2]],
      ["layers.filters.1.bias", [2]],
      ["layers.head.0.weight", [3, 12]],
      ["layers.head.0.bias", [3]],
    ]);
    expect(metadata).toMatchObject({ format: "pt", producer: "wgrad", model: JSON.stringify(model.config) });
    expect(() => loadPytorch(file, "file")).toThrow("give it to startFromPytorch");
  });
});

test("an op without a form is refused by its name", () => {
  const weights = constant(new Array<number>(9).fill(1), [3, 3, 1, 1]);
  const model = functionalModel({ inputs: { x: [4, 4, 1] } }, ({ x }) => ({ y: conv2d(x, weights) }));
  expect(() => pytorchCode(trainedOf(model), "f")).toThrow(
    'PyTorch: the model\'s function uses the op "patches", which has no form in this format',
  );
});
