/*
 * Benchmarks a training step: compares the first steps with the CPU's, then times the whole step and its kernels.
 */
import type { Backend, Executable } from "../backends/backend.ts";
import { createCpuBackend } from "../backends/cpu/index.ts";
import { DeviceError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { packedSize } from "../ops/layout/index.ts";
import type { Snapshot } from "../train/snapshot.ts";
import { createTrainer, type Trainer } from "../train/trainer.ts";
import { requireClose, type Tolerance } from "./check.ts";
import type { Bench } from "./kernels.ts";
import type { BufferMeter } from "./memory.ts";
import { Replay } from "./replay.ts";
import { ratesOf, type DetailedStepRow, type KernelRow, type StepRow } from "./report.ts";
import type { StepCase } from "./step-cases.ts";

/** The backend and settings for steps, with a meter of GPU memory. */
export interface StepBench extends Bench {
  readonly meter: Pick<BufferMeter, "bytes">;
}

/** The costs of a case besides timing it, from which those of larger cases are predicted. */
export interface StepCosts {
  /** The time to compile and to run the compared steps; a driver may compile when a kernel first runs. */
  readonly preparationSeconds: number;
  /** The time of the same steps on the CPU. */
  readonly referenceSeconds: number;
}

const LEARNING_RATE = 1e-3;

/** The last step whose loss is compared with the CPU's. In the first step, all values are compared. */
export const COMPARED_STEPS = 3;

/** With more FLOPs per step, only the first step is compared, because the CPU takes about a second for one. */
const MOST_COMPARED_FLOPS = 5e8;

/** A trainer with its parameters and the executable of its step. */
interface Subject {
  readonly trainer: Trainer;
  readonly parameters: readonly Tensor[];
  readonly step: Executable;
}

const seconds = () => performance.now() / 1000;

/**
 * Checks a step, then times it as a whole.
 * @throws ResultError if the first steps differ from the CPU's; nothing is then timed
 * @throws DeviceError if the batch exceeds the device's limits
 */
export async function measureStep(bench: StepBench, stepCase: StepCase): Promise<{ row: StepRow; costs: StepCosts }> {
  return withSubject(bench, stepCase, async (subject, prepared) => {
    const replay = new Replay(subject.step, bench.settings, subject.trainer.step);
    await replay.warmUp();
    return { row: await wholeRow(bench, stepCase, subject, { replay, ...prepared }), costs: prepared };
  });
}

/** Like measureStep, and also times each kernel of the step, submitting the step, and the training loop. */
export async function measureStepInDetail(bench: StepBench, stepCase: StepCase): Promise<DetailedStepRow> {
  return withSubject(bench, stepCase, async (subject, prepared) => {
    const { step, trainer } = subject;
    const replay = new Replay(step, bench.settings, trainer.step);
    await replay.warmUp();
    const row = await wholeRow(bench, stepCase, subject, { replay, ...prepared });
    const kernels = bench.clock === "timestamps" ? await kernelRows(bench, stepCase, step, replay) : [];
    const encoding = await replay.encoding();
    return {
      ...row,
      kernels,
      encoding: encoding
        ? {
            secondsPerStep: encoding.perStep,
            secondsPerDispatch: encoding.perStep / step.dispatches.length,
            secondsPerSubmit: encoding.perSubmit,
          }
        : null,
      trainingImagesPerSecond: await trainingRate(bench, trainer, row),
    };
  });
}

interface Prepared extends StepCosts {
  readonly compileSeconds: number;
  readonly gpuBytes: number;
}

async function withSubject<Value>(
  bench: StepBench,
  stepCase: StepCase,
  measure: (subject: Subject, prepared: Prepared) => Promise<Value>,
): Promise<Value> {
  const bytesBefore = bench.meter.bytes;
  const started = seconds();
  const subject = await prepare(bench.backend, stepCase);
  try {
    const compileSeconds = seconds() - started;
    const gpuBytes = bench.meter.bytes - bytesBefore;
    const { referenceSeconds } = await checkSteps(stepCase, subject);
    const preparationSeconds = seconds() - started - referenceSeconds;
    return await measure(subject, { gpuBytes, compileSeconds, preparationSeconds, referenceSeconds });
  } finally {
    subject.trainer.dispose();
  }
}

/** Creates the trainer of a case. @throws DeviceError if the batch exceeds the device's limits */
async function prepare(backend: Backend, { name, batch, create }: StepCase): Promise<Subject> {
  const { model, dataset, normalization } = create();
  const trainer = await createTrainer({
    model,
    dataset,
    normalization,
    backend,
    learningRate: LEARNING_RATE,
    batchSize: batch,
    epochs: 1_000_000,
  });
  const step = trainer.executable;
  if (step) return { trainer, parameters: model.parameters, step };
  trainer.dispose();
  throw new DeviceError({
    where: name,
    what: "the batch exceeds this device's limits",
    fix: "Use a smaller batch size",
  });
}

interface Measured extends Prepared {
  readonly replay: Replay;
}

async function wholeRow(
  bench: Bench,
  { name, network, batch }: StepCase,
  { step }: Subject,
  measured: Measured,
): Promise<StepRow> {
  const { replay, gpuBytes, compileSeconds } = measured;
  const { dispatches } = step;
  const total = (pick: (dispatch: (typeof dispatches)[number]) => number) =>
    dispatches.reduce((sum, each) => sum + pick(each), 0);
  const [flops, bytes] = [total((each) => each.flops), total((each) => each.bytes)];
  const time = await replay.wallClock();
  return {
    name,
    network,
    batch,
    dispatches: dispatches.length,
    flops,
    bytes,
    seconds: time,
    ...ratesOf({ flops, bytes }, time.median, bench.ceilings),
    imagesPerSecond: batch / time.median,
    compileSeconds,
    gpuBytes,
  };
}

async function kernelRows(
  { ceilings }: Bench,
  { name }: StepCase,
  step: Executable,
  replay: Replay,
): Promise<KernelRow[]> {
  const { each } = await replay.timestamps();
  return step.dispatches.map(({ kernel, shapes, flops, bytes }, position) => ({
    name: `${name}, ${position + 1} ${kernel}`,
    kernel,
    shapes,
    dispatches: 1,
    flops,
    bytes,
    clock: "timestamps",
    seconds: each[position]!,
    ...ratesOf({ flops, bytes }, each[position]!.median, ceilings),
  }));
}

/** Images per second of `fit`, which chooses the number of steps per submit. */
async function trainingRate({ settings }: Bench, trainer: Trainer, { seconds: step }: StepRow): Promise<number> {
  const steps = Math.max(3, Math.ceil(settings.mostSeconds / step.median));
  let rate = 0;
  for await (const { examplesPerSecond } of trainer.fit({ maxSteps: steps, every: steps })) rate = examplesPerSecond;
  return rate;
}

/**
 * Compares all values of the first step, and the loss of a few steps after it.
 * @returns how long the CPU took
 * @throws ResultError
 */
async function checkSteps(
  stepCase: StepCase,
  { trainer, parameters }: Subject,
): Promise<Pick<StepCosts, "referenceSeconds">> {
  const { name, terms, depth, flops } = stepCase;
  const { trainer: reference } = await prepare(createCpuBackend({ precision: "float64" }), stepCase);
  let referenceSeconds = 0;
  const referenceOf = async <Value>(run: (reference: Trainer) => Promise<Value>) => {
    const started = seconds();
    const result = await run(reference);
    referenceSeconds += seconds() - started;
    return result;
  };
  try {
    const [actual, expected] = [await firstStep(trainer), await referenceOf(firstStep)];
    const where = `${name}, first step`;
    requireClose(`${where}, loss`, actual.losses, expected.losses, {
      joined: terms,
      units: 64,
      scale: Math.max(1, expected.losses[0]!),
    });
    // A text has no accuracy.
    if (!Number.isNaN(expected.accuracies[0]))
      requireClose(`${where}, accuracy`, actual.accuracies, expected.accuracies);
    checkUpdate(where, parameters, { joined: terms, units: 64 * depth }, actual, expected.snapshot);
    if (flops > MOST_COMPARED_FLOPS) return { referenceSeconds };
    const later = [await lossesOf(trainer), await referenceOf(lossesOf)] as const;
    // Where a gradient is nearly 0, Adam's first update may have either sign, so these losses agree only approximately.
    requireClose(`${name}, loss of steps 2 to ${COMPARED_STEPS}`, ...later, { units: 1e-3 * 2 ** 24 });
    return { referenceSeconds };
  } finally {
    reference.dispose();
  }
}

interface FirstStep {
  readonly losses: Float64Array;
  readonly accuracies: Float64Array;
  readonly snapshot: Snapshot;
  readonly before: Snapshot;
}

async function firstStep(trainer: Trainer): Promise<FirstStep> {
  const before = await trainer.snapshot();
  const [losses, accuracies] = [new Float64Array(1), new Float64Array(1)];
  for await (const { loss, accuracy } of trainer.fit({ maxSteps: 1 })) [losses[0], accuracies[0]] = [loss, accuracy];
  return { losses, accuracies, snapshot: await trainer.snapshot(), before };
}

async function lossesOf(trainer: Trainer): Promise<Float64Array> {
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ maxSteps: COMPARED_STEPS - 1, every: 1 })) losses.push(loss);
  return Float64Array.from(losses);
}

/** Adam's coefficients, the defaults of `adam()`. */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/**
 * Compares the first moment, a tenth of the gradient, with the CPU's. The second moment and the parameters are compared
 * with the result of Adam for this device's own gradient, because the direction jumps where a gradient is nearly 0.
 */
function checkUpdate(
  where: string,
  parameters: readonly Tensor[],
  tolerance: Tolerance,
  actual: FirstStep,
  expected: Snapshot,
): void {
  const [first, second] = [
    actual.snapshot.optimizer["adam.firstMoment"]!.values,
    actual.snapshot.optimizer["adam.secondMoment"]!.values,
  ];
  const expectedFirst = expected.optimizer["adam.firstMoment"]!.values;
  const expectedSecond = first.map((moment) => (1 - ADAM.beta2) * (moment / (1 - ADAM.beta1)) ** 2);
  requireClose(`${where}, second moment`, second, expectedSecond, { units: 32 });
  let start = 0;
  for (const parameter of parameters) {
    const { name } = parameter.attributes as { name: string };
    const slice = [start, start + parameter.size] as const;
    start += packedSize(parameter);
    requireClose(
      `${where}, gradient of ${name}`,
      first.subarray(...slice),
      expectedFirst.subarray(...slice),
      tolerance,
    );
    const old = actual.before.parameters[name]!.values;
    const updated = old.map((value, at) => value - direction(first[slice[0] + at]!, second[slice[0] + at]!));
    requireClose(`${where}, ${name}`, actual.snapshot.parameters[name]!.values, updated, { units: 32 });
  }
}

/** What Adam subtracts from a parameter in the first step. */
function direction(firstMoment: number, secondMoment: number): number {
  const mean = firstMoment / (1 - ADAM.beta1);
  const meanSquare = secondMoment / (1 - ADAM.beta2);
  return (LEARNING_RATE * mean) / (Math.sqrt(meanSquare) + ADAM.epsilon);
}
