/*
 * `wgrad train --report FILE`: a page about a run. The command loads this folder, and the chart library with it, only
 * where a report was asked for.
 */
import { writeFileAtomically } from "../../node/files.ts";
import type { ReportFacts } from "./facts.ts";
import { reportHtml } from "./html.ts";

export type { Field, ReportFacts } from "./facts.ts";
export { reportHtml } from "./html.ts";
export { ReportRecorder, type ReportSubject } from "./record.ts";

/**
 * Writes a report.
 * @throws DataError with the path and the reason where the file cannot be written
 */
export function writeReport(path: string, facts: ReportFacts): Promise<void> {
  return writeFileAtomically(path, new TextEncoder().encode(reportHtml(facts)));
}
