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
  #hasFailed = false;

  /** @param log called with a line that says why stored choices are ignored, or why choices cannot be stored */
  constructor(store: TuningStore | undefined, key: string, log: (line: string) => void) {
    this.#store = store;
    this.#key = key;
    this.#log = log;
  }

  /** The choice for a class of kernels. */
  of(kernelClass: string): string | undefined {
    return Object.hasOwn(this.#choices, kernelClass) ? this.#choices[kernelClass] : undefined;
  }

  /** Reads the stored choices. Invalid ones are ignored and logged in one line. */
  async load(): Promise<void> {
    try {
      this.#choices = await this.#stored();
    } catch (error) {
      this.#log(`The tuner's stored choices ${reasonOf(error)}; they are ignored.`);
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

  /** As `add`, but logs once that choices cannot be stored. */
  async addQuietly(choices: TuningChoices): Promise<void> {
    try {
      await this.add(choices);
    } catch (error) {
      if (!this.#hasFailed) this.#log(`The tuner's choices cannot be stored (${messageOf(error)}).`);
      this.#hasFailed = true;
    }
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
    throw new FormatError("are not in the format of this version");
  }
}

/** Says what is wrong with stored choices that are JSON. */
class FormatError extends Error {}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const reasonOf = (error: unknown) =>
  error instanceof FormatError ? error.message : `cannot be read (${messageOf(error)})`;

function isChoices(kept: unknown): kept is TuningChoices {
  return (
    typeof kept === "object" &&
    kept !== null &&
    !Array.isArray(kept) &&
    Object.values(kept).every((name) => typeof name === "string")
  );
}
