/**
 * Exports trained models to ONNX (onnx.ai) in float32, from raw features to predictions.
 *
 * @module wgrad/onnx
 */
import { OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import type { AnyModel } from "../../nn/functional.ts";
import { probabilitiesOf } from "../../nn/losses.ts";
import { parameterPrefix, storedLeaves } from "../../nn/sequential.ts";
import { version } from "../../version.ts";
import { outputScale, tableMetadata } from "../exported-table.ts";
import type { TrainedFunctionalModel } from "../functional.ts";
import {
  hasFunction,
  initialValues,
  lossName,
  requireValues,
  type ParameterValues,
  type TrainedModel,
} from "../model.ts";
import { withDefaults, type AnyModelToSave } from "../model-to-save.ts";
import { functionGraph } from "./function.ts";
import { encodeModel, type OnnxModel } from "./protobuf.ts";
import { GraphWriter, normalize, valueInfo } from "./writer.ts";

/**
 * The version of the operator set, that of ONNX 1.8. It is the lowest version in which all operators used here behave
 * the same.
 */
export const OPSET = 13;

/** The IR version of the same release. */
const IR_VERSION = 7;

/** The size of a protobuf message is limited to 31 bits. Names and the graph take little of it. */
const MOST_VALUE_BYTES = 2 ** 31 - 2 ** 24;

/** The name of the input. */
const INPUT = "features";

/** The units of the input and of each output, for the metadata. */
const units: Readonly<Record<string, string>> = {
  [INPUT]: "as in the data",
  outputs: "as in the data",
  logits: "none",
  probabilities: "from 0 to 1",
};

/**
 * Writes a model as an ONNX file. Its input is "features", float32 [batch, ...inputShape], as in the data (for example
 * pixels in 0 … 255), since the graph contains the normalization. Its outputs depend on the loss: "logits" and
 * "probabilities" for a cross-entropy, else "outputs", in the units of the label if the model was trained on a table.
 * Each is [batch, …] for any batch size. The metadata contain, as JSON, the names of the classes or outputs and, for a
 * table, the names of the features in order, its columns with their categories, and the values for missing cells; for a
 * model of texts, its tokenizer.
 *
 * The inputs and outputs of a functional model keep their names; inputs of indices are int64. The ops of its function become
 * operators, and the parameters of a shared layer are stored once.
 *
 * Dropout is left out, since it has an effect only in training.
 * @param parameters values of each of the model's parameters; by default the model's initial values
 * @returns the bytes of the file
 * @throws OptionError for values that do not match the model's parameters, for a custom layer, for an op in the function that has no
 * form in ONNX, and for a file over 2 GB; GraphError for a function that moves elements between examples
 */
export function saveOnnx(given: AnyModelToSave, parameters: ParameterValues = initialValues(given.model)): Uint8Array {
  const trained = withDefaults(given);
  const { model, step } = trained;
  requireRoom(model);
  requireValues(storedLeaves(model), parameters);
  const { graph, metadata } = hasFunction(trained)
    ? { graph: functionGraph(trained, parameters), metadata: functionMetadata(trained) }
    : { graph: chainGraph(trained, parameters), metadata: chainMetadata(trained) };
  return encodeModel({
    irVersion: BigInt(IR_VERSION),
    producerName: "wgrad",
    producerVersion: version,
    docString: `A network that wgrad trained for ${step} steps.`,
    opsetImport: [{ domain: "", version: BigInt(OPSET) }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: { name: "wgrad", ...graph },
  });
}

function chainGraph(trained: TrainedModel, parameters: ParameterValues): Omit<OnnxModel["graph"], "name"> {
  const { model, normalization } = trained;
  const graph = new GraphWriter(INPUT, parameters);
  normalize(graph, normalization, model.inputShape);
  model.config.layers.forEach((layer, index) => {
    const place = { isFirst: index === 0, inputShape: model.shapes[index]! };
    graph.layer(layer, `${parameterPrefix(model.config)}layers.${index}`, place);
  });
  const names = finish(graph, trained);
  return {
    node: graph.neededNodes(names),
    initializer: graph.constants,
    input: [{ ...valueInfo(INPUT, model.inputShape), docString: "The features as they came in the data." }],
    output: names.map((name) => valueInfo(name, model.outputShape)),
  };
}

function chainMetadata(trained: TrainedModel): Record<string, string> {
  const { classes, outputs, loss, tokenizer } = trained;
  const names = [INPUT, ...outputNames(trained)];
  return {
    loss: lossName(loss),
    ...(outputs ? { outputs: JSON.stringify(outputs) } : { classes: JSON.stringify(classes) }),
    ...(tokenizer && { tokenizer: JSON.stringify(tokenizer) }),
    ...tableMetadata(trained),
    units: JSON.stringify(Object.fromEntries(names.map((name) => [name, units[name]]))),
  };
}

const functionMetadata = ({ classes, tokenizer }: TrainedFunctionalModel): Record<string, string> => ({
  ...(classes && { classes: JSON.stringify(classes) }),
  ...(tokenizer && { tokenizer: JSON.stringify(tokenizer) }),
});

function requireRoom({ parameters }: AnyModel): void {
  const bytes = parameters.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  if (bytes <= MOST_VALUE_BYTES) return;
  const what = `the parameters have ${bytes} bytes, more than the ${MOST_VALUE_BYTES} that fit into an ONNX file`;
  throw new OptionError({ where: "saveOnnx", what, fix: "Save it as safetensors" });
}

/** The operators that convert logits to probabilities. */
const probabilityOperators = {
  softmax: { opType: "Softmax", attributes: { axis: { int: -1 } } },
  sigmoid: { opType: "Sigmoid", attributes: {} },
};

const outputNames = ({ loss }: TrainedModel): readonly string[] =>
  probabilitiesOf(loss) ? ["logits", "probabilities"] : ["outputs"];

/** Names the outputs of the graph. @returns their names */
function finish(graph: GraphWriter, trained: TrainedModel): readonly string[] {
  const probabilities = probabilitiesOf(trained.loss);
  const names = outputNames(trained);
  if (!probabilities) toUnits(graph, trained);
  graph.nameResult(names[0]!);
  if (!probabilities) return names;
  const { opType, attributes } = probabilityOperators[probabilities];
  graph.apply(opType, names[1]!, [], attributes);
  return names;
}

/** Undoes the standardization of the label on which the network was trained. */
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
