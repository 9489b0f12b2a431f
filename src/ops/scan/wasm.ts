import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel } from "../wasm-kernel.ts";
import type { ScanAttributes } from "./index.ts";

/** The maximum number of lines processed side by side; see assembly/scan.ts. */
const GROUP = 256;

const cumulativeSum: WasmAnchorKernel = {
  kind: "anchor",
  call(node, [input], result) {
    const { outer, count, inner } = node.attributes as ScanAttributes;
    return {
      kernel: "cumulativeSum",
      arguments: [...operandWords(input!), ...resultWords(result), count, inner],
      units: outer * inner,
      grain: 16,
      scratchBytes: (8 + 4) * GROUP,
      flops: node.size,
    };
  },
};

export const kernels = { cumulativeSum };
