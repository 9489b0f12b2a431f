/*
 * Measures how the cost of a step grows with batch size, width and depth, varied one at a time.
 */
import { DeviceError } from "../errors.ts";
import { networkName } from "./data.ts";
import { FEWEST_SAMPLES } from "./replay.ts";
import { growthAxes, type GrowthAxis, type GrowthRow, type KernelRow, type LeftOut } from "./report.ts";
import { measureStep, stepFlops, type StepBench, type StepCase, type StepCosts } from "./step.ts";

/** The base case of every axis: 784-128-10 at batch size 64. */
const BASE: Readonly<Record<GrowthAxis, number>> = { batch: 64, width: 128, depth: 1 };

const powersOfTwo = (first: number, last: number): number[] =>
  Array.from({ length: Math.log2(last / first) + 1 }, (_, power) => first * 2 ** power);

const VALUES: Readonly<Record<GrowthAxis, readonly number[]>> = {
  batch: powersOfTwo(1, 8192),
  width: powersOfTwo(16, 4096),
  depth: powersOfTwo(1, 16),
};

/** Cases with a longer predicted total time are skipped. */
export const MOST_SECONDS = 20;

/** A case on one of the axes. */
export interface GrowthCase extends StepCase {
  readonly axis: GrowthAxis;
  readonly value: number;
}

/** All cases, by ascending value on each axis. */
export function growthCases(): GrowthCase[] {
  return growthAxes.flatMap((axis) =>
    VALUES[axis].map((value) => {
      const sizes: Record<GrowthAxis, number> = { ...BASE };
      sizes[axis] = value;
      const { batch, width, depth } = sizes;
      return { name: `growth ${axis} ${value}`, axis, value, batch, hidden: new Array<number>(depth).fill(width) };
    }),
  );
}

/** The costs of the largest case so far. */
export interface Experience extends StepCosts {
  readonly stepCase: StepCase;
  readonly stepSeconds: number;
}

/**
 * Predicts the seconds of a case: compiling in proportion to the number of layers, steps on CPU and GPU to their FLOPs.
 * @param timed seconds that are spent on timing if steps are short
 */
export function predictSeconds(stepCase: StepCase, known: Experience, timed: number): number {
  const ratio = stepFlops(stepCase) / stepFlops(known.stepCase);
  const layers = (stepCase.hidden.length + 1) / (known.stepCase.hidden.length + 1);
  const step = known.stepSeconds * ratio;
  // One step of warm-up and the timed steps; checkSeconds includes the compared steps.
  return known.compileSeconds * layers + known.checkSeconds * ratio + Math.max(timed, (1 + FEWEST_SAMPLES) * step);
}

/** Predicts the seconds of a kernel whose runs are long: one comparison, one warm-up, and the timed runs. */
export const predictKernelSeconds = (flops: number, known: Pick<KernelRow, "flops" | "seconds">): number =>
  (2 + FEWEST_SAMPLES) * known.seconds.median * (flops / known.flops);

/** Why a case is skipped that would take too long. */
export const tooLong = (what: string, seconds: number): string =>
  `${what} would take about ${Math.round(seconds)} s, more than the limit of ${MOST_SECONDS} s`;

/** Receives measured and skipped cases as they occur. */
export interface GrowthListener {
  measured(row: GrowthRow): void;
  leftOut(left: LeftOut): void;
  /** Runs a measurement, and records a wrong result. @returns undefined if the result was wrong */
  attempt<Value>(name: string, measure: () => Promise<Value>): Promise<Value | undefined>;
}

/** Measures the given cases. */
export async function measureGrowth(
  bench: StepBench,
  cases: readonly GrowthCase[],
  listener: GrowthListener,
): Promise<void> {
  const measured = new Map<string, Measured>();
  for (const axis of growthAxes) {
    let known: Experience | undefined;
    for (const stepCase of cases.filter((each) => each.axis === axis)) {
      const predicted = known ? predictSeconds(stepCase, known, bench.settings.mostSeconds) : 0;
      const size = `${networkName(stepCase.hidden)} at batch size ${stepCase.batch}`;
      if (predicted > MOST_SECONDS) {
        listener.leftOut({ name: stepCase.name, why: tooLong(size, predicted) });
        continue;
      }
      // The base case is on every axis, and is measured only once.
      const found = measured.get(size) ?? (await measureCase(bench, stepCase, listener));
      if (!found) continue;
      measured.set(size, found);
      const { name, value } = stepCase;
      listener.measured({ ...found.row, name, axis, value });
      known = { stepCase, stepSeconds: found.row.seconds.median, ...found.costs };
    }
  }
}

type Measured = Awaited<ReturnType<typeof measureStep>>;

async function measureCase(
  bench: StepBench,
  stepCase: GrowthCase,
  listener: GrowthListener,
): Promise<Measured | undefined> {
  const { name } = stepCase;
  try {
    return await listener.attempt(name, () => measureStep(bench, stepCase));
  } catch (error) {
    // If the device was lost, the other cases would fail too. If this case is too large for it, the others continue.
    if (!(error instanceof DeviceError) || error.where === "WebGPU") throw error;
    listener.leftOut({ name, why: error.what });
    return undefined;
  }
}
