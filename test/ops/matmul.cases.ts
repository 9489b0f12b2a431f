import { matmul, type MatmulOptions } from "../../src/ops/matmul/index.ts";
import { opCase, uniform, type OpCase } from "./cases.ts";

type Way = Required<MatmulOptions>;

const combinations: readonly Way[] = [
  { transposeLeft: false, transposeRight: false },
  { transposeLeft: false, transposeRight: true },
  { transposeLeft: true, transposeRight: false },
  { transposeLeft: true, transposeRight: true },
];

type Sizes = readonly [rows: number, inner: number, columns: number];

function product([rows, inner, columns]: Sizes, options: Way, parityOnly: boolean): OpCase {
  const { transposeLeft, transposeRight } = options;
  const written = `${rows}×${inner}${transposeLeft ? "ᵀ" : ""} · ${inner}×${columns}${transposeRight ? "ᵀ" : ""}`;
  return opCase({
    name: `matmul ${written}`,
    covers: ["matmul"],
    inputs: {
      left: { shape: transposeLeft ? [inner, rows] : [rows, inner], draw: uniform(-1, 1) },
      right: { shape: transposeRight ? [columns, inner] : [inner, columns], draw: uniform(-1, 1) },
    },
    build: ({ left, right }) => matmul(left, right, options),
    // The gradients are products as well, of shapes that other cases have.
    differentiable: parityOnly ? {} : { left: columns, right: rows },
    // The mean square of a product of two uniform numbers is 1/9.
    tolerance: { c: 4, joined: inner, term: 1 / 3 },
    gradientTolerance: { c: 4 },
    parityOnly,
  });
}

const [plain, rightTransposed, leftTransposed, bothTransposed] = combinations as [Way, Way, Way, Way];

const everyWay = (sizes: Sizes, parityOnly: boolean) => combinations.map((way) => product(sizes, way, parityOnly));

export const cases: readonly OpCase[] = [
  ...everyWay([3, 5, 2], false),
  product([1, 17, 1], bothTransposed, false),
  product([5, 1, 7], leftTransposed, false),
  product([1, 1, 1], plain, false),
  ...everyWay([257, 129, 65], true),
  ...everyWay([17, 3, 65], true),
  product([65, 65, 17], plain, true),
  product([129, 1, 65], rightTransposed, true),
  product([16, 16, 16], plain, true),
  product([64, 32, 64], bothTransposed, true),
  product([64, 784, 128], plain, true),
  product([784, 64, 128], leftTransposed, true),
  product([64, 10, 128], rightTransposed, true),
  product([1, 1000, 300], plain, true),
  product([300, 1000, 1], bothTransposed, true),
];
