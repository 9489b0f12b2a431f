import { useEffect, useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { smoothed, type TrainingCurve } from "../history.ts";
import { curves, curvesVersion, networkVersion, viewOptions, type TestPoint, type ViewOptions } from "../state.ts";
import { percent, rounded } from "../../shared/format.ts";
import { Plot, type PlotSeries } from "../../shared/plot.tsx";
import { robustRange } from "../../shared/robust-range.ts";

/** The charts are drawn again so often at most: a redraw costs the page a few milliseconds. */
const redrawMilliseconds = () => (slow.matches ? 1000 : 150);

const slow = matchMedia("(prefers-reduced-motion: reduce)");

/** Loss and accuracy, training against test. */
export function Curves() {
  const options = viewOptions.value;
  const { loss, accuracy } = useCurves(options);
  const seconds = options.axis === "time";
  const common = {
    series: seriesFor(options),
    xLabel: seconds ? "time" : "step",
    wholeSteps: !seconds,
    xValue: (x: number) => (seconds ? `${x.toFixed(1)} s` : String(Math.round(x))),
  };
  return (
    <section class="card" aria-label="Curves">
      <div class="plots">
        <Plot {...common} title="Loss" {...loss} logarithmic={options.logarithmic} yValue={rounded} testId="loss-chart" />
        <Plot {...common} title="Accuracy" {...accuracy} yValue={percent} yTick={(share) => percent(share, 0)} testId="accuracy-chart" />
      </div>
      <ViewFields options={options} />
    </section>
  );
}

function ViewFields({ options }: { options: ViewOptions }) {
  const change = (changes: Partial<ViewOptions>) => (viewOptions.value = { ...viewOptions.value, ...changes });
  return (
    <div class="row view-fields">
      <label class="field inline">
        Along
        <select data-testid="axis" value={options.axis} onChange={({ currentTarget }) => change({ axis: currentTarget.value as ViewOptions["axis"] })}>
          <option value="step">steps</option>
          <option value="time">time</option>
        </select>
      </label>
      <label class="field inline">
        <input type="checkbox" data-testid="log-scale" checked={options.logarithmic} onChange={({ currentTarget }) => change({ logarithmic: currentTarget.checked })} />
        Log loss
      </label>
      <label class="field inline">
        <input type="checkbox" data-testid="raw" checked={options.raw} onChange={({ currentTarget }) => change({ raw: currentTarget.checked })} />
        Raw
      </label>
      <label class="field inline">
        Smoothing
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={options.smoothing}
          onInput={({ currentTarget }) => change({ smoothing: Number(currentTarget.value) })}
        />
      </label>
    </div>
  );
}

const seriesFor = ({ raw }: ViewOptions): PlotSeries[] => [
  ...(raw ? [{ label: "batch", colour: "--accent-faint", width: 1 }] : []),
  { label: "training", colour: "--accent", width: 2 },
  { label: "test", colour: "--accent-2", width: 2, dash: [6, 3], points: true },
];

/** The charts' data, made anew as points come, but not at each of them. */
function useCurves(options: ViewOptions): { loss: Curve; accuracy: Curve } {
  const [drawn, setDrawn] = useState(0);
  const version = curvesVersion.value;
  useEffect(() => {
    const timer = setTimeout(() => setDrawn(version), untilNextRedraw());
    return () => clearTimeout(timer);
  }, [version]);
  // With the options in the same render, since they say which columns there are.
  return useMemo(() => curvesFor(options), [options, drawn, networkVersion.value]);
}

let lastRedraw = 0;

/** Milliseconds to wait for the next redraw. */
function untilNextRedraw(): number {
  const now = performance.now();
  const wait = Math.max(0, lastRedraw + redrawMilliseconds() - now);
  if (wait === 0) lastRedraw = now;
  return wait;
}

interface Curve {
  readonly data: uPlot.AlignedData;
  readonly yRange: readonly [number, number] | undefined;
}

function curvesFor(options: ViewOptions): { loss: Curve; accuracy: Curve } {
  const training = curves.training.curve();
  const losses = [training.losses, curves.test.map(({ loss }) => loss)];
  return {
    loss: {
      data: aligned(options, training, training.losses, curves.test, "loss"),
      yRange: options.logarithmic ? undefined : robustRange(losses),
    },
    accuracy: { data: aligned(options, training, training.accuracies, curves.test, "accuracy"), yRange: [0, 1] },
  };
}

/** The training's and the test's points along one x, where either may have none. */
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
