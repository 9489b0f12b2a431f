/*
 * What a sample says about its characters.
 */
import type { Sample } from "../contract.ts";
import type { Place } from "./signals.ts";

/** The tokens of a row. */
export const rowOf = ({ tokens, length }: Sample, row: number): Uint32Array =>
  tokens.subarray(row * length, (row + 1) * length);

/** Whether the network wrote a token. The others are given. */
export const isWritten = ({ given }: Sample, place: number): boolean => place >= given;

/** The number of tokens that there are. */
const vocabularyOf = ({ logits, rows, length }: Pick<Sample, "logits" | "rows" | "length">): number =>
  logits.length / (rows * (length - 1));

/**
 * The probabilities of all tokens at a place: softmax(logits / temperature), and with a temperature of 0 the most likely
 * token alone. Undefined for the first token of a row, which nothing predicts.
 */
export function probabilitiesAt(
  { logits, rows, length }: Sample,
  { row, place }: Place,
  temperature: number,
): number[] | undefined {
  if (place === 0) return undefined;
  const vocabulary = vocabularyOf({ logits, rows, length });
  const start = (row * (length - 1) + place - 1) * vocabulary;
  const own = Array.from(logits.subarray(start, start + vocabulary));
  const largest = Math.max(...own);
  if (temperature === 0) {
    const best = own.indexOf(largest);
    return own.map((_, token) => (token === best ? 1 : 0));
  }
  const powers = own.map((logit) => Math.exp((logit - largest) / temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The probability that the network itself, at a temperature of 1, gave to the token at a place. */
export const probabilityOf = (sample: Sample, at: Place): number | undefined =>
  probabilitiesAt(sample, at, 1)?.[sample.tokens[at.row * sample.length + at.place]!];

/** The most likely tokens, from the likeliest on. */
export const likeliest = (
  probabilities: readonly number[],
  count: number,
): readonly { readonly token: number; readonly probability: number }[] =>
  probabilities
    .map((probability, token) => ({ token, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count);

/**
 * How much a head reads of each earlier token to predict the token at a place: the attention weights of the position before
 * it, for the positions 0 … place − 1. They sum to about 1.
 */
export function attentionAt(
  { attention, rows, length }: Sample,
  { row, place }: Place,
  { layer, head }: { readonly layer: number; readonly head: number },
): number[] {
  const weights = attention[layer];
  if (!weights || place === 0) return [];
  const positions = length - 1;
  const heads = weights.length / (rows * positions ** 2);
  const start = ((row * heads + head) * positions + place - 1) * positions;
  return Array.from(weights.subarray(start, start + place), (weight) => weight / 255);
}

/** The vector of a token, as bytes. */
export function vectorOf(sample: Sample, token: number): Int8Array {
  const width = sample.vectors.length / vocabularyOf(sample);
  return sample.vectors.subarray(token * width, (token + 1) * width);
}

/** The other tokens with the most similar vectors by the cosine of their angle, from the most similar on. */
export function nearestTokens(
  sample: Sample,
  token: number,
  count: number,
): readonly { readonly token: number; readonly cosine: number }[] {
  const own = vectorOf(sample, token);
  return Array.from({ length: vocabularyOf(sample) }, (_, other) => other)
    .filter((other) => other !== token)
    .map((other) => ({ token: other, cosine: cosine(own, vectorOf(sample, other)) }))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, count);
}

/** 0 if a vector is 0. */
function cosine(one: Int8Array, other: Int8Array): number {
  const product = (a: Int8Array, b: Int8Array) => a.reduce((sum, value, index) => sum + value * b[index]!, 0);
  return product(one, other) / Math.sqrt(product(one, one) * product(other, other) || 1);
}

/** The true tokens of a row, if the network got one wrong. */
export function correction(sample: Sample, row: number): Uint32Array | undefined {
  const { answers, given, length } = sample;
  if (!answers) return undefined;
  const own = rowOf(sample, row);
  const answer = answers.subarray(row * length, (row + 1) * length);
  return own.every((token, place) => token === answer[place]) ? undefined : answer.subarray(given);
}

const visible: Readonly<Record<string, string>> = { "\n": "↵", "\t": "⇥", " ": "␣" };

/** A character as the bars show it. */
export const written = (character: string): string => visible[character] ?? character;

const spoken: Readonly<Record<string, string>> = { "\n": "line break", "\t": "tab", " ": "space" };

/** A character as a screen reader says it. */
export const named = (character: string): string => spoken[character] ?? character;
