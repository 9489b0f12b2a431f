/*
 * How something that is compiled is timed: after a warm-up, several times, each time long enough for the clock.
 */
import type { Executable } from "../backends/backend.ts";
import { spreadOf, type Spread } from "./statistics.ts";

export interface TimingSettings {
  /** Measurements of each thing. */
  readonly samples: number;
  /** What one measurement by the wall clock should last at least. */
  readonly sampleSeconds: number;
  readonly warmUpSeconds: number;
  /** Where one measurement is long, fewer are made, at least three, so that all together last no longer. */
  readonly mostSeconds: number;
}

export const thorough: TimingSettings = { samples: 15, sampleSeconds: 0.03, warmUpSeconds: 0.15, mostSeconds: 3 };

export const quickly: TimingSettings = { samples: 5, sampleSeconds: 0.01, warmUpSeconds: 0.03, mostSeconds: 0.5 };

export const FEWEST_SAMPLES = 3;

/** The most steps in one submit: as many as the training loop puts there. */
const MOST_STEPS = 256;

/** Work that keeps the GPU awake until a measurement begins. */
const AHEAD_SECONDS = 0.002;

const now = () => performance.now() / 1000;

/** Something compiled, replayed again and again from a step on. */
export class Replay {
  readonly executable: Executable;
  readonly #settings: TimingSettings;
  #step: number;
  /** Of the last run, or of the longest that the warm-up made. */
  #stepSeconds = Infinity;

  constructor(executable: Executable, settings: TimingSettings, firstStep = 0) {
    this.executable = executable;
    this.#settings = settings;
    this.#step = firstStep;
  }

  /** Runs more and more steps at a time until one run lasts as long as the warm-up should. */
  async warmUp(): Promise<void> {
    let count = 1;
    for (;;) {
      const seconds = await this.#run(count);
      this.#stepSeconds = seconds / count;
      if (seconds >= this.#settings.warmUpSeconds || count === MOST_STEPS) return;
      count = Math.min(MOST_STEPS, 2 * count);
    }
  }

  /** Seconds of one step by the wall clock, after a warm-up. */
  async wallClock(): Promise<Spread> {
    const count = this.#stepsFor(this.#settings.sampleSeconds);
    const samples: number[] = [];
    for (let left = this.#samplesOf(count * this.#stepSeconds); left > 0; left--) {
      samples.push((await this.#run(count)) / count);
    }
    return spreadOf(samples);
  }

  /** Seconds of each dispatch of a step, and of their sum, by the GPU's clock, after a warm-up. */
  async timestamps(): Promise<{ each: Spread[]; sum: Spread }> {
    const samples: number[][] = [];
    // Without work ahead of it, a GPU that went to sleep between two measurements would time its own waking up.
    const ahead = Math.min(MOST_STEPS, Math.floor(AHEAD_SECONDS / this.#stepSeconds));
    for (let left = this.#samplesOf(2 * this.#stepSeconds); left > 0; left--) {
      const before = ahead > 0 ? this.#run(ahead) : undefined;
      const nanoseconds = await this.executable.profile!(this.#next(1));
      await before;
      samples.push(nanoseconds.map((time) => time / 1e9));
    }
    const each = this.executable.dispatches.map((_, position) => spreadOf(samples.map((times) => times[position]!)));
    return { each, sum: spreadOf(samples.map((times) => times.reduce((sum, time) => sum + time, 0))) };
  }

  /**
   * CPU seconds of the call that submits steps, until it returns: what a step adds to it, and what it takes besides, by
   * the fastest calls, as whatever else the CPU does makes others longer. Undefined where steps are so few or the
   * clock so coarse that calls of one step and of many cannot be told apart.
   */
  async encoding(): Promise<{ perStep: number; perSubmit: number } | undefined> {
    const many = Math.max(2, Math.min(64, this.#stepsFor(0.5)));
    let [one, all] = [Infinity, Infinity];
    for (let left = this.#samplesOf(many * this.#stepSeconds); left > 0; left--) {
      one = Math.min(one, await this.#call(1));
      all = Math.min(all, await this.#call(many));
    }
    const perStep = (all - one) / (many - 1);
    return perStep > 0 && perStep < one ? { perStep, perSubmit: one - perStep } : undefined;
  }

  /** Seconds until a run's call returns; the run is over when this is. */
  async #call(count: number): Promise<number> {
    const started = now();
    const running = this.executable.run(this.#next(count), count);
    const seconds = now() - started;
    await running;
    return seconds;
  }

  async #run(count: number): Promise<number> {
    const started = now();
    await this.executable.run(this.#next(count), count);
    return now() - started;
  }

  #next(count: number): number {
    const first = this.#step;
    this.#step += count;
    return first;
  }

  #stepsFor(seconds: number): number {
    return Math.max(1, Math.min(MOST_STEPS, Math.ceil(seconds / this.#stepSeconds)));
  }

  #samplesOf(seconds: number): number {
    const { samples, mostSeconds } = this.#settings;
    return Math.max(FEWEST_SAMPLES, Math.min(samples, Math.floor(mostSeconds / seconds)));
  }
}
