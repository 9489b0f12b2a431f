/*
 * Looks at what augmentations do.
 */
import type { Backend } from "../backends/backend.ts";
import { columnsOf, describeDataset } from "../data/columns.ts";
import type { Normalization, RowDataset } from "../data/dataset.ts";
import type { TensorElements } from "../data/tensor-dataset.ts";
import { defineGraph } from "../graph/graph.ts";
import { constant } from "../graph/leaves.ts";
import type { Augmentation } from "../nn/augmentation.ts";
import { requireCount, requireSeed } from "../nn/checks.ts";
import { requireOptionsObject } from "../option-names.ts";
import { augmented } from "./augment.ts";
import { columnLeaves, columnsLayout, takeColumns, usedLeaves, writeRows, type Normalizations } from "./batches.ts";
import { requireBackend, requireData } from "./given.ts";
import { normalizationsOf } from "./subject.ts";

/** The options of `augmentedExamples`. */
export interface AugmentedExamplesOptions {
  readonly backend: Backend;
  /** The examples, few enough for one batch, such as those of `firstExamples`. */
  readonly dataset: RowDataset;
  readonly augment: readonly Augmentation[];
  /** As in `createTrainer`; the augmentations come after it. */
  readonly normalization?: Normalization | Normalizations;
  /** The seed of the training; 1 by default. */
  readonly seed?: number;
  /** The step of the training, from 0; 0 by default. Each step draws other random numbers. */
  readonly step?: number;
}

/**
 * The examples of a data set as augmentations change them, to look at what they do. Example i gets the random numbers that
 * training with the same seed and augmentations draws at that step for position i of a batch.
 *
 * @example
 * ```ts
 * const { features } = await augmentedExamples({ backend, dataset: firstExamples(train, 8), augment, step: 3 });
 * ```
 *
 * @returns the values of each tensor of the data set, row-major: `features` as float32, [examples, ...shape], and so on
 * @throws OptionError for an option outside its range; GraphError if an augmentation does not take the examples
 */
export async function augmentedExamples(
  options: AugmentedExamplesOptions,
): Promise<Readonly<Record<string, TensorElements>>> {
  requireOptionsObject("augmentedExamples", options);
  const { backend, dataset, augment, normalization, seed = 1, step = 0 } = options;
  requireBackend("backend", backend);
  requireData("dataset", dataset);
  requireSeed("augmentedExamples seed", seed);
  requireCount("augmentedExamples step", step, 0);
  const { count } = dataset;
  const { columns } = describeDataset(dataset);
  const layout = { columns: columnsLayout(columns, normalizationsOf(normalization)), sources: {} };
  const leaves = columnLeaves(count, layout);
  const batch = takeColumns(leaves, layout, { start: constant(0, [], "uint32"), count });
  const outputs = augmented(batch, augment, { seed, count, placeOf: (run) => ({ step: run, offset: 0 }) });
  const graph = defineGraph(outputs);
  const session = backend.createSession();
  try {
    const executable = await session.compile(graph);
    writeRows(session, usedLeaves(leaves, graph.nodes), columnsOf(dataset), { first: 0, count });
    const scalars = await executable.run(step, 1);
    const read = Object.entries(outputs).map(async ([name, { size }]) => {
      return [name, (size === 1 ? scalars[name]! : await executable.read(name)) as TensorElements] as const;
    });
    return Object.fromEntries(await Promise.all(read));
  } finally {
    session.dispose();
  }
}
