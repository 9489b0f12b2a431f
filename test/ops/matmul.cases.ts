import { matmul, type MatmulOptions } from "../../src/ops/matmul/index.ts";
import { awayFromZero, exactly, opCase, uniform, type Draw, type OpCase } from "./cases.ts";

type Way = Required<Pick<MatmulOptions, "transposeLeft" | "transposeRight">>;

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
    // The gradients are also products, with shapes that other cases have.
    differentiable: parityOnly ? {} : { left: columns, right: rows },
    // The mean square of a product of two uniform numbers is 1/9.
    tolerance: { c: 4, joined: inner, term: 1 / 3 },
    gradientTolerance: { c: 4 },
    parityOnly,
  });
}

/**
 * Sixteenths within ±15/16 are numbers of float16, and so are the places that central differences go to; the rounding
 * then is none, whose derivative would be 0 or infinite.
 */
const sixteenths: Draw = (random, size) => Array.from({ length: size }, () => (random.below(31) - 15) / 16);

/**
 * In float16. The reference rounds its operands as the GPU does, and the products of rounded operands are exact in
 * float32, so that the bound is that of float32: a rounding to the wrong side would be seen.
 */
function halfProduct(
  sizes: Sizes,
  way: Way,
  { draw = awayFromZero(1), parityOnly = true }: { draw?: Draw; parityOnly?: boolean } = {},
): OpCase {
  const usual = product(sizes, way, parityOnly);
  const { left, right } = usual.inputs;
  return {
    ...usual,
    name: `${usual.name}, float16`,
    inputs: { left: { ...left!, draw }, right: { ...right!, draw } },
    upstream: sixteenths,
    build: (tensors) => matmul(tensors["left"]!, tensors["right"]!, { ...way, precision: "float16" }),
    // The products of the gradient have the same precision, and shapes that the small cases have.
    differentiable: parityOnly && sizes[1] > 100 ? {} : { left: sizes[2], right: sizes[0] },
  };
}

/** Operands outside the range of float16, at its ends, and halfway between two numbers, times a power of two. */
const atTheEnds = opCase({
  name: "matmul at the ends of float16",
  covers: ["matmul"],
  inputs: {
    left: {
      shape: [12, 1],
      draw: exactly(
        7e4,
        -1e30,
        65_519,
        65_503,
        2 ** -14,
        2 ** -14 * (1 - 2 ** -11),
        2 ** -14 * (1 - 2 ** -10),
        -1e-30,
        1 + 2 ** -11,
        1 + 3 * 2 ** -11,
        -1 - 2 ** -11 - 2 ** -20,
        0,
      ),
    },
    right: { shape: [1, 2], draw: exactly(2, -0.5) },
  },
  build: ({ left, right }) => matmul(left, right, { precision: "float16" }),
  tolerance: "exact",
  parityOnly: true,
});

const [plain, rightTransposed, leftTransposed, bothTransposed] = combinations as [Way, Way, Way, Way];

const everyWay = (sizes: Sizes, parityOnly: boolean) => combinations.map((way) => product(sizes, way, parityOnly));

/** Products with leading axes: [left's, right's]. */
const leadings: readonly [readonly number[], readonly number[]][] = [
  [[3], [3]],
  [[2, 3], [3]],
  [[2, 1], [3]],
  [[], [2, 2]],
  [[5], []],
  [
    [1, 2, 3],
    [2, 1, 1],
  ],
];

const batched = leadings.flatMap(([left, right], position) =>
  (position === 1 ? combinations : [combinations[position % 4]!]).map((way): OpCase => {
    const usual = product([5, 3, 17], way, false);
    const sized = (leading: readonly number[], side: "left" | "right") => ({
      ...usual.inputs[side]!,
      shape: [...leading, ...usual.inputs[side]!.shape],
    });
    return {
      ...usual,
      name: `${usual.name}, batches [${left.join(", ")}] and [${right.join(", ")}]`,
      inputs: { left: sized(left, "left"), right: sized(right, "right") },
      differentiable: { left: 6 * 17, right: 6 * 5 },
    };
  }),
);

const batchedFloat16 = opCase({
  ...halfProduct([5, 3, 17], combinations[1]!),
  name: "matmul of batches, float16",
  inputs: {
    left: { shape: [2, 3, 5, 3], draw: awayFromZero(1) },
    right: { shape: [3, 17, 3], draw: awayFromZero(1) },
  },
  differentiable: {},
});

export const cases: readonly OpCase[] = [
  ...batched,
  batchedFloat16,
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
  ...combinations.map((way) => halfProduct([3, 5, 2], way, { draw: sixteenths, parityOnly: false })),
  ...combinations.map((way) => halfProduct([17, 129, 65], way)),
  halfProduct([65, 3, 9], plain),
  halfProduct([64, 784, 128], plain),
  halfProduct([784, 64, 128], leftTransposed),
  halfProduct([64, 10, 128], rightTransposed),
  atTheEnds,
];
