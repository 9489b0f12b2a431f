import { classificationMetrics } from "../../train/metrics.ts";
import { version } from "../../version.ts";
import { count, percent, fourDigits, scaled } from "../text/text.ts";
import { accuracyChart, gradientChart, lossChart, outputChart } from "./charts.ts";
import type { ClassResults, Field, Mistake, OutputResults, ReportImage, ReportFacts } from "./facts.ts";
import { html, Markup } from "./markup.ts";
import { style } from "./style.ts";
import { timelineSection } from "./timeline.ts";

/** With more classes, a confusion matrix does not fit a page, and the most frequent confusions are listed instead. */
const MOST_CLASSES = 20;

/** How many confusions are listed. */
const CONFUSIONS = 20;

/**
 * A report as a self-contained HTML page without scripts, for screens, phones and paper. Text from data and options is
 * escaped.
 */
export function reportHtml(facts: ReportFacts): string {
  const { title, results, options, curves, gradientNorms } = facts;
  const hasAccuracy = curves.some(({ points }) => points.some(({ accuracy }) => Number.isFinite(accuracy)));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header><h1>${title}</h1></header>
<section><h2>Results</h2>${fields(results)}</section>
<section><h2>Training</h2>
<div class="charts">
${curves.length > 0 ? figure(new Markup(lossChart(curves)), "Loss: the mean over the steps since the previous point.") : ""}
${hasAccuracy ? figure(new Markup(accuracyChart(curves)), "Accuracy; for training, before the update of each step. The axis fits all but the first tenth of the steps.") : ""}
${figure(new Markup(gradientChart(gradientNorms)), "Gradient norm of each layer, on the first training examples.")}
</div></section>
${facts.workers ? timelineSection(facts.workers) : ""}
${facts.classes ? classSections(facts.classes, facts.examined) : ""}
${facts.outputs ? outputSection(facts.outputs, facts.examined) : ""}
${facts.samples ? samplesSection(facts.samples) : ""}
${facts.weights ? weightsSection(facts.weights) : ""}
${dispatchSection(facts)}
<section><h2>Options</h2>${fields(options)}</section>
<footer>Written by wgrad ${version}.</footer>
</body>
</html>
`;
  return page.text;
}

function fields(entries: readonly Field[]): Markup {
  return html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

const figure = (content: Markup, caption: string) =>
  html`<figure>${content}<figcaption>${caption}</figcaption></figure>`;

function classSections(results: ClassResults, examined: string): Markup {
  const { classes, worst, mistakes } = results;
  const matrix = classes.length <= MOST_CLASSES ? confusionTable(results) : confusionList(results);
  const shown =
    worst.length < mistakes ? `the ${worst.length} most confident of ${count(mistakes)}` : `all ${count(mistakes)}`;
  const wrong =
    worst.length === 0 ? html`<p>None.</p>` : html`<p>${shown}</p><div class="images">${worst.map(mistake)}</div>`;
  const area = results.rocAuc === undefined ? "" : ` ROC AUC ${results.rocAuc}.`;
  return html`<section><h2>Confusion matrix</h2><p>${examined}${area}</p>${matrix}</section>
<section><h2>Worst mistakes</h2>${wrong}</section>`;
}

function confusionTable({ classes, confusion }: ClassResults): Markup {
  const metrics = classificationMetrics(confusion, classes);
  const largest = Math.max(
    ...confusion.flatMap((row, label) => row.filter((_, prediction) => prediction !== label)),
    1,
  );
  const cell = (value: number, label: number, prediction: number) => {
    if (label === prediction) return html`<td class="right">${count(value)}</td>`;
    const shade = (0.85 * value) / largest;
    return html`<td style="background:rgba(213,94,0,${shade.toFixed(2)})">${value === 0 ? "" : count(value)}</td>`;
  };
  return html`<div class="wide"><table class="confusion">
<thead><tr><td></td><th colspan="${classes.length}" scope="colgroup">predicted</th><td></td></tr>
<tr><th scope="col">true</th>${classes.map((name) => html`<th scope="col">${name}</th>`)}<th scope="col">recall</th></tr></thead>
<tbody>${confusion.map(
    (row, label) =>
      html`<tr><th scope="row">${classes[label]!}</th>${row.map((value, prediction) => cell(value, label, prediction))}<td class="share">${percent(metrics.classes[label]!.recall)}</td></tr>\n`,
  )}</tbody>
<tfoot><tr><th scope="row">precision</th>${metrics.classes.map(({ precision }) => html`<td class="share">${percent(precision)}</td>`)}<td></td></tr></tfoot>
</table></div>`;
}

function confusionList({ classes, confusion }: ClassResults): Markup {
  const confusions = confusion
    .flatMap((row, label) => row.map((value, prediction) => ({ value, label, prediction })))
    .filter(({ value, label, prediction }) => value > 0 && label !== prediction)
    .sort((a, b) => b.value - a.value)
    .slice(0, CONFUSIONS);
  const rows = confusions.map(
    ({ value, label, prediction }) =>
      html`<tr><td>${classes[label]!}</td><td>${classes[prediction]!}</td><td class="number">${count(value)}</td></tr>\n`,
  );
  return html`<p>${classes.length} classes: the most frequent confusions</p><div class="wide"><table>
<thead><tr><th scope="col">true</th><th scope="col">predicted</th><th scope="col" class="number">examples</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function mistake({ example, label, prediction, probabilities, image }: Mistake): Markup {
  const shares = probabilities ? html`<br>${percent(probabilities[0])} vs. ${percent(probabilities[1])}` : "";
  return html`<figure>${image ? imageTag(image) : ""}<figcaption>predicted <b>${prediction}</b>, true ${label}${shares}<br><small>example ${example}</small></figcaption></figure>\n`;
}

const imageTag = ({ source, width, height, caption }: ReportImage) =>
  html`<img src="${source}" width="${width}" height="${height}" alt="${caption}" title="${caption}">`;

function outputSection(outputs: readonly OutputResults[], examined: string): Markup {
  const number = (value: number) => (Number.isFinite(value) ? fourDigits(value) : "–");
  const rows = outputs.map(
    ({ name, metrics: { r2, rmse, mae } }) =>
      html`<tr><th scope="row">${name}</th><td class="number">${number(r2)}</td><td class="number">${number(rmse)}</td><td class="number">${number(mae)}</td></tr>\n`,
  );
  const charts = outputs.map((output, index) =>
    figure(new Markup(outputChart(output, index)), `${output.name}: predictions against targets.`),
  );
  return html`<section><h2>Predictions</h2><p>${examined}</p>
<div class="wide"><table><thead><tr><th scope="col">output</th><th scope="col" class="number">R²</th><th scope="col" class="number">RMSE</th><th scope="col" class="number">MAE</th></tr></thead><tbody>${rows}</tbody></table></div>
<div class="charts">${charts}</div></section>`;
}

function samplesSection(samples: NonNullable<ReportFacts["samples"]>): Markup {
  const items = samples.map(
    ({ step, text }) => html`<figure><figcaption>after step ${count(step)}</figcaption><pre>${text}</pre></figure>\n`,
  );
  return html`<section><h2>Samples</h2><p>Generated during training, with the same random draws each time.</p><div class="samples">${items}</div></section>`;
}

function weightsSection({ images, units, largest }: NonNullable<ReportFacts["weights"]>): Markup {
  const shown = images.length < units ? `the first ${images.length} of ${count(units)} units` : `${count(units)} units`;
  const scale = `orange is positive, blue negative, up to ±${Number(largest.toPrecision(3))}`;
  return html`<section><h2>Weights of the first layer</h2><p>${shown}; ${scale}</p><div class="images weights">${images.map(imageTag)}</div></section>`;
}

function dispatchSection({ dispatches, nanoseconds }: ReportFacts): Markup {
  if (dispatches.length === 0)
    return html`<section><h2>Dispatches of a step</h2><p>None: this backend has no dispatches.</p></section>`;
  const times = typeof nanoseconds === "string" ? undefined : nanoseconds;
  const microseconds = (time: number) => (time / 1000).toFixed(1);
  const rows = dispatches.map(
    ({ kernel, shapes, grid, flops, bytes }, index) =>
      html`<tr><td>${kernel}</td><td>${shapes}</td><td>${grid.join("×")}</td><td class="number">${scaled(flops)}</td><td class="number">${scaled(bytes)}</td>${times ? html`<td class="number">${microseconds(times[index]!)}</td>` : ""}</tr>\n`,
  );
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const sums = html`<tr><th scope="row" colspan="3">${dispatches.length} dispatches</th><td class="number">${scaled(total(dispatches.map(({ flops }) => flops)))}</td><td class="number">${scaled(total(dispatches.map(({ bytes }) => bytes)))}</td>${times ? html`<td class="number">${microseconds(total(times))}</td>` : ""}</tr>`;
  const note =
    typeof nanoseconds === "string"
      ? `No times: ${nanoseconds}.`
      : "Times of one step, with each dispatch in a pass of its own.";
  return html`<section><h2>Dispatches of a step</h2><p>${note}</p><div class="wide"><table class="dispatches">
<thead><tr><th scope="col">kernel</th><th scope="col">shapes</th><th scope="col">grid</th><th scope="col" class="number">FLOPs</th><th scope="col" class="number">bytes</th>${times ? html`<th scope="col" class="number">µs</th>` : ""}</tr></thead>
<tbody>${rows}</tbody><tfoot>${sums}</tfoot></table></div></section>`;
}
