/*
 * What the network learns from: a task made by code, or the visitor's own text. Runs in the worker.
 */
import {
  answerLoss,
  characterTokenizer,
  exactAnswers,
  makeTensorDataset,
  makeTextDataset,
  splitText,
  tasks,
  type SequenceTask,
  type TensorDataset,
  type TextDataset,
  type Tokenizer,
} from "../../../index.ts";
import type { References, TextRunSettings } from "../contract.ts";
import { referencesOf } from "./references.ts";

export interface Source {
  readonly train: TensorDataset | TextDataset;
  /** Not in `train`. */
  readonly test: TensorDataset | TextDataset;
  readonly tokenizer: Tokenizer;
  readonly context: number;
  /** The loss and metrics, if they are not those of a text. */
  readonly objective:
    | { readonly loss: typeof answerLoss; readonly metrics: { readonly exact: typeof exactAnswers } }
    | undefined;
  readonly references: References;
  /** The number of questions, or of characters, in each set. */
  readonly sizes: { readonly training: number; readonly test: number };
  /** What the samples begin with, of the same length. */
  readonly prompts: readonly string[];
  /** The tokens of the prompts with the true answers, for a task. */
  readonly answers: Uint32Array | undefined;
}

/** The number of questions in a sample. */
const QUESTIONS = 8;

/** The distance of the questions in a sample within the test set, where both orders of a sum follow each other. */
const STRIDE = 51;

/** The number of questions in a test: few enough to be asked often on a slow device. */
const TESTED_QUESTIONS = 400;

/** The share of an own text that is only tested with, and the most characters of it. */
const VALIDATION = 0.1;
const TESTED_CHARACTERS = 8192;

/** The length of the text that a sample of an own text begins with. */
const PROMPT = 8;

const taskMakers = {
  addition: (seed: number) => tasks.addition({ seed }),
  sorting: (seed: number) => tasks.sorting({ length: 5, seed }),
  reversing: (seed: number) => tasks.reversing({ length: 5, seed }),
};

/** @throws DataError for a text that is too short for its context */
export function sourceOf({ data, seed, context, text = "" }: TextRunSettings): Source {
  return data === "own" ? textSource(text, context) : taskSource(taskMakers[data](seed));
}

function taskSource(task: SequenceTask): Source {
  const { tokenizer, context, train, questionLength, answerLength } = task;
  const { vocabularySize } = tokenizer;
  const [tokens, targets] = [columnOf(train, "tokens"), columnOf(train, "targets")];
  const test = firstRows(task.test, TESTED_QUESTIONS, context);
  const length = questionLength + answerLength;
  const answers = new Uint32Array(QUESTIONS * length);
  for (let row = 0; row < QUESTIONS; row++) {
    const example = (row * STRIDE) % test.count;
    answers.set(columnOf(test, "tokens").subarray(example * context, (example + 1) * context), row * length);
    answers[(row + 1) * length - 1] = columnOf(test, "targets")[(example + 1) * context - 1]!;
  }
  const questionAt = (row: number) => answers.subarray(row * length, row * length + questionLength);
  return {
    train,
    test,
    tokenizer,
    context,
    objective: { loss: answerLoss, metrics: { exact: exactAnswers } },
    references: referencesOf({ tokens, targets }, vocabularySize),
    sizes: { training: train.count, test: test.count },
    prompts: Array.from({ length: QUESTIONS }, (_, row) => tokenizer.decode(questionAt(row))),
    answers,
  };
}

const columnOf = ({ tensors }: TensorDataset, name: string) => tensors[name]!.values as Uint32Array;

function firstRows(dataset: TensorDataset, most: number, context: number): TensorDataset {
  const count = Math.min(most, dataset.count);
  const first = (name: string) => ({ values: columnOf(dataset, name).slice(0, count * context), shape: [context] });
  return makeTensorDataset({ name: dataset.name, tensors: { tokens: first("tokens"), targets: first("targets") } });
}

function textSource(text: string, context: number): Source {
  const tokenizer = characterTokenizer(text);
  const whole = makeTextDataset({ name: "the text", text, tokenizer, context });
  const { train, validation } = splitText(whole, { validation: VALIDATION });
  const { tokens } = train;
  const tested = tokenizer.decode(validation.tokens.subarray(0, TESTED_CHARACTERS));
  const test = makeTextDataset({ name: "the end of the text", text: tested, tokenizer, context });
  return {
    train,
    test,
    tokenizer,
    context,
    objective: undefined,
    references: referencesOf({ tokens: tokens.subarray(0, -1), targets: tokens.subarray(1) }, tokenizer.vocabularySize),
    sizes: { training: tokens.length, test: test.tokens.length },
    prompts: [tokenizer.decode(test.tokens.subarray(0, PROMPT))],
    answers: undefined,
  };
}
