import { GraphError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { reductionOf } from "../../graph/traits.ts";
import { rootOf } from "../../graph/views.ts";
import { precisions, type Precision } from "./precision.ts";

/** The options of `matmul`. */
export interface MatmulOptions {
  /** Whether to transpose the left operand. */
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
  /**
   * With "float16", operands are rounded to float16 (see `toFloat16`) and sums are float32, also in the gradient. It
   * needs a device with shader-f16, or the CPU, which rounds in the same way. "float32" by default.
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
}

/** The sum over the rows of the right operand can be fused: the gradient of a bias, beside that of the weights. */
function canFuse(members: readonly Tensor[], other: Tensor): boolean {
  const product = members[0]!;
  const { inner, columns, transposeRight } = product.attributes as MatmulAttributes;
  const sum = reductionOf(other);
  if (members.length > 1 || transposeRight || sum?.operation !== "sum") return false;
  if (rootOf(other.inputs[0]!) !== rootOf(product.inputs[1]!)) return false;
  return sum.outer === 1 && sum.count === inner && sum.inner === columns;
}

const matmulOp: ComputeOp = {
  name: "matmul",
  kind: "compute",
  traits: { kind: "anchor", canFuse },
  gradient(node, upstream) {
    const [left, right] = node.inputs as [Tensor, Tensor];
    const { transposeLeft, transposeRight, precision } = node.attributes as MatmulAttributes;
    return [
      transposeLeft
        ? matmul(right, upstream, { transposeLeft: transposeRight, transposeRight: true, precision })
        : matmul(upstream, right, { transposeRight: !transposeRight, precision }),
      transposeRight
        ? matmul(upstream, left, { transposeLeft: true, transposeRight: transposeLeft, precision })
        : matmul(left, upstream, { transposeLeft: !transposeLeft, precision }),
    ];
  },
};

/**
 * The matrix product of two matrices, each optionally transposed.
 * @param left [rows, inner], or [inner, rows] with transposeLeft
 * @param right [inner, columns], or [columns, inner] with transposeRight
 * @returns [rows, columns]
 * @throws GraphError if an operand is not a matrix, the inner sizes differ, or the precision is unknown
 */
export function matmul(left: Tensor, right: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeLeft = false, transposeRight = false, precision = "float32" } = options;
  if (!precisions.includes(precision)) {
    const what = `unknown precision ${JSON.stringify(precision)}`;
    throw new GraphError({ where: "matmul", what, fix: `Choose one of ${precisions.join(", ")}` });
  }
  for (const tensor of [left, right]) {
    requireType("matmul", tensor, "float32");
    if (tensor.shape.length !== 2) {
      throw new GraphError({ where: "matmul", what: `${tensor} is not a matrix`, fix: "Reshape it to two axes first" });
    }
  }
  const [rows, inner] = (transposeLeft ? [...left.shape].reverse() : left.shape) as [number, number];
  const [rightInner, columns] = (transposeRight ? [...right.shape].reverse() : right.shape) as [number, number];
  if (inner !== rightInner) {
    const written = (tensor: Tensor, transposed: boolean) => `${tensor}${transposed ? " transposed" : ""}`;
    throw new GraphError({
      where: "matmul",
      what: `${written(left, transposeLeft)} has ${inner} columns but ${written(right, transposeRight)} has ${rightInner} rows`,
      fix: "The inner sizes must be equal",
    });
  }
  const attributes = { transposeLeft, transposeRight, precision, rows, inner, columns };
  return new Tensor<MatmulAttributes>(matmulOp, [left, right], attributes, {
    shape: [rows, columns],
    dtype: "float32",
  });
}

/** The matrix products of a graph, in the order of its nodes. */
export function matrixProducts({ nodes }: Pick<Graph, "nodes">): MatmulAttributes[] {
  return nodes.filter(({ op }) => op === matmulOp).map(({ attributes }) => attributes as MatmulAttributes);
}
