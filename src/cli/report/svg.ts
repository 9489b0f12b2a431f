/*
 * Charts as SVG text, drawn by Apache ECharts without a DOM.
 */
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import type { EChartsOption } from "echarts";
import { SVGRenderer } from "echarts/renderers";

export type { EChartsOption } from "echarts";

use([CustomChart, GridComponent, LegendComponent, LineChart, ScatterChart, SVGRenderer, TitleComponent]);

export interface SvgOptions {
  /** In CSS pixels; the image scales to its container. */
  readonly width: number;
  readonly height: number;
  /** A prefix for ids, so that several charts can be in one document: letters, digits and "-". */
  readonly name: string;
}

/**
 * Renders a chart as an SVG element. The same option gives the same text, without scripts, style sheets or external
 * addresses.
 */
export function renderSvg(option: EChartsOption, { width, height, name }: SvgOptions): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: "#fff", ...option });
    return lean(chart.renderToSVGString(), name);
  } finally {
    chart.dispose();
  }
}

/** The label of a power of ten on a logarithmic axis: 0.001 … 10,000 in full, others such as 10⁻⁸. */
export function logLabel(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -3 && exponent <= 4) return Number(value.toPrecision(6)).toLocaleString("en-US");
  return `10${[...String(exponent)].map((digit) => SUPERSCRIPTS["-0123456789".indexOf(digit)]).join("")}`;
}

const SUPERSCRIPTS = [..."⁻⁰¹²³⁴⁵⁶⁷⁸⁹"];

/**
 * Removes what only an interactive chart needs, makes ids independent of earlier charts, and rounds coordinates to
 * hundredths of a pixel.
 */
function lean(svg: string, name: string): string {
  return svg
    .replace(/<style\s*>.*?<\/style>\n?/s, "")
    .replace(/ (?:class|pointer-events|ecmeta_\w+|xml:space|xmlns:xlink|baseProfile|version)="[^"]*"/g, "")
    .replace(/zr\d+-/g, `${name}-`)
    .replace(/-?\d+\.\d{3,}(?=[^<>]*>)/g, (number) => String(Number(Number(number).toFixed(2))))
    .replace(/<path [^>]*><\/path>\n?/g, (path) => (isVisible(path) ? path : ""))
    .trim();
}

/** Whether a path has a visible fill or stroke. */
function isVisible(path: string): boolean {
  const filled = !/ fill(?:="none"|-opacity="0")/.test(path);
  return filled || (/ stroke="(?!none)/.test(path) && !/ stroke-width="0"/.test(path));
}
