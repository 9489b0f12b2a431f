/*
 * The loss by step, beside what a character costs without a network.
 */
import { useComputed } from "@preact/signals";
import type uPlot from "uplot";
import { Chart, type ChartSeries } from "../../shared/chart.tsx";
import { useForChart } from "../../shared/redraws.ts";
import { curve, prepared } from "../state/index.ts";

const series: readonly ChartSeries[] = [
  { label: "training", color: "--accent", width: 2 },
  { label: "unseen", color: "--accent-2", width: 2, dash: [6, 3] },
  { label: "uniform", color: "--muted", width: 1, dash: [1, 3] },
  { label: "unigram", color: "--muted", width: 1, dash: [4, 4] },
  { label: "bigram", color: "--muted", width: 1, dash: [10, 4] },
];

const bits = (value: number) => value.toFixed(2);

export function LossChart() {
  const drawn = useForChart(curve);
  const chart = useComputed(() => dataOf(drawn.value.points, prepared.value?.references));
  return (
    <section class="card text-loss" aria-labelledby="text-loss-title">
      <h2 id="text-loss-title">Loss, in bits per character</h2>
      <Chart
        title="Loss in bits per character"
        captioned={false}
        testId="text-chart"
        height={150}
        xLabel="step"
        wholeSteps
        series={series}
        data={chart.value.data}
        yRange={chart.value.yRange}
        xValue={String}
        yValue={bits}
        yTick={(tick) => String(Number(tick.toPrecision(3)))}
      />
      <p class="quiet">
        Lines from the top, without a network: all characters equally likely (uniform), by their frequency (unigram),
        and by the frequency after the character before (bigram). Below the last line, it has learned more than pairs.
      </p>
    </section>
  );
}

function dataOf(
  points: (typeof curve.value)["points"],
  references: NonNullable<typeof prepared.value>["references"] | undefined,
): { data: uPlot.AlignedData; yRange: readonly [number, number] | undefined } {
  const line = (value: number | undefined) => points.map(() => value ?? null);
  const { uniform, unigram, bigram } = references ?? {};
  const data: uPlot.AlignedData = [
    points.map(({ step }) => step),
    points.map(({ training }) => training),
    points.map(({ test }) => test),
    line(uniform),
    line(unigram),
    line(bigram),
  ];
  // Losses far above chance, which only a large learning rate gives, are cut off.
  return { data, yRange: uniform === undefined ? undefined : [0, 1.25 * uniform] };
}
