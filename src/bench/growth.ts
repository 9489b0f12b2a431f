/*
 * Measures how the cost of a step grows with its sizes, varied one at a time.
 */
import { DeviceError } from "../errors.ts";
import { FEWEST_SAMPLES } from "./replay.ts";
import { growthAxes, type GrowthAxis, type GrowthRow, type KernelRow, type LeftOut, type StepRow } from "./report.ts";
import { denseStep, gptStep, type StepCase } from "./step-cases.ts";
import { COMPARED_STEPS, measureStep, type StepBench, type StepCosts } from "./step.ts";

/** The base case of every axis: 784-128-10 at batch size 64, and a GPT of width 128 with two windows of 64 tokens. */
const BASE: Readonly<Record<GrowthAxis, number>> = { batch: 64, width: 128, depth: 1, context: 64, "text-width": 128 };

const TEXT_BATCH = 2;

const powersOfTwo = (first: number, last: number): number[] =>
  Array.from({ length: Math.log2(last / first) + 1 }, (_, power) => first * 2 ** power);

const VALUES: Readonly<Record<GrowthAxis, readonly number[]>> = {
  batch: powersOfTwo(1, 8192),
  width: powersOfTwo(16, 4096),
  depth: powersOfTwo(1, 16),
  context: powersOfTwo(16, 512),
  "text-width": powersOfTwo(32, 512),
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
      const sizes = { ...BASE, [axis]: value };
      return { ...stepOf(axis, `growth ${axis} ${value}`, sizes), axis, value };
    }),
  );
}

function stepOf(axis: GrowthAxis, name: string, sizes: Readonly<Record<GrowthAxis, number>>): StepCase {
  const { batch, width, depth, context } = sizes;
  if (axis === "context" || axis === "text-width")
    return gptStep(name, { context, width: sizes["text-width"], batch: TEXT_BATCH });
  return denseStep(name, { hidden: new Array<number>(depth).fill(width), batch });
}

/** The costs of the largest case so far. */
export interface Experience extends StepCosts {
  readonly stepCase: StepCase;
  readonly stepSeconds: number;
}

/**
 * Predicts the seconds of a case: preparing it in proportion to the number of layers, and steps to their FLOPs.
 * @param timed seconds that are spent on timing if steps are short
 */
export function predictSeconds(stepCase: StepCase, known: Experience, timed: number): number {
  const ratio = stepCase.flops / known.stepCase.flops;
  const layers = stepCase.layers / known.stepCase.layers;
  const step = known.stepSeconds * ratio;
  // The compared steps, one step of warm-up, and the timed steps.
  const steps = COMPARED_STEPS * step + Math.max(timed, (1 + FEWEST_SAMPLES) * step);
  return known.preparationSeconds * layers + known.referenceSeconds * ratio + steps;
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
    let before: { readonly experience: Experience; readonly row: GrowthRow } | undefined;
    for (const stepCase of cases.filter((each) => each.axis === axis)) {
      const predicted = before ? predictSeconds(stepCase, before.experience, bench.settings.mostSeconds) : 0;
      const size = sizeText(stepCase);
      if (predicted > MOST_SECONDS) {
        listener.leftOut({ name: stepCase.name, why: tooLong(size, predicted) });
        continue;
      }
      // The base case is on several axes, and is measured only once.
      const found = measured.get(size) ?? (await measureCase(bench, stepCase, listener));
      if (!found) continue;
      measured.set(size, found);
      const row = growthRow(stepCase, found.row, before?.row);
      listener.measured(row);
      before = { experience: { stepCase, stepSeconds: row.seconds.median, ...found.costs }, row };
    }
  }
}

/** What is trained, such as "784-128-10 at batch size 64". */
const sizeText = ({ network, context, batch }: StepCase) =>
  `${network}${context === undefined ? "" : ` with context ${context}`} at batch size ${batch}`;

function growthRow({ name, axis, value, context }: GrowthCase, row: StepRow, before?: GrowthRow): GrowthRow {
  const slope = before && Math.log(row.seconds.median / before.seconds.median) / Math.log(value / before.value);
  return {
    ...row,
    name,
    axis,
    value,
    ...(slope !== undefined && { slope }),
    ...(context !== undefined && { tokensPerSecond: context * row.imagesPerSecond }),
  };
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
