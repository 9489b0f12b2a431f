/*
 * The examples' pictures: panels side by side, each with axes, lines, points and filled contours.
 */
import { contours } from "d3-contour";
import { logLabel, renderSvg, type EChartsOption } from "../../src/cli/report/svg.ts";

type Series = Extract<NonNullable<EChartsOption["series"]>, readonly unknown[]>[number];
export type Point = readonly [x: number, y: number];

/** Colors that people with color blindness can distinguish (Okabe and Ito 2008). */
export const colors = {
  blue: "#0072b2",
  orange: "#d55e00",
  green: "#009e73",
  purple: "#aa5599",
  gold: "#cc9a00",
  sky: "#56b4e9",
  black: "#222222",
  gray: "#999999",
} as const;

const axisColors = { line: "#888888", grid: "#eeeeee", text: "#333333" };

export interface Axis {
  readonly name?: string;
  readonly min?: number;
  readonly max?: number;
  readonly log?: boolean;
  /** Names instead of numbers, at positions 0, 1, 2, … */
  readonly categories?: readonly string[];
  /** Whether the axis and its grid lines are left out, as beside an image; false by default. */
  readonly hidden?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly x?: Axis;
  readonly y?: Axis;
  readonly series: readonly Series[];
  /** Whether the names of the series are shown below the title; true by default. */
  readonly legend?: boolean;
}

export interface LineStyle {
  readonly color?: string;
  readonly width?: number;
  readonly dashed?: boolean;
  readonly opacity?: number;
}

/** A curve through points. */
export function line(name: string, data: readonly Point[], style: LineStyle = {}): Series {
  const { color = colors.blue, width = 2, dashed = false, opacity = 1 } = style;
  const lineStyle = { color, width, opacity, type: dashed ? ("dashed" as const) : ("solid" as const) };
  return { type: "line", name, data: mutable(data), symbol: "none", silent: true, lineStyle, itemStyle: { color } };
}

export interface PointStyle {
  readonly color?: string;
  readonly size?: number;
  readonly symbol?: "circle" | "rect" | "diamond" | "triangle";
  /** The color of the outline; white by default. */
  readonly edge?: string;
}

/** Points, in front of lines. */
export function points(name: string, data: readonly Point[], style: PointStyle = {}): Series {
  const { color = colors.blue, size = 7, symbol = "circle", edge = "#ffffff" } = style;
  const itemStyle = { color, opacity: 1, borderColor: edge, borderWidth: 1 };
  return { type: "scatter", name, data: mutable(data), symbol, symbolSize: size, silent: true, itemStyle, z: 4 };
}

/** Points of two classes. */
export function classPoints(features: ArrayLike<number>, labels: ArrayLike<number>, size = 7): Series[] {
  return [0, 1].map((wanted) => {
    const data: Point[] = [];
    for (let row = 0; row < labels.length; row++) {
      if (labels[row] === wanted) data.push([features[2 * row]!, features[2 * row + 1]!]);
    }
    const [color, symbol] = wanted === 0 ? ([colors.orange, "circle"] as const) : ([colors.blue, "rect"] as const);
    return points(`class ${wanted}`, data, { color, symbol, size });
  });
}

const mutable = (data: readonly Point[]) => data.map(([x, y]) => [significant(x), significant(y)]);

/** Six significant digits: enough for every pixel. */
const significant = (value: number) => Number(value.toPrecision(6));

/** `count` evenly spaced numbers, both ends included, like `linspace`. */
export function range(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + ((to - from) * index) / (count - 1));
}

export interface Field {
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
  /** Values on a grid of `size` by `size` points, ends included, in row-major order: x varies fastest. */
  readonly values: readonly number[];
  readonly size: number;
  /** The values between two colors, one fewer than there are colors. */
  readonly thresholds: readonly number[];
  readonly colors: readonly string[];
}

/** The grid points of a field, as rows of x and y. */
export function fieldPlaces({ x, y, size }: Pick<Field, "x" | "y" | "size">): Float32Array<ArrayBuffer> {
  const [xs, ys] = [range(...x, size), range(...y, size)];
  return Float32Array.from(ys.flatMap((row) => xs.flatMap((column) => [column, row])));
}

/** A function of two variables as filled contours. */
export function filledContours({ x, y, values, size, thresholds, colors: fills }: Field): Series {
  const shapes = contours()
    .size([size, size])
    .thresholds([-Infinity, ...thresholds])([...values]);
  // In d3, value i belongs to the cell from i to i + 1, so its point is at i + 0.5.
  const place = ([from, to]: readonly [number, number], cell: number) =>
    Math.min(to, Math.max(from, from + ((cell - 0.5) / (size - 1)) * (to - from)));
  return {
    type: "custom",
    silent: true,
    clip: true,
    z: 0,
    data: shapes.map((_, level) => [level]),
    renderItem({ dataIndex }, { coord }) {
      const pixel = ([column, row]: number[]) => {
        const [left, top] = coord([place(x, column!), place(y, row!)]);
        return `${left!.toFixed(1)} ${top!.toFixed(1)}`;
      };
      const rings = shapes[dataIndex]!.coordinates.flat().map((ring) => `M${ring.map(pixel).join("L")}Z`);
      return { type: "path", shape: { pathData: rings.join("") }, style: { fill: fills[dataIndex]! } };
    },
  };
}

/** The pixels of an image, row-major from the top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly values: ArrayLike<number>;
  /** The values with the first and the last color. Values beyond them have the same colors. */
  readonly range: readonly [low: number, high: number];
  readonly colors: readonly string[];
}

/** From black to white, and from negative to positive values. */
export const grays = ["#000000", "#242424", "#494949", "#6d6d6d", "#929292", "#b6b6b6", "#dbdbdb", "#ffffff"];
export const signColors = [
  "#a84a00",
  "#d9803f",
  "#eeb68d",
  "#f9e3d3",
  "#ffffff",
  "#d6e6f1",
  "#93bfdd",
  "#4792c3",
  "#00598f",
];

/** An image whose left lower corner is at (0, 0), with one unit per pixel. Its levels are as many as there are colors. */
export function image({ width, height, values, range: [low, high], colors: fills }: Pixels): Series {
  const levelOf = (value: number) =>
    Math.min(fills.length - 1, Math.max(0, Math.round(((value - low) / (high - low)) * (fills.length - 1))));
  const levels = Array.from({ length: width * height }, (_, at) => levelOf(values[at]!));
  return {
    type: "custom",
    silent: true,
    clip: true,
    z: 0,
    data: fills.map((_, level) => [level]),
    renderItem({ dataIndex: level }, { coord }) {
      const [pathData, corner] = [[] as string[], (x: number, y: number) => coord([x, y]).map(Math.round)];
      // Each level also covers the higher ones, which are drawn over it. So there are no gaps between pixels.
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const start = column;
          while (column < width && levels[row * width + column]! >= level) column++;
          if (column === start) continue;
          const [[left, top], [right, bottom]] = [corner(start, height - row), corner(column, height - row - 1)];
          pathData.push(`M${left} ${top}L${right} ${top}L${right} ${bottom}L${left} ${bottom}Z`);
        }
      }
      return { type: "path", shape: { pathData: pathData.join("") }, style: { fill: fills[level]! } };
    },
  };
}

/** Colors of probabilities, from class 0 to class 1. */
export const probabilityColors = ["#f6c7a8", "#fae0cf", "#fdf3ec", "#edf4f9", "#cfe3f0", "#a9cde5"];
export const probabilityThresholds = [0.1, 0.3, 0.5, 0.7, 0.9];

const PANEL = { width: 380, height: 320, left: 58, right: 18, top: 58, bottom: 46 };

/**
 * Draws panels in rows.
 * @param name the name of the picture, which is a prefix of its ids
 * @returns an SVG element
 */
export function picture(
  name: string,
  panels: readonly Panel[],
  columns = Math.min(panels.length, 2),
  panel = PANEL,
): string {
  const rows = Math.ceil(panels.length / columns);
  const corner = (index: number) => ({
    x: (index % columns) * panel.width,
    y: Math.floor(index / columns) * panel.height,
  });
  const option: EChartsOption = {
    title: panels.map(({ title }, index) => ({
      text: title,
      left: corner(index).x + panel.left - 5,
      top: corner(index).y + 8,
      padding: [0, 5],
      textStyle: { fontSize: 13, color: "#111111", fontFamily: FONT },
    })),
    legend: panels.flatMap(({ legend = true, series }, index) => {
      const named = new Map(series.map((one) => [String(one.name ?? ""), one.type]));
      named.delete("");
      if (!legend || named.size === 0) return [];
      const data = [...named].map(([one, type]) => (type === "line" ? { name: one, icon: LINE_ICON } : { name: one }));
      const place = { left: corner(index).x + panel.left - 5, top: corner(index).y + 30, padding: [0, 5], itemGap: 14 };
      const text = { fontSize: 11, color: axisColors.text, fontFamily: FONT };
      return [
        {
          data,
          ...place,
          itemWidth: 14,
          itemHeight: 8,
          textStyle: text,
          selectedMode: false,
          width: panel.width - panel.left,
        },
      ];
    }),
    grid: panels.map((_, index) => ({
      left: corner(index).x + panel.left,
      top: corner(index).y + panel.top,
      width: panel.width - panel.left - panel.right,
      height: panel.height - panel.top - panel.bottom,
    })),
    xAxis: panels.map(({ x = {} }, index) => axis(x, index, 28)) as NonNullable<EChartsOption["xAxis"]>,
    yAxis: panels.map(({ y = {} }, index) => axis(y, index, 40)) as NonNullable<EChartsOption["yAxis"]>,
    series: panels.flatMap(({ series }, index) =>
      series.map((one) => ({ ...one, xAxisIndex: index, yAxisIndex: index }) as Series),
    ),
  };
  return renderSvg(option, { width: columns * panel.width, height: rows * panel.height, name: `example-${name}` });
}

/** A flat bar, for lines in a legend. */
const LINE_ICON = "path://M0 5L14 5L14 7L0 7Z";

const FONT = "system-ui, sans-serif";

function axis({ name, min, max, log, categories, hidden = false }: Axis, gridIndex: number, nameGap: number) {
  return {
    type: categories ? "category" : log ? "log" : "value",
    gridIndex,
    ...(categories && { data: [...categories] }),
    ...(name !== undefined && { name, nameLocation: "middle", nameGap }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    scale: true,
    show: !hidden,
    nameTextStyle: { fontSize: 12, color: axisColors.text, fontFamily: FONT },
    axisLabel: {
      fontSize: 11,
      color: axisColors.text,
      fontFamily: FONT,
      hideOverlap: true,
      ...(log && { formatter: logLabel }),
    },
    axisLine: { show: true, onZero: false, lineStyle: { color: axisColors.line } },
    axisTick: { show: true, lineStyle: { color: axisColors.line } },
    splitLine: { show: !categories, lineStyle: { color: axisColors.grid } },
  };
}
