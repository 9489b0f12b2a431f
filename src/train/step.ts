/*
 * What one training step runs: one graph, or, where the batch is divided, one graph per size of part that adds its
 * gradient to a sum and one that applies the sum.
 */
import type { DispatchDescription, Executable, NumericArray, Session } from "../backends/backend.ts";
import { isRegression } from "../data/dataset.ts";
import { defineGraph, type Update } from "../graph/graph.ts";
import { state, stateOp, stepScalar } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { clipByGlobalNorm } from "../nn/clipping.ts";
import { packGradients, type Gradients } from "../nn/packed.ts";
import { dropoutKey } from "../nn/sequential.ts";
import { add, multiply, select } from "../ops/elementwise/index.ts";
import { gradients } from "../ops/gradients.ts";
import { takeAnswers, takeFeatures, totalsOf, type ExampleLeaves } from "./batches.ts";
import type { TrainingPlan } from "./options.ts";

/** The loss (mean over the batch) and, of classes, the number of right predictions of each step of a run. */
export interface StepMetrics {
  readonly losses: ArrayLike<number>;
  readonly correct?: ArrayLike<number> | undefined;
}

export interface StepRunner {
  /** What one step runs, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /** The optimizer's states. */
  readonly states: readonly Tensor[];
  /** Submits steps first … first + count − 1 at once. */
  run(first: number, count: number): Promise<StepMetrics>;
}

/** Compiles the step that a plan describes. */
export async function compileStep(plan: TrainingPlan, session: Session, leaves: ExampleLeaves): Promise<StepRunner> {
  return plan.microBatch === plan.batch ? compileWhole(plan, session, leaves) : compileDivided(plan, session, leaves);
}

/** A part of a step's batch: `count` examples from `offset` on, run as number `runAt` of its executable. */
interface Part {
  readonly count: number;
  /** The step and the position in its batch that a run of the executable stands for. */
  placeOf(run: number): { step: number; offset: number };
}

/** The loss and the right predictions of a part, divided by the size of the whole batch, and the scaled loss's gradients. */
function partMetrics(plan: TrainingPlan, leaves: ExampleLeaves, { count, placeOf }: Part) {
  const { model, normalization, loss, batch, stepsPerEpoch, seed, precision, lossScale } = plan;
  const start = stepScalar("start", (run) => {
    const { step, offset } = placeOf(run);
    return (step % stepsPerEpoch) * batch + offset;
  }, "uint32");
  const features = takeFeatures(leaves, { model, normalization, start, count });
  const answers = takeAnswers(leaves, start, count);
  const outputs = model.apply(features, {
    training: true,
    precision,
    dropoutKeyAt: (run, layer) => {
      const { step, offset } = placeOf(run);
      return dropoutKey(seed, step, layer, offset);
    },
  });
  const totals = totalsOf(loss, outputs, answers);
  const partLoss = multiply(totals.loss, 1 / batch);
  const scaledLoss = lossScale === 1 ? partLoss : multiply(partLoss, lossScale);
  return { metrics: { ...totals, loss: partLoss }, gradient: gradients(scaledLoss, model.parameters) };
}

/** What the optimizer makes of a step's gradient of the scaled loss. */
function optimizerUpdates({ model, optimizer, clipNorm, learningRateAt, lossScale }: TrainingPlan, scaled: Gradients): Update[] {
  const gradient = lossScale === 1 ? scaled : multiply(packGradients(scaled), 1 / lossScale);
  const clipped = clipNorm === undefined ? gradient : clipByGlobalNorm(gradient, clipNorm);
  return optimizer.update(model.parameters, clipped, { learningRate: stepScalar("learningRate", learningRateAt) });
}

const statesOf = (updates: readonly Update[]): Tensor[] =>
  updates.map(({ target }) => target).filter(({ op }) => op === stateOp);

async function compileWhole(plan: TrainingPlan, session: Session, leaves: ExampleLeaves): Promise<StepRunner> {
  const { metrics, gradient } = partMetrics(plan, leaves, {
    count: plan.batch,
    placeOf: (step) => ({ step, offset: 0 }),
  });
  const updates = optimizerUpdates(plan, gradient);
  const executable = await session.compile(defineGraph(metrics, updates));
  return {
    dispatches: executable.dispatches,
    states: statesOf(updates),
    async run(first, count) {
      const traces = await executable.run(first, count);
      return { losses: traces.loss!, correct: traces.correct };
    },
  };
}

async function compileDivided(plan: TrainingPlan, session: Session, leaves: ExampleLeaves): Promise<StepRunner> {
  const { batch, microBatch } = plan;
  const parts = Math.floor(batch / microBatch);
  const rest = batch % microBatch;
  const accumulated = state("accumulatedGradient", packGradients(plan.model.parameters).shape);
  // The graph that updates the parameters as one vector comes first: a backend places them as the first graph needs them.
  const updates = optimizerUpdates(plan, accumulated);
  const apply = await session.compile(defineGraph({}, updates));
  const isLater = stepScalar("isLaterPart", (run) => (run % parts === 0 ? 0 : 1));
  const accumulate = await compilePart(plan, session, leaves, accumulated, select(isLater, accumulated, 0), {
    count: microBatch,
    placeOf: (run) => ({ step: Math.floor(run / parts), offset: (run % parts) * microBatch }),
  });
  const accumulateRest =
    rest === 0
      ? undefined
      : await compilePart(plan, session, leaves, accumulated, accumulated, {
          count: rest,
          placeOf: (step) => ({ step, offset: parts * microBatch }),
        });
  return {
    dispatches: [
      ...Array.from({ length: parts }, () => accumulate.dispatches).flat(),
      ...(accumulateRest?.dispatches ?? []),
      ...apply.dispatches,
    ],
    states: statesOf(updates),
    async run(first, count) {
      const steps = Array.from({ length: count }, (_, position) => {
        const step = first + position;
        const traces = [accumulate.run(step * parts, parts)];
        if (accumulateRest) traces.push(accumulateRest.run(step, 1));
        return Promise.all([...traces, apply.run(step, 1)]);
      });
      const finished = await Promise.all(steps);
      const totals = (name: string) => finished.map((traces) => total(traces.map((trace) => trace[name])));
      return { losses: totals("loss"), ...(!isRegression(plan.dataset) && { correct: totals("correct") }) };
    },
  };
}

/** Adds a part's gradient to a running sum. */
function compilePart(
  plan: TrainingPlan,
  session: Session,
  leaves: ExampleLeaves,
  target: Tensor,
  before: Tensor,
  part: Part,
): Promise<Executable> {
  const { metrics, gradient } = partMetrics(plan, leaves, part);
  return session.compile(defineGraph(metrics, [{ target, value: add(before, packGradients(gradient)) }]));
}

/** The sum of all elements of arrays, of which some may be absent. */
function total(arrays: readonly (NumericArray | undefined)[]): number {
  let result = 0;
  for (const values of arrays) for (const value of values ?? []) result += value;
  return result;
}
