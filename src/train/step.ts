/*
 * What one training step runs: one graph, or, where the batch is divided, one graph per size of part that adds its
 * gradient to a sum and one that applies the sum.
 */
import type { DispatchDescription, Executable, NumericArray, Session } from "../backends/backend.ts";
import { isRegression } from "../data/dataset.ts";
import { defineGraph, type Update } from "../graph/graph.ts";
import { requireDistinctNames, state, stateOp, stepScalar } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { clipByGlobalNorm, globalNorm } from "../nn/clipping.ts";
import { packGradients, type Gradients } from "../nn/packed.ts";
import { dropoutKey } from "../nn/sequential.ts";
import { add, multiply, select } from "../ops/elementwise/index.ts";
import { gradients } from "../ops/gradients.ts";
import { takeAnswers, takeFeatures, totalsOf } from "./batches.ts";
import type { Feed } from "./feed.ts";
import { guardStep } from "./guard.ts";
import type { TrainingPlan } from "./options.ts";

/** The loss (mean over the batch) and, of classes, the number of right predictions of each step of a run. */
export interface StepMetrics {
  readonly losses: ArrayLike<number>;
  readonly correct?: ArrayLike<number> | undefined;
  /** Where steps are guarded: 0 for one that was finite, see `placeOfFault`. */
  readonly faults?: ArrayLike<number> | undefined;
  /** The norm of the gradient of each step, where it is measured. */
  readonly gradientNorms?: ArrayLike<number> | undefined;
}

export interface StepRunner {
  /** What one step runs, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /** The optimizer's states. */
  readonly states: readonly Tensor[];
  /** Submits steps first … first + count − 1 at once. */
  run(first: number, count: number): Promise<StepMetrics>;
  /** Runs one step dispatch by dispatch, for the nanoseconds of each; absent where that cannot be. */
  readonly profile: ((step: number) => Promise<number[]>) | undefined;
  /** What runs a whole step; undefined where a step is divided into parts. */
  readonly executable: Executable | undefined;
}

/** Compiles the step that a plan describes. */
export async function compileStep(plan: TrainingPlan, session: Session, feed: Feed): Promise<StepRunner> {
  return plan.microBatch === plan.batch ? compileWhole(plan, session, feed) : compileDivided(plan, session, feed);
}

/** A part of a step's batch: `count` examples from `offset` on, run as number `runAt` of its executable. */
interface Part {
  readonly count: number;
  /** The step and the position in its batch that a run of the executable stands for. */
  placeOf(run: number): { step: number; offset: number };
}

/** The loss and the right predictions of a part, divided by the size of the whole batch, and the scaled loss's gradients. */
function partMetrics(plan: TrainingPlan, feed: Feed, { count, placeOf }: Part) {
  const { model, normalization, loss, batch, seed, precision, lossScale } = plan;
  const start = stepScalar("start", (run) => {
    const { step, offset } = placeOf(run);
    return feed.positionOf(step, offset);
  }, "uint32");
  const features = takeFeatures(feed.leaves, { model, normalization, start, count });
  const answers = takeAnswers(feed.leaves, start, count);
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

/**
 * What the optimizer makes of a step's gradient of the scaled loss, and what is read back of that gradient: its norm where
 * it is measured, and what was not finite in it where that is guarded.
 */
function optimizerUpdates(plan: TrainingPlan, scaled: Gradients, loss?: Tensor): { updates: Update[]; metrics: Record<string, Tensor> } {
  const { model, optimizer, clipNorm, gradientNorm, learningRateAt, onNonFinite, lossScale } = plan;
  const packed = packGradients(scaled);
  const gradient = lossScale === 1 ? packed : multiply(packed, 1 / lossScale);
  const metrics: Record<string, Tensor> = gradientNorm ? { gradientNorm: globalNorm(gradient) } : {};
  const clipped = clipNorm === undefined ? gradient : clipByGlobalNorm(gradient, clipNorm);
  const learningRate = stepScalar("learningRate", learningRateAt);
  if (!onNonFinite) return { updates: optimizer.update(model.parameters, clipped, { learningRate }), metrics };
  const guard = guardStep(onNonFinite, gradient, loss, learningRate);
  const updates = optimizer.update(model.parameters, clipped, { learningRate: guard.learningRate });
  return { updates: guard.guarded(updates), metrics: { ...metrics, fault: guard.fault } };
}

/** @throws GraphError for two states of one name, as an optimizer made of others may have */
function statesOf(updates: readonly Update[]): Tensor[] {
  const states = updates.map(({ target }) => target).filter(({ op }) => op === stateOp);
  requireDistinctNames("optimizer", states);
  return states;
}

async function compileWhole(plan: TrainingPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { metrics, gradient } = partMetrics(plan, feed, {
    count: plan.batch,
    placeOf: (step) => ({ step, offset: 0 }),
  });
  const { updates, metrics: gradientMetrics } = optimizerUpdates(plan, gradient, metrics.loss);
  const executable = await session.compile(defineGraph({ ...metrics, ...gradientMetrics }, updates));
  return {
    dispatches: executable.dispatches,
    executable,
    states: statesOf(updates),
    async run(first, count) {
      feed.prepare(session, first);
      const traces = await executable.run(first, count);
      return { losses: traces.loss!, correct: traces.correct, faults: traces.fault, gradientNorms: traces.gradientNorm };
    },
    profile:
      executable.profile &&
      ((step) => {
        feed.prepare(session, step);
        return executable.profile!(step);
      }),
  };
}

async function compileDivided(plan: TrainingPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { batch, microBatch } = plan;
  const parts = Math.floor(batch / microBatch);
  const rest = batch % microBatch;
  const accumulated = state("accumulatedGradient", packGradients(plan.model.parameters).shape);
  const { updates, metrics } = optimizerUpdates(plan, accumulated);
  const apply = await session.compile(defineGraph(metrics, updates));
  const isLater = stepScalar("isLaterPart", (run) => (run % parts === 0 ? 0 : 1));
  const accumulate = await compilePart(plan, session, feed, accumulated, select(isLater, accumulated, 0), {
    count: microBatch,
    placeOf: (run) => ({ step: Math.floor(run / parts), offset: (run % parts) * microBatch }),
  });
  const accumulateRest =
    rest === 0
      ? undefined
      : await compilePart(plan, session, feed, accumulated, accumulated, {
          count: rest,
          placeOf: (step) => ({ step, offset: parts * microBatch }),
        });
  /** In the stream of commands: uploads and runs follow each other in the order of the calls. */
  const runParts = (step: number) => {
    const together = feed.byParts ? 1 : parts;
    const traces = Array.from({ length: parts / together }, (_, part) => {
      feed.prepare(session, step, part * microBatch);
      return accumulate.run(step * parts + part, together);
    });
    if (!accumulateRest) return traces;
    feed.prepare(session, step, parts * microBatch);
    return [...traces, accumulateRest.run(step, 1)];
  };
  return {
    dispatches: [
      ...Array.from({ length: parts }, () => accumulate.dispatches).flat(),
      ...(accumulateRest?.dispatches ?? []),
      ...apply.dispatches,
    ],
    states: statesOf(updates),
    profile: undefined,
    executable: undefined,
    async run(first, count) {
      const steps = Array.from({ length: count }, (_, position) => {
        const step = first + position;
        const traces = runParts(step);
        return Promise.all([...traces, apply.run(step, 1)]);
      });
      const finished = await Promise.all(steps);
      const totals = (name: string) => finished.map((traces) => total(traces.map((trace) => trace[name])));
      return {
        losses: totals("loss"),
        ...(!isRegression(plan.dataset) && { correct: totals("correct") }),
        ...(metrics["fault"] && { faults: totals("fault") }),
        ...(metrics["gradientNorm"] && { gradientNorms: totals("gradientNorm") }),
      };
    },
  };
}

/** Adds a part's gradient to a running sum. */
function compilePart(
  plan: TrainingPlan,
  session: Session,
  feed: Feed,
  target: Tensor,
  before: Tensor,
  part: Part,
): Promise<Executable> {
  const { metrics, gradient } = partMetrics(plan, feed, part);
  return session.compile(defineGraph(metrics, [{ target, value: add(before, packGradients(gradient)) }]));
}

/** The sum of all elements of arrays, of which some may be absent. */
function total(arrays: readonly (NumericArray | undefined)[]): number {
  let result = 0;
  for (const values of arrays) for (const value of values ?? []) result += value;
  return result;
}
