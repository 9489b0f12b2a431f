import { excerpt, GraphError, OptionError } from "../../../errors.ts";
import { sizeOf, type Shape } from "../../../graph/tensor.ts";
import { reshape as reshaped } from "../../../ops/layout/index.ts";
import { requireCount } from "../../checks.ts";
import type { Layer, LayerType } from "../layer.ts";

/**
 * Reshapes each example, row-major: `reshape([7, 7, 16])` turns 784 features into images of 16 channels.
 * @param shape the shape of one example
 * @throws OptionError if it is not a list of sizes; GraphError, when the model is built, if the element count changes
 */
export function reshape(shape: Shape): Layer {
  const where = "reshape shape";
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new OptionError({
      where,
      what: `${excerpt(shape)} is not a list of sizes`,
      fix: "Give a list such as [28, 28]",
    });
  }
  for (const size of shape) requireCount(where, size);
  return {
    config: { type: "reshape", shape: [...shape] },
    build({ inputShape }) {
      if (sizeOf(inputShape) !== sizeOf(shape)) {
        throw new GraphError({
          where: "reshape",
          what: `its input has the shape [${inputShape.join(", ")}] per example, of ${sizeOf(inputShape)} elements, but [${shape.join(", ")}] has ${sizeOf(shape)}`,
          fix: "Give a shape with as many elements",
        });
      }
      return { outputShape: shape, apply: (x) => reshaped(x, [x.shape[0]!, ...shape]) };
    },
  };
}

export const layerType: LayerType = { options: ["shape"], fromConfig: ({ shape }) => reshape(shape as Shape) };
