import { GraphError } from "../../errors.ts";
import { requireHeld } from "../../graph/leaves.ts";
import { requireType, sizeOf, Tensor, type ComputeOp } from "../../graph/tensor.ts";

/** The options of `takeBatch`. */
export interface TakeBatchOptions {
  /** The example at each position of the epoch, uint32 [positions]; the examples' own order by default. */
  readonly order?: Tensor;
  /** The position of the batch's first example, a uint32 scalar. */
  readonly start: Tensor;
  /** The batch size. */
  readonly count: number;
  /** Values become value · scale + offset; 1 and 0 by default. Not used for uint32 data. */
  readonly scale?: number;
  readonly offset?: number;
}

export interface TakeBatchAttributes {
  readonly scale: number;
  readonly offset: number;
  /** Elements per example. */
  readonly width: number;
}

const takeBatchOp: ComputeOp = {
  name: "takeBatch",
  kind: "compute",
  traits: { kind: "pointwise", gathers: true, cheap: true },
  // Otherwise the elements of float32 and uint8 data are changed.
  rearranges({ attributes, dtype }) {
    const { scale, offset } = attributes as TakeBatchAttributes;
    return dtype === "uint32" || (scale === 1 && offset === 0);
  },
  indexLimits(node) {
    const [data, , order] = node.inputs;
    const examples = data!.shape[0]!;
    return [undefined, (order?.size ?? examples) - node.shape[0]! + 1, examples];
  },
};

/**
 * Takes a batch from a data set: the rows `order[start]`, …, `order[start + count − 1]`; `start + count` must not
 * exceed the length of the order. uint8 and float32 data are converted, scaled and shifted; uint32 data (labels) are
 * copied.
 * @param data [examples, …] uint8, float32 or uint32
 * @returns [count, …] float32, or uint32 for uint32 data
 * @throws GraphError if types or sizes do not fit, and for a scale or offset that float32 cannot represent
 */
export function takeBatch(data: Tensor, options: TakeBatchOptions): Tensor {
  const { order, start, count, scale = 1, offset = 0 } = options;
  requireType("takeBatch start", start, "uint32");
  if (order) requireType("takeBatch order", order, "uint32");
  const examples = data.shape[0];
  const positions = order?.size ?? examples ?? 0;
  if (examples === undefined || count > positions || start.size !== 1 || (order && order.shape.length !== 1)) {
    throw new GraphError({
      where: "takeBatch",
      what: `${count} rows of ${data}${order ? ` by order ${order}` : ""} from start ${start}`,
      fix: "Give data [examples, …], an order [positions], a scalar start, and a count of at most the number of positions",
    });
  }
  requireHeld("takeBatch scale", scale);
  requireHeld("takeBatch offset", offset);
  const shape = [count, ...data.shape.slice(1)];
  const attributes = { scale, offset, width: sizeOf(shape.slice(1)) };
  const dtype = data.dtype === "uint32" ? "uint32" : "float32";
  return new Tensor<TakeBatchAttributes>(takeBatchOp, order ? [data, start, order] : [data, start], attributes, {
    shape,
    dtype,
  });
}
