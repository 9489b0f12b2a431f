const EPOCHS = 60;
const BATCH = 128;

/** The steps of the shared run. */
export const TOTAL_STEPS = Math.floor(60_000 / BATCH) * EPOCHS;

/** How far below the accuracy of an undisturbed run a disturbed one may be, in points. */
export const MOST_LOSS = 0.2;

/**
 * The arguments of a shared run on MNIST.
 * @param stateEvery makes two runs of the same network different ones on the server
 */
export const sharedRun = (address: string, stateEvery: number): string[] => [
  ..."train --device wasm --hidden 128 --lr 0.003 --inner-steps 100 --workers 2 --quorum 1 --seed 1".split(" "),
  ...`--batch ${BATCH} --worker-batch ${BATCH} --epochs ${EPOCHS}`.split(" "),
  ...`--nats ${address} --state-every ${stateEvery}`.split(" "),
  "--data",
  process.env["MNIST_DIR"]!,
];

export const accuracyIn = (output: string): number => Number(/^test accuracy ([\d.]+) %/m.exec(output)![1]);

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
