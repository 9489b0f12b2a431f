/*
 * The results as one SVG, with a small bar chart for each row.
 */
import * as echarts from "echarts/core";
import { BarChart } from "echarts/charts";
import { GridComponent, TitleComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
import { numberText } from "./table.mjs";

echarts.use([BarChart, GridComponent, TitleComponent, SVGRenderer]);

const COLUMNS = 3;
const [WIDTH, HEAD, PANEL] = [1120, 86, 290];
const OWN_COLORS = { webgpu: "#0b6e4f", wasm: "#4a9c7d" };
const COLORS = { webgpu: "#8fa3b0", wasm: "#d7b98e", cpu: "#c98f8f" };

/**
 * @param {readonly import("../runtimes/index.mjs").RuntimeEntry[]} runtimes
 * @param {ReturnType<typeof import("./table.mjs").summarize>} summary
 * @param {string} subtitle adapter, machine, date and versions
 * @returns {string} the text of an SVG file
 */
export function chartSvg(runtimes, summary, subtitle) {
  const timed = summary.filter(({ measure }) => !["calls", "convCalls"].includes(measure));
  const height = HEAD + PANEL * Math.ceil(timed.length / COLUMNS);
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  const panels = timed.map((row, index) => panel(runtimes, row, index));
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: [
      {
        text: "784-128-10 and a convolutional network on MNIST, Adam: wgrad compared with its peers",
        subtext: subtitle,
        left: 16,
        top: 8,
        subtextStyle: { lineHeight: 16 },
      },
      ...panels.map(({ title }) => title),
    ],
    grid: panels.map(({ grid }) => grid),
    xAxis: panels.map((_, gridIndex) => ({ gridIndex, type: "value", show: false })),
    yAxis: panels.map(({ names }, gridIndex) => ({
      gridIndex,
      type: "category",
      data: names,
      inverse: true,
      axisTick: { show: false },
      axisLine: { show: false },
    })),
    series: panels.map(({ bars }, index) => ({
      type: "bar",
      xAxisIndex: index,
      yAxisIndex: index,
      data: bars,
      barWidth: 18,
      label: { show: true, position: "right", formatter: ({ value }) => numberText(value) },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

/** The layout and bars of a row, for the runtimes that have a number. */
function panel(runtimes, { label, higher, values }, index) {
  const shown = runtimes.filter(({ name }) => Number.isFinite(values[name]));
  const left = 16 + (index % COLUMNS) * ((WIDTH - 16) / COLUMNS);
  const top = HEAD + Math.floor(index / COLUMNS) * PANEL;
  const better = higher ? "more is better" : "less is better";
  return {
    title: {
      text: label,
      subtext: better,
      left,
      top,
      itemGap: 2,
      textStyle: { fontSize: 13 },
      subtextStyle: { fontSize: 11 },
    },
    grid: { left: left + 150, top: top + 38, width: 150, height: 28 * shown.length },
    names: shown.map((runtime) => runtime.label),
    bars: shown.map(({ name, device }) => ({
      value: values[name],
      itemStyle: { color: (name.startsWith("wgrad") ? OWN_COLORS : COLORS)[device] },
    })),
  };
}
