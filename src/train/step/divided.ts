import type { DispatchDescription, Executable, NumericArray, Session } from "../../backends/backend.ts";
import { defineGraph, type Graph } from "../../graph/graph.ts";
import { constant, state, stepScalar } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { momentUpdates } from "../../nn/moments.ts";
import { packGradients } from "../../nn/packed.ts";
import { add, select } from "../../ops/elementwise/index.ts";
import type { Feed } from "../feed/index.ts";
import type { StepPlaces } from "../share.ts";
import { optimizerUpdates, partMetrics, statesOf, type LoadedPlan } from "./graphs.ts";
import { accumulatedMoments, combineMoments, momentsOfStep, type Combination } from "./part-moments.ts";
import { metricOutput, type StepMetrics, type StepRunner } from "./runner.ts";

/** What a divided step runs. */
interface Executables {
  /** Adds the gradient of one of the equal parts to the sum; the first part of a step begins the sum. */
  readonly accumulate: Executable;
  /** The same for the examples that fill no whole part, where there are any. */
  readonly accumulateRest: Executable | undefined;
  /** Applies the sum. */
  readonly apply: Executable;
}

/**
 * Compiles a step whose batch is divided: one graph for each size of part, which adds its gradient and its moments to
 * those of the parts before it, and one that applies them.
 */
export async function compileDivided(plan: LoadedPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { batchSize, microBatchSize } = plan.data;
  const parts = Math.floor(batchSize / microBatchSize);
  const rest = batchSize % microBatchSize;
  const whole = partMetrics(plan, feed, {
    count: microBatchSize,
    placeOf: (run) => ({ step: Math.floor(run / parts), offset: (run % parts) * microBatchSize }),
  });
  const accumulated: Accumulation = {
    gradient: state("accumulatedGradient", plan.model.packed.shape),
    moments: accumulatedMoments(whole.moments),
  };
  const isLater = stepScalar("isLaterPart", (run) => (run % parts === 0 ? 0 : 1));
  const wholeGraph = partGraph(accumulated, whole, {
    before: (sum) => select(isLater, sum, 0),
    share: stepScalar("partShare", (run) => 1 / ((run % parts) + 1)),
  });
  const placeOfRest = (step: number) => ({ step, offset: parts * microBatchSize });
  const ofRest = rest === 0 ? undefined : partMetrics(plan, feed, { count: rest, placeOf: placeOfRest });
  const restGraph =
    ofRest && partGraph(accumulated, ofRest, { before: (sum) => sum, share: constant(rest / batchSize) });
  const { updates, metrics } = optimizerUpdates(plan, accumulated.gradient, {
    statistics: momentUpdates(momentsOfStep(accumulated.moments, whole.moments, batchSize / microBatchSize)),
  });
  feed.use([...wholeGraph.nodes, ...(restGraph?.nodes ?? [])]);
  const apply = await session.compile(defineGraph(metrics, updates));
  const accumulate = await session.compile(wholeGraph);
  const accumulateRest = restGraph && (await session.compile(restGraph));
  const division = { session, feed, places: plan.places, parts, microBatchSize, states: statesOf(plan.model, updates) };
  const names = Object.keys(plan.model.objective.metrics);
  return new DividedStep({ ...division, metrics: names }, { accumulate, accumulateRest, apply });
}

/** The sums over the parts of a step: states. */
interface Accumulation {
  readonly gradient: Tensor;
  readonly moments: ReturnType<typeof accumulatedMoments>;
}

/** The graph that adds a part to those before it. */
function partGraph(
  sums: Accumulation,
  { metrics, gradient, moments }: ReturnType<typeof partMetrics>,
  combination: Combination,
): Graph {
  return defineGraph(metrics, [
    { target: sums.gradient, value: add(combination.before(sums.gradient), packGradients(gradient)) },
    ...combineMoments(sums.moments, moments, combination),
  ]);
}

interface Division {
  readonly session: Session;
  readonly feed: Feed;
  readonly places: StepPlaces;
  /** Number of equal parts. */
  readonly parts: number;
  readonly microBatchSize: number;
  readonly states: readonly Tensor[];
  /** The names of the metrics of the user. */
  readonly metrics: readonly string[];
}

class DividedStep implements StepRunner {
  readonly states: readonly Tensor[];
  readonly dispatches: readonly DispatchDescription[];
  readonly bytes: number | undefined;
  readonly profile = undefined;
  readonly executable = undefined;
  readonly #division: Division;
  readonly #executables: Executables;

  constructor(division: Division, executables: Executables) {
    const { accumulate, accumulateRest, apply } = executables;
    this.#division = division;
    this.#executables = executables;
    this.states = division.states;
    // Without a plan of memory, the sum is NaN.
    this.bytes = accumulate.bytes! + apply.bytes! + (accumulateRest?.bytes ?? 0) || undefined;
    this.dispatches = [
      ...Array.from({ length: division.parts }, () => accumulate.dispatches).flat(),
      ...(accumulateRest?.dispatches ?? []),
      ...apply.dispatches,
    ];
  }

  async run(first: number, count: number): Promise<StepMetrics> {
    const steps = Array.from({ length: count }, (_, position) => {
      const step = first + position;
      return Promise.all([...this.#runParts(step), this.#executables.apply.run(step, 1)]);
    });
    const finished = await Promise.all(steps);
    const totals = (name: string) => {
      const isMeasured = finished[0]!.some((trace) => trace[name]);
      return isMeasured ? finished.map((traces) => total(traces.map((trace) => trace[name]))) : undefined;
    };
    const { metrics } = this.#division;
    const own = () => Object.fromEntries(metrics.map((name) => [name, totals(metricOutput(name))!]));
    return {
      losses: totals("loss")!,
      correct: totals("correct"),
      faults: totals("fault"),
      gradientNorms: totals("gradientNorm"),
      metrics: metrics.length > 0 ? own() : undefined,
    };
  }

  /** Uploads and runs happen in the order of these calls. */
  #runParts(step: number): ReturnType<Executable["run"]>[] {
    const { session, feed, places, parts, microBatchSize } = this.#division;
    const { accumulate, accumulateRest } = this.#executables;
    const dataStep = places.dataStep(step);
    const together = feed.byParts ? 1 : parts;
    const traces = Array.from({ length: parts / together }, (_, part) => {
      feed.prepare(session, dataStep, 1, part * microBatchSize);
      return accumulate.run(step * parts + part, together);
    });
    if (!accumulateRest) return traces;
    feed.prepare(session, dataStep, 1, parts * microBatchSize);
    return [...traces, accumulateRest.run(step, 1)];
  }
}

/** The sum of all elements of arrays, of which some may be absent. */
function total(arrays: readonly (NumericArray | undefined)[]): number {
  let result = 0;
  for (const values of arrays) for (const value of values ?? []) result += value;
  return result;
}
