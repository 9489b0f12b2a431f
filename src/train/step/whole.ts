import type { Session } from "../../backends/backend.ts";
import { defineGraph } from "../../graph/graph.ts";
import { momentUpdates } from "../../nn/moments.ts";
import type { Feed } from "../feed/index.ts";
import { optimizerUpdates, partMetrics, statesOf, type LoadedPlan } from "./graphs.ts";
import { metricOutput, type StepRunner } from "./runner.ts";

/** Compiles a step that computes its whole batch at once: one graph. */
export async function compileWhole(plan: LoadedPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const {
    metrics: totals,
    gradient,
    moments,
  } = partMetrics(plan, feed, {
    count: plan.data.batchSize,
    placeOf: (step) => ({ step, offset: 0 }),
  });
  const { updates, metrics: gradientMetrics } = optimizerUpdates(plan, gradient, {
    loss: totals.loss,
    statistics: momentUpdates(moments),
  });
  const graph = defineGraph({ ...totals, ...gradientMetrics }, updates);
  feed.use(graph.nodes);
  const executable = await session.compile(graph);
  const names = Object.keys(plan.model.objective.metrics);
  const metricsOf = (traces: Readonly<Record<string, ArrayLike<number>>>) =>
    Object.fromEntries(names.map((name) => [name, traces[metricOutput(name)]!]));
  return {
    dispatches: executable.dispatches,
    bytes: executable.bytes,
    executable,
    states: statesOf(plan.model, updates),
    async run(first, count) {
      feed.prepare(session, plan.places.dataStep(first), count);
      const traces = await executable.run(first, count);
      return {
        losses: traces.loss!,
        correct: traces.correct,
        faults: traces.fault,
        gradientNorms: traces.gradientNorm,
        metrics: names.length > 0 ? metricsOf(traces) : undefined,
      };
    },
    profile:
      executable.profile &&
      ((step) => {
        feed.prepare(session, plan.places.dataStep(step), 1);
        return executable.profile!(step);
      }),
  };
}
