import { GraphError } from "../../errors.ts";
import { constant } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { toIndex } from "../../ops/convert/index.ts";
import { add, multiply, subtract } from "../../ops/elementwise/index.ts";
import { flip, oneHot, take } from "../../ops/indexing/index.ts";
import type { Augmentation, AugmentationContext } from "../augmentation.ts";
import type { Batch } from "../batch.ts";
import { requireCount, requireNumber } from "../checks.ts";
import { betaQuantiles } from "./beta.ts";
import { drawBelow, perExample } from "./draws.ts";
import { stored } from "./images.ts";

/** The options of `mixup`. */
export interface MixupOptions {
  /**
   * The parameter of the distribution of the shares, Beta(α, α), in (0, 100]. With 1, shares are uniform; with 0.2, most
   * examples stay nearly as they are.
   */
  readonly alpha: number;
  /** The number of classes, at least 2. It is needed if the batch has integer labels. */
  readonly classes?: number;
}

/** The number of different shares, which are equally likely. */
const SHARES = 1024;

/**
 * Replaces each example by a mixture with another example of the batch: λ x + (1 − λ) x′, and likewise for its labels or
 * targets (Zhang et al. 2018). Each example has its own λ. Example i is mixed with the one at the same distance from the
 * end of the batch, which is a random one, since batches are shuffled. Features may have any shape.
 *
 * Integer labels become probabilities, float32 [examples, classes], which `softmaxCrossEntropy` takes like labels.
 * @throws OptionError for an option outside its range. Applying it throws a GraphError for integer labels without
 * `classes`
 */
export function mixup({ alpha, classes }: MixupOptions): Augmentation {
  const name = "mixup";
  requireNumber(`${name} alpha`, alpha, alpha >= 2 ** -10 && alpha <= 100, "a number above 0.001, at most 100");
  if (classes !== undefined) requireCount(`${name} classes`, classes, 2);
  const quantiles = betaQuantiles(alpha, SHARES);
  return {
    name,
    apply(batch, context) {
      const floats = floatsOf(batch, classes);
      const shares = sharesOf(quantiles, context, floats.features.shape[0]!);
      const mixed = Object.entries(floats).map(([key, values]) => [key, mix(values, shares)] as const);
      return { ...batch, ...Object.fromEntries(mixed) };
    },
  };
}

/** The tensors that are mixed: features and labels or targets, labels as probabilities. */
function floatsOf(
  { features, labels, targets }: Batch,
  classes: number | undefined,
): { readonly features: Tensor } & Batch {
  const where = "augmentation mixup";
  if (!features || features.dtype !== "float32") {
    const what = features ? `the features ${features} cannot be mixed` : "the batch has no features";
    throw new GraphError({ where, what, fix: "Give float32 features [examples, …]" });
  }
  if (!labels) return { features, ...(targets && { targets }) };
  if (labels.dtype !== "uint32") return { features, labels };
  if (classes === undefined) {
    const what = `the labels ${labels} are integers, and the number of classes is not known`;
    throw new GraphError({
      where,
      what,
      fix: "Give the number of classes, such as mixup({ alpha: 0.2, classes: 10 })",
    });
  }
  return { features, labels: oneHot(labels, classes) };
}

function sharesOf(quantiles: readonly number[], context: AugmentationContext, examples: number): Tensor {
  const [drawn] = drawBelow(context, examples, [quantiles.length]);
  return take(constant(quantiles), toIndex(drawn!));
}

function mix(values: Tensor, shares: Tensor): Tensor {
  const own = stored(values);
  const other = flip(own, [0]);
  return add(other, multiply(subtract(own, other), perExample(shares, values.shape.length)));
}
