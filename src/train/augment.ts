/*
 * Applies augmentations to the batch of a step.
 */
import { GraphError } from "../errors.ts";
import { stepScalar } from "../graph/leaves.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Augmentation } from "../nn/augmentation.ts";
import type { Batch } from "../nn/batch.ts";
import { randomKey } from "../random.ts";

/** Separates the random numbers of augmentations ("au") from other uses of the same seed. */
const AUGMENT_STREAM = 0x6175;

/** The place of the examples that a run of an executable augments. */
export interface AugmentedPart {
  readonly seed: number;
  /** The step of a run, and the position of its first example in the batch. */
  placeOf(run: number): { readonly step: number; readonly offset: number };
  /** Number of examples. */
  readonly count: number;
}

/**
 * The batch after all augmentations. Each key is a function of the seed, the step, the part, the position of the
 * augmentation, and an index.
 * @throws GraphError for an augmentation that does not return a batch of as many examples
 */
export function augmented(batch: Batch, augment: readonly Augmentation[], part: AugmentedPart): Batch {
  const { seed, placeOf, count } = part;
  return augment.reduce((before, augmentation, position) => {
    const keyAt = (index: number) =>
      stepScalar(
        `augment.${position}.key.${index}`,
        (run) => {
          const { step, offset } = placeOf(run);
          return randomKey(AUGMENT_STREAM, seed, step, offset, position, index);
        },
        "uint32",
      );
    const after = augmentation.apply(before, { keyAt });
    requireBatch(`augment ${augmentation.name}`, before, after, count);
    return after;
  }, batch);
}

function requireBatch(where: string, before: Batch, after: Batch, count: number): void {
  if (typeof after !== "object" || after === null) {
    throw new GraphError({ where, what: `its result is ${String(after)}`, fix: "Return a batch: tensors by name" });
  }
  for (const name of Object.keys(before)) {
    const [old, tensor] = [before[name]!, after[name]];
    const isFit = tensor instanceof Tensor && (tensor === old || tensor.shape[0] === count);
    if (isFit) continue;
    throw new GraphError({
      where,
      what: `${name} became ${String(tensor)} for ${count} examples`,
      fix: "Return every tensor of the batch, with the same number of examples",
    });
  }
}
