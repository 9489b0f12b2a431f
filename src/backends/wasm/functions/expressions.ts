import { isLiteral } from "../../../compiler/nodes.ts";
import type { ConstantAttributes } from "../../../graph/leaves.ts";
import type { Tensor } from "../../../graph/tensor.ts";
import { rootOf } from "../../../graph/views.ts";
import type { WasmInput } from "../../../ops/wasm-kernel.ts";
import { broadcastIndex } from "../../../ops/wasm/broadcast.ts";
import { constantIndex, elementOf, lanesIndex, storedIndex, type Index } from "../../../ops/wasm/indices.ts";
import { float, type Vector } from "../../../ops/wasm/vectors.ts";
import { pointwiseKernel } from "../kernels.ts";
import { Interned } from "./interned.ts";

/** Builds the values of a chain as expression trees, with the kernels of its nodes. */
export class ChainExpressions {
  /** The index of the chain's current element. */
  readonly element: Index;
  readonly #chain: ReadonlySet<Tensor>;
  readonly #inlined: ReadonlySet<Tensor>;
  readonly #interned = new Interned();
  readonly #values = new Map<Tensor, Map<Index, Vector | Index>>();

  /**
   * @param chain nodes of the same size that are computed element by element
   * @param inlined nodes that are computed wherever they are read
   */
  constructor(chain: readonly Tensor[], inlined: ReadonlySet<Tensor>) {
    this.#chain = new Set(chain);
    this.#inlined = inlined;
    this.element = elementOf(chain[0]!.size);
  }

  /** Four elements of a float32 or uint8 tensor. */
  vector(tensor: Tensor, at: Index): Vector {
    return this.#value(tensor, at, (root, index) => {
      if (isLiteral(root)) return float(literalOf(root));
      if (!this.#isComputed(root, index)) return { kind: "load", tensor: root, index };
      return pointwiseKernel(root)!.vector!(root, this.#inputs(root, index), index);
    });
  }

  /** Elements of a uint32 tensor. */
  integer(tensor: Tensor, at: Index): Index {
    return this.#value(tensor, at, (root, index) => {
      if (isLiteral(root)) return constantIndex(literalOf(root));
      if (!this.#isComputed(root, index)) return storedIndex(root, index);
      const kernel = pointwiseKernel(root)!;
      const inputs = this.#inputs(root, index);
      return kernel.integer?.(root, inputs, index) ?? lanesIndex(kernel.vector!(root, inputs, index));
    });
  }

  /** The value to store for a node. */
  stored(node: Tensor): Vector {
    if (node.dtype === "float32") return this.vector(node, this.element);
    return this.#interned.vector({ kind: "integers", index: this.integer(node, this.element) });
  }

  #value<Value extends Vector | Index>(tensor: Tensor, at: Index, make: (root: Tensor, index: Index) => Value): Value {
    const root = rootOf(tensor);
    const index = this.#interned.index(at);
    const known = this.#values.get(root)?.get(index);
    if (known) return known as Value;
    const made = make(root, index);
    const value = ("limit" in made ? this.#interned.index(made) : this.#interned.vector(made)) as Value;
    this.#values.set(root, (this.#values.get(root) ?? new Map<Index, Vector | Index>()).set(index, value));
    return value;
  }

  #isComputed(root: Tensor, index: Index): boolean {
    return this.#inlined.has(root) || (this.#chain.has(root) && index === this.element);
  }

  #inputs(node: Tensor, place: Index): WasmInput[] {
    return node.inputs.map((tensor) => {
      const here = () => broadcastIndex(place, node.shape, tensor.shape);
      return {
        here: () => this.vector(tensor, here()),
        at: (index) => this.vector(tensor, index),
        integerHere: () => this.integer(tensor, here()),
        integerAt: (index) => this.integer(tensor, index),
      };
    });
  }
}

const literalOf = (tensor: Tensor) => (tensor.attributes as ConstantAttributes).values[0]!;
