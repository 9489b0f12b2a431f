/*
 * The page's side of a comparison of devices.
 */
import { computed, signal, type Signal } from "@preact/signals";
import type { Comparison as Compared, ComparisonApi } from "./comparison-contract.ts";

/** The number of steps: few enough for a slow CPU, and enough for the loss to fall. */
export const COMPARED_STEPS = 30;

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "busy" }
  | { readonly kind: "done"; readonly found: Compared }
  | { readonly kind: "failed"; readonly message: string };

export interface ComparisonOptions extends ComparisonApi {
  /** Precedes the test IDs: "convolution-". */
  readonly prefix: string;
  /** What is compared, as in "a new copy of this network". */
  readonly network: string;
  /** What an example is: "images". */
  readonly examples: string;
  /** The network in training; undefined until one is ready. What was found about another one is not shown. */
  readonly subject: Signal<unknown>;
}

/** The comparison of a tab. */
export class Comparison {
  readonly options: ComparisonOptions;
  /** The last comparison, and its network. */
  readonly #last = signal<{ readonly state: State; readonly subject: unknown }>({
    state: { kind: "idle" },
    subject: undefined,
  });

  constructor(options: ComparisonOptions) {
    this.options = options;
  }

  readonly isReady = computed(() => this.options.subject.value !== undefined);

  readonly state = computed((): State => {
    const { state, subject } = this.#last.value;
    return subject === this.options.subject.value ? state : { kind: "idle" };
  });

  readonly start = async (): Promise<void> => {
    const subject = this.options.subject.value;
    const own = (this.#last.value = { state: { kind: "busy" }, subject });
    const end = (state: State) => {
      // Another network may be compared before this comparison has ended.
      if (this.#last.value === own) this.#last.value = { state, subject };
    };
    try {
      const found = await this.options.compare(COMPARED_STEPS);
      end(found ? { kind: "done", found } : { kind: "idle" });
    } catch (error) {
      end({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  };

  readonly cancel = (): void => this.options.cancelComparison();
}
