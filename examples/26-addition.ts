/*
 * A GPT of two blocks learns to add numbers from examples such as "07+95=102", a character after another. It is tested with
 * pairs of numbers of which it has seen neither order. An answer is exact if all its digits are right.
 */
import {
  answerLoss,
  argmax,
  createTrainer,
  equal,
  exactAnswers,
  models,
  optimizers,
  schedules,
  slice,
  sum,
  summary,
  takeExamples,
  tasks,
  type Backend,
  type BatchFunction,
  type FunctionalModel,
  type NamedTensors,
  type SequenceTask,
  type TensorDataset,
} from "../src/index.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

export const makeModel = ({ context, tokenizer }: SequenceTask): FunctionalModel<"tokens", "logits"> =>
  models.gpt({ vocabulary: tokenizer.vocabularySize, context, layers: 2, heads: 4, width: 32, bias: false });

/** Whether a digit of the answer is right, 1 or 0; digit 0 is the last one. */
const isRight =
  (digit: number): BatchFunction<NamedTensors<"logits">> =>
  ({ logits }, { targets }) => {
    const place = targets!.shape[1]! - 1 - digit;
    const right = equal(argmax(logits, { axes: -1 }), targets!);
    return sum(slice(right, [undefined, { start: place, end: place + 1 }]), { axes: 1 });
  };

const metrics = { exact: exactAnswers, ones: isRight(0), tens: isRight(1), hundreds: isRight(2) };

/** The shares of right answers, and of right digits, of one evaluation. */
export type Shares = Readonly<Record<keyof typeof metrics, number>>;

/** The questions of a task of two-digit numbers by the number of digits of their numbers, without zeros in front. */
export function byDigits({ test, tokenizer, context }: SequenceTask): Record<string, TensorDataset> {
  const kinds = ["1 + 1", "1 + 2", "2 + 1", "2 + 2"];
  const kindOf = (row: number) => {
    const tokens = test.tensors["tokens"]!.values.subarray(row * context, row * context + 5);
    const numbers = tokenizer.decode(tokens).split("+").map(Number);
    return numbers.map((number) => String(number).length).join(" + ");
  };
  const rowsOf = (kind: string) =>
    Array.from({ length: test.count }, (_, row) => row).filter((row) => kindOf(row) === kind);
  return Object.fromEntries(kinds.map((kind) => [kind, takeExamples(test, Uint32Array.from(rowsOf(kind)), kind)]));
}

/** The training loss since the check before, and the shares on the test set. */
export interface Check {
  readonly step: number;
  readonly loss: number;
  readonly shares: Shares;
}

export interface Learned {
  readonly checks: readonly Check[];
  /** The share of exact answers on each data set. */
  readonly exact: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface Learning {
  readonly epochs: number;
  readonly batchSize: number;
  /** Data sets for an evaluation at the end. */
  readonly sets?: Readonly<Record<string, TensorDataset>>;
}

/** Trains, and evaluates on the test set 20 times. */
export async function learn(
  backend: Backend,
  task: SequenceTask,
  { epochs, batchSize, sets = {} }: Learning,
): Promise<Learned> {
  const trainer = await createTrainer({
    model: makeModel(task),
    backend,
    dataset: task.train,
    loss: answerLoss,
    metrics,
    optimizer: optimizers.adamW({ beta2: 0.99 }),
    learningRate: 0.01,
    schedule: schedules.oneCycle(),
    batchSize,
    epochs,
  });
  const checks: Check[] = [];
  const every = Math.ceil(trainer.totalSteps / 20);
  let seconds = 0;
  for await (const { step, loss, seconds: passed } of trainer.fit({ every, pauseEvery: every })) {
    const { metrics: shares } = await trainer.evaluate(task.test);
    checks.push({ step, loss, shares: shares! });
    seconds = passed;
  }
  const exact: Record<string, number> = {};
  for (const [name, set] of Object.entries(sets)) exact[name] = (await trainer.evaluate(set)).metrics!.exact;
  trainer.dispose();
  return { checks, exact, seconds };
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const task = tasks.addition();
  const sets = byDigits(task);
  const { parameters } = summary(makeModel(task));
  print(
    `${task.train.count} questions to learn from, ${task.test.count} others, ${parameters.toLocaleString("en-US")} parameters`,
  );
  const { checks, exact, seconds } = await learn(backend, task, { epochs: 30, batchSize: 128, sets });
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  for (const { step, shares } of checks) print(`step ${step}: ${percent(shares.exact)} exact`);
  print(`trained in ${seconds.toFixed(0)} seconds`);
  for (const [name, share] of Object.entries(exact)) print(`${name} digits: ${percent(share)} of ${sets[name]!.count}`);
  const curve = (name: keyof Shares): Point[] => checks.map(({ step, shares }) => [step, 100 * shares[name]]);
  const panels = [
    {
      title: "exact answers to questions not seen before",
      x: { name: "step" },
      y: { name: "%", min: 0, max: 100 },
      series: [line("", curve("exact"))],
    },
    {
      title: "right digits of the answer",
      x: { name: "step" },
      y: { name: "%", min: 0, max: 100 },
      series: [
        line("hundreds", curve("hundreds"), { color: colors.green }),
        line("tens", curve("tens"), { color: colors.orange }),
        line("ones", curve("ones"), { color: colors.blue }),
      ],
    },
  ];
  await draw(picture("26", panels));
}
