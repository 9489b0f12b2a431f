/*
 * The tuner while other work runs: between the submits of a training it measures one candidate at a time, within a time budget.
 * It changes no buffer of other sessions, and its choices change no bit.
 */
import type { Device } from "../../device/device.ts";
import { defineGraph, type Graph } from "../../graph/graph.ts";
import { sizeOf, type Tensor } from "../../graph/tensor.ts";
import { matrixProducts, type MatrixProduct } from "../../ops/matmul/index.ts";
import { productCase } from "../../ops/matmul/webgpu-tuning.ts";
import type { TuningCase } from "../../ops/kernel.ts";
import type { DispatchDescription } from "../backend.ts";
import type { WebGPUExecutable } from "./executable.ts";
import { launchLimitsOf } from "./rules.ts";
import { WebGPUSession } from "./session.ts";
import { TimeBudget, type TimeLimits } from "./time-budget.ts";
import type { Choices } from "./tuning-choices.ts";
import { fastestOf, sameBits } from "./tuning.ts";

/** Called when steps of an executable have finished, with the time since they were submitted. */
export type FinishedListener = (steps: number, milliseconds: number) => void;

/** A class to measure. */
interface Waiting {
  readonly entry: TuningCase;
  /** An upper bound of the milliseconds of one run, from the time of the step that contains it. */
  milliseconds(): number;
}

/** Operands and result together may have this many elements (16 MiB), since filling and keeping them must not disturb training. */
const MOST_ELEMENTS = 2 ** 22;

/** The number of elements of a result that are compared between candidates, at its end. */
const MOST_COMPARED = 2 ** 18;

/** The milliseconds that one measurement should take. */
const MEASURED = 1.5;

/** The most runs of one measurement. */
const MOST_REPEATED = 128;

/** The milliseconds to which Dawn rounds timestamps. */
const RESOLUTION = 0.065;

/** A candidate replaces the rule of thumb only if it takes at most this share of its time. */
const CLEARLY_FASTER = 0.95;

/** A candidate may take this many times the time of the tiling by rule of thumb. */
const SLOWEST = 2;

/** Measures the products of the graphs that a backend runs. */
export class BackgroundTuner {
  readonly #device: Device;
  readonly #choices: Choices;
  readonly #budget: TimeBudget;
  readonly #waiting = new Map<string, Waiting>();
  /** The classes that were measured or left out. */
  readonly #seen = new Set<string>();
  #session: WebGPUSession | undefined;
  #isWorking = false;
  #isStopped = false;
  /** Continues the work that waits for its turn. */
  #resume: (() => void) | undefined;
  readonly #clock: () => number;
  /** The longest time that JavaScript has worked at a time for the current class, in milliseconds. */
  #longestWork = 0;

  /**
   * @param device must have timestamps
   * @param clock the time in milliseconds; tests pass one of their own
   */
  constructor(device: Device, choices: Choices, limits?: TimeLimits, clock = () => performance.now()) {
    this.#device = device;
    this.#budget = new TimeBudget(limits);
    this.#choices = choices;
    this.#clock = clock;
  }

  /** Adds the products of a graph that was compiled. @returns what to call when its steps have finished */
  watch(graph: Graph, dispatches: readonly DispatchDescription[]): FinishedListener {
    const flops = dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
    let step = Infinity;
    for (const product of matrixProducts(graph)) {
      const entry = productCase(product);
      if (this.#seen.has(entry.kernelClass) || elementsOf(product) > MOST_ELEMENTS) continue;
      this.#seen.add(entry.kernelClass);
      if (this.#choices.current[entry.kernelClass] !== undefined) continue;
      this.#waiting.set(entry.kernelClass, { entry, milliseconds: () => (step * 2 * entry.work) / flops });
    }
    return (steps, milliseconds) => {
      if (steps > 0) step = Math.min(step, milliseconds / steps);
      this.#takeTurn();
    };
  }

  /** Ends the work and frees its memory. */
  stop(): void {
    this.#isStopped = true;
    this.#resume = undefined;
    this.#waiting.clear();
    this.#session?.dispose();
    this.#session = undefined;
  }

  #takeTurn(): void {
    if (this.#isStopped) return;
    this.#budget.earn(this.#clock());
    if (!this.#isWorking && this.#next()) void this.#work();
    if (!this.#budget.isOpen) return;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    try {
      for (let entry = this.#next(); entry; entry = this.#next()) {
        const { kernelClass } = entry;
        this.#waiting.delete(kernelClass);
        const choice = await this.#race(entry);
        if (choice !== undefined) await this.#choices.add({ [kernelClass]: choice });
      }
    } catch {
      // The device is gone or has too little memory, which sessions report where it concerns them, or choices cannot be stored.
      this.stop();
    } finally {
      this.#isWorking = false;
    }
  }

  /** The largest class whose candidates are not expected to delay a step for too long. */
  #next(): TuningCase | undefined {
    const affordable = [...this.#waiting.values()].filter(
      ({ milliseconds }) => SLOWEST * milliseconds() <= this.#budget.longestDelay,
    );
    return affordable.map(({ entry }) => entry).sort((a, b) => b.work - a.work)[0];
  }

  /** Waits for a time between submits when the budget allows work. It never does if the tuner was stopped. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#isStopped) this.#resume = resolve;
    });
  }

  /** @returns the choice for the class; undefined if even the first candidate takes too long, or to write its WGSL */
  async #race(entry: TuningCase): Promise<string | undefined> {
    await this.#turn();
    this.#longestWork = 0;
    const graph = this.#counted(() => defineGraph({ result: entry.build() }));
    let best: { readonly name: string; readonly milliseconds: number } | undefined;
    let expected: ArrayLike<number> | undefined;
    for (const name of entry.promisingChoices(launchLimitsOf(this.#device))) {
      const executable = await this.#compile(graph, name);
      if (this.#longestWork > this.#budget.longestDelay) {
        this.#release();
        return undefined;
      }
      // Drivers may compile when a kernel first runs, as lavapipe does.
      await this.#time(executable, 1);
      const first = await this.#time(executable, 1);
      if (first <= this.#budget.longestDelay) {
        const values = await executable.read("result", MOST_COMPARED);
        expected ??= values;
        const limit = best ? CLEARLY_FASTER * best.milliseconds : Infinity;
        const isSame = this.#counted(() => sameBits(values, expected!));
        const milliseconds = isSame ? await this.#fastest(executable, first, limit) : Infinity;
        if (milliseconds < limit) best = { name, milliseconds };
      }
      this.#release();
      if (!best) return undefined;
    }
    return best?.name;
  }

  /** Frees the memory of a candidate. */
  #release(): void {
    this.#session!.dispose();
    this.#session = undefined;
  }

  async #compile(graph: Graph, name: string): Promise<WebGPUExecutable> {
    await this.#turn();
    this.#session = new WebGPUSession(this.#device, {
      choiceOf: () => name,
      mergeKernels: false,
      counted: (work) => this.#counted(work),
    });
    return this.#session.compile(graph);
  }

  /** Does work that JavaScript waits for, and counts its time in the budget. */
  #counted<Value>(work: () => Value): Value {
    const began = this.#clock();
    const value = work();
    const milliseconds = this.#clock() - began;
    this.#longestWork = Math.max(this.#longestWork, milliseconds);
    this.#budget.spend(milliseconds);
    return value;
  }

  /** The time of one run. Measuring ends early if a candidate is clearly slower than the limit. */
  #fastest(executable: WebGPUExecutable, first: number, limit: number): Promise<number> {
    const steps = Math.max(1, Math.min(MOST_REPEATED, Math.floor(MEASURED / Math.max(first, RESOLUTION))));
    return fastestOf(() => this.#time(executable, steps), limit);
  }

  /** Runs steps when it is the tuner's turn. @returns the milliseconds of one by the GPU's clock */
  async #time(executable: WebGPUExecutable, steps: number): Promise<number> {
    await this.#turn();
    const milliseconds = await this.#counted(() => executable.time(steps));
    this.#budget.spend(milliseconds);
    return milliseconds / steps;
  }
}

function elementsOf({ rows, inner, columns, batch, virtual }: MatrixProduct): number {
  const matrices = batch ? sizeOf(batch.sizes) : 1;
  const read = (operand: Tensor | undefined, matrix: number) =>
    operand ? operand.inputs.reduce((sum, { size }) => sum + size, 0) : matrices * matrix;
  return read(virtual?.left, rows * inner) + read(virtual?.right, inner * columns) + matrices * rows * columns;
}
