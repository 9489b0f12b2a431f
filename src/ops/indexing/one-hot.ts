import { GraphError } from "../../errors.ts";
import { requireType, type Tensor } from "../../graph/tensor.ts";
import { equal } from "../elementwise/arithmetic.ts";
import { axisIndex, reshape } from "../layout/index.ts";

/**
 * One-hot encoding: 1 at each label's class, else 0. A label that is not below the number of classes gets zeros.
 * @param labels uint32 of any shape
 * @param classes the size of the new last axis
 * @returns float32 [...labels, classes]
 * @throws GraphError if the labels are not uint32, or for a number of classes that is not whole and at least 1
 */
export function oneHot(labels: Tensor, classes: number): Tensor {
  requireType("oneHot", labels, "uint32");
  if (!Number.isInteger(classes) || classes < 1) {
    throw new GraphError({
      where: "oneHot",
      what: `${classes} classes for ${labels}`,
      fix: "Give a whole number of at least 1",
    });
  }
  const apart = reshape(labels, [...labels.shape, 1]);
  return equal(axisIndex([...labels.shape, classes], labels.shape.length), apart);
}
