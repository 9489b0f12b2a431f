/*
 * `wgrad train --report FILE`: a page about a run. The command loads this folder, and with it the chart library, only if a
 * report is requested.
 */
import { writeFileAtomically } from "../../node/files.ts";
import type { ReportFacts } from "./facts.ts";
import { reportHtml } from "./html.ts";

export type { Field, ReportFacts } from "./facts.ts";
export { reportHtml } from "./html.ts";
export { ReportRecorder, type ReportSubject } from "./record.ts";

/**
 * Writes a report as an HTML file.
 * @throws DataError with the path and the reason if the file cannot be written
 */
export function writeReport(path: string, facts: ReportFacts): Promise<void> {
  return writeFileAtomically(path, new TextEncoder().encode(reportHtml(facts)));
}
