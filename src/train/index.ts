export {
  createEvaluator,
  type Evaluation,
  type Evaluator,
  type EvaluatorOptions,
} from "./evaluate.ts";
export type { Checkpoint, CheckpointOptions } from "./checkpoints.ts";
export type { FitOptions, SkippedStep, TrainingProgress } from "./fit.ts";
export { nonFiniteChoices, type NonFiniteChoice } from "./guard.ts";
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
export { minimize, type Minimization, type MinimizeOptions } from "./minimize.ts";
export type { Recovery, TrainerOptions } from "./options.ts";
export type { Snapshot, StoredValues, Unreported } from "./snapshot.ts";
export { fitUntil, type Stop, type StopKind, type StoppingMemory, type StoppingOptions, type StoppingProgress, type StoppingState } from "./stopping.ts";
export { createTrainer, type Trainer } from "./trainer.ts";
