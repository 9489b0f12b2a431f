import type { DispatchDescription, Executable, NumericArray, Session } from "../../backends/backend.ts";
import { defineGraph } from "../../graph/graph.ts";
import { state, stepScalar } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { packGradients } from "../../nn/packed.ts";
import { add, select } from "../../ops/elementwise/index.ts";
import type { Feed } from "../feed.ts";
import { optimizerUpdates, partMetrics, statesOf, type Part, type StepGraphPlan } from "./graphs.ts";
import type { StepMetrics, StepRunner } from "./runner.ts";

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
 * Compiles a step whose batch is divided: one graph for each size of part, which adds its gradient to a sum, and one
 * that applies the sum.
 */
export async function compileDivided(plan: StepGraphPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { batchSize, microBatchSize } = plan.data;
  const parts = Math.floor(batchSize / microBatchSize);
  const rest = batchSize % microBatchSize;
  const sum = state("accumulatedGradient", plan.model.packed.shape);
  const { updates, metrics } = optimizerUpdates(plan, sum, { statistics: [] });
  const apply = await session.compile(defineGraph(metrics, updates));
  const compilePart = (before: Tensor, part: Part) => {
    const { metrics: ofPart, gradient } = partMetrics(plan, feed, part);
    return session.compile(defineGraph(ofPart, [{ target: sum, value: add(before, packGradients(gradient)) }]));
  };
  const isLater = stepScalar("isLaterPart", (run) => (run % parts === 0 ? 0 : 1));
  const accumulate = await compilePart(select(isLater, sum, 0), {
    count: microBatchSize,
    placeOf: (run) => ({ step: Math.floor(run / parts), offset: (run % parts) * microBatchSize }),
  });
  const placeOfRest = (step: number) => ({ step, offset: parts * microBatchSize });
  const accumulateRest = rest === 0 ? undefined : await compilePart(sum, { count: rest, placeOf: placeOfRest });
  return new DividedStep(
    { session, feed, parts, microBatchSize: microBatchSize, states: statesOf(plan.model, updates) },
    { accumulate, accumulateRest, apply },
  );
}

interface Division {
  readonly session: Session;
  readonly feed: Feed;
  /** Number of equal parts. */
  readonly parts: number;
  readonly microBatchSize: number;
  readonly states: readonly Tensor[];
}

class DividedStep implements StepRunner {
  readonly states: readonly Tensor[];
  readonly dispatches: readonly DispatchDescription[];
  readonly profile = undefined;
  readonly executable = undefined;
  readonly #division: Division;
  readonly #executables: Executables;

  constructor(division: Division, executables: Executables) {
    const { accumulate, accumulateRest, apply } = executables;
    this.#division = division;
    this.#executables = executables;
    this.states = division.states;
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
    return {
      losses: totals("loss")!,
      correct: totals("correct"),
      faults: totals("fault"),
      gradientNorms: totals("gradientNorm"),
    };
  }

  /** Uploads and runs happen in the order of these calls. */
  #runParts(step: number): ReturnType<Executable["run"]>[] {
    const { session, feed, parts, microBatchSize } = this.#division;
    const { accumulate, accumulateRest } = this.#executables;
    const together = feed.byParts ? 1 : parts;
    const traces = Array.from({ length: parts / together }, (_, part) => {
      feed.prepare(session, step, part * microBatchSize);
      return accumulate.run(step * parts + part, together);
    });
    if (!accumulateRest) return traces;
    feed.prepare(session, step, parts * microBatchSize);
    return [...traces, accumulateRest.run(step, 1)];
  }
}

/** The sum of all elements of arrays, of which some may be absent. */
function total(arrays: readonly (NumericArray | undefined)[]): number {
  let result = 0;
  for (const values of arrays) for (const value of values ?? []) result += value;
  return result;
}
