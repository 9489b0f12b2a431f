/*
 * Charts as SVG text, by Apache ECharts, which draws SVG without a document.
 */
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import type { EChartsOption } from "echarts";
import { SVGRenderer } from "echarts/renderers";

export type { EChartsOption } from "echarts";

use([CustomChart, GridComponent, LegendComponent, LineChart, ScatterChart, SVGRenderer, TitleComponent]);

export interface SvgOptions {
  /** In CSS pixels; the picture scales. */
  readonly width: number;
  readonly height: number;
  /** Begins the picture's ids, so that several may lie in one document: letters, digits and "-". */
  readonly name: string;
}

/**
 * A chart as an SVG element. The same option gives the same text; it holds no script, style sheet or outside address.
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

/** A power of ten on a logarithmic axis: 0.001 … 10,000 as they are, and beyond such as 10⁻⁸. */
export function logLabel(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -3 && exponent <= 4) return Number(value.toPrecision(6)).toLocaleString("en-US");
  return `10${[...String(exponent)].map((digit) => SUPERSCRIPTS["-0123456789".indexOf(digit)]).join("")}`;
}

const SUPERSCRIPTS = [..."⁻⁰¹²³⁴⁵⁶⁷⁸⁹"];

/**
 * Takes out what only a pointer over a live chart uses, counts ids from 0 where ECharts counts on from chart to chart,
 * and rounds coordinates to hundredths of a pixel.
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

/** Whether anything of a path, or of what it clips, is seen. */
function isVisible(path: string): boolean {
  const filled = !/ fill(?:="none"|-opacity="0")/.test(path);
  return filled || (/ stroke="(?!none)/.test(path) && !/ stroke-width="0"/.test(path));
}
