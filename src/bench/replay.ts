/*
 * Times an executable: after a warm-up, several samples, each long enough for the clock.
 */
import type { Executable } from "../backends/backend.ts";
import { spreadOf, type Spread } from "./statistics.ts";

/** How long and how often to measure. */
export interface TimingSettings {
  /** The number of samples. */
  readonly samples: number;
  /** The minimum duration of a sample measured with the wall clock. */
  readonly sampleSeconds: number;
  readonly warmUpSeconds: number;
  /** The maximum duration of all samples together; long samples are reduced in number, to at least three. */
  readonly mostSeconds: number;
}

export const thorough: TimingSettings = { samples: 15, sampleSeconds: 0.03, warmUpSeconds: 0.15, mostSeconds: 3 };

export const quickly: TimingSettings = { samples: 5, sampleSeconds: 0.01, warmUpSeconds: 0.03, mostSeconds: 0.5 };

/**
 * An idle GPU has a low clock rate: an H100 ran at 345 of 1,980 MHz, and kernels that were timed a few milliseconds after a pause took
 * up to five times as long. So hardware works for this time before anything is timed.
 */
const HARDWARE_WARM_UP_SECONDS = 0.5;

/** Settings for a device. */
export const settingsFor = (settings: TimingSettings, { software }: { readonly software: boolean }): TimingSettings =>
  software ? settings : { ...settings, warmUpSeconds: Math.max(settings.warmUpSeconds, HARDWARE_WARM_UP_SECONDS) };

export const FEWEST_SAMPLES = 3;

/** The most steps in one submit, as in the training loop. */
const MOST_STEPS = 256;

/** The duration of the work that keeps the GPU awake until a sample begins. */
const AHEAD_SECONDS = 0.002;

const now = () => performance.now() / 1000;

/** Runs an executable repeatedly, with consecutive steps. */
export class Replay {
  readonly executable: Executable;
  readonly #settings: TimingSettings;
  #step: number;
  /** Seconds per step in the longest run of the warm-up. */
  #stepSeconds = Infinity;

  constructor(executable: Executable, settings: TimingSettings, firstStep = 0) {
    this.executable = executable;
    this.#settings = settings;
    this.#step = firstStep;
  }

  /**
   * Doubles the number of steps per run until a run lasts as long as the warm-up should, or all runs together if no more steps fit into
   * one.
   */
  async warmUp(): Promise<void> {
    const { warmUpSeconds } = this.#settings;
    const began = now();
    let count = 1;
    for (;;) {
      const seconds = await this.#run(count);
      this.#stepSeconds = seconds / count;
      if (seconds >= warmUpSeconds || (count === MOST_STEPS && now() - began >= warmUpSeconds)) return;
      count = Math.min(MOST_STEPS, 2 * count);
    }
  }

  /** Seconds per step by the wall clock. Call `warmUp` first. */
  async wallClock(): Promise<Spread> {
    const count = this.#stepsFor(this.#settings.sampleSeconds);
    const samples: number[] = [];
    for (let left = this.#samplesOf(count * this.#stepSeconds); left > 0; left--) {
      samples.push((await this.#run(count)) / count);
    }
    return spreadOf(samples);
  }

  /** Seconds of each dispatch of a step, and of their sum, by the GPU's timestamps. Call `warmUp` first. */
  async timestamps(): Promise<{ each: Spread[]; sum: Spread }> {
    const samples: number[][] = [];
    // Without work ahead of it, a GPU that went to sleep between two samples would include the time to wake up.
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
   * CPU seconds of the call that submits steps: the cost per step, and the constant cost per submit. It uses the fastest
   * calls, because other work of the CPU slows some of them down.
   * @returns undefined if the clock is too coarse to distinguish calls with one step from calls with many
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

  /** Seconds until the call returns. The promise resolves when the run has finished. */
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
