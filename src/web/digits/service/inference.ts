/*
 * Computes the outputs of a network's layers for images: for the drawing, and for the test images that excite a unit.
 */
import {
  add,
  constant,
  defineGraph,
  input,
  multiply,
  reshape,
  type ClassificationDataset,
  type Executable,
  type LossName,
  type Model,
  type Normalization,
  type Session,
  type Tensor,
  type Trainer,
} from "../../../index.ts";
import type { Prediction } from "../contract.ts";
import { summarizeLayer } from "./network.ts";
import { sharesOf } from "./predictions.ts";

/** What inference needs of a run. */
interface Network {
  readonly model: Model;
  readonly normalization: Normalization;
  readonly trainer: Trainer;
  readonly loss: LossName;
}

/** A graph that computes the outputs of the shown layers. */
interface InferenceGraph {
  readonly session: Session;
  readonly pictures: Tensor;
  readonly executable: Executable;
  /** The shown layers, as indices of the model's layers. */
  readonly layers: readonly number[];
}

/** The graphs of a run for inference. Each is compiled when it is first used, and again after the loss of the device. */
export class Inference {
  readonly #network: Network;
  readonly #graphs = new Map<number, { readonly session: Session; readonly graph: Promise<InferenceGraph> }>();

  constructor(network: Network) {
    this.#network = network;
  }

  /** The prediction for an image, and the outputs of the hidden layers. */
  async predict(picture: Uint8Array): Promise<Prediction> {
    const graph = await this.#graphOf(1);
    const values = await this.#run(graph, picture, graph.layers);
    const outputs = values.at(-1)!;
    return { probabilities: sharesOf(outputs, outputs.length, this.#network.loss), hidden: values.slice(0, -1) };
  }

  /** The outputs of one of the shown layers for each image, row by row. */
  async outputsOf(place: number, { features, count }: ClassificationDataset): Promise<Float32Array> {
    const graph = await this.#graphOf(count);
    const [values] = await this.#run(graph, features, [graph.layers[place]!]);
    return values!;
  }

  async #run(
    { session, pictures, executable }: InferenceGraph,
    features: ArrayLike<number>,
    layers: readonly number[],
  ): Promise<Float32Array[]> {
    session.write(pictures, Float32Array.from(features));
    const running = executable.run(0, 1);
    const valuesOf = async (layer: number) => {
      const name = String(layer);
      // The run returns outputs of one element; others are read.
      const isScalar = pictures.shape[0] === 1 && this.#network.model.shapes[layer + 1]!.join() === "1";
      return Float32Array.from(isScalar ? (await running)[name]! : await executable.read(name));
    };
    // Awaited together: if the device is lost, the run fails before the reads, and its rejection would be unhandled.
    const [values] = await Promise.all([Promise.all(layers.map(valuesOf)), running]);
    return values;
  }

  #graphOf(count: number): Promise<InferenceGraph> {
    const { session } = this.#network.trainer;
    const known = this.#graphs.get(count);
    if (known?.session === session) return known.graph;
    const graph = compileInference(session, this.#network, count);
    this.#graphs.set(count, { session, graph });
    return graph;
  }
}

async function compileInference(
  session: Session,
  { model, normalization }: Network,
  count: number,
): Promise<InferenceGraph> {
  const features = model.inputShape.reduce((product, size) => product * size, 1);
  const pictures = input("pictures", [count, features]);
  const constants = (values: number | readonly number[]) =>
    constant(values, typeof values === "number" ? [] : [features]);
  const scaled = add(multiply(pictures, constants(normalization.scale)), constants(normalization.offset));
  const values = model.applyEach(reshape(scaled, [count, ...model.inputShape]));
  // Dropout has no effect here. A dense layer that an activation layer follows is shown after the activation.
  const summaries = model.config.layers.map(summarizeLayer);
  const onlyActivates = (layer: number) =>
    summaries[layer]?.activation !== undefined && summaries[layer].units === undefined;
  const shows = (layer: number) =>
    onlyActivates(layer) || (summaries[layer]?.units !== undefined && !onlyActivates(layer + 1));
  const layers = values.flatMap((_, layer) => (shows(layer) || layer === values.length - 1 ? [layer] : []));
  const outputs = Object.fromEntries(layers.map((layer) => [String(layer), values[layer]!]));
  return { session, pictures, layers, executable: await session.compile(defineGraph(outputs)) };
}
