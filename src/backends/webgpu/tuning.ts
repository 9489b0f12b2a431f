/*
 * The fastest way to divide a kernel's work differs between GPUs, and no rule of thumb fits all of them. The tuner
 * measures the candidates on the actual adapter, one class of kernels after the other. The caller stores its choices.
 * All candidates give the same bits, so a choice affects only the speed. This is the tuner on request;
 * background-tuning.ts tunes while other work runs. The first step never waits for either.
 */
import type { Device } from "../../device/device.ts";
import { defineGraph } from "../../graph/graph.ts";
import type { TuningCase } from "../../ops/kernel.ts";
import type { MatrixProduct } from "../../ops/matmul/index.ts";
import { productCase } from "../../ops/matmul/webgpu-tuning.ts";
import { launchLimitsOf } from "./rules.ts";
import { WebGPUSession } from "./session.ts";
import type { TuningChoices } from "./tuning-choices.ts";

/** The time of one candidate for one class. */
export interface CaseResult {
  readonly kernelClass: string;
  readonly choice: string;
  /** The fastest run in milliseconds; undefined if the candidate gave other bits and was rejected. */
  readonly milliseconds: number | undefined;
}

/** Options of tuning. */
export interface TuningOptions {
  /** Whether to measure all candidates of all classes, however long it takes; false by default. */
  readonly full?: boolean;
  /**
   * Unless `full`: no further candidate is started after this number of milliseconds; 300 by default. The half second of work that
   * raises the clock rate of an idle GPU does not count.
   */
  readonly budget?: number;
}

/** The result of tuning. */
export interface Tuned {
  /** The fastest candidate of each class that was measured. */
  readonly choices: TuningChoices;
  /** The classes that were not measured in time. They keep their previous choice. */
  readonly untimed: readonly string[];
}

/** Candidates that are compiled in parallel. */
const BATCH = 4;

/**
 * The time limit for measuring one candidate, in milliseconds, so that a full tuning takes seconds, apart from
 * compiling.
 */
const CANDIDATE_MILLISECONDS = { full: 20, brief: 5 };

/** The measurements of a candidate, and the most runs of one. */
const MEASUREMENTS = 3;
const MOST_RUNS = 256;

/** Before the first measurement a hardware adapter works for this time, since an idle GPU has a low clock rate. */
const WARM_UP_MILLISECONDS = 500;

/** A candidate that is slower than the best by this factor is not measured further. */
const CLEARLY_SLOWER = 1.25;

/**
 * Measures the candidates for each class of the given products, the largest products first. By default it tries the promising
 * candidates within a time budget.
 * @param report called with each result
 */
export async function tuneProducts(
  device: Device,
  products: readonly MatrixProduct[],
  report: (result: CaseResult) => void,
  { full = false, budget = 300 }: TuningOptions = {},
): Promise<Tuned> {
  let deadline = full ? Infinity : performance.now() + budget;
  const limits = launchLimitsOf(device);
  let isWarm = limits.software;
  const warmUp = async (executable: Runner) => {
    if (isWarm) return;
    isWarm = true;
    const began = performance.now();
    while (performance.now() - began < WARM_UP_MILLISECONDS) await executable.run(0, 16);
    deadline += performance.now() - began;
  };
  const classes = new Map(
    products
      .map(productCase)
      .sort((a, b) => b.work - a.work)
      .map((entry) => [entry.kernelClass, entry]),
  );
  const choices: Record<string, string> = {};
  const untimed: string[] = [];
  for (const [kernelClass, entry] of classes) {
    const candidates = full ? entry.choices(limits) : entry.promisingChoices(limits);
    const race = new Race(device, entry, full ? CANDIDATE_MILLISECONDS.full : CANDIDATE_MILLISECONDS.brief);
    for (let first = 0; first < candidates.length && performance.now() < deadline; first += BATCH) {
      const batch = candidates.slice(first, first + BATCH);
      await race.enter(batch, warmUp, (choice, milliseconds) => report({ kernelClass, choice, milliseconds }));
    }
    if (race.fastest === undefined) untimed.push(kernelClass);
    else choices[kernelClass] = race.fastest;
  }
  return { choices, untimed };
}

/** Compares the candidates of one class. */
class Race {
  readonly #device: Device;
  readonly #case: TuningCase;
  readonly #milliseconds: number;
  #expected: ArrayLike<number> | undefined;
  #best = Infinity;
  fastest: string | undefined;

  constructor(device: Device, entry: TuningCase, milliseconds: number) {
    this.#device = device;
    this.#case = entry;
    this.#milliseconds = milliseconds;
  }

  /** Compiles candidates in parallel, then measures one after the other. */
  async enter(
    names: readonly string[],
    warmUp: (executable: Runner) => Promise<void>,
    report: (choice: string, milliseconds: number | undefined) => void,
  ): Promise<void> {
    const sessions = names.map(
      (name) => new WebGPUSession(this.#device, { choiceOf: () => name, mergeKernels: false }),
    );
    try {
      const graph = defineGraph({ result: this.#case.build() });
      const executables = await Promise.all(sessions.map((session) => session.compile(graph)));
      await warmUp(executables[0]!);
      for (const [position, executable] of executables.entries()) {
        const milliseconds = await timeCandidate(executable, this.#milliseconds, this.#best);
        const values = await executable.read("result");
        this.#expected ??= values;
        const same = sameBits(values, this.#expected);
        report(names[position]!, same ? milliseconds : undefined);
        if (!same || milliseconds >= this.#best) continue;
        this.#best = milliseconds;
        this.fastest = names[position]!;
      }
    } finally {
      for (const session of sessions) session.dispose();
    }
  }
}

/** Whether two results have the same bits, apart from those of NaN. */
export function sameBits(values: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  for (let index = 0; index < expected.length; index++) if (!Object.is(values[index], expected[index])) return false;
  return true;
}

interface Runner {
  run(first: number, count: number): Promise<unknown>;
}

/**
 * The milliseconds of one run: the fastest of three measurements, or of fewer if it is clearly slower than the best candidate. A
 * single run lasts as long as a GPU takes to answer, so that a measurement of several runs decides.
 * @param budget the milliseconds that all measurements together should take
 */
export async function timeCandidate(
  executable: Runner,
  budget: number,
  best: number,
  clock = () => performance.now(),
): Promise<number> {
  const timed = async (runs: number) => {
    const began = clock();
    await executable.run(0, runs);
    return (clock() - began) / runs;
  };
  // A driver may compile when a kernel first runs (on lavapipe this takes some tenths of a second).
  await executable.run(0, 1);
  const single = Math.min(await timed(1), await timed(1));
  const runs = Math.max(1, Math.min(MOST_RUNS, Math.floor(budget / MEASUREMENTS / single)));
  return fastestOf(() => timed(runs), best, runs === 1 ? single : Infinity);
}

/**
 * The fastest of three measurements, or of fewer if it is clearly slower than the best candidate.
 * @param fastest what was measured before; Infinity for nothing, which is no reason to measure nothing
 */
export async function fastestOf(measure: () => Promise<number>, best: number, fastest = Infinity): Promise<number> {
  const isSlow = () => fastest < Infinity && fastest > CLEARLY_SLOWER * best;
  for (let measurement = 0; measurement < MEASUREMENTS && !isSlow(); measurement++)
    fastest = Math.min(fastest, await measure());
  return fastest;
}
