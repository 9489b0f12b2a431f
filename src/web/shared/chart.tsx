/*
 * Charts, drawn with uPlot.
 */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { scheme, token } from "./colors.ts";

export interface ChartSeries {
  readonly label: string;
  /** The name of a color in style.css, such as "--accent". */
  readonly color: string;
  readonly width: number;
  readonly dash?: readonly number[];
  readonly points?: boolean;
}

export interface ChartProps {
  readonly title: string;
  readonly series: readonly ChartSeries[];
  /** The x values, then the values of each series; null where a series has none. */
  readonly data: uPlot.AlignedData;
  readonly logarithmic?: boolean;
  /** Format x and y in the legend, and y on its axis. */
  readonly xValue: (value: number) => string;
  readonly yValue: (value: number) => string;
  readonly yTick?: (value: number) => string;
  readonly xLabel: string;
  /** Whether x counts steps. */
  readonly wholeSteps: boolean;
  /** The limits of the y axis; by default those of the data. */
  readonly yRange?: readonly [number, number] | undefined;
  readonly testId: string;
  /** In CSS pixels, 180 by default. */
  readonly height?: number;
  /** Whether the title is shown above the chart; true by default. */
  readonly captioned?: boolean;
}

/** The least height of a legend, in CSS pixels. */
const LEGEND_HEIGHT = 20;

/** Distances between ticks if x is a whole number. */
const WHOLE = [1, 2, 5]
  .flatMap((first) => [0, 1, 2, 3, 4, 5, 6].map((power) => first * 10 ** power))
  .sort((a, b) => a - b);

export function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const range = useRef(props.yRange);
  range.current = props.yRange;
  const { title, data, logarithmic = false, xLabel, testId, height = 180, captioned = true } = props;
  const labels = props.series.map(({ label }) => label).join();
  const colors = scheme.value;
  // The first plot is made after the page is painted: it asks for the layout, which takes long at first.
  const isPainted = useSignal(false);
  useEffect(() => void (isPainted.value = true), []);
  // A layout effect, so that the legend of the previous series is never painted.
  useLayoutEffect(() => {
    if (!isPainted.value) return undefined;
    const element = host.current!;
    const made = new uPlot(
      optionsOf(props, { width: element.clientWidth, height }, () => range.current),
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [logarithmic, xLabel, labels, colors, isPainted.value]);
  useLayoutEffect(() => plot.current?.setData(data), [data]);
  return (
    <figure class="plot" data-testid={testId}>
      {captioned && <figcaption>{title}</figcaption>}
      <div
        ref={host}
        style={{ minHeight: `${height + LEGEND_HEIGHT}px` }}
        role="img"
        aria-label={`Chart: ${title} by ${xLabel}`}
      />
    </figure>
  );
}

/** Limits around the data, which may be empty or constant. */
const usualRange = (least: number | null, most: number | null): readonly [number, number] =>
  least === null || most === null ? [0, 1] : (uPlot.rangeNum(least, most, 0.1, true) as [number, number]);

/** The last value of a column, which the legend shows while there is no cursor. */
function latest(plot: uPlot, place: number): number | null {
  const column = plot.data[place]!;
  for (let index = column.length - 1; index >= 0; index--) if (typeof column[index] === "number") return column[index]!;
  return null;
}

const written = (value: number | null | undefined, text: (value: number) => string) =>
  value === null || value === undefined ? "–" : text(value);

/** The mark of a series in the legend: its line, with its dashes. */
const markOf = ({ color, dash: [on, off] = [1, 0] }: ChartSeries): string =>
  `repeating-linear-gradient(90deg, var(${color}) 0 ${on}px, transparent 0 ${on! + off!}px)`;

function optionsOf(
  props: ChartProps,
  size: { width: number; height: number },
  yRange: () => ChartProps["yRange"],
): uPlot.Options {
  const { series, logarithmic = false, xValue, yValue, yTick = yValue, xLabel, wholeSteps } = props;
  const [muted, line] = [token("--muted"), token("--line")];
  const axis = {
    stroke: muted,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: "11px system-ui",
  };
  return {
    ...size,
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    legend: { markers: { width: 0, fill: (_plot, place) => (place === 0 ? "" : markOf(series[place - 1]!)) } },
    scales: {
      x: { time: false },
      // A range function replaces uPlot's own rule, which a logarithmic axis needs.
      y: logarithmic
        ? { distr: 3 }
        : { range: (_plot, least, most) => [...(yRange() ?? usualRange(least, most))] as [number, number] },
    },
    axes: [
      { ...axis, size: 28, ...(wholeSteps && { incrs: WHOLE }) },
      { ...axis, size: 54, values: (_plot, values) => values.map((value) => (value === null ? "" : yTick(value))) },
    ],
    series: [
      { label: xLabel, value: (plot, value: number | null) => written(value ?? latest(plot, 0), xValue) },
      ...series.map(({ label, color, width: thickness, dash, points = false }) => ({
        label,
        stroke: token(color),
        width: thickness,
        spanGaps: true,
        points: { show: points, size: 4 },
        ...(dash && { dash: [...dash] }),
        value: (plot: uPlot, value: number | null, place: number, index: number | null) =>
          written(index === null ? latest(plot, place) : value, yValue),
      })),
    ],
  };
}
