/*
 * Reads and writes a GPT with the names and the layout of GPT-2 in Hugging Face's transformers: "transformer.wte.weight",
 * "transformer.h.0.attn.c_attn.weight" and so on. The weights of its Conv1D are [inputs, outputs], as those of wgrad.
 */
import { DataError, excerpt, OptionError, optionName } from "../errors.ts";
import type { ActivationName } from "../nn/activations.ts";
import { isRecord, requireCount } from "../nn/checks.ts";
import type { LayerConfig } from "../nn/layers/layer.ts";
import { modelFromConfig } from "../nn/model-config.ts";
import { gptLayer } from "../nn/models/gpt.ts";
import { isFunctional } from "../nn/is-functional.ts";
import { parameterPrefix, storedLeaves, type Model } from "../nn/sequential.ts";
import { parseJson } from "./json.ts";
import { initialValues, requireValues, type ParameterValues } from "./model.ts";
import { readSafetensors, writeSafetensors, type NamedTensor, type Safetensors } from "./safetensors.ts";

/** The sizes of a GPT. */
interface Sizes {
  readonly vocabulary: number;
  readonly positions: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
  readonly activation: ActivationName;
}

/** GPT-2's names of its activations, in its configuration. */
const activationNames: Partial<Record<ActivationName, string>> = {
  gelu: "gelu",
  geluTanh: "gelu_new",
  relu: "relu",
  silu: "silu",
  tanh: "tanh",
};

/** The names of a block's parameters in wgrad and in GPT-2. */
const BLOCK_NAMES = [
  ["attentionNorm.weight", "ln_1.weight"],
  ["attentionNorm.bias", "ln_1.bias"],
  ["attention.weight", "attn.c_attn.weight"],
  ["attention.bias", "attn.c_attn.bias"],
  ["attention.output.weight", "attn.c_proj.weight"],
  ["attention.output.bias", "attn.c_proj.bias"],
  ["hiddenNorm.weight", "ln_2.weight"],
  ["hiddenNorm.bias", "ln_2.bias"],
  ["hidden.weight", "mlp.c_fc.weight"],
  ["hidden.bias", "mlp.c_fc.bias"],
  ["output.weight", "mlp.c_proj.weight"],
  ["output.bias", "mlp.c_proj.bias"],
] as const;

/** The name of each parameter in GPT-2 by its name in the layer. The positions are those of the inner layers. */
function namesOf(layers: readonly LayerConfig[]): [own: string, theirs: string][] {
  const positionsOf = (type: string) => layers.flatMap((layer, position) => (layer.type === type ? [position] : []));
  const [table] = positionsOf("positionEmbedding");
  const [norm] = positionsOf("layerNorm");
  return [
    ["weight", "wte.weight"],
    [`${table}.weight`, "wpe.weight"],
    ...positionsOf("transformerBlock").flatMap((position, block) =>
      BLOCK_NAMES.map(([own, theirs]): [string, string] => [`${position}.${own}`, `h.${block}.${theirs}`]),
    ),
    [`${norm}.weight`, "ln_f.weight"],
    [`${norm}.bias`, "ln_f.bias"],
  ];
}

const PREFIX = "transformer.";

/** What GPT-2 expects of each layer. */
const wantedOptions: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  positionEmbedding: {},
  dropout: {},
  transformerBlock: { norm: "layer", causal: true, rotary: false, gated: false },
  layerNorm: { affine: true, epsilon: 1e-5 },
};

const innerLayers = ({ config }: Model): readonly LayerConfig[] =>
  (config.layers[0]?.["layers"] as readonly LayerConfig[] | undefined) ?? [];

/**
 * The sizes of a model.
 * @throws OptionError for a network that GPT-2's differs from
 */
function sizesOf(where: string, model: Model): Sizes {
  const refuse = (what: string) =>
    new OptionError({ where, what, fix: "Give a model of models.gptLayer, or toSequential of models.gpt" });
  if (isFunctional(model)) throw refuse("this is a functional model");
  const { config, inputShape } = model;
  const [outer, ...others] = config.layers;
  if (outer?.type !== "tiedEmbedding" || others.length > 0 || inputShape.length !== 1)
    throw refuse(`${config.layers.map(({ type }) => type).join(", ")} is not the network of GPT-2, one tiedEmbedding`);
  if (outer["bias"] === true) throw refuse("tiedEmbedding has a bias, which the output matrix of GPT-2 does not have");
  const inner = innerLayers(model);
  const order = inner.map(({ type }) => type).filter((type) => type !== "dropout");
  const [first, last] = [order[0], order.at(-1)];
  const middle = order.slice(1, -1);
  if (first !== "positionEmbedding" || last !== "layerNorm" || middle.some((type) => type !== "transformerBlock"))
    throw refuse(`its layers are ${order.join(", ")}, not positionEmbedding, transformer blocks and layerNorm`);
  for (const layer of inner) {
    const wrong = Object.entries(wantedOptions[layer.type]!).find(([name, value]) => layer[name] !== value);
    if (wrong)
      throw refuse(`${layer.type} has ${wrong[0]} ${excerpt(layer[wrong[0]])}, but ${excerpt(wrong[1])} in GPT-2`);
  }
  const blocks = inner.filter(({ type }) => type === "transformerBlock");
  const kinds = new Set(blocks.map(({ heads, hidden, activation }) => JSON.stringify([heads, hidden, activation])));
  if (kinds.size !== 1) throw refuse(`it has ${kinds.size} kinds of blocks instead of one`);
  const { heads, hidden, activation } = blocks[0] as LayerConfig & Pick<Sizes, "heads" | "hidden" | "activation">;
  if (!Object.hasOwn(activationNames, activation)) throw refuse(`its activation is ${excerpt(activation)}`);
  return {
    vocabulary: outer["entries"] as number,
    positions: inner.find(({ type }) => type === "positionEmbedding")!["length"] as number,
    width: outer["width"] as number,
    layers: blocks.length,
    heads,
    hidden,
    activation,
  };
}

/**
 * Writes a GPT as a safetensors file with the names and shapes of GPT-2: that of `GPT2LMHeadModel` in Hugging Face's
 * transformers, whose output matrix is `transformer.wte.weight`. `gpt2Code` returns PyTorch code that loads it. Biases that
 * the model does not have are 0. The metadata have its configuration as JSON, with the fields of `GPT2Config`.
 * @param model a sequential model of `models.gptLayer`; blocks may have any number of hidden units and the activations
 * gelu, geluTanh, relu, silu and tanh
 * @param parameters values of each of the model's parameters; by default the model's initial values
 * @throws OptionError for another network, and for values that do not match the model's parameters
 */
export function saveGpt2(model: Model, parameters: ParameterValues = initialValues(model)): Uint8Array {
  const sizes = sizesOf("saveGpt2", model);
  requireValues(storedLeaves(model), parameters);
  const path = `${parameterPrefix(model.config)}layers.0.`;
  const shapes = expectedShapes(sizes);
  const tensors = namesOf(innerLayers(model)).map(([own, theirs]): NamedTensor => {
    const shape = shapes.get(theirs)!;
    const given = parameters[`${path}${own}`];
    const values = given?.values ?? new Float32Array(shape.reduce((product, size) => product * size, 1));
    return { name: `${PREFIX}${theirs}`, shape, values };
  });
  return writeSafetensors(tensors, { format: "pt", config: JSON.stringify(configOf(sizes)) });
}

/** The fields of GPT2Config. */
const configOf = ({ vocabulary, positions, width, layers, heads, hidden, activation }: Sizes) => ({
  model_type: "gpt2",
  vocab_size: vocabulary,
  n_positions: positions,
  n_embd: width,
  n_layer: layers,
  n_head: heads,
  n_inner: hidden,
  activation_function: activationNames[activation]!,
});

/** The shape of each tensor in a file, without the prefix. */
function expectedShapes({ vocabulary, positions, width, layers, hidden }: Omit<Sizes, "heads" | "activation">) {
  const block: Readonly<Record<string, readonly number[]>> = {
    "attn.c_attn.weight": [width, 3 * width],
    "attn.c_attn.bias": [3 * width],
    "attn.c_proj.weight": [width, width],
    "mlp.c_fc.weight": [width, hidden],
    "mlp.c_fc.bias": [hidden],
    "mlp.c_proj.weight": [hidden, width],
  };
  const blocks = Array.from({ length: layers }, (_, index) =>
    BLOCK_NAMES.map(([, name]) => [`h.${index}.${name}`, block[name] ?? [width]] as const),
  );
  return new Map<string, readonly number[]>([
    ["wte.weight", [vocabulary, width]],
    ["wpe.weight", [positions, width]],
    ...blocks.flat(),
    ["ln_f.weight", [width]],
    ["ln_f.bias", [width]],
  ]);
}

/** Options of `loadGpt2`. */
export interface Gpt2Options {
  /** The number of attention heads; by default that of the file's configuration, or a head for 64 elements, as in GPT-2. */
  readonly heads?: number;
  /** The activation; by default that of the file's configuration, or geluTanh, as in GPT-2. */
  readonly activation?: ActivationName;
  /** The number of tokens of an example; by default as many as there are positions, 1,024 for GPT-2. */
  readonly context?: number;
}

/** Masks of causal attention, which older files of GPT-2 contain. */
const MASK = /\.attn\.(masked_)?bias$/;

/**
 * Reads a GPT from a safetensors file of `saveGpt2`, or one of GPT-2 with Hugging Face's names, with or without the prefix
 * "transformer.". Values in float16, bfloat16 and float64 are converted to float32.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @returns a sequential model from [context] tokens to [context, vocabulary] logits, whose initial values are those of
 * the file
 * @throws DataError for anything that `readSafetensors` refuses, and for tensors that are missing, unknown, or of another
 * shape (the error names the tensor); OptionError for an option that does not fit
 */
export function loadGpt2(bytes: Uint8Array, where: string, options: Gpt2Options = {}): Model {
  const file = readSafetensors(bytes, where, { convert: true, omits: (name) => MASK.test(name) });
  const named = new Map([...file.tensors].map(([name, tensor]) => [name.replace(/^transformer\./, ""), tensor]));
  // The output matrix is that of the embedding.
  named.delete("lm_head.weight");
  const sizes = sizesOfFile({ tensors: named, metadata: file.metadata }, where, options);
  const { vocabulary, positions, layers, heads, width, hidden, activation } = sizes;
  const { context = positions } = options;
  requireCount(optionName("context"), context);
  if (context > positions) {
    const what = `${context} tokens, but the file has ${positions} positions`;
    throw new OptionError({ where: optionName("context"), what, fix: "Give a smaller context" });
  }
  const { config } = gptLayer({ vocabulary, context: positions, layers, heads, width });
  const inner = (config["layers"] as readonly LayerConfig[]).map((layer) =>
    layer.type === "transformerBlock" ? { ...layer, hidden, activation } : layer,
  );
  const values = namesOf(inner).map(([own, theirs]) => [`layers.0.${own}`, named.get(theirs)!.values] as const);
  const given = { inputShape: [context], seed: 1, layers: [{ ...config, layers: inner }] };
  return modelFromConfig(given, Object.fromEntries(values));
}

/**
 * The sizes of the network in a file, whose tensors have the shapes that follow from them.
 * @throws DataError; OptionError for given heads that do not divide the width
 */
function sizesOfFile({ tensors, metadata }: Safetensors, file: string, options: Gpt2Options): Sizes {
  const fix = "Give a safetensors file of GPT-2 with Hugging Face's names, or of saveGpt2";
  const shapeOf = (name: string) => {
    const shape = tensors.get(name)?.shape;
    if (shape?.length === 2 && !shape.includes(0)) return shape as readonly [number, number];
    const what = shape ? `its shape is [${shape.join(", ")}], not a matrix` : "it is missing";
    throw new DataError({ where: `${file}, tensor ${excerpt(name)}`, what, fix });
  };
  const [vocabulary, width] = shapeOf("wte.weight");
  const [positions] = shapeOf("wpe.weight");
  const [, hidden] = shapeOf("h.0.mlp.c_fc.weight");
  const blocks = new Set([...tensors.keys()].flatMap((name) => /^h\.(\d+)\./.exec(name)?.[1] ?? []));
  const sizes = { vocabulary, width, positions, hidden, layers: blocks.size };
  const shapes = expectedShapes(sizes);
  for (const name of new Set([...shapes.keys(), ...tensors.keys()])) {
    const [found, wanted] = [tensors.get(name)?.shape.join(", "), shapes.get(name)?.join(", ")];
    if (found === wanted) continue;
    const what = !wanted
      ? "GPT-2 has no such tensor"
      : found === undefined
        ? "it is missing"
        : `its shape is [${found}], but [${wanted}] follows from the other tensors`;
    throw new DataError({ where: `${file}, tensor ${excerpt(name)}`, what, fix });
  }
  return { ...sizes, ...settingsOf(metadata, width, file, options) };
}

/** What the tensors do not show. */
function settingsOf(
  metadata: Safetensors["metadata"],
  width: number,
  file: string,
  options: Gpt2Options,
): Pick<Sizes, "heads" | "activation"> {
  const parsed = parseJson(metadata["config"] ?? "{}");
  const config = "value" in parsed && isRecord(parsed.value) ? parsed.value : {};
  const own = Object.entries(activationNames).find(([, name]) => name === config["activation_function"])?.[0];
  const count = typeof config["n_head"] === "number" ? config["n_head"] : width / 64;
  const { heads = count, activation = (own ?? "geluTanh") as ActivationName } = options;
  if (Number.isSafeInteger(heads) && heads >= 1 && width % heads === 0) return { heads, activation };
  const [where, Refusal] = options.heads === undefined ? [file, DataError] : [optionName("heads"), OptionError];
  const what = `${heads} heads do not divide a width of ${width}`;
  throw new Refusal({ where, what, fix: `Give ${optionName("heads")}, the number of heads of the network` });
}

/** PyTorch's functions of the activations, at the end of a call such as nn.functional.gelu(x). */
const activationCode: Partial<Record<ActivationName, string>> = {
  gelu: "nn.functional.gelu",
  geluTanh: 'partial(nn.functional.gelu, approximate="tanh")',
  relu: "nn.functional.relu",
  silu: "nn.functional.silu",
  tanh: "torch.tanh",
};

/**
 * The Python code that loads a file of `saveGpt2` into a PyTorch module with GPT-2's names, for PyTorch with the package
 * safetensors. `network(tokens)` gives the logits of integers [batch, length]. With the configuration in the file's
 * metadata, `GPT2LMHeadModel` of the package transformers takes the same tensors.
 * @param path the path of the file
 * @throws OptionError for another network than that of `saveGpt2`
 */
export function gpt2Code(model: Model, path: string): string {
  const { vocabulary, positions, width, layers, heads, hidden, activation } = sizesOf("gpt2Code", model);
  const sizes = [vocabulary, positions, width, layers, heads, hidden].join(", ");
  return `${MODULES}
network = Gpt2(${sizes}, ${activationCode[activation]}).eval()
network.load_state_dict(load_file(${JSON.stringify(path)}))`;
}

const MODULES = `from functools import partial
import torch
from torch import nn
from safetensors.torch import load_file
class Conv1D(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(inputs, outputs)), nn.Parameter(torch.empty(outputs))
    def forward(self, x):
        return x @ self.weight + self.bias
class Block(nn.Module):
    def __init__(self, width, heads, hidden, activation):
        super().__init__()
        self.heads, self.activation = heads, activation
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict({"c_attn": Conv1D(width, 3 * width), "c_proj": Conv1D(width, width)})
        self.mlp = nn.ModuleDict({"c_fc": Conv1D(width, hidden), "c_proj": Conv1D(hidden, width)})
    def forward(self, x):
        parts = self.attn["c_attn"](self.ln_1(x)).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (self.heads, x.size(-1) // self.heads)).transpose(1, 2) for part in parts)
        scores = q @ k.transpose(-2, -1) / q.size(-1) ** 0.5
        scores = scores.masked_fill(torch.ones_like(scores[0, 0]).triu(1).bool(), float("-inf"))
        x = x + self.attn["c_proj"]((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        return x + self.mlp["c_proj"](self.activation(self.mlp["c_fc"](self.ln_2(x))))
class Gpt2(nn.Module):
    def __init__(self, vocabulary, positions, width, layers, heads, hidden, activation):
        super().__init__()
        blocks = [Block(width, heads, hidden, activation) for _ in range(layers)]
        tables = {"wte": nn.Embedding(vocabulary, width), "wpe": nn.Embedding(positions, width)}
        self.transformer = nn.ModuleDict({**tables, "h": nn.Sequential(*blocks), "ln_f": nn.LayerNorm(width)})
    def forward(self, tokens):
        wte, wpe, blocks, norm = self.transformer.values()
        return norm(blocks(wte(tokens) + wpe.weight[:tokens.size(-1)])) @ wte.weight.T`;
