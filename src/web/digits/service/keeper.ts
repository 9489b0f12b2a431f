import type { KeptNetwork, NetworkStore } from "./kept.ts";
import type { Run } from "./run.ts";
import { Budget } from "./turns.ts";

/** Saves the network during training: in memory, in case the device is lost, and in the store, for a later visit. */
export class Keeper {
  readonly #store: NetworkStore;
  #present: { readonly run: Run; readonly kept: KeptNetwork } | undefined;
  #run: Run | undefined;
  #budget = new Budget(0.05, 2000);

  constructor(store: NetworkStore) {
    this.#store = store;
  }

  /** The last saved state of the current network. */
  get present(): KeptNetwork | undefined {
    return this.#present?.kept;
  }

  /** The network of an earlier visit; undefined if the browser stores nothing. */
  async earlier(): Promise<KeptNetwork | undefined> {
    return this.#store.earlier().catch(() => undefined);
  }

  /** Takes the run that is to be saved from now on. */
  begin(run: Run): void {
    const { resumeFrom, course } = run.options;
    this.#run = run;
    // A resumed run counts as saved before its first step.
    this.#present = resumeFrom && course ? { run, kept: this.#networkOf(run, resumeFrom) } : undefined;
    this.#budget = new Budget(0.05, 2000);
  }

  /** Saves a run if that is due. */
  keepIfDue(run: Run): void {
    if (this.#budget.isDue) void this.keep(run);
  }

  /** Saves a run if it has changed since it was last saved. Never rejects: saving is optional, and training reports a lost device. */
  async keep(run: Run): Promise<void> {
    if (run !== this.#run || run.trainer.step === (this.#present?.kept.snapshot.step ?? 0)) return;
    await this.#budget.spend(async () => {
      try {
        const kept = this.#networkOf(run, await run.snapshot());
        if (run !== this.#run) return;
        this.#present = { run, kept };
        await this.#store.save(kept);
      } catch {
        // Training reports errors of the device. A browser that stores nothing is not an error.
      }
    });
  }

  #networkOf(run: Run, snapshot: KeptNetwork["snapshot"]): KeptNetwork {
    const { options, normalization, seconds, accuracy } = run;
    const course = { step: snapshot.step, epochs: run.epochsAt(snapshot.step) };
    return {
      savedAt: Date.now(),
      settings: options.settings,
      snapshot,
      course,
      seconds,
      normalization,
      file: options.loaded?.file,
      accuracy,
    };
  }
}
