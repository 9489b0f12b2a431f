export { augmentedExamples, type AugmentedExamplesOptions } from "./augmented-examples.ts";
export { averagedParameters } from "./average.ts";
export type { Normalizations } from "./batches.ts";
export {
  createEvaluator,
  type EvaluateOptions,
  type Evaluation,
  type Evaluator,
  type EvaluatorOptions,
} from "./evaluate.ts";
export type { FitOptions } from "./fit-options.ts";
export { nonFiniteChoices, type NonFiniteChoice } from "./guard.ts";
export {
  createTextGenerator,
  type GeneratedToken,
  type GenerateOptions,
  type SamplingOptions,
  type TextGenerator,
  type TextGeneratorOptions,
} from "./generate/index.ts";
export { createGradientNorms, type GradientNormOptions, type GradientNorms } from "./gradient-norms.ts";
export {
  classificationMetrics,
  confusionMatrix,
  predictedClasses,
  regressionMetrics,
  type ClassificationMetrics,
  type ClassMetrics,
  type RegressionMetrics,
} from "./metrics.ts";
export { probabilities } from "./outputs.ts";
export {
  bestThreshold,
  rocAuc,
  rocAucOneVsRest,
  rocCurve,
  type BestThreshold,
  type OneVsRestAuc,
  type RocCurve,
  type ThresholdCriterion,
} from "./roc.ts";
export { classesByThreshold, positiveScores } from "./two-classes.ts";
export { answerLoss, exactAnswers } from "./answers.ts";
export { nextTokenLoss } from "./next-token.ts";
export { minimize, type Minimization, type MinimizeOptions } from "./minimize.ts";
export type { OutputsOf } from "./network.ts";
export type { BatchFunction } from "./objective.ts";
export type { ParameterChoice, ParameterGroup } from "./parameters.ts";
export type { Recovery, TrainerOptions } from "./options.ts";
export type { PredictionInputs, Predictions } from "./predict.ts";
export type { SkippedStep, TrainingProgress } from "./progress.ts";
export type { RunShare } from "./share.ts";
export type { Checkpoint, CheckpointOptions } from "./run/checkpoints.ts";
export { readValues, type Snapshot, type StoredValues, type Unreported } from "./snapshot.ts";
export { fitUntil } from "./stopping.ts";
export type {
  RateReduction,
  Stop,
  StopKind,
  StoppingMemory,
  StoppingOptions,
  StoppingProgress,
  StoppingState,
} from "./stopping-options.ts";
export { createTrainer, type ApplicationOptions, type Trainer } from "./trainer.ts";
export { runToEnd, type Training } from "./training.ts";
