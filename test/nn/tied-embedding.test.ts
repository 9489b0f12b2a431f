import { expect, test } from "vitest";
import { initialValues } from "../../src/formats/model.ts";
import { constant } from "../../src/graph/leaves.ts";
import {
  dense,
  layers,
  layersFromText,
  layersToText,
  modelFromConfig,
  sequential,
  type Model,
} from "../../src/nn/index.ts";
import { evaluate } from "./run.ts";

const inner = [dense(2, { activation: "tanh" })];
const [entries, width] = [3, 2];
const options = { inputShape: [2], seed: 4 };
const valuesOf = (model: Model) =>
  Object.fromEntries(Object.entries(initialValues(model)).map(([name, { values }]) => [name, values]));
const tied = (bias?: boolean) => sequential([layers.tiedEmbedding(entries, width, inner, { bias })], options);

test("the bias is added to the logits of each position, and is 0 at first", async () => {
  const bias = [0.5, -1, 2];
  const x = constant([0, 2], [1, 2]);
  const initial = tied(true);
  const given = { ...valuesOf(initial), "layers.0.bias": Float32Array.from(bias) };
  const models = { without: tied(), initial, shifted: modelFromConfig(initial.config, given) };
  const { outputs } = await evaluate(
    Object.fromEntries(Object.entries(models).map(([name, model]) => [name, model.apply(x)])),
  );
  expect(outputs["initial"]).toEqual(outputs["without"]);
  expect(outputs["shifted"]).toEqual(outputs["without"]!.map((logit, index) => logit + bias[index % entries]!));
});

test("configs of models without a bias are those from before there was one, and a bias is part of config and text", () => {
  const before = { type: "tiedEmbedding", entries, width, layers: [inner[0]!.config] };
  expect(tied(false).config.layers).toEqual([before]);
  const read = (config: object) => modelFromConfig({ inputShape: [2], seed: 4, layers: [config] });
  expect(read(before).parameters.map(String)).toEqual(tied().parameters.map(String));
  expect(read({ ...before, bias: true }).parameters.map(String)).toEqual(tied(true).parameters.map(String));
  expect(() => read({ ...before, bias: 1 })).toThrow(/layer 0, tiedEmbedding bias: 1 is not a boolean/);
  const { width: _, ...incomplete } = before;
  expect(() => read(incomplete)).toThrow(/"width" is missing/);
  const text = "tied(dense 2 tanh) 3 2 bias=true";
  expect(layersToText(tied(true).config.layers)).toBe(text);
  expect(layersFromText(text).map(({ config }) => config)).toEqual(tied(true).config.layers);
});
