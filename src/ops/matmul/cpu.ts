import type { CpuKernel, NumericArray } from "../kernel.ts";
import { batchCount, matrixOf } from "./batches.ts";
import type { MatmulAttributes } from "./index.ts";
import { toFloat16 } from "./precision.ts";

const matmul: CpuKernel = (node, operands, output) => {
  const attributes = node.attributes as MatmulAttributes;
  const { precision, rows, inner, columns, batch } = attributes;
  const [left, right] = precision === "float16" ? operands.map((values) => values.map(toFloat16)) : operands;
  if (!batch) {
    product(attributes, left!, right!, output);
    return;
  }
  const part = (values: NumericArray, matrix: number, size: number) =>
    values.subarray(matrix * size, (matrix + 1) * size);
  for (let at = 0; at < batchCount(attributes.batch); at++) {
    const ownLeft = part(left!, matrixOf(at, batch.sizes, batch.left), rows * inner);
    const ownRight = part(right!, matrixOf(at, batch.sizes, batch.right), inner * columns);
    product(attributes, ownLeft, ownRight, part(output, at, rows * columns));
  }
};

function product(
  { transposeLeft, transposeRight, rows, inner, columns }: MatmulAttributes,
  left: NumericArray,
  right: NumericArray,
  output: NumericArray,
): void {
  const [leftRow, leftInner] = transposeLeft ? [1, rows] : [inner, 1];
  const [rightInner, rightColumn] = transposeRight ? [1, inner] : [columns, 1];
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    // The loop over the inner axis is outside the loop over columns, so that a right operand that is not transposed is
    // read in order. Four inner indices at a time, added one after the other, access the sums a quarter as often, which
    // takes half the time on V8.
    let k = 0;
    for (; k + 4 <= inner; k += 4) {
      const at = row * leftRow + k * leftInner;
      const [a, b] = [left[at]!, left[at + leftInner]!];
      const [c, d] = [left[at + 2 * leftInner]!, left[at + 3 * leftInner]!];
      for (let column = 0; column < columns; column++) {
        const from = k * rightInner + column * rightColumn;
        sums[column] =
          sums[column]! +
          a * right[from]! +
          b * right[from + rightInner]! +
          c * right[from + 2 * rightInner]! +
          d * right[from + 3 * rightInner]!;
      }
    }
    for (; k < inner; k++) {
      const factor = left[row * leftRow + k * leftInner]!;
      for (let column = 0; column < columns; column++)
        sums[column]! += factor * right[k * rightInner + column * rightColumn]!;
    }
    output.set(sums, row * columns);
  }
}

export const kernels = { matmul };
