/*
 * The batch size and the learning rate with which each worker of a shared run trains, so that the run resembles that of
 * one machine: the workers divide its batch.
 */

/** What a step of one machine trains on, and its learning rate. */
export interface StepSize {
  readonly batchSize: number;
  readonly learningRate: number;
}

/** The optimizers whose step is a linear function of the gradients. Others divide by a size of the gradients. */
const LINEAR: readonly string[] = ["sgd", "momentum", "nesterov"];

export interface StepSharing {
  /** The number of workers that divide the batch. */
  readonly workers: number;
  /** The batch size of a worker; by default the batch divided by the workers, rounded down, at least 1. */
  readonly workerBatch?: number | undefined;
  /** The name of the optimizer, such as "adam". */
  readonly optimizer: string;
}

/**
 * The step of a worker. The learning rate of optimizers such as Adam is multiplied by √(worker's batch / batch): a smaller batch has
 * noisier gradients, which they divide by their size (the square root scaling rule of Malladi et al. 2022, arXiv
 * 2205.10287). That of optimizers such as SGD stays, because the mean of steps on parts of a batch is the step on the batch.
 * docs/cluster.md has measurements.
 */
export function workerStep(
  { batchSize, learningRate }: StepSize,
  { workers, workerBatch = Math.max(1, Math.floor(batchSize / workers)), optimizer }: StepSharing,
): StepSize {
  const factor = LINEAR.includes(optimizer) ? 1 : Math.sqrt(workerBatch / batchSize);
  return { batchSize: workerBatch, learningRate: learningRate * factor };
}
