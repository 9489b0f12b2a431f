import type { CpuKernel } from "../kernel.ts";
import type { MatmulAttributes } from "./index.ts";
import { toFloat16 } from "./precision.ts";

const matmul: CpuKernel = (node, operands, output) => {
  const { transposeLeft, transposeRight, precision, rows, inner, columns } = node.attributes as MatmulAttributes;
  const [left, right] = precision === "float16" ? operands.map((values) => values.map(toFloat16)) : operands;
  const [leftRow, leftInner] = transposeLeft ? [1, rows] : [inner, 1];
  const [rightInner, rightColumn] = transposeRight ? [1, inner] : [columns, 1];
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    // The inner index is outside the column's, so that a right operand that is not transposed is read in its order.
    for (let k = 0; k < inner; k++) {
      const factor = left![row * leftRow + k * leftInner]!;
      const start = k * rightInner;
      for (let column = 0; column < columns; column++) sums[column]! += factor * right![start + column * rightColumn]!;
    }
    output.set(sums, row * columns);
  }
};

export const kernels = { matmul };
