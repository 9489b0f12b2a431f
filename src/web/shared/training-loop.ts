/*
 * The training loop of a tab's service. Runs in the worker.
 */

export interface LoopActions {
  /** Trains for a moment and reports. It runs after all work that was queued before it. */
  train(): Promise<void>;
  /** Called when training becomes wanted or unwanted. */
  onWanted(wanted: boolean): void;
  /** Called after work if none is left and the training does not run. */
  onIdle(): void;
  /** Called with the error of some work, after which training is no longer wanted. */
  onError(error: unknown): void;
  /** The least time between two calls of `train`, in milliseconds. */
  interval(): number;
}

/** Runs work one piece at a time, and trains while training is wanted and the tab is visible. */
export class TrainingLoop {
  readonly #actions: LoopActions;
  #queue: Promise<void> = Promise.resolve();
  /** The number of pieces of work that are not done. */
  #pending = 0;
  #wanted = false;
  #visible = true;
  #looping = false;

  constructor(actions: LoopActions) {
    this.#actions = actions;
  }

  /** Whether training is wanted and the tab is visible. */
  get isActive(): boolean {
    return this.#wanted && this.#visible;
  }

  /** Starts or stops the training. */
  want(wanted: boolean): void {
    if (this.#wanted !== wanted) {
      this.#wanted = wanted;
      this.#actions.onWanted(wanted);
    }
    this.#continue();
  }

  /** Shows or hides the tab. */
  show(visible: boolean): void {
    this.#visible = visible;
    this.#continue();
  }

  /** Runs work after all earlier work. Resolves when it is done, also if it failed. */
  inTurn(work: () => Promise<void>): Promise<void> {
    this.#pending++;
    this.#queue = this.#queue
      .then(work)
      .catch((error: unknown) => {
        this.want(false);
        this.#actions.onError(error);
      })
      .then(() => {
        if (--this.#pending === 0 && !this.isActive) this.#actions.onIdle();
      });
    return this.#queue;
  }

  /** Runs work that answers a question, after all earlier work. An error of it goes to who asked, and the training continues. */
  answer<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => void this.inTurn(() => work().then(resolve, reject)));
  }

  #continue(): void {
    if (this.isActive && !this.#looping) void this.#loop();
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    while (this.isActive) {
      const began = performance.now();
      await this.inTurn(async () => {
        if (this.isActive) await this.#actions.train();
      });
      const left = this.#actions.interval() - (performance.now() - began);
      // Even a timeout of 0 lets the worker receive calls from the page.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
    }
    this.#looping = false;
  }
}

/** The longest time of training between two frames, so that frames and commands are not delayed. */
const TRAINING_MILLISECONDS = 30;

/** Limits the number of steps between two frames to what takes about 30 ms, which it estimates from the last steps. */
export class StepBudget {
  #affordable = 1;

  /** Runs the wanted number of steps, or as many as time allows. */
  async spend(wanted: number, advance: (steps: number) => Promise<void>): Promise<void> {
    const steps = Math.min(wanted, this.#affordable);
    const began = performance.now();
    await advance(steps);
    const ratio = TRAINING_MILLISECONDS / (performance.now() - began);
    // At most doubled, so that one wrong measurement does not cause a long delay.
    this.#affordable = Math.max(1, Math.floor(Math.min(steps * ratio, 2 * this.#affordable)));
  }
}
