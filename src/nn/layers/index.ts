/*
 * The functions that make layers. Everything else in a layer's folder is found by its name; see registry.ts and
 * forms.ts.
 */
export { activation } from "./activation/index.ts";
export { averagePool2d } from "./averagePool2d/index.ts";
export { batchNorm, type BatchNormLayerOptions } from "./batchNorm/index.ts";
export { conv1d, type Conv1dOptions } from "./conv1d/index.ts";
export { conv2d, type Conv2dOptions } from "./conv2d/index.ts";
export { convTranspose2d, type ConvTranspose2dOptions } from "./convTranspose2d/index.ts";
export { dense, type DenseOptions } from "./dense/index.ts";
export { depthwiseConv2d, type DepthwiseConv2dOptions } from "./depthwiseConv2d/index.ts";
export { dropout } from "./dropout/index.ts";
export { embedding, type EmbeddingOptions } from "./embedding/index.ts";
export { flatten } from "./flatten/index.ts";
export { gaussianNoise } from "./gaussianNoise/index.ts";
export { globalAveragePool2d } from "./globalAveragePool2d/index.ts";
export { globalMaxPool2d } from "./globalMaxPool2d/index.ts";
export { groupNorm } from "./groupNorm/index.ts";
export { gru } from "./gru/index.ts";
export type { LayerWindowOptions } from "./images.ts";
export { layerNorm } from "./layerNorm/index.ts";
export { lstm } from "./lstm/index.ts";
export { maxPool2d } from "./maxPool2d/index.ts";
export { multiHeadAttention, type MultiHeadAttentionOptions } from "./multiHeadAttention/index.ts";
export type { NormOptions } from "./norms.ts";
export type { PoolOptions } from "./pooling.ts";
export { positionEmbedding, type PositionEmbeddingOptions } from "./positionEmbedding/index.ts";
export type { RecurrentLayerOptions } from "./recurrent.ts";
export { reshape } from "./reshape/index.ts";
export { residual, type ResidualOptions } from "./residual/index.ts";
export { rmsNorm } from "./rmsNorm/index.ts";
export { sequential } from "./sequential/index.ts";
export { spatialDropout } from "./spatialDropout/index.ts";
export { tiedEmbedding, type TiedEmbeddingOptions } from "./tiedEmbedding/index.ts";
export { transformerBlock, type TransformerBlockOptions } from "./transformerBlock/index.ts";
export { upsample, type UpsampleMode, type UpsampleOptions } from "./upsample/index.ts";
