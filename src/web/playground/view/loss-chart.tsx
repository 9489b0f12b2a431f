import { useComputed, useSignal } from "@preact/signals";
import type uPlot from "uplot";
import { Chart, type ChartSeries } from "../../shared/chart.tsx";
import { Checkbox } from "../../shared/fields.tsx";
import { useForChart } from "../../shared/redraws.ts";
import { robustRange } from "../../shared/robust-range.ts";
import { history, type History } from "../state/index.ts";
import { numberText } from "./text.ts";

const training: ChartSeries = { label: "training", color: "--accent", width: 2 };
const test: ChartSeries = { label: "test", color: "--accent-2", width: 2, dash: [6, 3] };

/** The loss of the training and test points by step. */
export function LossChart({ hasTest }: { hasTest: boolean }) {
  const logarithmic = useSignal(false);
  const withTest = useSignal(hasTest);
  withTest.value = hasTest;
  const drawn = useForChart(history);
  const data = useComputed(() => dataOf(drawn.value, { hasTest: withTest.value, logarithmic: logarithmic.value }));
  return (
    <section class="card playground-chart" aria-labelledby="playground-chart-title">
      <div class="row spread">
        <h2 id="playground-chart-title">Loss</h2>
        <Checkbox
          label="Log scale"
          testId="playground-log-scale"
          value={logarithmic.value}
          onChange={(next) => (logarithmic.value = next)}
        />
      </div>
      <Chart
        title="Loss"
        captioned={false}
        testId="playground-chart"
        height={110}
        xLabel="step"
        wholeSteps
        series={hasTest ? [training, test] : [training]}
        data={data.value.data}
        yRange={data.value.yRange}
        logarithmic={logarithmic.value}
        xValue={String}
        yValue={numberText}
        yTick={(tick) => String(Number(tick.toPrecision(5)))}
      />
    </section>
  );
}

/** Values that cannot be drawn become gaps: those that are not finite and, on a logarithmic axis, not positive. */
function dataOf(
  { steps, losses, testLosses }: History,
  { hasTest, logarithmic }: { hasTest: boolean; logarithmic: boolean },
): { data: uPlot.AlignedData; yRange: readonly [number, number] | undefined } {
  const drawn = (values: readonly number[]) =>
    values.map((value) => (Number.isFinite(value) && (value > 0 || !logarithmic) ? value : null));
  return {
    data: [[...steps], drawn(losses), ...(hasTest ? [drawn(testLosses)] : [])],
    yRange: logarithmic ? undefined : robustRange(hasTest ? [losses, testLosses] : [losses]),
  };
}
