import { refuseOtherOptions } from "../../../option-names.ts";
import { GraphError } from "../../../errors.ts";
import { sameShape } from "../../../graph/tensor.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { buildChain, configsOf, layersFrom, requireLayers, requireSomeLayers } from "../chain.ts";
import type { Layer, LayerType } from "../layer.ts";

/** The options of `layers.residual`. */
export interface ResidualOptions {
  /** The layers on the skip connection, such as a convolution with window 1 if the shape changes; none by default. */
  readonly projection?: readonly Layer[];
}

/**
 * A residual connection (He, Zhang, Ren and Sun 2015): the sum of its input and the output of its layers. If the layers
 * change the shape, `projection` must change the input in the same way. Parameters are named by their positions:
 * `layers.2.0.weight` belongs to the first inner layer of layer 2, `layers.2.projection.0.weight` to that of its
 * projection.
 *
 * @example
 * ```ts
 * const { conv2d, residual } = layers;
 * const block = residual([conv2d(16, 3, { padding: "same", activation: "relu" }), conv2d(16, 3, { padding: "same" })]);
 * ```
 *
 * @throws OptionError if there are no layers; GraphError, when the model is built, if the branches' shapes differ
 */
export function residual(layers: readonly Layer[], options: ResidualOptions = {}): Layer {
  requireSomeLayers("residual", layers);
  refuseOtherOptions("residual", options, { projection: true });
  const { projection = [] } = options;
  requireLayers("residual projection", projection);
  return {
    config: { type: "residual", layers: configsOf(layers), projection: configsOf(projection) },
    build(context) {
      const inner = buildChain(layers, { context });
      const around = buildChain(projection, { context, prefix: "projection.", first: layers.length });
      if (!sameShape(inner.outputShape, around.outputShape)) {
        throw new GraphError({
          where: `layer ${context.path}, residual`,
          what: `its layers give [${inner.outputShape.join(", ")}] per example, but ${
            projection.length === 0 ? "its input" : "its projection"
          } is [${around.outputShape.join(", ")}]`,
          fix: "Give layers that keep the shape, or a projection that gives the same one",
        });
      }
      return {
        outputShape: inner.outputShape,
        apply(x, applied) {
          const branch = { ...applied, recordOutput: () => {} };
          return add(inner.apply(x, branch), around.apply(x, branch));
        },
      };
    },
  };
}

export const layerType: LayerType = {
  options: ["layers", "projection"],
  fromConfig: ({ layers, projection }, resolver) =>
    residual(layersFrom("residual layers", layers, resolver), {
      projection: layersFrom("residual projection", projection ?? [], resolver),
    }),
};
