/*
 * The streams, buckets and subjects of sweeps. All sweeps share them, so that a server can give permissions by name.
 */

/** The stream of trials that wait or are in progress, and its consumer, which all workers share. */
export const TRIALS = "WGRAD_TRIALS";
export const WORKERS = "workers";

/** The same for trials that browsers can train as well, so that they need no permission for the others. */
export const BROWSER_TRIALS = "WGRAD_BROWSER_TRIALS";

/** The stream of what happened to trials. */
export const RESULTS = "WGRAD_RESULTS";

/** The bucket of the descriptions of sweeps, by their names. */
export const SWEEPS = "wgrad-sweeps";

/** The bucket of data sets, by digest. */
export const DATA = "wgrad-data";

/** The bucket of checkpoints and models of trials. */
export const CHECKPOINTS = "wgrad-checkpoints";

/** The name of a sweep or a trial: the start of a digest. */
export const ID = /^[0-9a-f]{12}$/;

/** The most rungs of a search by successive halving. */
export const MOST_RUNGS = 10;

/** What a worker does at a time: a trial, or a part of it that ends at a rung. */
export interface TrialKey {
  readonly sweep: string;
  readonly trial: string;
  /** 0 for the first part, and for a whole trial. */
  readonly rung: number;
}

/** The last parts of a trial's subjects, and the start of the names of its objects. */
export const keyText = ({ sweep, trial, rung }: TrialKey): string => `${sweep}.${trial}.${rung}`;

const trialPrefix = (isForBrowsers: boolean) => `wgrad.${isForBrowsers ? "browser-trials" : "trials"}`;

/** The subject of a trial in the stream from which browsers take trials, or in the other one. */
export const trialSubject = (key: TrialKey, isForBrowsers: boolean): string =>
  `${trialPrefix(isForBrowsers)}.${keyText(key)}`;

/** The subjects of all trials of a sweep. */
export const trialSubjects = (sweep: string, isForBrowsers: boolean): string =>
  `${trialPrefix(isForBrowsers)}.${sweep}.>`;

export const resultSubject = (key: TrialKey): string => `wgrad.results.${keyText(key)}`;

/** The key in a subject, or undefined for a subject that is none of these. */
export function keyOfSubject(subject: string): TrialKey | undefined {
  const [, , sweep = "", trial = "", rung = "", ...rest] = subject.split(".");
  if (!ID.test(sweep) || !ID.test(trial) || !/^\d$/.test(rung) || rest.length > 0) return undefined;
  return { sweep, trial, rung: Number(rung) };
}
