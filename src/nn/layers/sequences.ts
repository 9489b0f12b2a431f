/*
 * What layers of sequences share. An example of a sequence is [length, width].
 */
import { GraphError } from "../../errors.ts";
import type { Shape, Tensor } from "../../graph/tensor.ts";
import { add } from "../../ops/elementwise/index.ts";
import { slice, type SliceRange } from "../../ops/indexing/index.ts";
import { matmul } from "../../ops/matmul/index.ts";
import { zeros, type Fans, type Initializer } from "../initializers.ts";
import type { ApplyOptions, LayerContext } from "./layer.ts";

/** @throws GraphError if the shape of an example is not that of a sequence */
export function sequenceShape(where: string, shape: Shape): readonly [length: number, width: number] {
  if (shape.length === 2) return shape as readonly [number, number];
  throw new GraphError({
    where,
    what: `its input has the shape [${shape.join(", ")}] per example instead of [length, width]`,
    fix: "Insert embedding() before this layer, or reshape() the features to [length, width]",
  });
}

/** The parameters of a product with the elements of each position. */
export interface LinearOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
  readonly initializer: Initializer;
  /** Of the weight; those of `inputs` and `outputs` by default. */
  readonly fans?: Fans;
  /** Precedes the names `weight` and `bias`, such as "output."; nothing by default. */
  readonly prefix?: string;
}

/**
 * x·W + b along the last axis, with W [inputs, outputs] and b [outputs], initially 0. A use may take some columns only.
 */
export function linear({ parameter }: LayerContext, options: LinearOptions) {
  const { inputs, outputs, bias, initializer, fans, prefix = "" } = options;
  const usual = { fanIn: inputs, fanOut: outputs };
  const weight = parameter(`${prefix}weight`, [inputs, outputs], initializer, fans ?? usual);
  const shift = bias ? parameter(`${prefix}bias`, [outputs], zeros, usual) : undefined;
  return (x: Tensor, { precision }: Pick<Required<ApplyOptions>, "precision">, columns?: SliceRange): Tensor => {
    const product = matmul(x, columns ? slice(weight, [undefined, columns]) : weight, { precision });
    return shift ? add(product, columns ? slice(shift, [columns]) : shift) : product;
  };
}
