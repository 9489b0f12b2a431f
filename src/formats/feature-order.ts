/*
 * The order of features that come from images or become images. PyTorch flattens [channels, height, width], and wgrad
 * [height, width, channels], so the weights of a layer on such features are in another order.
 */
import { topologicalOrder } from "../graph/graph.ts";
import { sameShape, type Shape, type Tensor } from "../graph/tensor.ts";
import type { ParameterTensor } from "../nn/layers/forms.ts";
import { permuted } from "../nn/layers/permute.ts";
import { isProduct } from "../nn/products.ts";

/** The parameters of a model whose axes are features of images. */
export class FeatureOrders {
  readonly #readers = new Map<Tensor, Tensor[]>();

  /** @param outputs the outputs of the model for a batch of one example */
  constructor(outputs: readonly Tensor[]) {
    for (const node of topologicalOrder(outputs))
      for (const own of new Set(node.inputs)) this.#readers.set(own, [...this.#readersOf(own), node]);
  }

  /** A parameter in wgrad's order of features, from one in PyTorch's. */
  inOwnOrder(leaf: Tensor, tensor: ParameterTensor): ParameterTensor {
    return this.#imagesOf(leaf).reduce(
      (result, image, axis) => (image ? channelsLast(result, axis, image) : result),
      tensor,
    );
  }

  #readersOf(tensor: Tensor): readonly Tensor[] {
    return this.#readers.get(tensor) ?? [];
  }

  /** For each axis of a parameter, the shape of the image whose elements are the features. */
  #imagesOf(leaf: Tensor): readonly (Shape | undefined)[] {
    if (leaf.shape.length === 2) {
      const product = this.#readersOf(leaf).find((node) => isProduct(node) && node.inputs[1] === leaf);
      return product ? [this.#imageOf(product.inputs[0]!), this.#imageOf(product)] : [];
    }
    if (leaf.shape.length !== 1) return [];
    // The values of a vector may be computed from before they meet the features, such as 1 / √(variance + epsilon).
    let vectors: readonly Tensor[] = [leaf];
    while (vectors.length > 0) {
      const readers = vectors.flatMap((vector) => this.#readersOf(vector));
      const features = readers.find(({ shape }) => shape.length === 2 && shape[1] === leaf.size);
      if (features) return [this.#imageOf(features)];
      vectors = readers.filter(({ shape }) => shape.length === 1 && shape[0] === leaf.size);
    }
    return [];
  }

  #imageOf(features: Tensor): Shape | undefined {
    return features.shape.length === 2 ? (flattenedFrom(features) ?? this.#becomes(features)) : undefined;
  }

  /** The shape of the image that features become. */
  #becomes(features: Tensor): Shape | undefined {
    for (const reader of this.#readersOf(features)) {
      if (isReshape(reader) && this.#hasChannels(reader)) return reader.shape.slice(1);
      const found = keepsElements(reader, features) ? this.#becomes(reader) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  /** Whether a tensor of [1, length, channels] or with more axes has the channels first in PyTorch. */
  #hasChannels(tensor: Tensor): boolean {
    if (tensor.shape.length !== 3) return tensor.shape.length > 3;
    return this.#readersOf(tensor).some((reader) => isReshape(reader) && reader.shape.length === 4);
  }
}

/** Whether a node is its only input with another shape. The view of a layer's result has more inputs, for its gradient. */
const isReshape = ({ op, shape, inputs }: Tensor): boolean =>
  op.kind === "view" && inputs.length === 1 && !sameShape(shape, inputs[0]!.shape);

/** Whether a node computes each element from the same element of a tensor. */
const keepsElements = ({ op, shape }: Tensor, from: Tensor): boolean =>
  (op.kind === "view" || op.traits?.kind === "pointwise") && sameShape(shape, from.shape);

/** The tensor from which a node computes its elements one by one. */
const sourceOf = (node: Tensor): Tensor | undefined => node.inputs.find((own) => keepsElements(node, own));

/** The shape of the image that was flattened to features. */
function flattenedFrom(features: Tensor): Shape | undefined {
  let node: Tensor | undefined = features;
  while (node && !isReshape(node)) node = sourceOf(node);
  const image = node?.inputs[0];
  return image && (image.shape.length > 3 || isSignal(image)) ? image.shape.slice(1) : undefined;
}

/** Whether a tensor [1, length, channels] has the channels first in PyTorch, as the result of a convolution has. */
function isSignal(tensor: Tensor): boolean {
  if (tensor.shape.length !== 3) return false;
  for (let node: Tensor | undefined = tensor; node;) {
    if (node.op.hasChannels) return true;
    node = isReshape(node) && node.inputs[0]!.shape.at(-1) === node.shape.at(-1) ? node.inputs[0] : sourceOf(node);
  }
  return false;
}

/** Permutes the features on an axis from channels first to channels last. */
function channelsLast({ shape, values }: ParameterTensor, axis: number, image: Shape): ParameterTensor {
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const sizes = image.slice(0, -1);
  const apart = [...before, image.at(-1)!, ...sizes, ...after];
  const places = apart.map((_, place) => place);
  const spatial = places.splice(axis + 1, sizes.length);
  places.splice(axis, 0, ...spatial);
  return { shape, values: permuted({ shape: apart, values }, places).values };
}
