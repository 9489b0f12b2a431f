/*
 * What the workers of a shared run did, as lines of a terminal.
 */
import { activitiesIn, type Activity, type Timeline, type WorkerTimeline } from "../../cluster/training/timeline.ts";
import { visible } from "./terminal.ts";
import { alignedLines } from "../../text.ts";
import { bytesText, count, counted, duration, LINE_WIDTH, percent, shortened } from "./text.ts";

/** More workers are only counted. The report has all of them. */
const MOST_WORKERS = 16;
const NAME_WIDTH = 18;
const PARTS = 24;

const MARKS: Readonly<Record<Activity, string>> = { trained: "█", waited: "·", lost: "x", late: "-", refused: "!" };

/** A table of the workers with their timelines, at most 80 columns wide, and a legend. */
export function timelineText(timeline: Timeline): string[] {
  const { seconds, rounds, examples, bytes, workers } = timeline;
  const shown = workers.slice(0, MOST_WORKERS);
  const header = ["worker", `${duration(seconds)} of rounds`, "steps", "waited", "sent", "read"];
  const rows = [header, ...shown.map((worker) => rowOf(worker, seconds))];
  const table = alignedLines(rows, (column) => column > 1);
  const more = workers.length - shown.length;
  const refusals = workers.reduce((sum, worker) => sum + worker.refusals.length, 0);
  return [
    ...table.map((line) => line.slice(0, LINE_WIDTH)),
    ...(more > 0 ? [`… and ${counted(more, "more worker")}`] : []),
    "█ trained  · waited  x lost  - too late  ! refused",
    `${counted(rounds, "round")}, ${count(examples)} examples seen, ${bytesText(bytes)} exchanged, ${counted(refusals, "change")} refused`,
  ];
}

function rowOf(worker: WorkerTimeline, seconds: number): string[] {
  const { name, steps, sentBytes, readBytes, trainSeconds, waitSeconds } = worker;
  const marks = activitiesIn(worker, seconds, PARTS).map((activity) => (activity ? MARKS[activity] : " "));
  const waited = waitSeconds / (trainSeconds + waitSeconds);
  return [
    shortened(visible(name), NAME_WIDTH),
    marks.join(""),
    count(steps),
    Number.isFinite(waited) ? percent(waited, 0) : "–",
    bytesText(sentBytes),
    bytesText(readBytes),
  ];
}
