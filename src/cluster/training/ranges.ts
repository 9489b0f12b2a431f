/*
 * Which steps of a run are still to be trained. The steps of a run are numbered as on one machine, so a range of
 * steps says exactly which examples it has.
 */
import { OptionError } from "../../errors.ts";

/** Steps first … first + count − 1 of a run. */
export interface StepRange {
  readonly first: number;
  readonly count: number;
}

/** The steps that no commit has, in ascending order. */
export type OpenSteps = readonly StepRange[];

export const stepsIn = (ranges: readonly StepRange[]): number => ranges.reduce((total, { count }) => total + count, 0);

/**
 * The next ranges for workers, so that the steps of a lost worker come first: at most `innerSteps` steps each, and equal numbers where fewer are left than all workers
 * could train. A range does not cross a gap, so some may be shorter. If there are fewer ranges than workers, the last
 * workers get none.
 */
export function nextRanges(ranges: OpenSteps, workers: number, innerSteps: number): StepRange[] {
  const wanted = Math.min(innerSteps, Math.ceil(stepsIn(ranges) / workers));
  const taken: StepRange[] = [];
  for (const { first, count } of ranges) {
    for (let done = 0; done < count && taken.length < workers; done += wanted)
      taken.push({ first: first + done, count: Math.min(wanted, count - done) });
  }
  return taken;
}

/**
 * The open steps without a range.
 * @throws OptionError if one of its steps is not open
 */
export function without(ranges: OpenSteps, done: StepRange): OpenSteps {
  const end = done.first + done.count;
  const around = ranges.find(({ first, count }) => first <= done.first && end <= first + count);
  if (!around || done.count < 1) {
    const what = "some of them were committed before, or are none of the run";
    throw new OptionError({ where: `steps ${done.first} … ${end - 1}`, what, fix: "Ask for another range" });
  }
  const parts = [
    { first: around.first, count: done.first - around.first },
    { first: end, count: around.first + around.count - end },
  ];
  return ranges.flatMap((range) => (range === around ? parts.filter(({ count }) => count > 0) : [range]));
}
