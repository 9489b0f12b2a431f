/**
 * The library, identical in browsers and Node. Graphs, ops, layers, training and data are exported by name.
 * Initializers, optimizers, schedules and synthetic points have short names that would collide, so they are exported as
 * objects.
 *
 * @module wgrad
 */
export * from "./errors.ts";
export { Random, randomKey } from "./random.ts";

export { defineGraph, type Graph, type Update } from "./graph/graph.ts";
export { constant, input, parameter, state, stepScalar, type StoredAttributes } from "./graph/leaves.ts";
export type { ComputeOp, DType, GivenOp, Op, Shape, Tensor, TensorType } from "./graph/tensor.ts";
export type {
  AnchorTraits,
  AtomicTraits,
  ElementRange,
  OpTraits,
  PackTraits,
  PointwiseTraits,
  ReductionShape,
} from "./graph/traits.ts";

export { attention, rotateByPosition, type AttentionOptions, type RotationOptions } from "./ops/attention/index.ts";
export {
  averagePool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  globalAveragePool2d,
  globalMaxPool2d,
  maxPool2d,
  resizeBilinear2d,
  sampleBilinear2d,
  upsampleNearest2d,
  type ConvolutionOptions,
  type Coordinates,
  type Padding,
  type Pair,
  type PairOption,
  type SampleOptions,
  type SignalConvolutionOptions,
  type SignalWindowOptions,
  type TransposedConvolutionOptions,
  type WindowOptions,
} from "./ops/convolution/index.ts";
export { toIndex, type ToIndexOptions } from "./ops/convert/index.ts";
export { dropoutMask } from "./ops/dropout/index.ts";
export * from "./ops/elementwise/index.ts";
export { takeBatch, type TakeBatchOptions } from "./ops/gather/index.ts";
export { gradients } from "./ops/gradients.ts";
export { withFloat16Activations } from "./ops/activation-storage.ts";
export type { ActivationStorage } from "./precisions.ts";
export { packFloat16, unpackFloat16 } from "./ops/float16/index.ts";
export { checkpointedGradients } from "./ops/recompute.ts";
export {
  concat,
  flip,
  oneHot,
  pad,
  slice,
  sortOrder,
  split,
  stack,
  sumByIndex,
  take,
  takeAlong,
  tile,
  type PadMode,
  type PadOptions,
  type SliceRange,
  type TakeOptions,
} from "./ops/indexing/index.ts";
export { axisIndex, broadcastTo, pack, reshape, stopGradient, transpose } from "./ops/layout/index.ts";
export {
  halfSumOfSquares,
  hinge,
  huber,
  klDivergence,
  meanAbsoluteError,
  meanSquaredError,
  negativeLogLikelihood,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
  type BinaryCrossEntropyOptions,
  type CrossEntropyOptions,
  type HuberOptions,
  type Loss,
  type LossOptions,
  type Reduction,
} from "./ops/losses/index.ts";
export { layerNorm, type LayerNormOptions } from "./ops/layer-norm/index.ts";
export type { BatchAttributes } from "./ops/matmul/batches.ts";
export {
  matmul,
  matrixProducts,
  type MatmulAttributes,
  type MatmulOptions,
  type MatrixProduct,
} from "./ops/matmul/index.ts";
export { firstNonFinite, replaceIf } from "./ops/non-finite/index.ts";
export { batchNorm, type BatchNorm, type BatchNormOptions } from "./ops/normalization/index.ts";
export { randomNormal, randomUniform } from "./ops/random/index.ts";
export {
  gru,
  gruWithState,
  lstm,
  lstmWithState,
  type GruState,
  type LstmState,
  type RecurrentOptions,
  type RecurrentResult,
  type RecurrentWeights,
} from "./ops/recurrent/index.ts";
export {
  argmax,
  max,
  mean,
  min,
  product,
  sum,
  variance,
  type ReduceOptions,
  type VarianceOptions,
} from "./ops/reduce/index.ts";
export { cumulativeSum } from "./ops/scan/index.ts";
export { drawWindows, type DrawWindowsOptions } from "./ops/windows/index.ts";
export { logSoftmax, logSumExp, softmax, type SoftmaxOptions } from "./ops/softmax/index.ts";

export * from "./nn/index.ts";
export * from "./train/index.ts";

export {
  columnStandardization,
  isRegression,
  makeClassificationDataset,
  makeRegressionDataset,
  standardization,
  unitScale,
  type AnyDataset,
  type ClassificationDataset,
  type Dataset,
  type Examples,
  type Moments,
  type Normalization,
  type RegressionDataset,
  type RowDataset,
  type UniformNormalization,
} from "./data/dataset.ts";
export type { ColumnDescription, ColumnType } from "./data/columns.ts";
export { makeStream, type Batches, type DataStream, type SavingBatches, type StreamBatch } from "./data/stream.ts";
export {
  makeTensorDataset,
  type ExampleTensor,
  type TensorDataset,
  type TensorElements,
} from "./data/tensor-dataset.ts";
export { bytePairTokenizer, trainBytePairs, type BytePairOptions } from "./data/text/byte-pairs/index.ts";
export { byteTokenizer } from "./data/text/bytes.ts";
export { characterTokenizer } from "./data/text/characters.ts";
export { tokenizerFromConfig } from "./data/text/config.ts";
export {
  makeTextDataset,
  splitText,
  type SplitTextOptions,
  type TextDataset,
  type TextOptions,
} from "./data/text/dataset.ts";
/** Tasks with exact answers for models of sequences: addition, sorting, reversing and copying. */
export * as tasks from "./data/text/tasks.ts";
export type { AdditionOptions, SequenceTask, SymbolTaskOptions, TaskOptions } from "./data/text/tasks.ts";
export { IGNORED_TOKEN, type Tokenizer, type TokenizerConfig, type Tokens } from "./data/text/tokenizer.ts";
export { foldsOf, type Fold } from "./data/folds.ts";
export { firstExamples, splitDataset, takeExamples, type Split, type SplitOptions } from "./data/split.ts";
export {
  datasetFromTable,
  featureMeans,
  fillMissing,
  inUnitsOf,
  schemaOf,
  standardizeTargets,
  targetMoments,
  targetsInUnits,
  usualTask,
  type TableConstants,
  type Task,
} from "./data/table-data.ts";
export {
  datasetFromRows,
  featuresOfRecords,
  TableRows,
  type EncodedRow,
  type TableRecord,
  type TableRowsOptions,
} from "./data/table-rows.ts";
export {
  prepareTable,
  type PrepareTableOptions,
  type TableConstantsOfParts,
  type TableParts,
} from "./data/prepare-table.ts";
export {
  featureNames,
  tableSchemaFrom,
  type FeatureColumn,
  type LabelColumn,
  type TargetColumn,
  type TableSchema,
} from "./data/table-schema.ts";
export { TableBuilder, type Table, type TableLabel, type TableOptions } from "./data/table.ts";
export type { TableRemark } from "./data/table-layout.ts";
export type { DateFormat, DateOrder, DatePart } from "./data/dates.ts";
export type { Decimal, NumberFormat } from "./data/number-format.ts";
export { ValueList } from "./data/values.ts";
export {
  resizeImage,
  type DecodedImage,
  type ImageColor,
  type ImageInput,
  type ImageSize,
} from "./data/image-pixels.ts";
export { epochOrder } from "./data/order.ts";
export { builtInDigits, type BuiltInDigitsOptions } from "./data/digits.ts";
/** Synthetic data sets: two classes in the plane, and curves. */
export * as points from "./data/points.ts";
export type { LineOptions, PointsOptions, PolynomialOptions, SineOptions, SpiralsOptions } from "./data/points.ts";

export { loadCheckpoint, saveCheckpoint, type CheckpointState, type LoadedState } from "./formats/checkpoint.ts";
export {
  initialValues,
  loadModel,
  saveModel,
  type AnyExtensions,
  type AnyModelToSave,
  type AnyTrainedModel,
  type FileExtensions,
  type FunctionalModelToSave,
  type ModelToSave,
  type ParameterValues,
  type TrainedFunctionalModel,
  type TrainedModel,
} from "./formats/model.ts";
export { gpt2Code, loadGpt2, saveGpt2, type Gpt2Options } from "./formats/gpt2.ts";
export { loadPytorch, pytorchCode, savePytorch, type ImportOptions } from "./formats/pytorch.ts";
export { startFromPytorch, type PytorchStart, type PytorchStartOptions } from "./formats/pytorch-layers.ts";
export { readSafetensors, writeSafetensors, type ReadOptions } from "./formats/safetensors.ts";

export type {
  AdapterDescription,
  Backend,
  DispatchDescription,
  Executable,
  NumericArray,
  Session,
} from "./backends/backend.ts";
export { createCpuBackend, type CpuOptions } from "./backends/cpu/index.ts";
export { createBackend, deviceChoices, type BackendOptions, type DeviceChoice } from "./backends/choose.ts";
export { createWasmBackend, createWebGPUBackend } from "./backends/on-demand.ts";
export type { WasmOptions } from "./backends/wasm/index.ts";
export { browserWasm, type ThreadEvents, type WasmSource, type WasmThread } from "./backends/wasm/source.ts";
export { browserTuningStore } from "./backends/webgpu/browser-store.ts";
export type {
  TimeLimits,
  Tuned,
  TuningOptions,
  TuningChoices,
  TuningResult,
  TuningStore,
  WebGPUBackend,
  WebGPUOptions,
} from "./backends/webgpu/index.ts";
export { browserGpu, type GpuSource } from "./device/adapter.ts";
export type { DeviceLimits, DeviceOptions } from "./device/device.ts";
