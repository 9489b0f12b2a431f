import { describe, expect, test } from "vitest";
import { IGNORED_TOKEN } from "../../../src/index.ts";
import type { Sample } from "../../../src/web/text/contract.ts";
import { readText, readTextFile } from "../../../src/web/text/own-text.ts";
import { referencesOf } from "../../../src/web/text/service/references.ts";
import { Curve } from "../../../src/web/text/state/curve.ts";
import {
  attentionAt,
  correction,
  likeliest,
  nearestTokens,
  probabilitiesAt,
  rowOf,
  vectorOf,
} from "../../../src/web/text/state/reading.ts";

/** Two rows of three tokens out of three, two heads; the first token of each row is given. */
const sample: Sample = {
  step: 4,
  rows: 2,
  length: 3,
  given: 1,
  tokens: Uint32Array.of(0, 1, 2, 2, 1, 0),
  logits: Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12].map((value) => Math.log(value + 1))),
  attention: [Uint8Array.from({ length: 16 }, (_, index) => 10 * index)],
  vectors: Int8Array.of(3, 4, 4, 3, -8, 6),
  answers: Uint32Array.of(0, 1, 2, 2, 1, 1),
};

describe("a sample", () => {
  test("has the vector of each token, and finds the most similar ones", () => {
    expect([...vectorOf(sample, 1)]).toEqual([4, 3]);
    // The cosines of (3, 4) with (4, 3) and (−8, 6): 24 / 25, and 0 for a right angle.
    expect(nearestTokens(sample, 0, 2)).toEqual([
      { token: 1, cosine: 24 / 25 },
      { token: 2, cosine: 0 },
    ]);
    expect(nearestTokens(sample, 2, 1)).toEqual([{ token: 0, cosine: 0 }]);
    const zero = { ...sample, vectors: new Int8Array(6) };
    expect(nearestTokens(zero, 0, 1)).toEqual([{ token: 1, cosine: 0 }]);
  });

  test("has the probabilities of the next token, at any temperature", () => {
    const close = (found: number[] | undefined, expected: number[]) =>
      expected.forEach((value, index) => expect(found![index]).toBeCloseTo(value, 6));
    // The logits are logarithms: e^(log p / T) is p^(1/T).
    close(
      probabilitiesAt(sample, { row: 1, place: 2 }, 1),
      [10, 11, 13].map((value) => value / 34),
    );
    close(
      probabilitiesAt(sample, { row: 0, place: 1 }, 0.5),
      [1, 4, 9].map((value) => value / 14),
    );
    expect(probabilitiesAt(sample, { row: 0, place: 2 }, 0)).toEqual([0, 0, 1]);
    expect(probabilitiesAt(sample, { row: 0, place: 0 }, 1)).toBeUndefined();
    expect(likeliest([0.2, 0.5, 0.3], 2)).toEqual([
      { token: 1, probability: 0.5 },
      { token: 2, probability: 0.3 },
    ]);
  });

  test("has the attention weights of the position before, for each head", () => {
    // Row 1, head 1, query 1: [[8 … 11], [12 … 15]] are the heads of row 1, of two queries and two keys each.
    expect(attentionAt(sample, { row: 1, place: 2 }, { layer: 0, head: 1 })).toEqual([140 / 255, 150 / 255]);
    expect(attentionAt(sample, { row: 0, place: 1 }, { layer: 0, head: 1 })).toEqual([40 / 255]);
    expect(attentionAt(sample, { row: 0, place: 0 }, { layer: 0, head: 0 })).toEqual([]);
    expect(attentionAt(sample, { row: 0, place: 1 }, { layer: 3, head: 0 })).toEqual([]);
  });

  test("is right if all tokens of a row are", () => {
    expect([...rowOf(sample, 1)]).toEqual([2, 1, 0]);
    expect(correction(sample, 0)).toBeUndefined();
    expect([...correction(sample, 1)!]).toEqual([1, 1]);
  });
});

test("the references are the entropies of the targets that count", () => {
  // Targets a, b, a, c after a, a, b, b: frequencies 1/2, 1/4, 1/4; after each token one bit remains.
  const tokens = [0, 0, 1, 1, 2];
  const targets = [0, 1, 0, 2, IGNORED_TOKEN];
  expect(referencesOf({ tokens, targets }, 4)).toEqual({ uniform: 2, unigram: 1.5, bigram: 1 });
});

describe("an own text", () => {
  const poem = "Shall I compare thee to a summer's day?\r\n".repeat(30);

  test("has line breaks as one character, and no byte order mark", () => {
    const read = readText(`\ufeff${poem}`);
    expect(read).toEqual({ text: poem.replaceAll("\r\n", "\n").trim() });
  });

  test("is refused if it is empty, too short, too long, of too many characters, or not text", async () => {
    const faultOf = (text: string) => (readText(text) as { fault: string }).fault;
    expect(faultOf(" \n ")).toMatch(/no text.*at least 1,000/);
    expect(faultOf("a b c")).toMatch(/^5 characters are too few.*at least 1,000/);
    expect(faultOf("ab".repeat(500_001))).toMatch(/1,000,002 characters.*at most 1,000,000/);
    const many = Array.from({ length: 2000 }, (_, index) => String.fromCodePoint(0x4e00 + (index % 400))).join("");
    expect(faultOf(many)).toMatch(/400 different characters.*256.*alphabet/);
    expect(faultOf(`${poem}\ud800 ends`)).toMatch(/half of a character/);
    const file = (bytes: Uint8Array<ArrayBuffer>) => readTextFile(new File([bytes], "notes.txt"));
    expect(await file(Uint8Array.of(0xff, 0xfe, 0x41))).toEqual({
      fault: "notes.txt is not a text in UTF-8. Save it as plain text in UTF-8, and drop it again.",
    });
    expect(await file(new Uint8Array(4_000_001))).toMatchObject({ fault: expect.stringMatching(/too large/) });
    expect(await file(new TextEncoder().encode(poem))).toHaveProperty("text");
  });
});

test("a curve joins the losses of a step, and keeps as large a part of each loss when it drops points", () => {
  let curve = new Curve().with(5, { training: 2 }).with(5, { test: 3 });
  expect(curve.points).toEqual([{ step: 5, training: 2, test: 3 }]);
  for (let step = 6; step <= 5000; step++) curve = curve.with(step, step % 5 === 0 ? { test: 1 } : { training: 1 });
  expect(curve.points.length).toBeLessThanOrEqual(1000);
  expect(curve.points.length).toBeGreaterThan(450);
  const tested = curve.points.filter((point) => point.test !== null);
  expect(tested.length / curve.points.length).toBeCloseTo(1 / 5, 1);
  expect(curve.points[0]!.step).toBe(5);
  expect(curve.points.at(-1)!.step).toBeGreaterThan(4990);
});
