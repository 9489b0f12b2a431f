/*
 * Folds for cross-validation.
 */
import { OptionError } from "../errors.ts";
import { Random } from "../random.ts";
import { isRegression, type ClassificationDataset, type Dataset, type RegressionDataset } from "./dataset.ts";
import { examplesOfClasses, takeExamples, type Split } from "./split.ts";

/** Separates the random streams of folds ("fo") from other uses of the same seed. */
const foldStream = 0x666f;

/** A part of a data set, `validation`, and all other examples, `train`. Both keep the order of the examples. */
export interface Fold<Data extends Dataset> extends Split<Data> {
  /** The examples of `validation`, by their index in the data set, ascending. */
  readonly indices: Uint32Array;
}

/**
 * The folds of a k-fold cross-validation: each example is in the validation part of one fold. For classification they are
 * stratified: the numbers of examples of a class in two folds differ by at most one, and so do the sizes of the folds.
 * The same data, number and seed give the same folds. A fold is copied when it is reached.
 *
 * @example
 * ```ts
 * for (const { train, validation } of foldsOf(dataset, 5, 1)) {
 *   const trainer = await createTrainer({ model: build(), backend, dataset: train, learningRate: 1e-3, batchSize: 16, epochs: 20 });
 *   await trainer.fit();
 *   console.log(await trainer.evaluate(validation));
 * }
 * ```
 *
 * @param k the number of folds, from 2 to the number of examples
 * @param seed the seed of the random choice; 1 by default
 * @throws OptionError for a number of folds out of range
 */
export function foldsOf(data: ClassificationDataset, k: number, seed?: number): Generator<Fold<ClassificationDataset>>;
export function foldsOf(data: RegressionDataset, k: number, seed?: number): Generator<Fold<RegressionDataset>>;
export function foldsOf(data: Dataset, k: number, seed?: number): Generator<Fold<Dataset>>;
export function foldsOf(data: Dataset, k: number, seed = 1): Generator<Fold<Dataset>> {
  if (!(Number.isSafeInteger(k) && k >= 2 && k <= data.count)) {
    throw new OptionError({
      where: "folds",
      what: `${String(k)} folds of ${data.count} examples`,
      fix: "Give a whole number from 2 to the number of examples",
    });
  }
  return folds(data, k, foldOfExamples(data, k, seed));
}

function* folds(data: Dataset, k: number, foldOf: Uint32Array): Generator<Fold<Dataset>> {
  for (let fold = 0; fold < k; fold++) {
    const [indices, others] = [true, false].map((isIn) =>
      Uint32Array.from(foldOf.keys()).filter((index) => (foldOf[index] === fold) === isIn),
    ) as [Uint32Array, Uint32Array];
    yield {
      train: takeExamples(data, others, data.name),
      validation: takeExamples(data, indices, `${data.name}, fold ${fold + 1}`),
      indices,
    };
  }
}

/** The fold of each example. The examples of each class are dealt in random order, continuing where the class before ended. */
function foldOfExamples(data: Dataset, k: number, seed: number): Uint32Array {
  const groups = isRegression(data)
    ? [Uint32Array.from({ length: data.count }, (_, index) => index)]
    : examplesOfClasses(data);
  const foldOf = new Uint32Array(data.count);
  let dealt = 0;
  groups.forEach((examples, group) => {
    for (const position of new Random(foldStream, seed, group).permutation(examples.length))
      foldOf[examples[position]!] = dealt++ % k;
  });
  return foldOf;
}
