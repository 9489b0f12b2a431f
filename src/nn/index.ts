export { activations, type ActivationName, type CustomActivation } from "./activations.ts";
export type { Augmentation, AugmentationContext } from "./augmentation.ts";
/** Random changes of training examples. */
export * as augmentations from "./augmentations/index.ts";
export type {
  CutoutOptions,
  Distance,
  FillOptions,
  MixupOptions,
  RandomAffineOptions,
  RandomCropOptions,
  RandomFlipOptions,
  RandomRotateOptions,
  RandomScaleOptions,
  RandomShiftOptions,
} from "./augmentations/index.ts";
export type { Batch } from "./batch.ts";
export { clipByGlobalNorm, globalNorm } from "./clipping.ts";
export type { ModelExtensions } from "./extensions.ts";
export {
  functionalModel,
  type AnyModel,
  type FunctionalConfig,
  type FunctionalModel,
  type FunctionalOptions,
  type FunctionContext,
  type StateUseOptions,
  type UseOptions,
  type InputDescription,
  type InputType,
  type LayerUse,
  type ModelFunction,
  type NamedTensors,
} from "./functional.ts";
/** Initializers of parameters. */
export * as initializers from "./initializers.ts";
export type { Fans, Initializer } from "./initializers.ts";
/**
 * All layers. `activation`, `dense`, `dropout` and `flatten` are also exported by themselves; others have the names of
 * ops.
 */
export * as layers from "./layers/index.ts";
export { activation, dense, dropout, flatten } from "./layers/index.ts";
export type { AffineOptions } from "./layers/affine.ts";
export type {
  BatchNormLayerOptions,
  Conv1dOptions,
  Conv2dOptions,
  ConvTranspose2dOptions,
  DenseOptions,
  DepthwiseConv2dOptions,
  EmbeddingOptions,
  LayerWindowOptions,
  MultiHeadAttentionOptions,
  NormOptions,
  PoolOptions,
  PositionEmbeddingOptions,
  RecurrentLayerOptions,
  ResidualOptions,
  TiedEmbeddingOptions,
  TransformerBlockOptions,
  UpsampleMode,
  UpsampleOptions,
} from "./layers/index.ts";
export type {
  ApplyOptions,
  BatchMoments,
  RecordedAttention,
  BuiltLayer,
  ConfigResolver,
  ConfigValue,
  Layer,
  LayerApplyOptions,
  LayerConfig,
  LayerContext,
  LayerSummary,
  RecurrentLayer,
  RecurrentState,
} from "./layers/layer.ts";
export { summarizeLayer } from "./layers/registry.ts";
export {
  losses,
  type ClassificationLoss,
  type LossName,
  type ProbabilityFunction,
  type RegressionLoss,
  type TrainingLoss,
} from "./losses.ts";
export { accuracy, bitsPerCharacter, perplexity } from "./metrics.ts";
export { layersFromText } from "./layer-text/parse.ts";
export { layersToText } from "./layer-text/write.ts";
export { modelFromConfig, type FunctionalExtensions } from "./model-config.ts";
/** Models of several layers that are often used. */
export * as models from "./models/index.ts";
export type { GptOptions } from "./models/index.ts";
export { momentUpdates } from "./moments.ts";
export { momentumForms, type MomentumForm } from "./momentum-form.ts";
/** Optimizers: they compute new parameters from gradients. */
export * as optimizers from "./optimizers.ts";
export type {
  AdagradOptions,
  AdamOptions,
  AdamWOptions,
  DecayedOptions,
  LionOptions,
  MomentumOptions,
  MuonOptions,
  Optimizer,
  ParameterFactors,
  RegularizationOptions,
  RmspropOptions,
  UpdateOptions,
} from "./optimizers.ts";
export type { Gradients } from "./packed.ts";
export { startFrom, type NamedValues, type Start, type StartOptions } from "./start-from.ts";
export { stepProducts } from "./products.ts";
/** Learning rate schedules. */
export * as schedules from "./schedules.ts";
export type {
  CosineOptions,
  DecayOptions,
  LinearOptions,
  OneCycleOptions,
  RestartOptions,
  Schedule,
} from "./schedules.ts";
export { sequential, type Model, type ModelConfig, type SequentialOptions } from "./sequential.ts";
export { summary, type ModelSummary, type SummaryRow } from "./summary.ts";
export { toSequential } from "./to-sequential.ts";
