/*
 * The parts of the graphs of a step: from examples to the gradient of the loss, and from the gradient to the updates of
 * the parameters.
 */
import { updatedLeaves, type Update } from "../../graph/graph.ts";
import { requireDistinctNames, stateOp, stepScalar } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { clipByGlobalNorm, globalNorm } from "../../nn/clipping.ts";
import type { Batch } from "../../nn/batch.ts";
import { packGradients, type Gradients } from "../../nn/packed.ts";
import type { BatchMoments } from "../../nn/layers/layer.ts";
import { dropoutKey } from "../../nn/build.ts";
import { multiply } from "../../ops/elementwise/index.ts";
import { augmented } from "../augment.ts";
import { averageUpdates } from "../average.ts";
import { inputsIn, takeColumns } from "../batches.ts";
import type { Feed } from "../feed/index.ts";
import { guardStep } from "../guard.ts";
import { measure } from "../objective.ts";
import { rateOf, type DataPlan, type ModelPlan, type SchedulePlan, type StepPlan } from "../plan.ts";
import type { StepPlaces } from "../share.ts";
import { namedTotals } from "./runner.ts";

/** What the graphs of a step depend on. */
export interface StepGraphPlan {
  readonly model: ModelPlan;
  readonly data: DataPlan;
  readonly step: StepPlan;
  readonly schedule: SchedulePlan;
  readonly places: StepPlaces;
}

/** The gradients of a loss. `layers` are the outputs of the layers, of which a step may keep some and compute others again. */
export type GradientsOf = (loss: Tensor, trained: readonly Tensor[], layers: readonly Tensor[]) => readonly Tensor[];

/** A plan with the code that its options need, which `compileStep` has loaded. */
export interface LoadedPlan extends StepGraphPlan {
  readonly gradientsOf: GradientsOf;
}

/** A part of a step's batch: `count` examples. An executable computes it; the part depends on the number of the run. */
export interface Part {
  readonly count: number;
  /** The trainer's step that a run of the executable belongs to, and the position of its first example in the batch. */
  placeOf(run: number): { step: number; offset: number };
}

/**
 * The metrics of a part, as its share of those of the whole batch, the scaled loss's gradients, and the moments that its
 * layers recorded.
 */
export function partMetrics(
  { model: { network, trained, objective }, data, step, places, gradientsOf }: LoadedPlan,
  feed: Feed,
  part: Part,
) {
  const { batchSize, seed } = data;
  const { precision, lossScale } = step;
  const moments: BatchMoments[] = [];
  const layers: Tensor[] = [];
  const batch = batchOf({ data, step, places }, feed, part);
  const outputs = network.apply(inputsIn(batch, data.layout), {
    training: true,
    precision,
    recordMoments: (one) => moments.push(one),
    recordOutput: (output) => layers.push(output),
    dropoutKeyAt: (run, layer) => {
      const place = part.placeOf(run);
      return dropoutKey(seed, places.dataStep(place.step), layer, place.offset);
    },
  });
  const { count } = part;
  const totals = measure(objective, { network, outputs, batch, count, share: 1 / batchSize, weighted: true });
  const scaledLoss = lossScale === 1 ? totals.loss : multiply(totals.loss, lossScale);
  return {
    metrics: namedTotals(totals),
    gradient: gradientsOf(scaledLoss, trained, layers),
    moments,
  };
}

/** The tensors that a part trains on, and the step inputs. */
function batchOf(
  { data, step, places }: Pick<StepGraphPlan, "data" | "step" | "places">,
  feed: Feed,
  { count, placeOf: ownPlaceOf }: Part,
): Batch {
  const placeOf = (run: number) => {
    const { step: own, offset } = ownPlaceOf(run);
    return { step: places.dataStep(own), offset };
  };
  const positionOf = (run: number) => {
    const place = placeOf(run);
    return feed.positionOf(place.step, place.offset);
  };
  const start = stepScalar("start", positionOf, "uint32");
  const stepInputs = Object.entries(step.stepInputs).map(
    ([name, valueAt]) => [name, stepScalar(name, (run) => valueAt(places.scheduleStep(ownPlaceOf(run).step)))] as const,
  );
  const batch = { ...takeColumns(feed.leaves, data.layout, { start, count }), ...Object.fromEntries(stepInputs) };
  return augmented(batch, step.augment, { seed: data.seed, placeOf, count });
}

/** The updates of a step, and what is read back of its gradient: its norm and its first fault, where they are asked for. */
interface StepUpdates {
  readonly updates: Update[];
  readonly metrics: Record<string, Tensor>;
}

/** What else the updates of a step may depend on. */
interface UpdateSources {
  /** The loss of the step, if the same graph computes it. */
  readonly loss?: Tensor;
  /** The updates of the layers' running statistics. */
  readonly statistics: readonly Update[];
}

/** @param scaled the gradient of the scaled loss */
export function optimizerUpdates(
  plan: StepGraphPlan,
  scaled: Gradients,
  { loss, statistics }: UpdateSources,
): StepUpdates {
  const { clipNorm, gradientNorm, onNonFinite, lossScale } = plan.step;
  const packed = packGradients(scaled);
  const gradient = lossScale === 1 ? packed : multiply(packed, 1 / lossScale);
  const metrics: Record<string, Tensor> = gradientNorm ? { gradientNorm: globalNorm(gradient) } : {};
  const clipped = clipNorm === undefined ? gradient : clipByGlobalNorm(gradient, clipNorm);
  const learningRate = stepScalar("learningRate", (step) => rateOf(plan, step));
  const updatesAt = (rate: Tensor) => [...parameterUpdates(plan, clipped, rate), ...statistics];
  if (onNonFinite === "ignore") return { updates: updatesAt(learningRate), metrics };
  // Divided by at least 1, what is finite stays so, and the kernels that make the scaled gradient look for the rest.
  const guard = guardStep(onNonFinite, lossScale >= 1 ? packed : gradient, loss, learningRate);
  return { updates: guard.guarded(updatesAt(guard.learningRate)), metrics: { ...metrics, fault: guard.fault } };
}

/** The optimizer's updates, and those of the moving averages. */
function parameterUpdates({ step, model }: StepGraphPlan, gradient: Gradients, learningRate: Tensor): Update[] {
  const { optimizer, factors } = step;
  const updates = optimizer.update(model.trained, gradient, { learningRate, factors });
  return model.average ? [...updates, ...averageUpdates(model.average, updates)] : updates;
}

/**
 * The states of the optimizer, the guard and the moving averages, without those of the model's layers.
 * @throws GraphError for two states of one name, which an optimizer made of others may have
 */
export function statesOf({ model }: ModelPlan, updates: readonly Update[]): Tensor[] {
  const states = updates
    .flatMap(({ target }) => updatedLeaves(target))
    .filter((target) => target.op === stateOp && !model.states.includes(target));
  requireDistinctNames("optimizer", states);
  return states;
}
