import type { Session } from "../backends/backend.ts";
import { GraphError } from "../errors.ts";
import { requireOptionsObject } from "../option-names.ts";
import { defineGraph } from "../graph/graph.ts";
import { state, stateOp, stepScalar } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { requireCount, requirePositiveFloat32 } from "../nn/checks.ts";
import { sgd, type Optimizer } from "../nn/optimizers.ts";
import { constant, type Schedule } from "../nn/schedules.ts";
import { add, lessEqual, maximum, select, sqrt, square, subtract } from "../ops/elementwise/index.ts";
import { gradients } from "../ops/gradients.ts";
import { sum } from "../ops/reduce/index.ts";
import { requireSession } from "./given.ts";

/** The options of `minimize`. */
export interface MinimizeOptions {
  /** The session that holds the parameters during and after the minimization. */
  readonly session: Session;
  /** The parameters to change. The loss must depend on each of them. */
  readonly parameters: readonly Tensor[];
  /** `sgd()` by default. */
  readonly optimizer?: Optimizer;
  /** The base learning rate, finite and above 0. The schedule multiplies it by a factor. */
  readonly learningRate: number;
  /** `constant()` by default; its length is `maxSteps`. */
  readonly schedule?: Schedule;
  /** The maximum number of steps, at least 1. */
  readonly maxSteps: number;
  /**
   * Stops after the first step whose length (the Euclidean norm of the change of all parameters) is at most this, above
   * 0; by default only `maxSteps` ends the minimization.
   */
  readonly smallestStep?: number;
  /** Scalars to record, by name, for example the parameters themselves. */
  readonly record?: Readonly<Record<string, Tensor>>;
}

/** The result of `minimize`. */
export interface Minimization {
  /** The number of steps. */
  readonly steps: number;
  /** Why it stopped; "notFinite" if the loss became NaN or infinite. */
  readonly stopped: "maxSteps" | "smallStep" | "notFinite";
  /** The loss at the start and after each step: `steps` + 1 values. */
  readonly losses: readonly number[];
  /** The length of each step: `steps` values. */
  readonly stepLengths: readonly number[];
  /** The values of `record` at the start and after each step: `steps` + 1 values each. */
  readonly record: Readonly<Record<string, readonly number[]>>;
}

/** Steps per submit: few enough to stop soon, and enough to keep the cost of reading results low. */
const STEPS_PER_SUBMIT = 128;

/**
 * Minimizes a scalar by gradient descent or another optimizer, for losses written by hand. To train a model on data,
 * use `createTrainer`.
 * @param loss one float32 element; it may depend on the step through step scalars
 * @throws OptionError for an option outside its range; GraphError if the loss is not a scalar or does not depend on a
 * parameter, or if something to record is not a scalar
 */
export async function minimize(loss: Tensor, options: MinimizeOptions): Promise<Minimization> {
  requireOptionsObject("minimize", options);
  const { session, maxSteps, smallestStep } = options;
  requireSession("minimize session", session);
  requireCount("minimize maxSteps", maxSteps);
  if (smallestStep !== undefined) requirePositiveFloat32("minimize smallestStep", smallestStep);
  const executable = await session.compile(stepGraph(loss, options));
  const traces: Record<string, number[]> = {};
  // There is one run after the last step, which changes nothing: it reads the final values.
  for (let first = 0; first <= maxSteps; first += STEPS_PER_SUBMIT) {
    const found = await executable.run(first, Math.min(STEPS_PER_SUBMIT, maxSteps + 1 - first));
    for (const [name, values] of Object.entries(found)) for (const value of values) (traces[name] ??= []).push(value);
    if (traces["stopped"]!.at(-1) === 1 || !Number.isFinite(traces["loss"]!.at(-1))) break;
  }
  return summary(traces, options);
}

function stepGraph(loss: Tensor, options: MinimizeOptions) {
  const { parameters, optimizer = sgd(), learningRate, schedule = constant(), maxSteps, smallestStep } = options;
  requirePositiveFloat32("minimize learningRate", learningRate);
  const record = Object.entries(options.record ?? {});
  const wrong = record.find(([, tensor]) => tensor.size !== 1 || tensor.dtype !== "float32");
  if (wrong)
    throw new GraphError({ where: `record ${wrong[0]}`, what: `${wrong[1]} is not a scalar`, fix: "Record scalars" });
  const rate = stepScalar("learningRate", (step) => learningRate * schedule(step, maxSteps));
  const updates = optimizer.update(parameters, gradients(loss, parameters), { learningRate: rate });
  const changes = updates.filter(({ target }) => target.op !== stateOp);
  const stepLength = sqrt(
    changes.map(({ target, value }) => sum(square(subtract(value, target)))).reduce((all, part) => add(all, part)),
  );
  const stopped = state("minimize.stopped", []);
  const isLast = stepScalar("isLast", (step) => Number(step + 1 >= maxSteps));
  const stops = smallestStep === undefined ? isLast : maximum(isLast, lessEqual(stepLength, smallestStep));
  return defineGraph(
    { loss, stepLength, stopped, ...Object.fromEntries(record.map(([name, tensor]) => [`record ${name}`, tensor])) },
    [
      ...updates.map((update) => ({ target: update.target, value: select(stopped, update.target, update.value) })),
      { target: stopped, value: maximum(stopped, stops) },
    ],
  );
}

function summary(traces: Readonly<Record<string, readonly number[]>>, options: MinimizeOptions): Minimization {
  const { maxSteps, smallestStep = 0, record = {} } = options;
  const [losses, lengths, stopped] = [traces["loss"]!, traces["stepLength"]!, traces["stopped"]!];
  const spoiled = losses.findIndex((loss) => !Number.isFinite(loss));
  const ended = stopped.indexOf(1);
  const isSpoiled = spoiled >= 0 && (ended < 0 || spoiled <= ended);
  const steps = isSpoiled ? spoiled : ended;
  const reason = steps < maxSteps || lengths[steps - 1]! <= smallestStep ? "smallStep" : "maxSteps";
  return {
    steps,
    stopped: isSpoiled ? "notFinite" : reason,
    losses: losses.slice(0, steps + 1),
    stepLengths: lengths.slice(0, steps),
    record: Object.fromEntries(
      Object.keys(record).map((name) => [name, traces[`record ${name}`]!.slice(0, steps + 1)]),
    ),
  };
}
