/**
 * Trained models as ONNX (onnx.ai): float32, from the features as they came to what the model says of them.
 *
 * @module wgrad/onnx
 */
import { OptionError } from "../../errors.ts";
import { sizeOf, type Shape } from "../../graph/tensor.ts";
import type { ActivationName } from "../../nn/activations.ts";
import { entryOf } from "../../nn/checks.ts";
import { parameterPrefix, type Model } from "../../nn/sequential.ts";
import type { LayerConfig } from "../../nn/layers.ts";
import { version } from "../../version.ts";
import { outputScale, tableMetadata } from "../exported-table.ts";
import { initialValues, lossName, requireParameters, type ParameterValues, type TrainedModel } from "../model.ts";
import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from "./protobuf.ts";

/** The version of the operators, that of ONNX 1.8: the lowest that all nodes written here work in alike. */
export const OPSET = 13;

/** The version of the file's form that belongs to it. */
const IR_VERSION = 7;

/** ONNX's number of float32, in TensorProto.DataType. */
const FLOAT = 1;

/** A message of protobuf has a length of 31 bits; names and the graph need little. */
const MOST_VALUE_BYTES = 2 ** 31 - 2 ** 24;

/** The name of the input. */
const INPUT = "features";

/** What the numbers of the input and of each output are, for a reader of the metadata. */
const units: Readonly<Record<string, string>> = {
  [INPUT]: "as in the data",
  outputs: "as in the data",
  logits: "none",
  probabilities: "from 0 to 1",
};

/**
 * Writes a model as an ONNX file. Its input is "features", float32 [batch, ...inputShape], as they came in the data,
 * such as pixels of 0 … 255: the normalisation is inside. Its outputs are, by the model's loss, "logits" and
 * "probabilities" of a cross-entropy, else "outputs", in the units of the label where the model was trained on a table;
 * each is [batch, …] for any batch. The metadata hold, as JSON, the names of the classes or outputs, and of a table the
 * features' names in their order, its columns with their categories, and what stands in for missing values. Dropout is left out, since it acts in training alone.
 * @param parameters values for each of the model's parameters; those that the model was read with by default
 * @returns the file's bytes
 * @throws OptionError for values that are not those of the model's parameters, a layer that is none of wgrad's, and for more than the 2 GB of a file
 */
export function saveOnnx(trained: TrainedModel, parameters: ParameterValues = initialValues(trained.model)): Uint8Array {
  const { model, classes, outputs, loss, step } = trained;
  requireRoom(model);
  requireParameters(model, parameters);
  const graph = new GraphWriter(parameters);
  normalize(graph, trained);
  model.config.layers.forEach((layer, index) => entryOf("ONNX", "form of the layer", layerWriters, layer.type)(graph, layer, `${parameterPrefix(model.config)}layers.${index}`));
  const names = finish(graph, trained);
  return encodeModel({
    irVersion: BigInt(IR_VERSION),
    producerName: "wgrad",
    producerVersion: version,
    docString: `A network that wgrad trained for ${step} steps.`,
    opsetImport: [{ domain: "", version: BigInt(OPSET) }],
    metadataProps: Object.entries({
      loss: lossName(loss),
      ...(outputs ? { outputs: JSON.stringify(outputs) } : { classes: JSON.stringify(classes) }),
      ...tableMetadata(trained),
      units: JSON.stringify(Object.fromEntries([INPUT, ...names].map((name) => [name, units[name]]))),
    }).map(([key, value]) => ({ key, value })),
    graph: {
      name: "wgrad",
      node: graph.nodes,
      initializer: graph.constants,
      input: [{ ...valueInfo(INPUT, model.inputShape), docString: "The features as they came in the data." }],
      output: names.map((name) => valueInfo(name, model.outputShape)),
    },
  });
}

function requireRoom({ parameters }: Model): void {
  const bytes = parameters.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  if (bytes <= MOST_VALUE_BYTES) return;
  const what = `the parameters have ${bytes} bytes, more than the ${MOST_VALUE_BYTES} that an ONNX file takes`;
  throw new OptionError({ where: "saveOnnx", what, fix: "Save it as safetensors" });
}

/** Dimensions of which the first may be any. */
function valueInfo(name: string, shape: Shape): OnnxValueInfo {
  const dim = [{ dimParam: "batch" }, ...shape.map((size) => ({ dimValue: BigInt(size) }))];
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}

const int = (name: string, value: number): OnnxAttribute => ({ name, type: 2, i: BigInt(value) });
const float = (name: string, value: number): OnnxAttribute => ({ name, type: 1, f: value });

/** Nodes one after the other, each on what the one before made. */
class GraphWriter {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxTensor[] = [];
  readonly #parameters: ParameterValues;
  #value = INPUT;

  constructor(parameters: ParameterValues) {
    this.#parameters = parameters;
  }

  /** The name of the last value. */
  get value(): string {
    return this.#value;
  }

  /**
   * Applies an operator to the last value and to others.
   * @param name of the node and of what it makes
   */
  apply(opType: string, name: string, others: readonly string[] = [], attribute: readonly OnnxAttribute[] = []): void {
    this.nodes.push({ name, opType, input: [this.#value, ...others], output: [name], attribute });
    this.#value = name;
  }

  /** Applies an operator of two operands to the last value and a number. */
  applyNumber(opType: string, name: string, number: number): void {
    this.apply(opType, name, [this.constant(`${name}.number`, [], Float32Array.of(number))]);
  }

  constant(name: string, shape: Shape, values: Float32Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.constants.push({ name, dims: shape.map(BigInt), dataType: FLOAT, rawData });
    return name;
  }

  parameter(name: string): string {
    const { shape, values } = this.#parameters[name]!;
    return this.constant(name, shape, values);
  }
}

function normalize(graph: GraphWriter, { model, normalization }: TrainedModel): void {
  for (const [name, opType, neutral] of [["scale", "Mul", 1], ["offset", "Add", 0]] as const) {
    const values = normalization[name];
    if (values === neutral) continue;
    const constant =
      typeof values === "number"
        ? graph.constant(name, [], Float32Array.of(values))
        : graph.constant(name, model.inputShape, Float32Array.from(values));
    graph.apply(opType, name === "scale" ? "scaled" : "normalized", [constant]);
  }
}

/** Each activation with the parameters at their defaults: the same formula as wgrad's, by one operator or several. */
const activationWriters: Readonly<Record<ActivationName, (graph: GraphWriter, name: string) => void>> = {
  identity: () => {},
  step(graph, name) {
    graph.applyNumber("GreaterOrEqual", `${name}.from0`, 0);
    graph.apply("Cast", name, [], [int("to", FLOAT)]);
  },
  sigmoid: (graph, name) => graph.apply("Sigmoid", name),
  tanh: (graph, name) => graph.apply("Tanh", name),
  relu: (graph, name) => graph.apply("Relu", name),
  leakyRelu: (graph, name) => graph.apply("LeakyRelu", name, [], [float("alpha", 0.01)]),
  elu: (graph, name) => graph.apply("Elu", name, [], [float("alpha", 1)]),
  softplus: (graph, name) => graph.apply("Softplus", name),
  gelu(graph, name) {
    const { value } = graph;
    graph.applyNumber("Mul", `${name}.scaled`, Math.SQRT1_2);
    graph.apply("Erf", `${name}.erf`);
    gateBy(graph, name, value);
  },
  geluTanh(graph, name) {
    const { value } = graph;
    graph.apply("Mul", `${name}.square`, [value]);
    graph.applyNumber("Mul", `${name}.cubic`, 0.044715);
    graph.applyNumber("Add", `${name}.polynomial`, 1);
    graph.apply("Mul", `${name}.product`, [value]);
    graph.applyNumber("Mul", `${name}.scaled`, Math.sqrt(2 / Math.PI));
    graph.apply("Tanh", `${name}.tanh`);
    gateBy(graph, name, value);
  },
  silu(graph, name) {
    const { value } = graph;
    graph.apply("Sigmoid", `${name}.sigmoid`);
    graph.apply("Mul", name, [value]);
  },
};

/** x · (1 + the last value) / 2, which ends both forms of GELU; an operator for them came with opset 20 only. */
function gateBy(graph: GraphWriter, name: string, x: string): void {
  graph.applyNumber("Add", `${name}.sum`, 1);
  graph.applyNumber("Mul", `${name}.gate`, 0.5);
  graph.apply("Mul", name, [x]);
}

const writeActivation = (graph: GraphWriter, activation: unknown, name: string) =>
  entryOf("ONNX", "form of the activation", activationWriters, activation)(graph, `${name}.${activation as string}`);

/** For each type of layer its nodes. */
const layerWriters: Readonly<Record<string, (graph: GraphWriter, config: LayerConfig, name: string) => void>> = {
  dense(graph, { bias, activation }, name) {
    const others = [graph.parameter(`${name}.weight`), ...(bias ? [graph.parameter(`${name}.bias`)] : [])];
    graph.apply("Gemm", `${name}.sums`, others);
    writeActivation(graph, activation, name);
  },
  activation: (graph, { name: activation }, name) => writeActivation(graph, activation, name),
  flatten: (graph, _, name) => graph.apply("Flatten", `${name}.flat`, [], [int("axis", 1)]),
  dropout: () => {},
};

/** What makes probabilities of the logits that a loss takes. */
const probabilityOps = { softmaxCrossEntropy: "Softmax", sigmoidBinaryCrossEntropy: "Sigmoid" };

/** Names what the model gives. @returns the outputs' names */
function finish(graph: GraphWriter, trained: TrainedModel): string[] {
  const probabilities = (probabilityOps as Partial<Record<string, string>>)[lossName(trained.loss)];
  const name = probabilities ? "logits" : "outputs";
  if (!probabilities) toUnits(graph, trained);
  const last = graph.nodes.pop();
  // A node's output may take any name; a network without nodes has but its input.
  if (last) graph.nodes.push({ ...last, output: [name] });
  else graph.apply("Identity", name);
  if (!probabilities) return [name];
  const attributes = probabilities === "Softmax" ? [int("axis", -1)] : [];
  graph.nodes.push({ name: "probabilities", opType: probabilities, input: [name], output: ["probabilities"], attribute: attributes });
  return [name, "probabilities"];
}

/** Undoes the standardization of the label, which the network was trained on. */
function toUnits(graph: GraphWriter, trained: TrainedModel): void {
  const scale = outputScale(trained);
  if (!scale) return;
  for (const [name, opType, values] of [["deviation", "Mul", scale.deviation], ["mean", "Add", scale.mean]] as const) {
    graph.apply(opType, `label.${opType}`, [graph.constant(name, [values.length], Float32Array.from(values))]);
  }
}
