/*
 * Asynchronous successive halving (ASHA; Li et al. 2018, "A System for Massively Parallel Hyperparameter Tuning",
 * arXiv 1810.05934): many trials are trained for a few steps, and the best of them for more and more.
 */
import type { Rungs } from "../../cluster/sweeps/trial.ts";

/** A part of a trial: the training up to a rung. */
export interface Job {
  /** The index of the trial. */
  readonly trial: number;
  readonly rung: number;
}

/** The result of a job. */
export interface JobResult extends Job {
  /** The validation loss; null if training diverged or failed. */
  readonly score: number | null;
}

/** The settings of a search. */
export interface Search {
  readonly trials: number;
  /** Undefined if every trial is trained to its end. */
  readonly rungs: Rungs | undefined;
  /** The number of jobs that wait or are in progress at a time. */
  readonly parallel: number;
}

/**
 * The jobs that a search has started. They depend only on the search, and on the results and their order, and more results
 * only append jobs.
 */
export class SearchJobs {
  readonly #jobs: Job[] = [];
  readonly #halving: Halving | undefined;
  readonly #unfinished = new Set<string>();
  #free: number;

  constructor({ trials, rungs, parallel }: Search) {
    this.#halving = rungs && new Halving(trials, rungs);
    this.#free = parallel;
    if (this.#halving) this.#startFree();
    else for (let trial = 0; trial < trials; trial++) this.#start({ trial, rung: 0 });
  }

  /** All jobs so far, in the order in which they were started. */
  get jobs(): readonly Job[] {
    return this.#jobs;
  }

  /** Whether all jobs have results. */
  get isFinished(): boolean {
    return this.#unfinished.size === 0;
  }

  /** Takes the next result. @returns false for a job that was not started, or that has a result: it changes nothing */
  finish(result: JobResult): boolean {
    if (!this.#unfinished.delete(jobText(result))) return false;
    this.#halving?.finish(result);
    this.#free++;
    this.#startFree();
    return true;
  }

  #startFree(): void {
    for (let job; this.#free > 0 && (job = this.#halving?.next()); this.#free--) this.#start(job);
  }

  #start(job: Job): void {
    this.#jobs.push(job);
    this.#unfinished.add(jobText(job));
  }
}

const jobText = ({ trial, rung }: Job): string => `${trial}.${rung}`;

/** The state of a search by halving. */
class Halving {
  readonly #trials: number;
  readonly #rungs: Rungs;
  readonly #started: Set<number>[];
  readonly #finished: JobResult[][];

  constructor(trials: number, rungs: Rungs) {
    [this.#trials, this.#rungs] = [trials, rungs];
    this.#started = Array.from({ length: rungs.count }, () => new Set());
    this.#finished = Array.from({ length: rungs.count }, () => []);
  }

  finish(result: JobResult): void {
    this.#finished[result.rung]!.push(result);
  }

  /** The next job: a promotion from the highest rung that has one, otherwise a new trial. */
  next(): Job | undefined {
    for (let rung = this.#rungs.count - 2; rung >= 0; rung--) {
      const trial = this.#promotable(rung);
      if (trial !== undefined) return this.#start({ trial, rung: rung + 1 });
    }
    const trial = this.#started[0]!.size;
    return trial < this.#trials ? this.#start({ trial, rung: 0 }) : undefined;
  }

  /** The best trial among the best 1 / reduction of a rung that was not promoted. Of equal scores, the first counts. */
  #promotable(rung: number): number | undefined {
    const finished = this.#finished[rung]!;
    const most = Math.floor(finished.length / this.#rungs.reduction);
    const best = finished
      .filter(({ score }) => score !== null)
      .sort((a, b) => a.score! - b.score! || a.trial - b.trial)
      .slice(0, most);
    return best.find(({ trial }) => !this.#started[rung + 1]!.has(trial))?.trial;
  }

  #start(job: Job): Job {
    this.#started[job.rung]!.add(job.trial);
    return job;
  }
}
