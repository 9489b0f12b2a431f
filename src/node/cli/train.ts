import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Option, type Command } from "commander";
import type { Backend } from "../../backends/backend.ts";
import type { Normalization } from "../../data/dataset.ts";
import { DataError } from "../../errors.ts";
import type { Model } from "../../nn/sequential.ts";
import { warmup as warmedUp } from "../../nn/schedules.ts";
import { createTrainer, type Evaluation, type Trainer, type TrainingProgress } from "../../train/index.ts";
import { plainReason } from "../files.ts";
import { createNodeBackend, loadMnist, saveModelFile, type DeviceChoice, type MnistSource } from "../index.ts";
import { debugs } from "./debug.ts";
import { EventLog } from "./event-log.ts";
import { INTERRUPTED, Interruption } from "./interrupt.ts";
import { buildNetwork, describeNetwork, normalizationOf, stepOptions } from "./network.ts";
import {
  dataOption,
  deviceOption,
  networkOptions,
  positiveNumber,
  scheduleOption,
  schedules,
  wholeNumber,
  type NetworkFlags,
  type ScheduleName,
} from "./options.ts";
import { planTable } from "./plan-table.ts";
import { ProgressLine } from "./progress.ts";
import { adapterText, count, field, lossText, percent, testText } from "./text.ts";

interface TrainFlags extends NetworkFlags {
  readonly data?: string;
  readonly lr: number;
  readonly schedule: ScheduleName;
  readonly warmup: number;
  readonly epochs: number;
  readonly maxSteps?: number;
  readonly device: DeviceChoice;
  readonly out?: string;
  readonly log?: string;
}

/** `wgrad train`. */
export function trainCommand(command: Command): Command {
  command
    .description("Trains a network on MNIST, or on built-in digits where there is no MNIST.")
    .addOption(dataOption());
  for (const option of networkOptions()) command.addOption(option);
  return command
    .addOption(new Option("--lr <rate>", "learning rate").argParser(positiveNumber("--lr")).default(0.002))
    .addOption(scheduleOption())
    .addOption(
      new Option("--warmup <steps>", "linear rise of the learning rate before the schedule")
        .argParser(wholeNumber("--warmup", 0))
        .default(0),
    )
    .addOption(new Option("--epochs <number>", "passes over the data").argParser(wholeNumber("--epochs", 1)).default(3))
    .addOption(
      new Option("--max-steps <number>", "end the run and its schedule earlier").argParser(wholeNumber("--max-steps", 1)),
    )
    .addOption(deviceOption())
    .option("--out <file>", "write the trained model, such as MODEL.safetensors")
    .option("--log <file>", "write the progress, a JSON object a line, such as RUN.jsonl")
    .addHelpText("after", "\nExample:\n  wgrad train --hidden 256,128 --epochs 5 --out digits.safetensors")
    .action(train);
}

async function train(flags: TrainFlags): Promise<void> {
  if (flags.out !== undefined) await requireWritable(flags.out);
  const log = flags.log === undefined ? undefined : new EventLog(flags.log);
  try {
    const data = await loadMnist({ directory: flags.data });
    const backend = await createNodeBackend({ device: flags.device });
    try {
      await trainOn({ flags, data, backend, log });
    } finally {
      backend.dispose();
    }
  } finally {
    log?.close();
  }
}

/** @throws DataError where a file of this name cannot be made, before any work is done for it */
async function requireWritable(path: string): Promise<void> {
  const refuse = (reason: string) =>
    new DataError({ where: path, what: `the model cannot be written: ${reason}`, fix: "Choose another path for --out" });
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch((error: unknown) => {
    throw refuse(`folder ${folder}: ${plainReason(error)}`);
  });
  if (!(await stat(folder)).isDirectory()) throw refuse(`${folder} is a file, not a folder`);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw refuse("there is a folder of this name");
}

interface Run {
  readonly flags: TrainFlags;
  readonly data: MnistSource;
  readonly backend: Backend;
  readonly log: EventLog | undefined;
}

async function trainOn(run: Run): Promise<void> {
  const { flags, data, backend, log } = run;
  const subject = await prepare(run);
  const { trainer } = subject;
  if (debugs("plan")) console.error(planTable(trainer.dispatches));
  describe(run, subject);
  const startupSeconds = performance.now() / 1000;
  const { reached, interrupted } = await fit(trainer, log);
  const { seconds = 0, imagesPerSecond = 0 } = reached ?? {};
  const facts = { seconds, imagesPerSecond, adapter: backend.adapter.name, backend: backend.kind, seed: flags.seed, startupSeconds };
  if (interrupted) return reportInterruption(run, reached, facts);
  const began = performance.now();
  const test = await trainer.evaluate(data.test);
  const evaluationSeconds = (performance.now() - began) / 1000;
  console.log(`${testText(test)}  (${seconds.toFixed(1)} s, ${count(imagesPerSecond)} images/s)`);
  if (!Number.isFinite(test.loss)) console.error("The loss is no finite number: the training diverged. Try a smaller --lr.");
  const { accuracy: testAccuracy, loss: testLoss } = test;
  log?.write({ event: "done", testAccuracy, testLoss, ...facts, evaluationSeconds, steps: trainer.step });
  if (flags.out !== undefined) await save(flags.out, run, subject, test);
}

/** What is trained. */
interface Subject {
  readonly model: Model;
  readonly normalization: Normalization;
  readonly trainer: Trainer;
}

async function prepare({ flags, data, backend }: Run): Promise<Subject> {
  const { epochs, maxSteps, lr, warmup } = flags;
  const model = buildNetwork(flags, data.train);
  const normalization = normalizationOf(flags, data.train);
  const decay = schedules[flags.schedule]();
  const trainer = await createTrainer({
    ...stepOptions(flags),
    model,
    dataset: data.train,
    backend,
    normalization,
    epochs,
    learningRate: lr,
    schedule: warmup > 0 ? warmedUp(warmup, decay) : decay,
    ...(maxSteps !== undefined && { maxSteps }),
  });
  return { model, normalization, trainer };
}

/** Prints what is trained, on which data and by what. */
function describe({ flags, data, backend }: Run, { model, trainer }: Subject): void {
  const { batch, stepsTotal } = trainer;
  const { train: examples, test } = data;
  const warmup = flags.warmup > 0 ? ` after ${flags.warmup} steps of warm-up` : "";
  const rate = `learning rate ${flags.lr} (${flags.schedule}${warmup})`;
  console.log(
    [
      field("data", `${data.source}: ${count(examples.count)} for training, ${count(test.count)} for testing`),
      field("adapter", adapterText(backend)),
      field("network", describeNetwork(flags, model)),
      field("training", `${count(stepsTotal)} steps of ${count(batch)}, ${flags.optimizer}, ${rate}`),
    ].join("\n"),
  );
}

/** The most steps from one event to the next, so that Ctrl-C is heard soon. */
const MOST_STEPS_BETWEEN_EVENTS = 100;

/** Trains to the end, or until Ctrl-C is pressed. */
async function fit(trainer: Trainer, log: EventLog | undefined) {
  const every = Math.min(MOST_STEPS_BETWEEN_EVENTS, Math.ceil(trainer.stepsTotal / 100));
  const line = new ProgressLine(process.stdout);
  const interruption = new Interruption();
  let reached: TrainingProgress | undefined;
  try {
    for await (const progress of trainer.fit({ every })) {
      reached = progress;
      line.show(progress);
      const { step, epoch, loss, accuracy, learningRate, imagesPerSecond } = progress;
      log?.write({ event: "progress", step, epoch, loss, accuracy, learningRate, imagesPerSecond });
      // The CPU backend never waits, and signals are heard only while the process does.
      await setImmediate();
      if (interruption.asked) break;
    }
  } finally {
    line.finish();
    interruption.stopListening();
  }
  return { reached, interrupted: interruption.asked };
}

function reportInterruption({ log }: Run, reached: TrainingProgress | undefined, facts: object): void {
  const { step = 0, stepsTotal = 0, epoch = 0, loss = NaN, accuracy = NaN } = reached ?? {};
  const metrics = `loss ${lossText(loss)}, training accuracy ${percent(accuracy)}`;
  console.log(`interrupted at step ${count(step)} of ${count(stepsTotal)} (epoch ${epoch}): ${metrics}`);
  log?.write({ event: "interrupted", step, epoch, loss, accuracy, ...facts });
  process.exitCode = INTERRUPTED;
}

async function save(path: string, { flags, data }: Run, subject: Subject, test: Evaluation): Promise<void> {
  const { model, normalization, trainer } = subject;
  const { step, parameters } = await trainer.snapshot();
  const { optimizer, lr: learningRate, schedule, warmup, epochs, seed, precision } = flags;
  const trained = {
    model,
    loss: flags.loss,
    normalization,
    classes: data.train.classes,
    step,
    training: { data: data.train.name, optimizer, learningRate, schedule, warmup, batch: trainer.batch, epochs, seed, precision },
    results: { data: data.test.name, ...test },
  };
  await saveModelFile(path, trained, parameters);
  console.log(field("model", path));
}
