import type { Update } from "../graph/graph.ts";
import { stepScalar } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, divide, multiply, sqrt, square, subtract } from "../ops/elementwise/index.ts";
import { requirePositiveFloat32 } from "./checks.ts";
import {
  decayedOptions,
  decayedUpdate,
  flatOptimizer,
  movingAverage,
  requireShare,
  type DecayedOptions,
  type FlatStep,
  type Optimizer,
} from "./optimizer.ts";
import { requireOptimizerOptions } from "./optimizer-options.ts";

/** The options of `adam`. */
export interface AdamOptions {
  /** The decay rate of the first moment, in [0, 1); 0.9 by default. */
  readonly beta1?: number;
  /** The decay rate of the second moment, in [0, 1); 0.999 by default. */
  readonly beta2?: number;
  /** Added to the root to avoid division by 0, above 0; 1e-8 by default. */
  readonly epsilon?: number;
}

/** @throws OptionError for an option outside its range */
export function adamOptions(name: string, options: AdamOptions): Required<AdamOptions> {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  requireShare(`${name} beta1`, beta1);
  requireShare(`${name} beta2`, beta2);
  requirePositiveFloat32(`${name} epsilon`, epsilon);
  return { beta1, beta2, epsilon };
}

/**
 * 1 / (1 − βᵗ) with t = step + 1, the bias correction of a moving average that starts at 0 (Kingma and Ba 2015, section
 * 3).
 */
function biasCorrection(name: string, beta: number): Tensor {
  return stepScalar(name, (step) => 1 / (1 - beta ** (step + 1)));
}

/** The direction m̂ / (√v̂ + epsilon), and the updates of both moments. */
export function adamDirection({ gradient, remember }: FlatStep, options: Required<AdamOptions>) {
  const { beta1, beta2, epsilon } = options;
  const [lastFirst, lastSecond] = [remember("firstMoment"), remember("secondMoment")];
  const first = movingAverage(beta1, lastFirst, gradient);
  const second = movingAverage(beta2, lastSecond, square(gradient));
  const mean = multiply(first, biasCorrection("firstCorrection", beta1));
  const meanSquare = multiply(second, biasCorrection("secondCorrection", beta2));
  const moments: Update[] = [
    { target: lastFirst, value: first },
    { target: lastSecond, value: second },
  ];
  return { direction: divide(mean, add(sqrt(meanSquare), epsilon)), moments };
}

/**
 * Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − ε m̂ / (√v̂ + epsilon) with m̂ = m / (1 − β₁ᵗ) and v̂ =
 * v / (1 − β₂ᵗ) (Kingma and Ba 2015, algorithm 1). States: "adam.firstMoment" and "adam.secondMoment".
 *
 * @example
 * ```ts
 * const trainer = await createTrainer({ ...options, optimizer: optimizers.adam({ beta2: 0.99 }), learningRate: 1e-3 });
 * ```
 *
 * @throws OptionError for an option outside its range
 */
export function adam(options: AdamOptions = {}): Optimizer {
  requireOptimizerOptions("adam", options, { beta1: true, beta2: true, epsilon: true });
  const numbers = adamOptions("adam", options);
  return flatOptimizer("adam", { ...numbers }, (step) => {
    const { weights, learningRate } = step;
    const { direction, moments } = adamDirection(step, numbers);
    return [{ target: weights, value: subtract(weights, multiply(direction, learningRate)) }, ...moments];
  });
}

/** The options of `adamW`; `weightDecay` is 0.01 by default. */
export interface AdamWOptions extends AdamOptions, DecayedOptions {}

/**
 * AdamW, Adam with decoupled weight decay: w ← w − ε (m̂ / (√v̂ + epsilon) + λ w) (Loshchilov and Hutter 2019,
 * algorithm 2 with α = 1, so that the learning rate ε is the schedule multiplier η). States: "adamW.firstMoment" and
 * "adamW.secondMoment".
 * @throws OptionError for an option outside its range
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  requireOptimizerOptions("adamW", options, {
    beta1: true,
    beta2: true,
    epsilon: true,
    weightDecay: true,
    decays: true,
  });
  const numbers = adamOptions("adamW", options);
  const decayed = decayedOptions("adamW", options, 0.01);
  return flatOptimizer("adamW", { ...numbers, weightDecay: decayed.weightDecay }, (step) => {
    const { direction, moments } = adamDirection(step, numbers);
    return [decayedUpdate(step, direction, decayed), ...moments];
  });
}
