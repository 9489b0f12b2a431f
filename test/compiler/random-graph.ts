import { defineGraph, type Graph, type Update } from "../../src/graph/graph.ts";
import { constant, parameter, state, stepScalar } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { dropoutMask } from "../../src/ops/dropout/index.ts";
import { add, log, maximum, multiply, relu, subtract, tanh, toFloat } from "../../src/ops/elementwise/index.ts";
import { broadcastTo, pack, reshape, transpose } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { firstNonFinite, replaceIf } from "../../src/ops/non-finite/index.ts";
import { mean, sum } from "../../src/ops/reduce/index.ts";
import { softmax } from "../../src/ops/softmax/index.ts";
import { Random } from "../../src/random.ts";

const SIZE = 8;

/** One instruction: an op and the earlier values it uses. */
export interface Instruction {
  readonly op: number;
  readonly a: number;
  readonly b: number;
}

export interface RandomGraph {
  readonly graph: Graph;
  /** Everything whose value can be compared after some steps. */
  readonly leaves: readonly Tensor[];
}

/** All values are matrices [8, 8], so that any op can follow any other. A tanh after products keeps values near 1. */
const operations: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => add(a, b),
  (a, b) => subtract(a, b),
  (a, b) => multiply(a, b),
  (a, b) => maximum(a, b),
  (a) => relu(a),
  (a) => tanh(a),
  (a, b) => tanh(matmul(a, b)),
  (a, b) => tanh(matmul(a, b, { transposeLeft: true })),
  (a) => transpose(a),
  (a, b) => add(a, mean(b, { axes: 0 })),
  (a, b) => subtract(a, mean(b, { axes: 1, keepAxes: true })),
  (a, b) => multiply(a, tanh(sum(multiply(b, b)))),
  (a) => softmax(a),
  (a) => reshape(relu(reshape(a, [SIZE * SIZE])), [SIZE, SIZE]),
  (a, b) => add(a, broadcastTo(reshape(mean(b), [1, 1]), [SIZE, SIZE])),
  (a) =>
    multiply(
      a,
      dropoutMask(
        [SIZE, SIZE],
        0.25,
        stepScalar("key", (step) => step * 7919 + 1, "uint32"),
      ),
    ),
  (a, b) => reshape(pack([reshape(a, [SIZE * SIZE])]), b.shape),
  (a, b) => add(a, multiply(toFloat(firstNonFinite([spoiled(b), a])), 0.001)),
];

/** x + ln of a mask: infinite at some elements, other ones at every step. */
function spoiled(x: Tensor): Tensor {
  const key = stepScalar("spoils", (step) => step * 104_729 + 1, "uint32");
  return add(x, log(dropoutMask([SIZE, SIZE], 0.1, key)));
}

/**
 * A graph from instructions: a value per instruction, some of them outputs, others new values of states and of a pack
 * of parameters, read before and after in any order.
 */
export function randomGraph(
  instructions: readonly Instruction[],
  updates: readonly number[],
  seed: number,
): RandomGraph {
  const random = new Random(seed);
  const drawn = () => Array.from({ length: SIZE * SIZE }, () => random.uniform(-1, 1));
  const parameters = ["p0", "p1"].map((name) => parameter(name, [SIZE, SIZE], drawn()));
  const states = ["s0", "s1"].map((name) => state(name, [SIZE, SIZE], drawn()));
  const flat = state("flat", [2 * SIZE * SIZE], [...drawn(), ...drawn()]);
  const values: Tensor[] = [...parameters, ...states, constant(drawn(), [SIZE, SIZE])];
  const pick = (index: number) => values[index % values.length]!;
  for (const { op, a, b } of instructions) values.push(operations[op % operations.length]!(pick(a), pick(b)));
  const chosen = updates.map(pick);
  const packed = pack(parameters);
  const gradients = pack([chosen[0]!, chosen[1]!]);
  const nextFlat = add(multiply(flat, 0.9), gradients);
  const found = firstNonFinite([pack([spoiled(chosen[0]!), chosen[1]!]), values.at(-1)!]);
  const faults = state("faults", []);
  const list: Update[] = [
    { target: faults, value: replaceIf(found, faults, add(multiply(faults, 2), 1)) },
    { target: states[0]!, value: chosen[2]! },
    { target: states[1]!, value: chosen[3]! },
    { target: flat, value: nextFlat },
    {
      target: packed,
      value: subtract(
        packed,
        multiply(
          nextFlat,
          stepScalar("rate", (step) => 0.01 / (step + 1)),
        ),
      ),
    },
  ];
  const outputs = { mean: mean(values.at(-1)!), last: values.at(-1)!, chosen: chosen[4]! };
  return { graph: defineGraph(outputs, list), leaves: [...parameters, ...states, flat, faults] };
}
