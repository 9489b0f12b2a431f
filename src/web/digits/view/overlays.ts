/*
 * The curves of earlier runs, drawn beside those of the current one.
 */
import uPlot from "uplot";
import type { ChartSeries } from "../../shared/chart.tsx";
import { smoothed } from "../state/history.ts";
import { earlierRuns, overlaid, type EarlierRun, type ViewOptions } from "../state/index.ts";

/** A color for each of the runs that are drawn. */
const colors = ["--muted", "--good", "--bad", "--text"] as const;

/** The runs whose curves are drawn, in the order of their colors. */
export const overlaidRuns = (): readonly EarlierRun[] =>
  overlaid.value.flatMap((number) => earlierRuns.value.find((run) => run.number === number) ?? []);

/** The color of a run's curves; undefined if they are not drawn. */
export const colorOf = (number: number): string | undefined => colors[overlaid.value.indexOf(number)];

/** The series of the runs: training and test of each. */
export const overlaidSeries = (): ChartSeries[] =>
  overlaidRuns().flatMap(({ number }) => {
    const color = colorOf(number)!;
    return [
      { label: `run ${number}`, color, width: 1.5 },
      { label: `run ${number}, test`, color, width: 1.5, dash: [2, 3], points: true },
    ];
  });

/** Adds the curves of the runs to the data of a chart. */
export function withOverlays(
  data: uPlot.AlignedData,
  { axis, smoothing }: ViewOptions,
  name: "loss" | "accuracy",
): uPlot.AlignedData {
  const tables = overlaidRuns().flatMap(({ training, test }): uPlot.AlignedData[] => {
    const values = name === "loss" ? training.losses : training.accuracies;
    return [
      [axis === "time" ? training.seconds : training.steps, smoothed(values, smoothing)],
      [test.map((point) => (axis === "time" ? point.seconds : point.step)), test.map((point) => point[name])],
    ];
  });
  return tables.length === 0 ? data : uPlot.join([data, ...tables]);
}
