import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type Op } from "../../graph/tensor.ts";

/** Which of the two operands is taken transposed. */
export interface MatmulOptions {
  /** Use the left operand's transpose. */
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
}

/** The sizes of a product [rows, inner] · [inner, columns], as it is computed. */
export interface MatmulAttributes {
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  /** The product is [rows, inner] · [inner, columns]. */
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

const matmulOp: Op = {
  name: "matmul",
  kind: "compute",
  gradient(node, upstream) {
    const [left, right] = node.inputs as [Tensor, Tensor];
    const { transposeLeft, transposeRight } = node.attributes as MatmulAttributes;
    return [
      transposeLeft
        ? matmul(right, upstream, { transposeLeft: transposeRight, transposeRight: true })
        : matmul(upstream, right, { transposeRight: !transposeRight }),
      transposeRight
        ? matmul(upstream, left, { transposeLeft: true, transposeRight: transposeLeft })
        : matmul(left, upstream, { transposeLeft: !transposeLeft }),
    ];
  },
};

/**
 * The matrix product of two matrices, either side transposed first if asked.
 * @param left [rows, inner], or [inner, rows] with transposeLeft
 * @param right [inner, columns], or [columns, inner] with transposeRight
 * @returns [rows, columns]
 * @throws GraphError where an operand is no matrix or the inner sizes differ
 */
export function matmul(left: Tensor, right: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeLeft = false, transposeRight = false } = options;
  for (const tensor of [left, right]) {
    requireType("matmul", tensor, "float32");
    if (tensor.shape.length !== 2) {
      throw new GraphError({ where: "matmul", what: `${tensor} is no matrix`, fix: "Reshape it to two axes first" });
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
  const attributes = { transposeLeft, transposeRight, rows, inner, columns };
  return new Tensor<MatmulAttributes>(matmulOp, [left, right], attributes, { shape: [rows, columns], dtype: "float32" });
}
