import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { smoothed, type TrainingCurve } from "../state/history.ts";
import {
  curves,
  curvesVersion,
  networkVersion,
  overlaid,
  viewFields,
  viewOptions,
  type TestPoint,
  type ViewOptions,
} from "../state/index.ts";
import { percent, rounded } from "../../shared/format.ts";
import { Chart, type ChartSeries } from "../../shared/chart.tsx";
import { Checkbox, Select, Slider } from "../../shared/fields.tsx";
import { useForChart } from "../../shared/redraws.ts";
import { robustRange } from "../../shared/robust-range.ts";
import { overlaidRuns, overlaidSeries, withOverlays } from "./overlays.ts";

/** The curves of loss and accuracy, for training and test. */
export function Curves() {
  const options = viewOptions.value;
  const { loss, accuracy } = useCurves(options);
  const seconds = options.axis === "time";
  const common = {
    series: [...seriesFor(options), ...overlaidSeries()],
    xLabel: seconds ? "time" : "step",
    wholeSteps: !seconds,
    xValue: (x: number) => (seconds ? `${x.toFixed(1)} s` : String(Math.round(x))),
  };
  return (
    <section class="card" aria-label="Curves" id="curves">
      <div class="plots">
        <Chart
          {...common}
          title="Loss"
          {...loss}
          logarithmic={options.logarithmic}
          yValue={rounded}
          testId="loss-chart"
        />
        <Chart
          {...common}
          title="Accuracy"
          {...accuracy}
          yValue={percent}
          yTick={(share) => percent(share, 0)}
          testId="accuracy-chart"
        />
      </div>
      <ViewFields options={options} />
    </section>
  );
}

function ViewFields({ options }: { options: ViewOptions }) {
  const change = (changes: Partial<ViewOptions>) => (viewOptions.value = { ...viewOptions.value, ...changes });
  return (
    <div class="row view-fields">
      <Select
        label="x axis"
        layout="inline"
        testId="axis"
        options={viewFields.axis.values}
        value={options.axis}
        onChange={(axis) => change({ axis })}
      />
      <Checkbox
        label="Log scale"
        testId="log-scale"
        value={options.logarithmic}
        onChange={(logarithmic) => change({ logarithmic })}
      />
      <Checkbox label="Raw values" testId="raw" value={options.raw} onChange={(raw) => change({ raw })} />
      <Slider
        label="Smoothing"
        layout="inline"
        field={viewFields.smoothing}
        value={options.smoothing}
        onChange={(smoothing) => change({ smoothing })}
      />
    </div>
  );
}

const seriesFor = ({ raw }: ViewOptions): ChartSeries[] => [
  ...(raw ? [{ label: "batch", color: "--accent-faint", width: 1 }] : []),
  { label: "training", color: "--accent", width: 2 },
  { label: "test", color: "--accent-2", width: 2, dash: [6, 3], points: true },
];

/** The data of the charts. It is updated during training, but not at every step. */
function useCurves(options: ViewOptions): { loss: Curve; accuracy: Curve } {
  const drawn = useForChart(curvesVersion).value;
  // The curves and the options change in the same render, since the options determine the columns.
  return useMemo(() => curvesFor(options), [options, drawn, networkVersion.value, overlaid.value]);
}

interface Curve {
  readonly data: uPlot.AlignedData;
  readonly yRange: readonly [number, number] | undefined;
}

function curvesFor(options: ViewOptions): { loss: Curve; accuracy: Curve } {
  const training = curves.training.curve();
  const losses = [{ training, test: curves.test }, ...overlaidRuns()].flatMap((run) => [
    run.training.losses,
    run.test.map(({ loss }) => loss),
  ]);
  const columns = (values: Float64Array, name: "loss" | "accuracy") =>
    withOverlays(aligned(options, training, values, curves.test, name), options, name);
  return {
    loss: {
      data: columns(training.losses, "loss"),
      yRange: options.logarithmic ? undefined : robustRange(losses),
    },
    accuracy: { data: columns(training.accuracies, "accuracy"), yRange: [0, 1] },
  };
}

/** Puts the training and test points on one x axis. Either may have no value at an x. */
function aligned(
  { axis, raw, smoothing }: ViewOptions,
  { steps, seconds }: TrainingCurve,
  values: Float64Array,
  test: readonly TestPoint[],
  name: "loss" | "accuracy",
): uPlot.AlignedData {
  const trainingX = axis === "time" ? seconds : steps;
  const smooth = smoothed(values, smoothing);
  const columns: [number[], (number | null)[], (number | null)[], (number | null)[]] = [[], [], [], []];
  let [next, nextTest] = [0, 0];
  while (next < trainingX.length || nextTest < test.length) {
    const x = trainingX[next] ?? Infinity;
    const point = test[nextTest];
    const testX = point ? (axis === "time" ? point.seconds : point.step) : Infinity;
    const [hasTraining, hasTest] = [x <= testX, testX <= x];
    columns[0].push(Math.min(x, testX));
    columns[1].push(hasTraining ? values[next]! : null);
    columns[2].push(hasTraining ? smooth[next]! : null);
    columns[3].push(hasTest ? point![name] : null);
    if (hasTraining) next++;
    if (hasTest) nextTest++;
  }
  return raw ? columns : [columns[0], columns[2], columns[3]];
}
