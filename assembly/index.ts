/*
 * The kernels of the WebAssembly backend, and the functions of vectors that its generated modules call.
 */
export { matmul } from "./matmul";
export { firstNonFinite } from "./non-finite";
export { argmax, maximum as max, mean, sum } from "./reduce";
export { logSoftmax, softmax, softmaxCrossEntropy, softmaxCrossEntropyGradient } from "./softmax";
export * from "./math";
