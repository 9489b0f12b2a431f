import { percent } from "../../text.ts";
import type { Curve, OutputResults, ReportFacts } from "./facts.ts";
import { logLabel, renderSvg, type EChartsOption } from "./svg.ts";

/** Colors that are distinguishable with color vision deficiencies (after Okabe and Ito 2008). */
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#aa5599", "#cc9a00", "#56b4e9", "#555555"];
const FONT = "system-ui, sans-serif";
const TEXT = "#333333";
const SIZE = { width: 360, height: 250 };

interface Axes {
  readonly x: string;
  readonly y: string;
  readonly log?: boolean;
  readonly percent?: boolean;
}

interface Line {
  readonly name: string;
  readonly data: readonly (readonly [number, number])[];
}

/** The loss of each curve by step. */
export const lossChart = (curves: readonly Curve[]): string =>
  chart(
    "loss",
    lines(curves, ({ loss }) => loss),
    { x: "step", y: "loss", log: true },
  );

/** The accuracy of each curve by step. */
export const accuracyChart = (curves: readonly Curve[]): string =>
  chart(
    "accuracy",
    lines(curves, ({ accuracy }) => accuracy),
    { x: "step", y: "accuracy", percent: true },
  );

/** The gradient norm of each layer by step. */
export const gradientChart = (norms: ReportFacts["gradientNorms"]): string =>
  chart(
    "gradients",
    norms.map(({ name, points }) => ({ name, data: points })),
    { x: "step", y: "gradient norm", log: true },
  );

/** Predictions against targets, as a scatter plot with the diagonal. */
export function outputChart({ points }: OutputResults, index: number): string {
  const values = points.flat();
  const ends = [Math.min(...values), Math.max(...values)] as const;
  const diagonal = [{ name: "equal", data: ends.map((end) => [end, end] as const) }];
  return chart(`output-${index}`, diagonal, { x: "target", y: "prediction" }, points);
}

const lines = (curves: readonly Curve[], pick: (point: Curve["points"][number]) => number): Line[] =>
  curves.map(({ name, points }) => ({ name, data: points.map((point) => [point.step, pick(point)] as const) }));

// oxlint-disable-next-line max-lines-per-function -- Most of it is one object, the options of the chart.
function chart(name: string, given: readonly Line[], axes: Axes, points: Line["data"] = []): string {
  // A logarithmic axis cannot show 0, and no axis can show NaN or infinity.
  const isShown = ([, y]: readonly [number, number]) => Number.isFinite(y) && !(axes.log && y <= 0);
  const shown = given
    .map((line) => ({ ...line, data: line.data.filter(isShown) }))
    .filter(({ data }) => data.length > 0);
  const text = { fontSize: 11, color: TEXT, fontFamily: FONT };
  const percentAxis = { min: 0, max: 1, axisLabel: { ...text, formatter: (value: number) => percent(value, 0) } };
  // The range of the first tenth of the steps would squeeze the rest of the curve.
  const end = Math.max(...shown.flatMap(({ data }) => data.map(([x]) => x)));
  const least = Math.min(...shown.flatMap(({ data }) => data.flatMap(([x, y]) => (x >= end / 10 ? [y] : []))));
  const zoomed = { ...percentAxis, min: Math.max(0, Math.floor(10 * least) / 10) };
  const axis = (title: string, gap: number) => ({
    name: title,
    nameLocation: "middle" as const,
    nameGap: gap,
    nameTextStyle: text,
    axisLabel: { ...text, hideOverlap: true },
    axisLine: { show: true, onZero: false, lineStyle: { color: "#888888" } },
    splitLine: { lineStyle: { color: "#eeeeee" } },
    scale: true,
  });
  const option: EChartsOption = {
    grid: { left: 54, right: 14, top: 18 + 17 * legendRows(shown), bottom: 40 },
    legend: {
      width: LEGEND_WIDTH,
      top: 4,
      left: 48,
      itemWidth: 14,
      itemGap: 20,
      textStyle: text,
      selectedMode: false,
      data: shown.map((line) => ({ name: line.name, icon: LINE_ICON })),
    },
    xAxis: { type: "value", ...axis(axes.x, 26) },
    yAxis: {
      type: axes.log ? "log" : "value",
      ...axis(axes.y, 40),
      ...(axes.percent && zoomed),
      ...(axes.log && { axisLabel: { ...text, formatter: logLabel } }),
    } as NonNullable<EChartsOption["yAxis"]>,
    series: [
      ...shown.map((line, index) => {
        const color = COLORS[index % COLORS.length]!;
        const data = line.data.map((point) => point.map((value) => Number(value.toPrecision(6))));
        return {
          type: "line" as const,
          name: line.name,
          data,
          symbol: data.length > 1 ? "none" : "circle",
          silent: true,
          lineStyle: { width: 1.75, color },
          itemStyle: { color },
        };
      }),
      {
        type: "scatter" as const,
        data: points.map((point) => [...point]),
        symbolSize: 4,
        silent: true,
        itemStyle: { color: COLORS[1]! },
      },
    ],
  };
  return renderSvg(option, { ...SIZE, name: `report-${name}` });
}

const LEGEND_WIDTH = 300;

/** The number of rows of the legend, for letters about 6 pixels wide. */
function legendRows(named: readonly Line[]): number {
  let [rows, used] = [1, 0];
  for (const { name } of named) {
    const width = 40 + 6 * name.length;
    if (used > 0 && used + width > LEGEND_WIDTH) [rows, used] = [rows + 1, 0];
    used += width;
  }
  return rows;
}

/** A short horizontal bar, as an SVG path. */
const LINE_ICON = "path://M0 5L14 5L14 7L0 7Z";
