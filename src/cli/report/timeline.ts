import { activitiesIn, type Activity, type Timeline, type WorkerTimeline } from "../../cluster/training/timeline.ts";
import { bytesText, count, percent } from "../text/text.ts";
import { html, Markup } from "./markup.ts";
import { renderSvg, type EChartsOption } from "./svg.ts";

const COLORS: Readonly<Record<Activity, string>> = {
  trained: "#0072b2",
  waited: "#cfe3f0",
  lost: "#555555",
  late: "#cc9a00",
  refused: "#d55e00",
};

const LABELS: Readonly<Record<Activity, string>> = {
  trained: "trained",
  waited: "waited, sent or read",
  lost: "lost",
  late: "too late",
  refused: "refused",
};

/** The parts of the chart, in each of which a worker has one color. */
const PARTS = 200;

/** With more, the chart or the table of rounds would be larger than a page. */
const MOST_WORKERS = 40;
const MOST_COLUMNS = 8;
const MOST_ROUNDS = 200;

/** The workers of a run: when they trained, which steps, and what they sent. */
export function timelineSection(timeline: Timeline): Markup {
  const { workers } = timeline;
  const shown = workers.slice(0, MOST_WORKERS);
  const more = workers.length > shown.length ? ` The first ${shown.length} of ${workers.length} workers.` : "";
  const caption = `Each round as its coordinator saw it, without pauses between rounds.${more}`;
  return html`<section><h2>Workers</h2>
<figure>${new Markup(timelineChart(shown, timeline.seconds))}<figcaption>${caption}</figcaption></figure>
${workerTable(workers)}${roundTable(timeline)}</section>`;
}

function timelineChart(workers: readonly WorkerTimeline[], seconds: number): string {
  const text = { fontSize: 11, color: "#333333", fontFamily: "system-ui, sans-serif" };
  const names = workers.map(({ name }) => name);
  const width = seconds / PARTS;
  const rows = workers.map((worker) => activitiesIn(worker, seconds, PARTS));
  const series = (Object.keys(COLORS) as Activity[]).map((activity) => ({
    type: "custom" as const,
    name: LABELS[activity],
    silent: true,
    itemStyle: { color: COLORS[activity] },
    data: rows.flatMap((parts, row) => runsOf(parts, activity).map(([from, to]) => [from * width, to * width, row])),
    renderItem: drawSpan(COLORS[activity]),
  }));
  const option: EChartsOption = {
    grid: { left: 130, right: 14, top: 30, bottom: 40 },
    legend: { top: 4, left: 120, itemWidth: 14, itemHeight: 10, itemGap: 24, textStyle: text, selectedMode: false },
    xAxis: {
      type: "value",
      max: seconds,
      name: "seconds",
      nameLocation: "middle",
      nameGap: 26,
      nameTextStyle: text,
      axisLabel: { ...text, showMaxLabel: false },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: names,
      axisLabel: { ...text, width: 110, overflow: "truncate", interval: 0 },
    },
    series: series as NonNullable<EChartsOption["series"]>,
  };
  return renderSvg(option, { width: 760, height: 80 + 22 * workers.length, name: "report-workers" });
}

/** Draws [from, to, row] as a bar. */
const drawSpan =
  (fill: string) =>
  (
    _params: unknown,
    api: {
      value(dimension: number): number;
      coord(point: readonly number[]): number[];
    },
  ) => {
    const [left, middle] = api.coord([api.value(0), api.value(2)]);
    const [right] = api.coord([api.value(1), api.value(2)]);
    return {
      type: "rect",
      shape: { x: left!, y: middle! - 7, width: Math.max(1, right! - left!), height: 14 },
      style: { fill },
    };
  };

/** The first and the last end of each sequence of equal parts. */
function runsOf(parts: readonly (Activity | undefined)[], activity: Activity): (readonly [number, number])[] {
  const runs: (readonly [number, number])[] = [];
  for (let part = 0; part < parts.length; part++) {
    const first = part;
    while (part < parts.length && parts[part] === activity) part++;
    if (part > first) runs.push([first, part]);
  }
  return runs;
}

function workerTable(workers: readonly WorkerTimeline[]): Markup {
  const times = (worker: WorkerTimeline, wanted: Activity) =>
    [...worker.rounds.values()].filter((each) => each === wanted).length;
  const rows = workers.map((worker) => {
    const { name, rounds, steps, examples, trainSeconds, waitSeconds, sentBytes, readBytes, clipped, refusals } =
      worker;
    const cells = [
      count([...rounds.values()].filter((each) => typeof each === "object").length),
      count(steps),
      count(examples),
      percent(waitSeconds / (trainSeconds + waitSeconds), 0),
      bytesText(sentBytes),
      bytesText(readBytes),
      count(times(worker, "lost")),
      count(times(worker, "late")),
      count(clipped),
    ];
    return html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td class="number">${cell}</td>`)}<td>${refusals.join("; ")}</td></tr>\n`;
  });
  const names = ["rounds", "steps", "examples", "waited", "sent", "read", "lost", "too late", "scaled down"];
  return html`<div class="wide"><table>
<thead><tr><th scope="col">worker</th>${names.map((name) => html`<th scope="col" class="number">${name}</th>`)}<th scope="col">refused</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** Which steps each worker made in each round. */
function roundTable({ rounds, workers }: Timeline): Markup {
  const columns = workers.slice(0, MOST_COLUMNS);
  const shown = Math.min(rounds, MOST_ROUNDS);
  const cell = (worker: WorkerTimeline, round: number) => {
    const made = worker.rounds.get(round);
    if (made === undefined) return "";
    return typeof made === "object" ? `${made.first}–${made.first + made.count - 1}` : LABELS[made];
  };
  const lines = Array.from(
    { length: shown },
    (_, round) =>
      html`<tr><th scope="row">${round + 1}</th>${columns.map((worker) => html`<td>${cell(worker, round)}</td>`)}</tr>\n`,
  );
  const part = shown < rounds || columns.length < workers.length;
  const note = part
    ? ` (the first ${shown} of ${rounds} rounds, and ${columns.length} of ${workers.length} workers)`
    : "";
  return html`<details><summary>Steps by round${note}</summary><div class="wide"><table>
<thead><tr><th scope="col">round</th>${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${lines}</tbody></table></div></details>`;
}
