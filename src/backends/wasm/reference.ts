/*
 * Ops without a WebAssembly function run the loops of their cpu.ts on the same memory, on the calling thread.
 */
import type { Tensor } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import { anchorKernel, pointwiseKernel, referenceKernel } from "./kernels.ts";
import type { Places, Temporary } from "./step.ts";

/** Whether a function can be generated for a pointwise node and for the nodes that are inlined into it. */
export function isGenerated(node: Tensor, inlined: ReadonlySet<Tensor>): boolean {
  if (!pointwiseKernel(node)) return false;
  return node.inputs.map(rootOf).every((root) => !inlined.has(root) || isGenerated(root, inlined));
}

/** The name of an op in the list of dispatches. */
export const opName = (node: Tensor): string =>
  anchorKernel(node) || pointwiseKernel(node) ? node.op.name : `${node.op.name} (reference)`;

/** Reference loops for several nodes, each of which writes to its own temporary. */
export class ReferenceLoops {
  readonly temporaries: readonly Temporary[];
  readonly #known: ReadonlyMap<Tensor, Temporary>;

  /** @param nodes the nodes to compute, each after its inputs; inlined nodes that they read are computed as well */
  constructor(nodes: readonly Tensor[], inlined: ReadonlySet<Tensor>) {
    const known = new Map<Tensor, Temporary>();
    const own: Temporary[] = [];
    const visit = (node: Tensor): void => {
      if (known.has(node)) return;
      for (const root of node.inputs.map(rootOf)) if (inlined.has(root)) visit(root);
      const temporary = { tensor: node };
      known.set(node, temporary);
      own.push(temporary);
    };
    for (const node of nodes) visit(node);
    this.temporaries = own;
    this.#known = known;
  }

  /** The temporary with the value of a node. */
  temporaryOf(node: Tensor): Temporary {
    return this.#known.get(node)!;
  }

  /** @returns a function that computes all nodes */
  bind(places: Places): () => void {
    const loops = this.temporaries.map((temporary) => {
      const { tensor: node } = temporary;
      const kernel = referenceKernel(node);
      const inputs = node.inputs.map((input) => {
        const root = rootOf(input);
        return places.valuesOf(this.#known.get(root) ?? root);
      });
      const output = places.valuesOf(temporary);
      return () => kernel(node, inputs, output);
    });
    return () => {
      for (const loop of loops) loop();
    };
  }
}
