import { inUnitsOf } from "../../data/table-data.ts";
import type { Stop, StoppingProgress } from "../../train/index.ts";
import type { Timeline } from "../../cluster/training/timeline.ts";
import type { Field, ReportRecorder } from "../report/index.ts";
import { partsText } from "../data/data-source.ts";
import { describeNetwork } from "./network.ts";
import { resolvedConfiguration } from "../options/resolved.ts";
import { say } from "../text/terminal.ts";
import {
  adapterText,
  bytesText,
  count,
  counted,
  duration,
  field,
  fourDigits,
  lossText,
  percent,
  r2Text,
} from "../text/text.ts";
import { lossOf, type Outcome, type Run, type Subject } from "./training-run.ts";

/** The report of a run: its recorder, and a function that writes it at the end. */
export interface RunReport {
  readonly recorder: ReportRecorder;
  /** @throws DataError if the file cannot be written */
  write(reached: StoppingProgress | undefined, stop: Stop, outcome: Outcome, workers?: Timeline): Promise<void>;
}

/** Starts the report of a run, before its first step. The chart library is loaded only here. */
export async function startReport(path: string, run: Run, { model, trainer }: Subject): Promise<RunReport> {
  const { ReportRecorder, writeReport } = await import("../report/index.ts");
  const { flags, data, backend } = run;
  const { train, validation, test, table } = data;
  const recorder = new ReportRecorder({
    trainer,
    model,
    backend,
    train,
    validation,
    test,
    ...(data.kind === "examples" && { normalization: data.normalization }),
    loss: lossOf(run),
    threshold: flags.threshold,
    inUnits: (targets) => inUnitsOf(table, targets),
  });
  const resumedAt = trainer.step;
  await recorder.start();
  return {
    recorder,
    async write(reached, stop, outcome, workers) {
      const facts = await recorder.finish({
        ...(workers && { workers }),
        title: `${train.name}: ${describeNetwork(flags, model)}`,
        results: [
          ...outcomeFields(outcome),
          ...(workers ? sharingFields(workers) : []),
          ...runFields(run, { batch: trainer.batchSize, resumedAt, reached, stop }),
          ["adapter", adapterText(backend)],
        ],
        options: Object.entries(resolvedConfiguration(flags, run)).map(
          ([name, value]) => [name, optionText(value)] as const,
        ),
      });
      await writeReport(path, facts);
      say(field("report", path));
    },
  };
}

function outcomeFields({ part, evaluation, regression, language }: Outcome): Field[] {
  const loss: Field = [`${part} loss`, lossText(evaluation.loss)];
  if (language) {
    const { perplexity, bitsPerCharacter } = language;
    return [loss, [`${part} perplexity`, fourDigits(perplexity)], ["bits per character", lossText(bitsPerCharacter)]];
  }
  if (!regression) return [[`${part} accuracy`, percent(evaluation.accuracy)], loss];
  const { r2, rmse, mae } = regression;
  return [[`${part} R²`, r2Text(r2)], [`${part} RMSE`, fourDigits(rmse)], [`${part} MAE`, fourDigits(mae)], loss];
}

function sharingFields({ rounds, examples, bytes, workers }: Timeline): Field[] {
  const refused = workers.reduce((sum, { refusals }) => sum + refusals.length, 0);
  return [
    ["workers", `${counted(workers.length, "worker")}, ${counted(rounds, "round")}`],
    ["examples seen", count(examples)],
    ["exchanged", bytesText(bytes)],
    ["refused", counted(refused, "change")],
  ];
}

interface Course {
  readonly batch: number;
  /** The step that the run was resumed from, or 0. */
  readonly resumedAt: number;
  readonly reached: StoppingProgress | undefined;
  readonly stop: Stop;
}

function runFields({ data }: Run, { batch, resumedAt, reached, stop }: Course): Field[] {
  const time: Field[] = reached
    ? [["time", `${duration(reached.seconds)}, ${count(reached.examplesPerSecond)} examples/s`]]
    : [];
  const parameters: Field[] =
    stop.parametersOf === stop.step ? [] : [["model", `the one of step ${count(stop.parametersOf)}`]];
  const resumed: Field[] =
    resumedAt === 0 ? [] : [["resumed", `at step ${count(resumedAt)}; the curves and the time start there`]];
  return [
    ["steps", `${count(stop.step)}, ${counted(batch, "example")} each`],
    ...resumed,
    ["stopped", stop.kind === "aborted" ? "interrupted" : stop.reason],
    ...parameters,
    ...time,
    ["data", `${data.source}: ${partsText(data)}`],
    ["written", `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`],
  ];
}

/** An option's value as text; "–" for one without a value. */
function optionText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.join(",") || "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
