import { percent } from "../shared/format.ts";
import type { Sample } from "../text/contract.ts";
import {
  latest,
  likeliest,
  nearestTokens,
  pointed,
  prepared,
  probabilitiesAt,
  rowOf,
  running,
  samples,
  tested,
  textCommands,
  vectorsOpen,
} from "../text/state/index.ts";
import type { Lesson } from "./lesson.ts";
import { show } from "./show.ts";

/** The share of exact answers from which on the vectors are in order. */
const ENOUGH = 0.5;

const characterOf = (token: number): string => prepared.value!.characters[token]!;

const isLetter = (character: string): boolean => /^[a-z]$/.test(character);

/** Whether two letters follow each other in the alphabet. */
const areNeighbors = (one: string, other: string): boolean => Math.abs(one.charCodeAt(0) - other.charCodeAt(0)) === 1;

/** The token with the most similar vector, in words. */
function nearest(sample: Sample, token: number): string {
  const [{ token: other, cosine }] = nearestTokens(sample, token, 1) as [{ token: number; cosine: number }];
  return `“${characterOf(other)}” (${cosine.toFixed(2)})`;
}

/** Of all letters, the number of those whose vector is most similar to that of a neighbor in the alphabet. */
function countOrdered(sample: Sample): { readonly ordered: number; readonly letters: number } {
  const letters = prepared.value!.characters.flatMap((character, token) => (isLetter(character) ? [token] : []));
  const ordered = letters.filter((token) =>
    areNeighbors(characterOf(token), characterOf(nearestTokens(sample, token, 1)[0]!.token)),
  );
  return { ordered: ordered.length, letters: letters.length };
}

/** The likeliest first character of the answer to the question in a row. */
function answerTo(sample: Sample, row: number): string {
  const question = Array.from(rowOf(sample, row).subarray(0, sample.given), characterOf).join("");
  const [{ token, probability }] = likeliest(probabilitiesAt(sample, { row, place: sample.given }, 1)!, 1) as [
    { token: number; probability: number },
  ];
  return `After “${question}” it now gives “${characterOf(token)}” ${percent(probability, 0)}.`;
}

export const textNumbers: Lesson = {
  title: "How text becomes numbers",
  hash: "text?data=sorting&layers=1&heads=2&width=32&rate=0.01",
  question:
    "A network cannot read letters. Each letter is a token with an index, such as 3 for c. The index picks a row of a table: a vector of 32 numbers, random at first. The network learns to sort letters, but nobody tells it the alphabet. Which letters will get similar vectors?",
  choices: ["Neighbors in the alphabet", "Letters that often stand side by side", "None: they stay random"],
  act: `Train until ${percent(ENOUGH, 0)} of the unseen questions are right. Then point at a letter of a question, or tap it: its vector is under Details.`,
  actions: [
    { label: "Start", run: () => running.value || textCommands.toggle() },
    { label: "Show the vectors", run: () => show("#text-vectors-title") },
  ],
  about: ["text-start", "text-sample", "text-vectors"],
  begin() {
    if (running.value) textCommands.toggle();
    textCommands.reset();
    pointed.value = tested.value = undefined;
    vectorsOpen.value = true;
  },
  follow: () => () => {
    const [now, at, exact] = [latest.value, pointed.value, tested.value?.exact];
    const step = `Step ${now?.step ?? 0}`;
    if (!now || exact === undefined) return { note: `${step}. Not tested yet.` };
    const answers = `${step}: ${percent(exact, 0)} of the unseen questions are right.`;
    if (exact < ENOUGH) return { note: answers };
    const token = at && rowOf(now, at.row)[at.place];
    if (token === undefined || !isLetter(characterOf(token))) return { note: `${answers} Now point at a letter.` };
    const first = samples.value.records[0]!;
    const { ordered, letters } = countOrdered(now);
    return {
      right: 2 * ordered > letters ? 0 : 2,
      seen: `Your “${characterOf(token)}” has the index ${token}. Its vector began at random, nearest to ${nearest(first, token)}. After ${now.step} steps it is nearest to ${nearest(now, token)}, and for ${ordered} of ${letters} letters it is a neighbor in the alphabet. Nobody told the network that order: sorting needs it. ${answerTo(now, at!.row)}`,
    };
  },
};
