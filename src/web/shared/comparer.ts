/*
 * The comparison of devices in the service of a tab. Runs in the worker.
 */
import { OptionError } from "../../index.ts";
import type { ComparisonOptions } from "./compare-devices.ts";
import type { Comparison } from "./comparison-contract.ts";
import type { TrainingLoop } from "./training-loop.ts";

/** Runs comparisons in the turn of a training loop, whose training waits meanwhile. */
export class Comparer {
  readonly #loop: TrainingLoop;
  #controller: AbortController | undefined;

  constructor(loop: TrainingLoop) {
    this.#loop = loop;
  }

  /** @param optionsNow says what is compared, when its turn has come; undefined if there is no network */
  compare(optionsNow: () => Omit<ComparisonOptions, "signal"> | undefined): Promise<Comparison | undefined> {
    const { signal } = (this.#controller = new AbortController());
    return this.#loop.answer(async () => {
      const { compareDevices } = await import("./compare-devices.ts");
      if (signal.aborted) return undefined;
      const options = optionsNow();
      if (options) return compareDevices({ ...options, signal });
      throw new OptionError({ where: "comparison", what: "no network is ready yet", fix: "Wait until one is" });
    });
  }

  /** Cancels the comparison that runs or waits. */
  cancel(): void {
    this.#controller?.abort();
  }
}
