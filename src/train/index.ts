export {
  createEvaluator,
  probabilities,
  type Evaluation,
  type Evaluator,
  type EvaluatorOptions,
} from "./evaluate.ts";
export type { FitOptions, TrainingProgress } from "./fit.ts";
export type { Recovery, TrainerOptions } from "./options.ts";
export type { Snapshot, StoredValues } from "./snapshot.ts";
export { createTrainer, type Trainer } from "./trainer.ts";
