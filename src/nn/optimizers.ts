/*
 * Optimizers, in order of complexity. Each one builds a graph that computes new parameters and new state from
 * parameters and gradients.
 */
import { excerpt, OptionError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, divide, multiply, sign, sqrt, square, subtract } from "../ops/elementwise/index.ts";
import { requirePositiveFloat32 } from "./checks.ts";
import { momentumForms, type MomentumForm } from "./momentum-form.ts";
import {
  decayedOptions,
  decayedUpdate,
  flatOptimizer,
  movingAverage,
  requireShare,
  type DecayedOptions,
  type Optimizer,
} from "./optimizer.ts";
import { requireOptimizerOptions } from "./optimizer-options.ts";

export { adam, adamW, type AdamOptions, type AdamWOptions } from "./adam.ts";
export { coupledDecay } from "./coupled-decay.ts";
export { muon, type MuonOptions } from "./muon.ts";
export { regularized, type RegularizationOptions } from "./regularized.ts";
export type { DecayedOptions, Optimizer, ParameterFactors, UpdateOptions } from "./optimizer.ts";

/**
 * Plain gradient descent: w ← w − ε g (Goodfellow, Bengio and Courville 2016, algorithm 8.1). It has no options; `momentum` is
 * another optimizer.
 * @throws OptionError for any option
 */
export function sgd(options: Readonly<Record<never, never>> = {}): Optimizer {
  requireOptimizerOptions("sgd", options, {});
  return flatOptimizer("sgd", {}, ({ weights, gradient, learningRate }) => [
    { target: weights, value: subtract(weights, multiply(gradient, learningRate)) },
  ]);
}

/** The options of `momentum` and `nesterov`. */
export interface MomentumOptions {
  /** α, the fraction of the last change that is kept, in [0, 1); 0.9 by default. */
  readonly momentum?: number;
  /** "classic" by default; "pytorch" gives the same numbers as PyTorch's SGD if the learning rate changes. */
  readonly form?: MomentumForm;
}

function momentumOptions(name: string, options: MomentumOptions) {
  requireOptimizerOptions(name, options, { momentum: true, form: true });
  const { momentum: share = 0.9, form = "classic" } = options;
  requireShare(`${name} momentum`, share);
  if (!momentumForms.includes(form)) {
    const what = `unknown form ${excerpt(form)}`;
    throw new OptionError({ where: `${name} form`, what, fix: `Choose one of ${momentumForms.join(", ")}` });
  }
  return { share, isClassic: form === "classic" };
}

/** Momentum in PyTorch's form: v ← α v + g, w ← w − ε · direction(v). */
function pytorchMomentum(
  name: string,
  share: number,
  directionOf: (velocity: Tensor, gradient: Tensor) => Tensor,
): Optimizer {
  return flatOptimizer(name, { momentum: share }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("buffer");
    const velocity = add(multiply(last, share), gradient);
    return [
      { target: weights, value: subtract(weights, multiply(directionOf(velocity, gradient), learningRate)) },
      { target: last, value: velocity },
    ];
  });
}

/**
 * Gradient descent with momentum: Δw(t) = −ε ∂E/∂w(t) + α Δw(t−1), w ← w + Δw(t) (Rumelhart, Hinton and Williams 1986,
 * equation 9). State: the last change, "momentum.change". In PyTorch's form: v ← α v + g, w ← w − ε v, with the state
 * v, "momentum.buffer".
 *
 * @example
 * ```ts
 * const trainer = await createTrainer({ ...options, optimizer: optimizers.momentum({ momentum: 0.9 }) });
 * ```
 *
 * @throws OptionError for a momentum outside [0, 1) or an unknown form
 */
export function momentum(options: MomentumOptions = {}): Optimizer {
  const { share, isClassic } = momentumOptions("momentum", options);
  if (!isClassic) return pytorchMomentum("momentum", share, (velocity) => velocity);
  return flatOptimizer("momentum", { momentum: share }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("change");
    const change = subtract(multiply(last, share), multiply(gradient, learningRate));
    return [
      { target: weights, value: add(weights, change) },
      { target: last, value: change },
    ];
  });
}

/**
 * Nesterov's accelerated gradient, evaluated at the look-ahead point w: v ← μ v − ε g, w ← w + μ v − ε g (Sutskever et
 * al. 2013, equations 3 and 4, in the form of Bengio, Boulanger-Lewandowski and Pascanu 2013, section 3.5). State: v,
 * "nesterov.velocity". In PyTorch's form: v ← μ v + g, w ← w − ε (g + μ v), with the state v, "nesterov.buffer".
 * @throws OptionError for a momentum outside [0, 1) or an unknown form
 */
export function nesterov(options: MomentumOptions = {}): Optimizer {
  const { share, isClassic } = momentumOptions("nesterov", options);
  if (!isClassic)
    return pytorchMomentum("nesterov", share, (velocity, gradient) => add(gradient, multiply(velocity, share)));
  return flatOptimizer("nesterov", { momentum: share }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("velocity");
    const descent = multiply(gradient, learningRate);
    const velocity = subtract(multiply(last, share), descent);
    return [
      { target: weights, value: add(weights, subtract(multiply(velocity, share), descent)) },
      { target: last, value: velocity },
    ];
  });
}

/** The options of `adagrad`. */
export interface AdagradOptions {
  /** Added to the root to avoid division by 0, above 0; 1e-10 by default. */
  readonly epsilon?: number;
}

/**
 * Adagrad divides the gradient by the root of the sum of its squares: s ← s + g², w ← w − ε g / (√s + epsilon) (Duchi,
 * Hazan and Singer 2011, figure 1, with a diagonal matrix). State: s, "adagrad.sumOfSquares". A usual learning rate is
 * 0.01.
 * @throws OptionError for an option outside its range
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  requireOptimizerOptions("adagrad", options, { epsilon: true });
  const { epsilon = 1e-10 } = options;
  requirePositiveFloat32("adagrad epsilon", epsilon);
  return flatOptimizer("adagrad", { epsilon }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("sumOfSquares");
    const sumOfSquares = add(last, square(gradient));
    const direction = divide(gradient, add(sqrt(sumOfSquares), epsilon));
    return [
      { target: weights, value: subtract(weights, multiply(direction, learningRate)) },
      { target: last, value: sumOfSquares },
    ];
  });
}

/** The options of `rmsprop`. */
export interface RmspropOptions {
  /** ρ, the decay rate of the mean square, in [0, 1); 0.9 by default. */
  readonly decay?: number;
  /** Added to the root to avoid division by 0, above 0; 1e-8 by default. */
  readonly epsilon?: number;
}

/**
 * RMSprop divides the gradient by the root of its mean square: s ← ρ s + (1 − ρ) g², w ← w − ε g / (√s + epsilon)
 * (Tieleman and Hinton 2012, lecture 6e). State: s, "rmsprop.meanSquare".
 * @throws OptionError for an option outside its range
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  requireOptimizerOptions("rmsprop", options, { decay: true, epsilon: true });
  const { decay = 0.9, epsilon = 1e-8 } = options;
  requireShare("rmsprop decay", decay);
  requirePositiveFloat32("rmsprop epsilon", epsilon);
  return flatOptimizer("rmsprop", { decay, epsilon }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("meanSquare");
    const meanSquare = movingAverage(decay, last, square(gradient));
    const direction = divide(gradient, add(sqrt(meanSquare), epsilon));
    return [
      { target: weights, value: subtract(weights, multiply(direction, learningRate)) },
      { target: last, value: meanSquare },
    ];
  });
}

/** The options of `lion`. */
export interface LionOptions extends DecayedOptions {
  /** The share of the momentum in the direction of a step, in [0, 1); 0.9 by default. */
  readonly beta1?: number;
  /** The decay rate of the momentum, in [0, 1); 0.99 by default. */
  readonly beta2?: number;
}

/**
 * Lion moves each weight by the sign of an average of momentum and gradient: c = β₁ m + (1 − β₁) g, w ← w − ε (sign(c)
 * + λ w), m ← β₂ m + (1 − β₂) g (Chen et al. 2023, algorithm 2). State: m, "lion.momentum". The weight decay λ is 0 by
 * default. All steps have the length of the learning rate, so it should be 3 to 10 times smaller than Adam's, and the
 * weight decay as many times larger (section 5).
 * @throws OptionError for an option outside its range
 */
export function lion(options: LionOptions = {}): Optimizer {
  requireOptimizerOptions("lion", options, { beta1: true, beta2: true, weightDecay: true, decays: true });
  const { beta1 = 0.9, beta2 = 0.99 } = options;
  requireShare("lion beta1", beta1);
  requireShare("lion beta2", beta2);
  const decayed = decayedOptions("lion", options, 0);
  return flatOptimizer("lion", { beta1, beta2, weightDecay: decayed.weightDecay }, (step) => {
    const { gradient, remember } = step;
    const last = remember("momentum");
    const direction = sign(movingAverage(beta1, last, gradient));
    return [decayedUpdate(step, direction, decayed), { target: last, value: movingAverage(beta2, last, gradient) }];
  });
}
