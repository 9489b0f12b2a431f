import { activation, dense, dropout, flatten, layers, sequential, type Layer } from "../../src/nn/index.ts";

const {
  averagePool2d,
  batchNorm,
  conv1d,
  conv2d,
  convTranspose2d,
  depthwiseConv2d,
  embedding,
  gaussianNoise,
  globalAveragePool2d,
  globalMaxPool2d,
  groupNorm,
  gru,
  layerNorm,
  lstm,
  maxPool2d,
  multiHeadAttention,
  positionEmbedding,
  reshape,
  residual,
  rmsNorm,
  spatialDropout,
  tiedEmbedding,
  transformerBlock,
  upsample,
} = layers;

/** Layers, and the shape of one example of the first one's input; [4] by default. */
export interface LayerCase {
  readonly layer: Layer;
  readonly inputShape?: readonly number[];
}

/** One layer of each type. */
export const layerCases: Readonly<Record<string, LayerCase>> = {
  activation: { layer: activation("gelu") },
  averagePool2d: { layer: averagePool2d([3, 2], { stride: 1, padding: "same" }), inputShape: [5, 4, 2] },
  batchNorm: { layer: batchNorm({ momentum: 0.2, epsilon: 1e-3 }), inputShape: [3, 2, 4] },
  conv1d: { layer: conv1d(4, 3, { padding: [2, 1], stride: 2, groups: 2 }), inputShape: [7, 2] },
  conv2d: { layer: conv2d(4, [3, 2], { padding: "same", dilation: [1, 2], groups: 2 }), inputShape: [5, 4, 2] },
  convTranspose2d: { layer: convTranspose2d(4, 3, { stride: 2, outputPadding: 1 }), inputShape: [2, 3, 2] },
  dense: { layer: dense(3, { activation: "tanh" }) },
  depthwiseConv2d: { layer: depthwiseConv2d(3, { multiplier: 2, bias: false }), inputShape: [5, 4, 2] },
  dropout: { layer: dropout(0.25) },
  embedding: { layer: embedding(7, 3) },
  flatten: { layer: flatten(), inputShape: [2, 2] },
  gaussianNoise: { layer: gaussianNoise(0.1) },
  globalAveragePool2d: { layer: globalAveragePool2d(), inputShape: [3, 4, 2] },
  globalMaxPool2d: { layer: globalMaxPool2d(), inputShape: [3, 4, 2] },
  groupNorm: { layer: groupNorm(2, { epsilon: 1e-3 }), inputShape: [3, 2, 4] },
  gru: { layer: gru(3, { sequences: true }), inputShape: [5, 2] },
  layerNorm: { layer: layerNorm(), inputShape: [3, 4] },
  lstm: { layer: lstm(3, { bidirectional: true }), inputShape: [5, 2] },
  maxPool2d: {
    layer: maxPool2d(2, {
      padding: [
        [0, 1],
        [1, 0],
      ],
    }),
    inputShape: [5, 4],
  },
  multiHeadAttention: { layer: multiHeadAttention({ heads: 2, causal: true, rotary: true }), inputShape: [3, 4] },
  positionEmbedding: { layer: positionEmbedding(5), inputShape: [3, 4] },
  reshape: { layer: reshape([2, 1, 2]) },
  residual: { layer: residual([dense(3, { activation: "relu" }), rmsNorm()], { projection: [dense(3)] }) },
  rmsNorm: { layer: rmsNorm({ affine: false }) },
  sequential: { layer: sequential([dense(3, { activation: "relu" }), dense(2, { bias: false })]) },
  spatialDropout: { layer: spatialDropout(0.5), inputShape: [3, 2] },
  tiedEmbedding: { layer: tiedEmbedding(7, 4, [positionEmbedding(4), layerNorm()], { bias: true }) },
  transformerBlock: {
    layer: transformerBlock({ heads: 2, hidden: 6, activation: "silu", gated: true, norm: "rms", dropout: 0.1 }),
    inputShape: [3, 4],
  },
  upsample: { layer: upsample([2, 1], { mode: "bilinear" }), inputShape: [2, 3, 1] },
};

const block = (channels: number) => [
  conv2d(channels, 3, { padding: "same", activation: "relu" }),
  spatialDropout(0.3),
  conv2d(channels, 3, { padding: "same" }),
];

/** More networks, with options and combinations whose form in other programs differs. */
export const networks: Readonly<Record<string, { layers: readonly Layer[]; inputShape: readonly number[] }>> = {
  "a convolutional network on gray images": {
    layers: [
      conv2d(4, 3, { activation: "relu" }),
      maxPool2d(2),
      activation("tanh"),
      conv2d(6, 3, { padding: 1, stride: 2 }),
      activation("gelu"),
      averagePool2d(2),
      flatten(),
      dense(3),
    ],
    inputShape: [13, 11],
  },
  "strides with padding same, which is uneven": {
    layers: [
      conv2d(3, 2, { padding: "same", stride: 2, activation: "elu" }),
      maxPool2d(2, { padding: "same", stride: 1 }),
      depthwiseConv2d([2, 3], { padding: "same", stride: [1, 2] }),
    ],
    inputShape: [8, 9, 2],
  },
  "pooling with much padding": {
    layers: [maxPool2d(3, { padding: 2, stride: 2 }), averagePool2d(3, { padding: 2 })],
    inputShape: [7, 6, 2],
  },
  "transposed convolutions": {
    layers: [
      dense(24, { activation: "relu" }),
      reshape([2, 3, 4]),
      convTranspose2d(4, 3, { stride: 2, padding: "same", activation: "silu", groups: 2 }),
      convTranspose2d(2, 2, { stride: 3, padding: "same" }),
      convTranspose2d(1, [3, 5], { padding: 1, dilation: [2, 1], bias: false }),
    ],
    inputShape: [5],
  },
  "signals with one channel": {
    layers: [conv1d(4, 4, { padding: "same", activation: "tanh" }), layerNorm(), conv1d(2, 3, { dilation: 2 })],
    inputShape: [16],
  },
  "batch normalization of features, signals and images": {
    layers: [
      batchNorm({ affine: false }),
      dense(12),
      reshape([4, 3]),
      batchNorm(),
      conv1d(6, 2, { bias: false, activation: "relu" }),
      batchNorm({ momentum: 0.5 }),
      reshape([3, 2, 3]),
      conv2d(4, 2, { bias: false }),
      batchNorm({ epsilon: 0.01 }),
      activation("relu"),
      residual([conv2d(4, 1, { bias: false }), batchNorm()]),
      flatten(),
      dense(2),
    ],
    inputShape: [5],
  },
  "residual connections, with and without a projection": {
    layers: [
      residual(block(4), { projection: [conv2d(4, 1, { bias: false })] }),
      activation("relu"),
      residual(block(4)),
      residual([groupNorm(4), sequential([conv2d(4, 1), residual([gaussianNoise(1), layerNorm()])])]),
      globalAveragePool2d(),
      dense(2),
    ],
    inputShape: [5, 6, 3],
  },
  words: {
    layers: [
      embedding(9, 4),
      residual([rmsNorm(), conv1d(4, 1, { activation: "relu" })]),
      layerNorm({ affine: false }),
      flatten(),
      dense(2),
    ],
    inputShape: [5],
  },
  "attention to all positions": {
    layers: [positionEmbedding(6), multiHeadAttention({ heads: 3, bias: false }), flatten(), dense(2)],
    inputShape: [4, 6],
  },
  "recurrent networks": {
    layers: [gru(4, { bias: false }), reshape([2, 2]), lstm(3, { sequences: true, bias: false }), gru(2), dense(2)],
    inputShape: [3, 5],
  },
  "more recurrent networks": {
    layers: [lstm(4, { sequences: true }), gru(3, { sequences: true }), lstm(2)],
    inputShape: [6, 2],
  },
  "recurrent networks of two directions": {
    layers: [
      gru(4, { sequences: true, bidirectional: true, bias: false }),
      lstm(3, { sequences: true, bidirectional: true }),
      lstm(2, { sequences: true }),
      gru(3, { bidirectional: true }),
      dense(2),
    ],
    inputShape: [5, 2],
  },
  "a language model": {
    layers: [
      tiedEmbedding(9, 8, [
        positionEmbedding(5),
        dropout(0.1),
        transformerBlock({ heads: 2, hidden: 12, causal: true }),
        transformerBlock({ heads: 1, hidden: 5, causal: true, rotary: true, bias: false, activation: "relu" }),
        layerNorm(),
      ]),
    ],
    inputShape: [5],
  },
  "a residual connection from images to features": {
    layers: [
      conv2d(2, 2, { activation: "relu" }),
      residual([conv2d(3, 2), flatten(), dense(5)], { projection: [flatten(), dense(5)] }),
      sequential([reshape([5, 1, 1]), conv2d(4, 1), maxPool2d([5, 1])]),
    ],
    inputShape: [4, 5, 2],
  },
  "larger images": {
    layers: [upsample(2), conv2d(2, 3), upsample([1, 3], { mode: "bilinear" }), globalMaxPool2d()],
    inputShape: [4, 3],
  },
  "dense layers on each position": {
    layers: [
      dense(6, { activation: "gelu" }),
      residual([layerNorm(), dense(6, { activation: "tanh", bias: false })], { projection: [dense(6)] }),
      dense(2),
    ],
    inputShape: [5, 3],
  },
  "dense layers on the channels of images": {
    layers: [conv2d(3, 2), dense(4, { activation: "relu" }), conv2d(2, 1), dense(3), flatten(), dense(2)],
    inputShape: [4, 5, 2],
  },
  "normalization of plain features": { layers: [groupNorm(2), dense(4), rmsNorm({ epsilon: 0.5 })], inputShape: [6] },
};
