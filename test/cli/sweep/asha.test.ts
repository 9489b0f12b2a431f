import { describe, expect, test } from "vitest";
import { stepsOfRung } from "../../../src/cluster/sweeps/trial.ts";
import { SearchJobs, type Job, type JobResult, type Search } from "../../../src/cli/sweep/asha.ts";
import { Random } from "../../../src/random.ts";

const halving: Search = { trials: 9, rungs: { count: 3, reduction: 3 }, parallel: 1 };

/** The jobs after these results. */
function jobsAfter(search: Search, results: readonly JobResult[]): readonly Job[] {
  const started = new SearchJobs(search);
  for (const result of results) started.finish(result);
  return started.jobs;
}

/** Finishes one job after another until none is left; `score` is the validation loss of a trial at a rung. */
function searched(search: Search, score: (job: Job) => number | null, pick: (waiting: number) => number = () => 0) {
  const started = new SearchJobs(search);
  const results: JobResult[] = [];
  const isDone = (job: Job) => results.some(({ trial, rung }) => trial === job.trial && rung === job.rung);
  while (!started.isFinished) {
    const waiting = started.jobs.filter((job) => !isDone(job));
    expect(waiting.length).toBeLessThanOrEqual(search.parallel);
    const job = waiting[pick(waiting.length)]!;
    const result = { ...job, score: score(job) };
    results.push(result);
    expect(started.finish(result)).toBe(true);
  }
  return { jobs: started.jobs, results };
}

const text = (jobs: readonly Job[]) => jobs.map(({ trial, rung }) => `${trial}@${rung}`).join(" ");

describe("successive halving", () => {
  test("promotes the best third of a rung as soon as it is known, from the highest rung first", () => {
    // Trial 0 is the best of the first three, 4 of the first five, and 8 of all.
    const losses = [0.5, 0.9, 0.8, 0.7, 0.4, 0.6, 0.95, 0.85, 0.3];
    const { jobs } = searched(halving, ({ trial, rung }) => losses[trial]! - 0.01 * rung);
    expect(text(jobs)).toBe("0@0 1@0 2@0 0@1 3@0 4@0 4@1 5@0 6@0 7@0 8@0 8@1 8@2");
  });

  test("never promotes a trial that diverged, and lets the first of two equal trials go on", () => {
    const losses = [null, 0.5, 0.5, null, null, null, null, null, null];
    const { jobs } = searched(halving, ({ trial }) => losses[trial]!);
    expect(jobs.filter(({ rung }) => rung > 0).map(({ trial }) => trial)).toEqual([1, 2]);
    expect(searched(halving, () => null).jobs).toHaveLength(9);
  });

  test("starts at most as many jobs as there are places, and finishes in any order", () => {
    const random = new Random(3);
    const search = { trials: 30, rungs: { count: 4, reduction: 2 }, parallel: 5 };
    const losses = Array.from({ length: 30 }, () => random.uniform());
    const { jobs } = searched(
      search,
      ({ trial }) => losses[trial]!,
      (waiting) => random.below(waiting),
    );
    expect(jobs.filter(({ rung }) => rung === 0)).toHaveLength(30);
    // Asynchronous promotion may promote more than 1 / reduction, if trials were good when they were compared.
    expect(jobs.filter(({ rung }) => rung === 1).length).toBeGreaterThanOrEqual(15);
    const best = losses.indexOf(Math.min(...losses));
    expect(jobs).toContainEqual({ trial: best, rung: 3 });
  });

  test("replaying a recorded stream gives the same jobs, and each of its starts gives their beginning", () => {
    const random = new Random(8);
    const search = { trials: 27, rungs: { count: 3, reduction: 3 }, parallel: 4 };
    const { jobs, results } = searched(
      search,
      () => random.uniform(),
      (waiting) => random.below(waiting),
    );
    expect(jobsAfter(search, results)).toEqual(jobs);
    for (let length = 0; length <= results.length; length++) {
      const sofar = jobsAfter(search, results.slice(0, length));
      expect(sofar).toEqual(jobs.slice(0, sofar.length));
    }
  });

  test("ignores results of jobs that were not started, and a second result of a job", () => {
    const started = new SearchJobs(halving);
    expect(started.finish({ trial: 5, rung: 0, score: 0.1 })).toBe(false);
    expect(started.finish({ trial: 0, rung: 1, score: 0.1 })).toBe(false);
    expect(started.finish({ trial: 0, rung: 0, score: 0.1 })).toBe(true);
    expect(started.finish({ trial: 0, rung: 0, score: 0.2 })).toBe(false);
    expect(text(started.jobs)).toBe("0@0 1@0");
  });
});

test("without rungs, all trials are jobs from the beginning", () => {
  const started = new SearchJobs({ trials: 3, rungs: undefined, parallel: 1 });
  expect(text(started.jobs)).toBe("0@0 1@0 2@0");
  for (const trial of [2, 0]) started.finish({ trial, rung: 0, score: 1 });
  expect(started.isFinished).toBe(false);
  started.finish({ trial: 1, rung: 0, score: null });
  expect(started.isFinished).toBe(true);
});

test("a rung has a power of the reduction of the steps of the run, and at least one", () => {
  const rungs = { count: 3, reduction: 3 };
  expect([0, 1, 2].map((rung) => stepsOfRung(rungs, rung, 270))).toEqual([30, 90, 270]);
  expect([0, 1, 2].map((rung) => stepsOfRung(rungs, rung, 4))).toEqual([1, 1, 4]);
});
