import type { Tensor } from "../graph/tensor.ts";
import { add, divide, multiply, sqrt, square } from "../ops/elementwise/index.ts";
import { concat, slice } from "../ops/indexing/index.ts";
import { pack, packedSize, reshape } from "../ops/layout/index.ts";
import { matmul } from "../ops/matmul/index.ts";
import { sum } from "../ops/reduce/index.ts";
import { adamDirection, adamOptions, type AdamOptions } from "./adam.ts";
import { requireCount, requirePositiveFloat32 } from "./checks.ts";
import {
  decayedOptions,
  decayedUpdate,
  flatStep,
  movingAverage,
  requireShare,
  type DecayedOptions,
  type FlatStep,
  type Optimizer,
  type UpdateOptions,
} from "./optimizer.ts";
import type { OptionNames } from "../option-names.ts";
import { requireOptimizerOptions } from "./optimizer-options.ts";
import type { Gradients } from "./packed.ts";

/**
 * The options of `muon`. `beta1`, `beta2` and `epsilon` are those of the AdamW for the other parameters; 0.9, 0.95 and
 * 1e-10 by default. `weightDecay` is 0 by default.
 */
export interface MuonOptions extends AdamOptions, DecayedOptions {
  /** The decay rate of the momentum of the matrices, in [0, 1); 0.95 by default. */
  readonly momentum?: number;
  /** Iterations of the orthogonalization, at least 1; 5 by default. */
  readonly iterations?: number;
  /** The learning rate of the other parameters as a multiple of that of the matrices, above 0; 0.015 by default. */
  readonly rateOfOthers?: number;
  /**
   * Which parameters are matrices. By default those with at least two axes; all axes but the last form the rows. Jordan
   * recommends leaving embeddings and the output layer to AdamW.
   */
  readonly matrices?: (parameter: Tensor) => boolean;
}

const names: OptionNames<MuonOptions> = {
  momentum: true,
  iterations: true,
  rateOfOthers: true,
  matrices: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  weightDecay: true,
  decays: true,
};

const hasRows = ({ shape }: Tensor) => shape.length >= 2;

/**
 * Muon moves each matrix in the direction of its Nesterov momentum with all singular values set to about 1:
 * m ← μ m + (1 − μ) g, W ← W − ε (s · orthogonal(μ m + (1 − μ) g) + λ W), with s = √max(1, columns / rows) for a matrix
 * [inputs, outputs] (Jordan 2024, "Muon: an optimizer for hidden layers in neural networks", and its code). The other
 * parameters, such as biases, are updated by AdamW. States: "muon.momentum" for the matrices, "muon.firstMoment" and
 * "muon.secondMoment" for the others. A typical learning rate is 0.02.
 *
 * @example
 * ```ts
 * const trainer = await createTrainer({ ...options, optimizer: optimizers.muon(), learningRate: 0.02 });
 * ```
 *
 * @throws OptionError for an option outside its range
 */
export function muon(options: MuonOptions = {}): Optimizer {
  requireOptimizerOptions("muon", options, names);
  const { momentum = 0.95, iterations = 5, rateOfOthers = 0.015, matrices = hasRows } = options;
  requireShare("muon momentum", momentum);
  requireCount("muon iterations", iterations);
  requirePositiveFloat32("muon rateOfOthers", rateOfOthers);
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-10 } = options;
  const numbers = adamOptions("muon", { beta1, beta2, epsilon });
  const decayed = decayedOptions("muon", options, 0);
  const { weightDecay } = decayed;
  return {
    name: "muon",
    options: { momentum, iterations, rateOfOthers, ...numbers, weightDecay },
    takesFactors: true,
    update(parameters, gradients, given) {
      const part = (wanted: boolean, factor: number) => {
        const chosen = parameters.map((parameter) => matrices(parameter) === wanted);
        return chosen.includes(true) ? [partOfStep(parameters, gradients, given, chosen, factor)] : [];
      };
      const ofMatrices = part(true, 1).map((step) => {
        const { direction, state } = matrixDirection(step, momentum, iterations);
        return [decayedUpdate(step, direction, decayed), state];
      });
      const ofOthers = part(false, rateOfOthers).map((step) => {
        const { direction, moments } = adamDirection(step, numbers);
        return [decayedUpdate(step, direction, decayed), ...moments];
      });
      const groups = [...ofMatrices, ...ofOthers];
      return [...groups.map(([update]) => update!), ...groups.flatMap(([, ...states]) => states)];
    },
  };
}

/** The inputs of the update of some parameters, as separate flat vectors. */
function partOfStep(
  parameters: readonly Tensor[],
  gradients: Gradients,
  { learningRate, factors }: UpdateOptions,
  chosen: readonly boolean[],
  rateFactor: number,
): FlatStep {
  const keep = <Entry>(entries: readonly Entry[]) => entries.filter((_, position) => chosen[position]);
  const own = "op" in gradients ? chosenSlices(gradients, parameters, chosen) : keep(gradients);
  return flatStep("muon", keep(parameters), own, {
    learningRate: rateFactor === 1 ? learningRate : multiply(learningRate, rateFactor),
    ...(factors && { factors: keep(factors) }),
  });
}

/** The slices of the chosen parameters, concatenated. Adjacent slices are read as one. */
function chosenSlices(packed: Tensor, parameters: readonly Tensor[], chosen: readonly boolean[]): Tensor {
  const ranges: { start: number; end: number }[] = [];
  let end = 0;
  parameters.forEach((parameter, position) => {
    const start = end;
    end += packedSize(parameter);
    if (!chosen[position]) return;
    const last = ranges.at(-1);
    if (last?.end === start) last.end = end;
    else ranges.push({ start, end });
  });
  const [first] = ranges;
  if (ranges.length === 1 && first!.start === 0 && first!.end === packed.size) return packed;
  return concat(ranges.map((range) => slice(packed, [range])));
}

/** The orthogonalized Nesterov momentum of all matrices, and the update of the momentum. */
function matrixDirection({ parameters, gradient, remember }: FlatStep, momentum: number, iterations: number) {
  const last = remember("momentum");
  const current = movingAverage(momentum, last, gradient);
  const ahead = movingAverage(momentum, current, gradient);
  let end = 0;
  const directions = parameters.map((parameter) => {
    const start = end;
    end += packedSize(parameter);
    const columns = parameter.shape.at(-1)!;
    const rows = parameter.size / columns;
    const values = slice(ahead, [{ start, end: start + parameter.size }]);
    const direction = orthogonalized(reshape(values, [rows, columns]), iterations);
    const scale = Math.sqrt(Math.max(1, columns / rows));
    return scale === 1 ? direction : multiply(direction, scale);
  });
  return { direction: pack(directions), state: { target: last, value: current } };
}

/**
 * The coefficients of Jordan 2024: the slope at 0 is as steep as possible while all values end up in about [0.7, 1.2].
 */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;

/** Added to the norm to avoid division by 0. */
const NORM_EPSILON = 1e-7;

/**
 * Sets all singular values of a matrix to about 1 with Newton-Schulz iterations, X ← a X + (b S + c S²) X with S = X
 * Xᵀ, from X = G / ‖G‖ (Jordan 2024). The smaller of X Xᵀ and Xᵀ X is used.
 */
function orthogonalized(matrix: Tensor, iterations: number): Tensor {
  const [rows, columns] = matrix.shape as [number, number];
  const isTall = rows > columns;
  const norm = sqrt(sum(square(matrix)));
  let x = divide(matrix, add(norm, NORM_EPSILON));
  for (let iteration = 0; iteration < iterations; iteration++) {
    const squares = matmul(x, x, isTall ? { transposeLeft: true } : { transposeRight: true });
    const polynomial = add(multiply(squares, B), multiply(matmul(squares, squares), C));
    x = add(multiply(x, A), isTall ? matmul(x, polynomial) : matmul(polynomial, x));
  }
  return x;
}
