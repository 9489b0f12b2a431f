import { GraphError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { reductionOf } from "../../graph/traits.ts";
import { rootOf } from "../../graph/views.ts";
import { sumToShape } from "../reduce/index.ts";
import { reshape } from "../layout/index.ts";
import { batchCount, batchesOf, isPlain, requireMatrices, type BatchAttributes } from "./batches.ts";
import { precisions, type Precision } from "../../precisions.ts";

/** The options of `matmul`. */
export interface MatmulOptions {
  /** Whether to transpose the left operand. */
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
  /**
   * With "float16", operands are rounded to float16 (see `toFloat16`) and sums are float32, in gradients too. It needs
   * a device with shader-f16, or a backend on the CPU, which rounds in the same way. "float32" by default.
   */
  readonly precision?: Precision;
}

/** The sizes of a product [rows, inner] · [inner, columns], after transposing. */
export interface MatmulAttributes {
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  readonly precision: Precision;
  /** The product is [rows, inner] · [inner, columns]. */
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** The leading axes; absent if both operands are matrices. */
  readonly batch?: BatchAttributes;
}

/** The sum over the rows of the right operand can be fused: the gradient of a bias with that of the weights. */
function canFuse(members: readonly Tensor[], other: Tensor): boolean {
  const product = members[0]!;
  const { inner, columns, transposeRight, batch } = product.attributes as MatmulAttributes;
  if (batch && isPlain(batch.sizes, batch.right) !== "each") return false;
  const sum = reductionOf(other);
  if (members.length > 1 || transposeRight || sum?.operation !== "sum") return false;
  if (rootOf(other.inputs[0]!) !== rootOf(product.inputs[1]!)) return false;
  return sum.outer === batchCount(batch) && sum.count === inner && sum.inner === columns;
}

const matmulOp: ComputeOp = {
  name: "matmul",
  kind: "compute",
  traits: { kind: "anchor", canFuse },
  gradient(node, upstream) {
    const [left, right] = node.inputs as [Tensor, Tensor];
    const { transposeLeft, transposeRight, precision } = node.attributes as MatmulAttributes;
    const ofLeft = transposeLeft
      ? matmul(right, upstream, { transposeLeft: transposeRight, transposeRight: true, precision })
      : matmul(upstream, right, { transposeRight: !transposeRight, precision });
    const ofRight = transposeRight
      ? matmul(upstream, left, { transposeLeft: true, transposeRight: transposeLeft, precision })
      : matmul(left, upstream, { transposeLeft: !transposeLeft, precision });
    return [sumToShape(ofLeft, left.shape), sumToShape(ofRight, right.shape)];
  },
};

/**
 * The matrix product. Each operand can be transposed first. Axes before the last two are batch axes: there is one
 * product for each of their positions, and they broadcast like elementwise operands.
 * @param left [..., rows, inner], or [..., inner, rows] with transposeLeft
 * @param right [..., inner, columns], or [..., columns, inner] with transposeRight
 * @returns [..., rows, columns]
 * @throws GraphError if an operand has fewer than two axes, the inner sizes differ, the leading axes do not broadcast,
 * or the precision is unknown
 */
export function matmul(left: Tensor, right: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeLeft = false, transposeRight = false, precision = "float32" } = options;
  if (!precisions.includes(precision)) {
    const what = `unknown precision ${JSON.stringify(precision)}`;
    throw new GraphError({ where: "matmul", what, fix: `Choose one of ${precisions.join(", ")}` });
  }
  for (const tensor of [left, right]) {
    requireType("matmul", tensor, "float32");
    requireMatrices(tensor);
  }
  const [rows, inner] = sides(left, transposeLeft);
  const [rightInner, columns] = sides(right, transposeRight);
  if (inner !== rightInner) {
    const written = (tensor: Tensor, transposed: boolean) => `${tensor}${transposed ? " transposed" : ""}`;
    throw new GraphError({
      where: "matmul",
      what: `${written(left, transposeLeft)} has ${inner} columns but ${written(right, transposeRight)} has ${rightInner} rows`,
      fix: "The inner sizes must be equal",
    });
  }
  const isBatched = left.shape.length > 2 || right.shape.length > 2;
  if (isBatched && right.shape.length === 2 && !transposeLeft) {
    // The rows of all batches times one matrix: a single product.
    const product = matmul(reshape(left, [-1, inner]), right, options);
    return reshape(product, [...left.shape.slice(0, -1), columns]);
  }
  const batch = isBatched ? { batch: batchesOf(left, right) } : undefined;
  const attributes = { transposeLeft, transposeRight, precision, rows, inner, columns, ...batch };
  return new Tensor<MatmulAttributes>(matmulOp, [left, right], attributes, {
    shape: [...(batch?.batch.sizes ?? []), rows, columns],
    dtype: "float32",
  });
}

function sides({ shape }: Tensor, transposed: boolean): [number, number] {
  const [along, across] = shape.slice(-2) as [number, number];
  return transposed ? [across, along] : [along, across];
}

/** A matrix product of a graph: its sizes, and the operands that no memory holds. */
export interface MatrixProduct extends MatmulAttributes {
  /**
   * The operands whose elements the product computes while it reads them, such as the windows of images in a convolution. Absent
   * for matrices in memory.
   */
  readonly virtual?: { readonly left?: Tensor; readonly right?: Tensor };
}

/** The description of a node that is a matrix product. */
export function productOf(node: Tensor): MatrixProduct {
  const attributes = node.attributes as MatmulAttributes;
  const [left, right] = node.inputs.map((operand) => {
    const root = rootOf(operand);
    const { traits } = root.op;
    return traits?.kind === "pointwise" && traits.virtual ? root : undefined;
  });
  if (!left && !right) return attributes;
  return { ...attributes, virtual: { ...(left && { left }), ...(right && { right }) } };
}

/** The matrix products of a graph, in the order of its nodes. The products of convolutions are among them. */
export function matrixProducts({ nodes }: Pick<Graph, "nodes">): MatrixProduct[] {
  return nodes.filter(({ op }) => op === matmulOp).map(productOf);
}
