import url from "../../../assembly/kernels.wasm?url";

/** The address of the compiled kernels of assembly/: relative to a page's base, or absolute. */
export const kernelsUrl: string = url;
