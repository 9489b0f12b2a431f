/**
 * Trained models as ONNX (onnx.ai): float32, from the features as they came to what the model says of them.
 *
 * @module wgrad/onnx
 */
import { OptionError } from "../../errors.ts";
import { sizeOf, type Shape } from "../../graph/tensor.ts";
import { entryOf } from "../../nn/checks.ts";
import { byFolder } from "../../nn/layers/by-folder.ts";
import type { OnnxAttributes, OnnxForm, OnnxWriter } from "../../nn/layers/forms.ts";
import { probabilitiesOf } from "../../nn/losses.ts";
import { parameterPrefix, type Model } from "../../nn/sequential.ts";
import { version } from "../../version.ts";
import { outputScale, tableMetadata } from "../exported-table.ts";
import { initialValues, lossName, requireParameters, type ParameterValues, type TrainedModel } from "../model.ts";
import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from "./protobuf.ts";

const forms = byFolder<OnnxForm>(import.meta.glob("../../nn/layers/*/onnx.ts", { eager: true, import: "onnx" }));

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
export function saveOnnx(
  trained: TrainedModel,
  parameters: ParameterValues = initialValues(trained.model),
): Uint8Array {
  const { model, classes, outputs, loss, step } = trained;
  requireRoom(model);
  requireParameters(model, parameters);
  const graph = new GraphWriter(parameters);
  normalize(graph, trained);
  model.config.layers.forEach((layer, index) => {
    entryOf(
      "ONNX",
      "form of the layer",
      forms,
      layer.type,
    )(graph, layer, `${parameterPrefix(model.config)}layers.${index}`);
  });
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

function toAttributes(attributes: OnnxAttributes): OnnxAttribute[] {
  return Object.entries(attributes).map(([name, value]) =>
    "int" in value ? { name, type: 2, i: BigInt(value.int) } : { name, type: 1, f: value.float },
  );
}

/** Collects the nodes and constants of the graph. */
class GraphWriter implements OnnxWriter {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxTensor[] = [];
  readonly #parameters: ParameterValues;
  #value = INPUT;

  constructor(parameters: ParameterValues) {
    this.#parameters = parameters;
  }

  get value(): string {
    return this.#value;
  }

  apply(opType: string, name: string, others: readonly string[] = [], attributes: OnnxAttributes = {}): void {
    this.nodes.push({
      name,
      opType,
      input: [this.#value, ...others],
      output: [name],
      attribute: toAttributes(attributes),
    });
    this.#value = name;
  }

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
  for (const [name, opType, neutral] of [
    ["scale", "Mul", 1],
    ["offset", "Add", 0],
  ] as const) {
    const values = normalization[name];
    if (values === neutral) continue;
    const constant =
      typeof values === "number"
        ? graph.constant(name, [], Float32Array.of(values))
        : graph.constant(name, model.inputShape, Float32Array.from(values));
    graph.apply(opType, name === "scale" ? "scaled" : "normalized", [constant]);
  }
}

/** The operators that make probabilities of logits. */
const probabilityOperators = {
  softmax: { opType: "Softmax", attribute: toAttributes({ axis: { int: -1 } }) },
  sigmoid: { opType: "Sigmoid", attribute: [] },
};

/** Names what the model gives. @returns the outputs' names */
function finish(graph: GraphWriter, trained: TrainedModel): string[] {
  const probabilities = probabilitiesOf(trained.loss);
  const name = probabilities ? "logits" : "outputs";
  if (!probabilities) toUnits(graph, trained);
  const last = graph.nodes.pop();
  // A node's output may take any name; a network without nodes has but its input.
  if (last) graph.nodes.push({ ...last, output: [name] });
  else graph.apply("Identity", name);
  if (!probabilities) return [name];
  graph.nodes.push({
    name: "probabilities",
    input: [name],
    output: ["probabilities"],
    ...probabilityOperators[probabilities],
  });
  return [name, "probabilities"];
}

/** Undoes the standardization of the label, which the network was trained on. */
function toUnits(graph: GraphWriter, trained: TrainedModel): void {
  const scale = outputScale(trained);
  if (!scale) return;
  for (const [name, opType, values] of [
    ["deviation", "Mul", scale.deviation],
    ["mean", "Add", scale.mean],
  ] as const) {
    graph.apply(opType, `label.${opType}`, [graph.constant(name, [values.length], Float32Array.from(values))]);
  }
}
