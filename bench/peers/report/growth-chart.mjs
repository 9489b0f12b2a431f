/*
 * How time and memory grow, as one SVG: a column for each size that is varied, with logarithmic axes.
 */
import * as echarts from "echarts/core";
import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
import { axes } from "../growth/axes.mjs";

echarts.use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const [PANEL_WIDTH, PANEL_HEIGHT, HEAD] = [340, 330, 96];
const COLORS = {
  wgrad: "#0b6e4f",
  "wgrad-wasm": "#6cbf9c",
  jax: "#4f6d8f",
  "jax-wasm": "#a8bfd8",
  pytorch: "#c0603f",
};
const COSTS = [
  { key: "step", slope: "time", label: "milliseconds of a step" },
  { key: "bytes", slope: "memory", label: "MB (GPU buffers; else the process)" },
];

/**
 * @param {readonly import("../runtimes/index.mjs").RuntimeEntry[]} runtimes
 * @param {Record<string, { results: object, slopes: object }>} measured by axis
 * @param {string} subtitle
 * @returns {string} the text of an SVG file
 */
export function growthSvg(runtimes, measured, subtitle) {
  const names = Object.keys(measured);
  const panels = names.flatMap((axis, column) =>
    COSTS.map((cost, row) => panel(runtimes, { axis, column, row, cost, ...measured[axis] })),
  );
  const [width, height] = [24 + PANEL_WIDTH * Math.max(2, names.length), HEAD + COSTS.length * PANEL_HEIGHT];
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  const text = "Time and memory of a training step, with the exponents of their growth below";
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: [{ text, subtext: subtitle, left: 16, top: 8 }, ...panels.flatMap(({ titles }) => titles)],
    legend: { top: 60, left: 16, data: runtimes.map(({ label }) => label) },
    grid: panels.map(({ grid }) => grid),
    xAxis: panels.map((_, gridIndex) => ({ gridIndex, type: "log", logBase: 2, min: "dataMin", max: "dataMax" })),
    yAxis: panels.map((_, gridIndex) => ({ gridIndex, type: "log", splitLine: { lineStyle: { color: "#eeeeee" } } })),
    series: panels.flatMap(({ lines }, index) =>
      lines.map((line) => ({ ...line, xAxisIndex: index, yAxisIndex: index })),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

/** The layout and lines of one cost over one axis. */
function panel(runtimes, { axis, column, row, cost, results, slopes }) {
  const left = 16 + column * PANEL_WIDTH;
  const top = HEAD + row * PANEL_HEIGHT;
  const exponents = runtimes.flatMap(({ name }) => {
    const slope = slopes[name]?.[cost.slope];
    return slope === undefined ? [] : [`{${name.replace("-", "")}|${slope.toFixed(2)}}`];
  });
  const rich = Object.fromEntries(
    runtimes.map(({ name }) => [name.replace("-", ""), { color: COLORS[name], fontSize: 11, padding: [0, 6, 0, 0] }]),
  );
  return {
    titles: [
      { text: axes[axis].label, left, top, textStyle: { fontSize: 13 }, subtext: cost.label, itemGap: 2 },
      { text: exponents.join("   "), left, top: top + PANEL_HEIGHT - 40, textStyle: { fontSize: 11, rich } },
    ],
    grid: { left: left + 48, top: top + 50, width: PANEL_WIDTH - 80, height: PANEL_HEIGHT - 120 },
    lines: runtimes.map(({ name, label }) => ({
      type: "line",
      name: label,
      symbolSize: 5,
      lineStyle: { color: COLORS[name] },
      itemStyle: { color: COLORS[name] },
      data: (results[name] ?? [])
        .filter((point) => point[cost.key] > 0)
        .map((point) => [point.value, cost.key === "bytes" ? point.bytes / 1e6 : point.step]),
    })),
  };
}
