/*
 * Prepares what a message tells a worker to train: its options, its data, and the worker's own device.
 */
import type { Backend } from "../../backends/backend.ts";
import type { NatsLink } from "../../cluster/connection.ts";
import { ObjectBucket } from "../../cluster/objects.ts";
import { whileUnreachable } from "../../cluster/retry.ts";
import { DATA } from "../../cluster/sweeps/names.ts";
import type { DataReference } from "../../cluster/sweeps/trial.ts";
import type { DeviceChoice } from "../../node/index.ts";
import type { TrainingSource } from "../data/data-source.ts";
import type { TrainFlags } from "../options/train-options.ts";
import { commandOfTrial } from "../options/trial-options.ts";
import { DataCache } from "../sweep/data-transfer.ts";
import { TrialData, trialFlags } from "../sweep/trial-data.ts";
import { trainingBackend } from "../training/backend.ts";
import { loadStartingModel } from "../training/starting-model.ts";
import type { Run } from "../training/training-run.ts";

export interface PreparerOptions {
  readonly link: NatsLink;
  /** In place of the device that a run asks for. */
  readonly device?: DeviceChoice | undefined;
  /** The folder where data sets are kept. */
  readonly cache: string;
  readonly signal: AbortSignal;
}

/** What is trained: options of `wgrad train`, and the digests of the data that they name. */
export interface Trainable {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly data: readonly DataReference[];
}

type BackendFlags = Pick<TrainFlags, "device" | "tune">;

/** Prepares runs. Runs in a row usually share their data and their device, so the last ones are kept. */
export class RunPreparer {
  readonly #options: PreparerOptions;
  readonly #data = new TrialData();
  #backend: (BackendFlags & { readonly backend: Backend }) | undefined;

  constructor(options: PreparerOptions) {
    this.#options = options;
  }

  /**
   * A run with its data and this worker's device.
   * @param where names it in errors
   * @param hasRungs whether it is compared with others at rungs
   * @throws OptionError for an invalid option; DataError for data that the server does not have
   */
  async prepared(where: string, { configuration, data: references }: Trainable, hasRungs = false): Promise<Run> {
    const { link, cache, signal } = this.#options;
    const data = new DataCache(cache, await ObjectBucket.open(link, DATA));
    const paths = new Map<string, string>();
    for (const each of references)
      paths.set(each.option, await whileUnreachable(link, () => data.pathOf(each), signal));
    const command = commandOfTrial(where, configuration, paths);
    const names = new Map([...paths].map(([option, path]) => [path, String(configuration[option] ?? option)]));
    const loaded = await loadStartingModel(command);
    const start = loaded && { ...loaded, path: names.get(loaded.path) ?? loaded.path };
    const flags = command.opts<TrainFlags>();
    const { device = flags.device } = this.#options;
    const source = withNames(await this.#data.of(flags, start), names);
    return {
      flags: trialFlags(flags, source, hasRungs),
      configuration,
      data: source,
      backend: await this.#backendFor({ device, tune: flags.tune }),
      start,
    };
  }

  async #backendFor(flags: BackendFlags): Promise<Backend> {
    const { device, tune } = flags;
    if (this.#backend?.device === device && this.#backend.tune === tune) return this.#backend.backend;
    this.#backend?.backend.dispose();
    this.#backend = { device, tune, backend: await trainingBackend(flags) };
    return this.#backend.backend;
  }

  dispose(): void {
    this.#backend?.backend.dispose();
  }
}

/** The data with the names of their files where the sweep was started, in place of those in the cache. */
function withNames(source: TrainingSource, names: ReadonlyMap<string, string>): TrainingSource {
  const named = <Data extends { readonly name: string }>(data: Data): Data => {
    const [path, name] = [...names].find(([each]) => data.name.startsWith(each)) ?? ["", ""];
    return { ...data, name: name + data.name.slice(path.length) };
  };
  if (source.kind === "text")
    return { ...source, train: named(source.train), validation: source.validation && named(source.validation) };
  return { ...source, train: named(source.train), validation: source.validation && named(source.validation) };
}
