/*
 * Which way of dividing a kernel's work is fastest differs from GPU to GPU, and no rule of thumb knows them all. The tuner
 * times the candidates on the adapter at hand, one class of kernels after the other. The caller keeps its choices. As
 * every way gives the same bits, a choice changes speed and nothing else. Nothing tunes unless it is asked to, so no
 * first step waits for it.
 */
import type { Device } from "../../device/device.ts";
import { defineGraph } from "../../graph/graph.ts";
import type { TuningCase } from "../../ops/kernel.ts";
import { version } from "../../version.ts";
import { launchLimitsOf } from "./rules.ts";
import { WebGPUSession } from "./session.ts";

/** Where choices are kept between processes, under a key that names adapter and library. */
export interface TuningStore {
  /** The text saved under the key, or undefined. */
  load(key: string): Promise<string | undefined>;
  /** Keeps a text under a key, in place of what was there. */
  save(key: string, text: string): Promise<void>;
}

/** The name of the fastest way to divide the work, for each class of kernels. */
export type TuningChoices = Readonly<Record<string, string>>;

/** Choices hold for this adapter, driver and version of wgrad. */
export function tuningKey({ gpu: { adapterInfo: info } }: Device): string {
  return ["wgrad", version, info.vendor, info.architecture, info.device, info.description].join("|");
}

/**
 * Reads kept choices; what cannot be read is ignored, with one line that says so.
 * @param log takes that line
 */
export async function loadChoices(
  store: TuningStore,
  key: string,
  log: (line: string) => void,
): Promise<TuningChoices> {
  try {
    const text = await store.load(key);
    if (text === undefined) return {};
    const kept: unknown = JSON.parse(text);
    if (isChoices(kept)) return kept;
    log("The tuner's kept choices are not of the form that this version writes; they are ignored.");
  } catch (error) {
    log(
      `The tuner's kept choices cannot be read (${error instanceof Error ? error.message : String(error)}); they are ignored.`,
    );
  }
  return {};
}

function isChoices(kept: unknown): kept is TuningChoices {
  return (
    typeof kept === "object" &&
    kept !== null &&
    !Array.isArray(kept) &&
    Object.values(kept).every((name) => typeof name === "string")
  );
}

/** One candidate's time for one class. */
export interface CaseResult {
  readonly kernelClass: string;
  readonly choice: string;
  /** The fastest run of the case, in milliseconds; undefined where the candidate gave other bits and is out. */
  readonly milliseconds: number | undefined;
}

/** How long a tuning may take, and how much it tries. */
export interface TuningOptions {
  /** Time every way for every class, however long that takes; false by default. */
  readonly full?: boolean;
  /** Unless full: once so many milliseconds have passed, no further candidate is begun; 300 by default. */
  readonly budget?: number;
}

/** What a tuning found, and what it had no time for. */
export interface Tuned {
  /** The fastest way of each class that was timed. */
  readonly choices: TuningChoices;
  /** The classes that time ran out for: what chose for them before goes on. */
  readonly untimed: readonly string[];
}

/** Candidates compiled at a time, side by side. */
const BATCH = 4;

/** What timing one candidate may take, in milliseconds, so that a full sweep is a matter of seconds besides compiling. */
const CANDIDATE_MILLISECONDS = { full: 20, brief: 5 };

/** A candidate that takes so many times the best time is timed no longer. */
const CLEARLY_SLOWER = 1.25;

/**
 * Times the ways to divide the work of each class of the cases given, the largest cases first: by default those that may
 * well be fastest, within a budget of time.
 * @param report takes each result as it comes
 */
export async function tune(
  device: Device,
  cases: readonly TuningCase[],
  report: (result: CaseResult) => void,
  { full = false, budget = 300 }: TuningOptions = {},
): Promise<Tuned> {
  const deadline = full ? Infinity : performance.now() + budget;
  const limits = launchLimitsOf(device);
  const classes = new Map([...cases].sort((a, b) => b.work - a.work).map((entry) => [entry.kernelClass, entry]));
  const choices: Record<string, string> = {};
  const untimed: string[] = [];
  for (const [kernelClass, entry] of classes) {
    const candidates = full ? entry.choices(limits) : entry.promisingChoices(limits);
    const race = new Race(device, entry, full ? CANDIDATE_MILLISECONDS.full : CANDIDATE_MILLISECONDS.brief);
    for (let first = 0; first < candidates.length && performance.now() < deadline; first += BATCH) {
      const batch = candidates.slice(first, first + BATCH);
      await race.enter(batch, (choice, milliseconds) => report({ kernelClass, choice, milliseconds }));
    }
    if (race.fastest === undefined) untimed.push(kernelClass);
    else choices[kernelClass] = race.fastest;
  }
  return { choices, untimed };
}

/** The candidates of one class against each other. */
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

  /** Compiles candidates side by side, then times one after the other. */
  async enter(
    names: readonly string[],
    report: (choice: string, milliseconds: number | undefined) => void,
  ): Promise<void> {
    const sessions = names.map((name) => new WebGPUSession(this.#device, { choiceOf: () => name }));
    try {
      const graph = defineGraph({ result: this.#case.build() });
      const executables = await Promise.all(sessions.map((session) => session.compile(graph)));
      for (const [position, executable] of executables.entries()) {
        const milliseconds = await this.#time(executable);
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

  async #time(executable: Runner): Promise<number> {
    // A driver may compile when a kernel first runs (lavapipe takes some tenths of a second for it).
    await executable.run(0, 1);
    let milliseconds = Math.min(await timeRuns(executable, 1), await timeRuns(executable, 1));
    const steps = Math.max(1, Math.min(256, Math.floor(this.#milliseconds / 3 / milliseconds)));
    for (let repetition = 0; repetition < 3 && milliseconds <= CLEARLY_SLOWER * this.#best; repetition++) {
      milliseconds = Math.min(milliseconds, await timeRuns(executable, steps));
    }
    return milliseconds;
  }
}

function sameBits(values: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  for (let index = 0; index < expected.length; index++) if (!Object.is(values[index], expected[index])) return false;
  return true;
}

interface Runner {
  run(first: number, count: number): Promise<unknown>;
}

async function timeRuns(executable: Runner, steps: number): Promise<number> {
  const began = performance.now();
  await executable.run(0, steps);
  return (performance.now() - began) / steps;
}
