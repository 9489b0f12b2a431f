/*
 * The choices of the tuner, and where they are stored.
 */
import type { Device } from "../../device/device.ts";
import { version } from "../../version.ts";

/** Stores choices between processes, under a key that identifies the adapter and the version of the library. */
export interface TuningStore {
  /** The text stored under the key, or undefined. */
  load(key: string): Promise<string | undefined>;
  /** Stores a text under a key and replaces the previous one. */
  save(key: string, text: string): Promise<void>;
}

/** The name of the fastest way to divide the work, for each class of kernels. */
export type TuningChoices = Readonly<Record<string, string>>;

/** Choices are valid for this adapter, driver and version of wgrad. */
export function tuningKey({ gpu: { adapterInfo: info } }: Device): string {
  return ["wgrad", version, info.vendor, info.architecture, info.device, info.description].join("|");
}

/** The choices of a backend, in memory and in a store. */
export class Choices {
  readonly #store: TuningStore | undefined;
  readonly #key: string;
  readonly #log: (line: string) => void;
  #choices: TuningChoices = {};
  /** Choices are stored one after the other. */
  #saving: Promise<void> = Promise.resolve();

  /** @param log called with a line that says why stored choices are ignored */
  constructor(store: TuningStore | undefined, key: string, log: (line: string) => void) {
    this.#store = store;
    this.#key = key;
    this.#log = log;
  }

  /** The choices until now. Later ones do not change the object. */
  get current(): TuningChoices {
    return this.#choices;
  }

  /** Reads the stored choices. Invalid ones are ignored and logged in one line. */
  async load(): Promise<void> {
    try {
      this.#choices = await this.#stored();
    } catch (error) {
      this.#log(
        `The tuner's stored choices cannot be read (${error instanceof Error ? error.message : String(error)}); they are ignored.`,
      );
    }
  }

  /**
   * Adds choices, and stores them with those that other processes have stored since.
   * @throws the error of the store if they cannot be stored
   */
  add(choices: TuningChoices): Promise<void> {
    this.#choices = { ...this.#choices, ...choices };
    this.#saving = this.#saving.catch(() => {}).then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    if (!this.#store) return;
    const others = await this.#stored().catch((): TuningChoices => ({}));
    await this.#store.save(this.#key, JSON.stringify({ ...others, ...this.#choices }, undefined, 2));
  }

  async #stored(): Promise<TuningChoices> {
    const text = await this.#store?.load(this.#key);
    if (text === undefined) return {};
    const choices: unknown = JSON.parse(text);
    if (isChoices(choices)) return choices;
    throw new Error("they are not in the format of this version");
  }
}

function isChoices(kept: unknown): kept is TuningChoices {
  return (
    typeof kept === "object" &&
    kept !== null &&
    !Array.isArray(kept) &&
    Object.values(kept).every((name) => typeof name === "string")
  );
}
