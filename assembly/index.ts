/*
 * The kernels of the WebAssembly backend, and the vector functions that its generated modules call.
 */
export { attention, attentionKeyValueGradient, attentionQueryGradient } from "./attention";
export { sortOrder, sumByIndex } from "./by-index";
export { depthwise, depthwiseWeights } from "./depthwise";
export { layerNormGradient, rowMoments } from "./layer-norm";
export { matmul } from "./matmul";
export { firstNonFinite } from "./non-finite";
export { patches, patchRows } from "./patches";
export { argmax, maximum as max, mean, product, sum } from "./reduce";
export { cumulativeSum } from "./scan";
export { logSoftmax, softmax, softmaxCrossEntropy, softmaxCrossEntropyGradient } from "./softmax";
export { flushSubnormals } from "./subnormal";
export { transpose } from "./transpose";
export * from "./math";
