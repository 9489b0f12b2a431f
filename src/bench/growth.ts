/*
 * How a step's cost grows with the batch, the width and the depth, one of them at a time.
 */
import { DeviceError } from "../errors.ts";
import { networkName } from "./data.ts";
import { FEWEST_SAMPLES } from "./replay.ts";
import { growthAxes, type GrowthAxis, type GrowthRow, type KernelRow, type LeftOut } from "./report.ts";
import { measureStep, stepFlops, type StepBench, type StepCase, type StepCosts } from "./step.ts";

/** Where every axis begins: 784-128-10 at batch 64. */
const BASE: Readonly<Record<GrowthAxis, number>> = { batch: 64, width: 128, depth: 1 };

const powersOfTwo = (first: number, last: number): number[] =>
  Array.from({ length: Math.log2(last / first) + 1 }, (_, power) => first * 2 ** power);

const VALUES: Readonly<Record<GrowthAxis, readonly number[]>> = {
  batch: powersOfTwo(1, 8192),
  width: powersOfTwo(16, 4096),
  depth: powersOfTwo(1, 16),
};

/** Cases that would take longer, all told, are left out. */
export const MOST_SECONDS = 20;

export interface GrowthCase extends StepCase {
  readonly axis: GrowthAxis;
  readonly value: number;
}

/** All cases, each axis from its smallest value on. */
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

/** What the largest case so far took. */
export interface Experience extends StepCosts {
  readonly stepCase: StepCase;
  readonly stepSeconds: number;
}

/**
 * Seconds that a case will take: compiling by the number of layers; the CPU's and the GPU's steps by their operations.
 * @param timed seconds that are spent timing where steps are short
 */
export function predictSeconds(stepCase: StepCase, known: Experience, timed: number): number {
  const ratio = stepFlops(stepCase) / stepFlops(known.stepCase);
  const layers = (stepCase.hidden.length + 1) / (known.stepCase.hidden.length + 1);
  const step = known.stepSeconds * ratio;
  // A step to warm up and those that are timed; the ones that were compared are among checkSeconds.
  return known.compileSeconds * layers + known.checkSeconds * ratio + Math.max(timed, (1 + FEWEST_SAMPLES) * step);
}

/** Seconds that a kernel will take whose every run is long: one to compare, one to warm up, and those that are timed. */
export const predictKernelSeconds = (flops: number, known: Pick<KernelRow, "flops" | "seconds">): number =>
  (2 + FEWEST_SAMPLES) * known.seconds.median * (flops / known.flops);

/** Why something is left out that would take too long. */
export const tooLong = (what: string, seconds: number): string =>
  `${what} would take ${Math.round(seconds)} s by prediction, and ${MOST_SECONDS} s are the most`;

/** Takes what was measured, and what was left out, as it comes. */
export interface GrowthListener {
  measured(row: GrowthRow): void;
  leftOut(left: LeftOut): void;
  /** Runs a measurement; undefined where its result was wrong, which the listener has noted then. */
  attempt<Value>(name: string, measure: () => Promise<Value>): Promise<Value | undefined>;
}

/** Measures the cases that are wanted. */
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
      const size = `${networkName(stepCase.hidden)} at batch ${stepCase.batch}`;
      if (predicted > MOST_SECONDS) {
        listener.leftOut({ name: stepCase.name, why: tooLong(size, predicted) });
        continue;
      }
      // The axes cross where they begin.
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
    // Where the device was lost, the next case throws as well; where it cannot hold this case, the others go on.
    if (!(error instanceof DeviceError) || error.where === "WebGPU") throw error;
    listener.leftOut({ name, why: error.what });
    return undefined;
  }
}
