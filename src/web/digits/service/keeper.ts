import type { KeptNetwork, NetworkStore } from "./kept.ts";
import type { Run } from "./run.ts";
import { Budget } from "./turns.ts";

/** Keeps the network in training now and then: in memory, for a lost device, and in the store, for another visit. */
export class Keeper {
  readonly #store: NetworkStore;
  #present: { readonly run: Run; readonly kept: KeptNetwork } | undefined;
  #run: Run | undefined;
  #budget = new Budget(0.05, 2000);

  constructor(store: NetworkStore) {
    this.#store = store;
  }

  /** The network that is shown, as it was last kept. */
  get present(): KeptNetwork | undefined {
    return this.#present?.kept;
  }

  /** The network of an earlier visit; none where the browser keeps nothing. */
  async earlier(): Promise<KeptNetwork | undefined> {
    return this.#store.earlier().catch(() => undefined);
  }

  /** Hears that another run is shown. */
  begin(run: Run): void {
    const { resumeFrom, course } = run.options;
    this.#run = run;
    // What it goes on from is kept from its first step on.
    this.#present = resumeFrom && course ? { run, kept: this.#networkOf(run, resumeFrom) } : undefined;
    this.#budget = new Budget(0.05, 2000);
  }

  /** Keeps a run where that is due. */
  keepNowAndThen(run: Run): void {
    if (this.#budget.isDue) void this.keep(run);
  }

  /** Keeps a run that has changed since. Never rejects: a browser that keeps nothing is no fault, nor is a lost device. */
  async keep(run: Run): Promise<void> {
    if (run !== this.#run || run.trainer.step === (this.#present?.kept.snapshot.step ?? 0)) return;
    await this.#budget.spend(async () => {
      try {
        const kept = this.#networkOf(run, await run.snapshot());
        if (run !== this.#run) return;
        this.#present = { run, kept };
        await this.#store.save(kept);
      } catch {
        // Said where it matters: by the training.
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
