/*
 * A shared run within one process: the workers take turns on one device. It gives the same bits as the same workers on
 * several machines, and repeats the log of such a run.
 */
import { DataError, OptionError } from "../../errors.ts";
import type { AnyModel } from "../../nn/functional.ts";
import { createTrainer, type Evaluation, type Trainer, type TrainerOptions } from "../../train/index.ts";
import type { ChangeType } from "./encode.ts";
import { flattened, layoutOf, unflattened, type ValueLayout } from "./layout.ts";
import { defaultOuter, type OuterOptions } from "./outer.ts";
import { RoundTrainer } from "./round-trainer.ts";
import {
  commitRound,
  firstState,
  isFinished,
  tasksOf,
  type Commit,
  type Contribution,
  type SharedOptions,
  type SharedState,
} from "./rounds.ts";

/** How workers share a run. */
export interface SharingOptions {
  /** The ids of the workers. */
  readonly workers: readonly string[];
  /** H, the maximum number of steps of a worker in a round, at least 1; 100 by default. */
  readonly innerSteps?: number;
  readonly outer?: OuterOptions;
  /** "float16" by default. */
  readonly changeType?: ChangeType;
}

/** The options of the trainers. Their moving averages would be those of single workers, so none are kept. */
export type WorkerTrainerOptions = Omit<TrainerOptions<AnyModel>, "resumeFrom" | "averageDecay">;

/** A round of a shared run, and the model's values after it. */
export interface CommittedRound {
  readonly commit: Commit;
  readonly state: SharedState;
}

/** Trains the workers of a shared run one after the other. */
export class SharedRun {
  readonly layout: ValueLayout;
  readonly options: SharedOptions;
  readonly #trainerOptions: WorkerTrainerOptions;
  readonly #workers: readonly string[];
  readonly #trainers = new Map<string, RoundTrainer>();
  #state: SharedState;

  /** @throws OptionError, as `createTrainer` does */
  static async create(trainerOptions: WorkerTrainerOptions, sharing: SharingOptions): Promise<SharedRun> {
    requireWorkers(sharing.workers);
    const trainer = await createTrainer(trainerOptions);
    try {
      const layout = layoutOf(trainerOptions.model);
      const { parameters } = await trainer.snapshot();
      return new SharedRun(trainerOptions, sharing, trainer, flattened(layout, parameters));
    } finally {
      trainer.dispose();
    }
  }

  private constructor(
    trainerOptions: WorkerTrainerOptions,
    { workers, innerSteps = 100, outer = defaultOuter, changeType = "float16" }: SharingOptions,
    { totalSteps }: Pick<Trainer, "totalSteps">,
    values: Float32Array,
  ) {
    this.#trainerOptions = trainerOptions;
    this.#workers = workers;
    this.layout = layoutOf(trainerOptions.model);
    this.options = { innerSteps, outer, changeType, totalSteps };
    this.#state = firstState(values, this.options);
  }

  get state(): SharedState {
    return this.#state;
  }

  /** The values of the model by name. */
  get parameters(): ReturnType<typeof unflattened> {
    return unflattened(this.layout, this.#state.values);
  }

  /** Trains and commits the rounds that are left. */
  async *rounds(): AsyncGenerator<CommittedRound, void, undefined> {
    while (!isFinished(this.#state, this.options)) {
      const tasks = tasksOf(this.#state, this.#workers, this.options);
      const contributions: Contribution[] = [];
      for (const task of tasks) {
        const trainer = await this.#trainerOf(task.worker);
        contributions.push(await trainer.train(task, this.#state.values));
      }
      yield this.#commit(tasks, contributions);
    }
  }

  /**
   * Repeats the rounds of a log.
   * @throws DataError for a round that gives other values than the log says
   */
  async *replay(log: Iterable<Commit>): AsyncGenerator<CommittedRound, void, undefined> {
    for (const recorded of log) {
      const { tasks, participants, innerSteps } = recorded;
      const contributions: Contribution[] = [];
      for (const { worker, ownStep } of participants) {
        // A trainer that had made no steps is another one of the same id, after the first was lost.
        const trainer = await this.#trainerOf(worker, ownStep === 0);
        const task = tasks.find((one) => one.worker === worker)!;
        contributions.push(await trainer.train(task, this.#state.values));
      }
      const round = this.#commit(tasks, contributions, innerSteps);
      requireEqual(recorded, round.commit);
      yield round;
    }
  }

  /** The loss, accuracy and metrics of the current values. */
  async evaluate(dataset: Parameters<Trainer["evaluate"]>[0]): Promise<Evaluation> {
    const trainer = await this.#trainerOf(this.#workers[0]!);
    return trainer.evaluate(this.#state.values, dataset);
  }

  dispose(): void {
    for (const trainer of this.#trainers.values()) trainer.dispose();
    this.#trainers.clear();
  }

  #commit(
    tasks: Commit["tasks"],
    contributions: readonly Contribution[],
    innerSteps = this.options.innerSteps,
  ): CommittedRound {
    const options = { ...this.options, innerSteps, layout: this.layout };
    const round = commitRound(this.#state, tasks, contributions, options);
    this.#state = round.state;
    for (const { worker } of contributions) this.#trainers.get(worker)!.accept();
    return round;
  }

  async #trainerOf(worker: string, isNew = false): Promise<RoundTrainer> {
    const known = this.#trainers.get(worker);
    if (known && !isNew) return known;
    known?.dispose();
    const trainer = await createTrainer(this.#trainerOptions);
    const { changeType } = this.options;
    const made = new RoundTrainer({ worker, trainer, layout: this.layout, changeType });
    this.#trainers.set(worker, made);
    return made;
  }
}

function requireWorkers(workers: readonly string[]): void {
  const twice = workers.find((worker, index) => workers.indexOf(worker) !== index);
  if (workers.length > 0 && twice === undefined) return;
  const what = twice === undefined ? "there are none" : `${twice} is there twice`;
  throw new OptionError({ where: "workers", what, fix: "Give at least one id, each once" });
}

function requireEqual(recorded: Commit, repeated: Commit): void {
  const other = recorded.participants.find(({ digest }, index) => digest !== repeated.participants[index]?.digest);
  if (!other && recorded.digest === repeated.digest) return;
  const what = other ? `the change of worker ${other.worker} is another one` : "the values are others";
  const fix = "Replay it with the same options, data, version and kind of device";
  throw new DataError({ where: `round ${recorded.round}`, what, fix });
}
