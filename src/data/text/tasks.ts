/*
 * Tasks with exact answers, made by code, for models that predict the next token. An example is a question, such as
 * "12+34=", and its answer, "046". Only the tokens of the answer have a loss.
 */
import { excerpt, OptionError } from "../../errors.ts";
import { Random } from "../../random.ts";
import { makeTensorDataset, type TensorDataset } from "../tensor-dataset.ts";
import { characterTokenizer } from "./characters.ts";
import { IGNORED_TOKEN, type Tokenizer } from "./tokenizer.ts";

/** Examples of a task, in a training set and a test set without common questions. */
export interface SequenceTask {
  readonly name: string;
  /** A token for each character that occurs. */
  readonly tokenizer: Tokenizer;
  /** Tokens per example: those of the question and the answer without the last one. */
  readonly context: number;
  /** The number of tokens of a question, and of an answer. */
  readonly questionLength: number;
  readonly answerLength: number;
  /**
   * The tensors `tokens` and `targets`, uint32 [context]: the token at each position, and the next one, or
   * `IGNORED_TOKEN` within the question.
   */
  readonly train: TensorDataset;
  readonly test: TensorDataset;
}

/** The options of all tasks. */
export interface TaskOptions {
  /** The seed of the examples and of their split; 1 by default. */
  readonly seed?: number;
  /** The fraction of the questions in the test set, in (0, 1); 0.1 by default. */
  readonly test?: number;
  /** The number of questions, at least 2; 10,000 by default, or as many as there are. */
  readonly count?: number;
}

/** The options of `tasks.addition`. */
export interface AdditionOptions extends TaskOptions {
  /** The maximum number of digits of each number, in 1 … 7; 2 by default. */
  readonly digits?: number;
  /** Whether the answer begins with its last digit, which is easier to learn; false by default. */
  readonly reversed?: boolean;
}

/**
 * Sums of two numbers, such as "07+95=102". All numbers have the same number of digits, with zeros in front. A pair of
 * numbers is in the same set in both orders, so that the order of a question does not give its answer away.
 * @param options `count` is the number of pairs, without regard to their order
 * @throws OptionError for an option outside its range
 */
export function addition(options: AdditionOptions = {}): SequenceTask {
  const { digits = 2, reversed = false, seed = 1 } = options;
  requireRange("addition digits", digits, 1, 7);
  const numbers = 10 ** digits;
  const random = new Random(taskStream, seed, 0);
  const pairs = distinct(options, (numbers * (numbers + 1)) / 2, () => {
    const [a, b] = [random.below(numbers), random.below(numbers)];
    return `${Math.min(a, b)}+${Math.max(a, b)}`;
  });
  const padded = (number: number, length: number) => String(number).padStart(length, "0");
  const exampleOf = (a: number, b: number): Example => {
    const sum = padded(a + b, digits + 1);
    return [`${padded(a, digits)}+${padded(b, digits)}=`, reversed ? [...sum].reverse().join("") : sum];
  };
  return taskOf("addition", options, "0123456789+=", pairs, (pair) => {
    const [a, b] = pair.split("+").map(Number) as [number, number];
    return a === b ? [exampleOf(a, b)] : [exampleOf(a, b), exampleOf(b, a)];
  });
}

/** The options of the tasks on sequences of symbols. */
export interface SymbolTaskOptions extends TaskOptions {
  /** The number of symbols of a question, at least 1; 6 by default. */
  readonly length?: number;
  /** The number of different symbols, in 2 … 26; 10 by default: the letters "a" to "j". */
  readonly symbols?: number;
}

/**
 * Sequences and the same symbols in ascending order, such as "dab=abd".
 * @throws OptionError for an option outside its range
 */
export const sorting = (options: SymbolTaskOptions = {}): SequenceTask =>
  symbolTask("sorting", options, (symbols) => symbols.sort());

/**
 * Sequences and the same symbols in the opposite order, such as "dab=bad".
 * @throws OptionError for an option outside its range
 */
export const reversing = (options: SymbolTaskOptions = {}): SequenceTask =>
  symbolTask("reversing", options, (symbols) => symbols.reverse());

/**
 * Sequences and the same symbols again, such as "dab=dab".
 * @throws OptionError for an option outside its range
 */
export const copying = (options: SymbolTaskOptions = {}): SequenceTask =>
  symbolTask("copying", options, (symbols) => symbols);

/** A question and its answer. */
type Example = readonly [question: string, answer: string];

/** Separates the random examples ("tk") from other uses of the same seed. */
const taskStream = 0x746b;

function symbolTask(name: string, options: SymbolTaskOptions, answer: (symbols: string[]) => string[]): SequenceTask {
  const { length = 6, symbols = 10, seed = 1 } = options;
  requireRange(`${name} length`, length, 1, 2 ** 16);
  requireRange(`${name} symbols`, symbols, 2, 26);
  const letters = "abcdefghijklmnopqrstuvwxyz".slice(0, symbols);
  const random = new Random(taskStream, seed, 0);
  const drawn = () => Array.from({ length }, () => letters[random.below(symbols)]!).join("");
  const sequences = distinct(options, symbols ** length, drawn);
  return taskOf(name, options, `${letters}=`, sequences, (text) => [[`${text}=`, answer([...text]).join("")]]);
}

/** As many different texts as are wanted, or all that there are. */
function distinct({ count = 10_000 }: TaskOptions, existing: number, draw: () => string): string[] {
  requireRange("count", count, 2, 10 ** 7);
  const found = new Set<string>();
  const wanted = Math.min(count, existing);
  while (found.size < wanted) found.add(draw());
  return [...found];
}

/** Splits the drawn texts, and makes the examples of each. */
function taskOf(
  name: string,
  { test = 0.1, seed = 1 }: TaskOptions,
  characters: string,
  drawn: readonly string[],
  examplesOf: (text: string) => readonly Example[],
): SequenceTask {
  if (!(test > 0 && test < 1)) {
    const what = `${excerpt(test)} is not a fraction`;
    throw new OptionError({ where: `${name} test`, what, fix: "Give a number in (0, 1), such as 0.1" });
  }
  const order = new Random(taskStream, seed, 1).permutation(drawn.length);
  const held = Math.min(drawn.length - 1, Math.max(1, Math.round(test * drawn.length)));
  const tokenizer = characterTokenizer(characters);
  const setOf = (own: string, chosen: Uint32Array) =>
    datasetOf(
      own,
      tokenizer,
      Array.from(chosen).flatMap((index) => examplesOf(drawn[index]!)),
    );
  const [question, answer] = examplesOf(drawn[0]!)[0]!;
  return {
    name,
    tokenizer,
    context: question.length + answer.length - 1,
    questionLength: question.length,
    answerLength: answer.length,
    train: setOf(name, order.subarray(held)),
    test: setOf(`${name}, test`, order.subarray(0, held)),
  };
}

function datasetOf(name: string, tokenizer: Tokenizer, examples: readonly Example[]): TensorDataset {
  const [question, answer] = examples[0]!;
  const context = question.length + answer.length - 1;
  const tokens = new Uint32Array(examples.length * context);
  const targets = new Uint32Array(examples.length * context);
  examples.forEach(([asked, answered], row) => {
    const all = tokenizer.encode(`${asked}${answered}`);
    tokens.set(all.subarray(0, context), row * context);
    targets.set(all.subarray(1), row * context);
    targets.fill(IGNORED_TOKEN, row * context, row * context + asked.length - 1);
  });
  return makeTensorDataset({
    name,
    tensors: { tokens: { values: tokens, shape: [context] }, targets: { values: targets, shape: [context] } },
  });
}

function requireRange(where: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const what = `${excerpt(value)} is out of range`;
  throw new OptionError({ where, what, fix: `Give a whole number in ${least} … ${most}` });
}
