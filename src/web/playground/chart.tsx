import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { history, type History } from "./controller.ts";
import { css, palette, type Palette } from "./palette.ts";
import { numberText } from "./text.ts";

const HEIGHT = 110;

/** A chart is drawn again so often at most, since that costs the page a few milliseconds. */
const REDRAW_MILLISECONDS = 150;

/** Loss of the training and test points by step. */
export function LossChart({ hasTest }: { hasTest: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const logarithmic = useSignal(false);
  const shownTest = useSignal(hasTest);
  shownTest.value = hasTest;
  useSignalEffect(() => {
    const colours = palette.value;
    if (!colours || !place.current) return;
    const options = optionsOf(colours, { hasTest: shownTest.value, logarithmic: logarithmic.value, width: place.current.clientWidth });
    const made = new uPlot(options, dataOf(history.peek(), { hasTest: shownTest.value, logarithmic: logarithmic.value }), place.current);
    chart.current = made;
    return () => made.destroy();
  });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useSignalEffect(() => {
    void history.value;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      chart.current?.setData(dataOf(history.peek(), { hasTest: shownTest.peek(), logarithmic: logarithmic.peek() }));
    }, REDRAW_MILLISECONDS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => chart.current?.setSize({ width: entry!.contentRect.width, height: HEIGHT }));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  return (
    <section class="card playground-chart" aria-labelledby="playground-chart-title">
      <div class="row playground-between">
        <h2 id="playground-chart-title">Loss</h2>
        <label class="playground-check">
          <input
            type="checkbox"
            data-testid="playground-log-scale"
            checked={logarithmic.value}
            onChange={({ currentTarget }) => (logarithmic.value = currentTarget.checked)}
          />
          Log scale
        </label>
      </div>
      <div ref={place} data-testid="playground-chart" role="img" aria-label="The loss by step; its present values stand among the numbers" />
    </section>
  );
}

interface ChartOptions {
  readonly hasTest: boolean;
  readonly logarithmic: boolean;
  readonly width: number;
}

function optionsOf({ blue, orange, muted, line }: Palette, { hasTest, logarithmic, width }: ChartOptions): uPlot.Options {
  const axis = { stroke: css(muted), grid: { stroke: css(line), width: 1 }, ticks: { stroke: css(line), width: 1 } };
  const value = (_: uPlot, raw: number | null) => (raw === null ? "–" : numberText(raw));
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [{ ...axis, size: 30 }, { ...axis, size: 52, values: (_, ticks) => ticks.map(tickText) }],
    cursor: { drag: { x: false, y: false } },
    legend: { live: true },
    series: [
      { label: "Step", value: (_, raw: number | null) => raw ?? "–" },
      { label: "Training", stroke: css(blue), width: 2, value },
      ...(hasTest ? [{ label: "Test", stroke: css(orange), width: 2, dash: [6, 3], value }] : []),
    ],
  };
}

/** On a logarithmic scale some ticks have no text. */
const tickText = (tick: number | null) => (tick === null ? "" : String(Number(tick.toPrecision(5))));

/** A gap where a value cannot be drawn: there is no test set, or no logarithm. */
function dataOf({ steps, losses, testLosses }: History, { hasTest, logarithmic }: Omit<ChartOptions, "width">): uPlot.AlignedData {
  const drawn = (values: readonly number[]) => values.map((value) => (Number.isFinite(value) && (value > 0 || !logarithmic) ? value : null));
  return [[...steps], drawn(losses), ...(hasTest ? [drawn(testLosses)] : [])];
}
