import plain from "../../../assembly/kernels.wasm?url";
import relaxed from "../../../assembly/kernels-relaxed.wasm?url";

/** The address of the compiled kernels of assembly/: relative to a page's base, or absolute. */
export const kernelsUrl = (relaxedSimd: boolean): string => (relaxedSimd ? relaxed : plain);
