/*
 * The training of one trial of a sweep, from its beginning or from a checkpoint, on whatever prepares it: the command line
 * from its options, a browser from what the server has for it.
 */
import { DivergedError } from "../../errors.ts";
import { loadCheckpoint, saveCheckpoint, type LoadedState } from "../../formats/checkpoint.ts";
import { saveModel, type TrainedModel } from "../../formats/model.ts";
import type {
  Checkpoint,
  CheckpointOptions,
  Snapshot,
  Stop,
  StoppingMemory,
  StoppingOptions,
  StoppingProgress,
  Trainer,
} from "../../train/index.ts";
import { isSameRun, keptStopping, readStopping, type RunIdentity } from "../../train/kept-state.ts";
import { resultFacts, type Measurement } from "../../train/measurement.ts";
import type { TrialResult } from "./events.ts";
import { stepsOfRung, type Rungs } from "./trial.ts";

/** A trial that can be trained on a device. */
export interface TrialSubject {
  readonly trainer: Trainer;
  /** Whether the device computes in this thread. */
  readonly computesHere: boolean;
  /** Trains to the end, or until one of the trial's own criteria is met. */
  fit(
    options: Pick<StoppingOptions, "signal" | "checkpoint" | "memory" | "pauseEvery">,
  ): AsyncGenerator<StoppingProgress, Stop, undefined>;
  /** Measures the current parameters on the held-out examples. */
  measure(): Promise<Measurement & { readonly name: string }>;
  /** The model after some steps, with everything that its file stores except results. */
  modelAfter(step: number): TrainedModel;
}

/** Prepares a trial. */
export interface TrialSource {
  /** What must be equal for a trial to continue from a checkpoint. */
  identify(): RunIdentity;
  /** Prepares the trial at a snapshot, or at its beginning. */
  prepare(resumeFrom: Snapshot | undefined): Promise<TrialSubject>;
}

/** How a trial is trained. */
export interface TrialOptions {
  /** Stops training after the steps in flight. */
  readonly signal: AbortSignal;
  /** The rung at which training ends; undefined if the trial is trained to its end. */
  readonly rung?: Rungs & { readonly index: number };
  /** A checkpoint to continue from. It is ignored if it is damaged or of another run. */
  readonly checkpoint?: Uint8Array | undefined;
  /** When checkpoints are saved, and how. */
  readonly saving?: Pick<CheckpointOptions, "everySteps" | "everySeconds"> & {
    save(bytes: Uint8Array, step: number, totalSteps: number): Promise<void>;
  };
  /** Called before the first step, with the number of steps that were made before. */
  started?(step: number): Promise<void>;
  /** Called now and then with the progress. */
  progress?(progress: StoppingProgress): void;
  /** Lets this thread do other work. */
  rest(): Promise<void>;
}

/** A trial that was trained. */
export interface TrainedTrial {
  readonly outcome: Measurement & { readonly name: string };
  readonly result: TrialResult;
  /** The file of the model, with its results. */
  model(): Promise<Uint8Array>;
  /** The state of the training, from which the next rung continues. */
  checkpoint(): Promise<Uint8Array>;
}

/** A run has diverged if its validation loss is more than this many times the loss before the first step. */
const MOST_LOSS_GROWTH = 100;

/** What a checkpoint of a trial stores besides the state of its training. */
interface KeptTrial {
  readonly initialLoss: number;
  readonly seconds: number;
}

/**
 * Trains a trial, and hands it to `use`. Its device memory is freed afterwards.
 * @returns the value of `use`; undefined if training was interrupted
 */
export async function withTrainedTrial<Value>(
  source: TrialSource,
  options: TrialOptions,
  use: (trained: TrainedTrial) => Promise<Value>,
): Promise<Value | undefined> {
  const identity = options.rung || options.saving ? source.identify() : undefined;
  const resumed = options.checkpoint && identity && resumable(options.checkpoint, identity);
  const subject = await source.prepare(resumed);
  try {
    const trained = await new TrialTraining({ subject, options, identity, resumed }).train();
    return trained && (await use(trained));
  } finally {
    subject.trainer.dispose();
  }
}

/** The state in a checkpoint; undefined if it is damaged or of another run. */
function resumable(bytes: Uint8Array, identity: RunIdentity): LoadedState | undefined {
  try {
    const { state } = loadCheckpoint(bytes, "checkpoint");
    return isSameRun(state.run["identity"], identity) && isKept(state.run["trial"]) ? state : undefined;
  } catch {
    return undefined;
  }
}

const isKept = (value: unknown): value is KeptTrial =>
  typeof value === "object" &&
  value !== null &&
  [(value as KeptTrial).initialLoss, (value as KeptTrial).seconds].every((number) => Number.isFinite(number));

/** A device that computes in this thread leaves the event loop at least after this number of steps. */
const STEPS_PER_TURN = 10;

interface TrainingParts {
  readonly subject: TrialSubject;
  readonly options: TrialOptions;
  readonly identity: RunIdentity | undefined;
  readonly resumed: LoadedState | undefined;
}

class TrialTraining {
  readonly #subject: TrialSubject;
  readonly #options: TrialOptions;
  readonly #identity: RunIdentity | undefined;
  readonly #memory: StoppingMemory = {};
  readonly #kept: KeptTrial | undefined;
  readonly #began = performance.now();
  #initialLoss = NaN;

  constructor({ subject, options, identity, resumed }: TrainingParts) {
    [this.#subject, this.#options, this.#identity] = [subject, options, identity];
    if (!resumed) return;
    this.#kept = resumed.run["trial"] as KeptTrial;
    this.#memory.state = readStopping(resumed.run, resumed.best);
  }

  /** @returns undefined if training was interrupted */
  async train(): Promise<TrainedTrial | undefined> {
    const { trainer } = this.#subject;
    this.#initialLoss = this.#kept?.initialLoss ?? (await this.#subject.measure()).evaluation.loss;
    await this.#options.started?.(trainer.step);
    const stop = await this.#fit();
    if (stop === undefined) return undefined;
    const outcome = await this.#subject.measure();
    const hasDiverged = stop === "diverged" || !(outcome.evaluation.loss <= MOST_LOSS_GROWTH * this.#initialLoss);
    const result = { ...scoreOf(outcome, hasDiverged), steps: trainer.step, stop, seconds: this.#seconds };
    const checkpoint = async () => this.#checkpointBytes((await trainer.snapshot()) as Checkpoint);
    return { outcome, result, checkpoint, model: () => this.#modelFile(outcome) };
  }

  async #modelFile(outcome: TrainedTrial["outcome"]): Promise<Uint8Array> {
    const { step, parameters } = await this.#subject.trainer.snapshot();
    return saveModel({ ...this.#subject.modelAfter(step), results: resultFacts(outcome.name, outcome) }, parameters);
  }

  get #seconds(): number {
    return (this.#kept?.seconds ?? 0) + (performance.now() - this.#began) / 1000;
  }

  /** The step after which this part of the trial ends. */
  get #end(): number {
    const { rung } = this.#options;
    const { totalSteps } = this.#subject.trainer;
    return rung ? stepsOfRung(rung, rung.index, totalSteps) : totalSteps;
  }

  /** @returns why training stopped; undefined if it was interrupted */
  async #fit(): Promise<string | undefined> {
    const { trainer } = this.#subject;
    const isPart = this.#end < trainer.totalSteps;
    if (isPart && trainer.step >= this.#end) return "rung";
    const steps = this.#subject.fit(this.#fitOptions());
    try {
      for (;;) {
        const next = await steps.next();
        if (next.done) return next.value.kind === "aborted" ? undefined : next.value.kind;
        if (isPart && next.value.step === this.#end) return "rung";
        this.#options.progress?.(next.value);
        await this.#options.rest();
      }
    } catch (error) {
      // Other trials continue. This one is evaluated with the parameters from before the step that diverged.
      if (error instanceof DivergedError) return "diverged";
      throw error;
    } finally {
      await steps.return(undefined as never);
    }
  }

  #fitOptions(): Parameters<TrialSubject["fit"]>[0] {
    const { signal, saving } = this.#options;
    const { computesHere, trainer } = this.#subject;
    const { totalSteps } = trainer;
    const options = {
      signal,
      memory: this.#memory,
      pauseEvery: saving && computesHere ? [this.#end, STEPS_PER_TURN] : this.#end,
    };
    if (!saving) return options;
    const { save: saveBytes, ...interval } = saving;
    const save = async (checkpoint: Checkpoint) => {
      // The end of the trial follows at once.
      if (checkpoint.step < totalSteps) await saveBytes(this.#checkpointBytes(checkpoint), checkpoint.step, totalSteps);
    };
    return { ...options, checkpoint: { ...interval, save } };
  }

  #checkpointBytes({ step, ...state }: Checkpoint): Uint8Array {
    const stopping = keptStopping(this.#memory);
    const trial: KeptTrial = { initialLoss: this.#initialLoss, seconds: this.#seconds };
    const run = { identity: this.#identity, trial, ...stopping.run };
    return saveCheckpoint(this.#subject.modelAfter(step), { ...state, run, ...stopping.state });
  }
}

/** The score is the validation loss; null if training diverged. */
function scoreOf(
  { evaluation, regression, language }: Measurement,
  hasDiverged: boolean,
): Pick<TrialResult, "score" | "metrics"> {
  const { loss, accuracy } = evaluation;
  return {
    score: hasDiverged ? null : loss,
    metrics: { loss, ...(regression ?? language ?? { accuracy }) },
  };
}
