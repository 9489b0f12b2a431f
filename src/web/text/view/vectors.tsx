/*
 * How text becomes numbers: the tokens of a row, their indices, the vector of one of them, and the probabilities at the end.
 */
import { useEffect, useRef } from "preact/hooks";
import { divergingColors, drawMosaic } from "../../digits/view/mosaic.ts";
import { scheme } from "../../shared/colors.ts";
import { percent } from "../../shared/format.ts";
import type { Sample } from "../contract.ts";
import {
  likeliest,
  named,
  nearestTokens,
  probabilitiesAt,
  rowOf,
  shownPlace,
  shownSample,
  vectorOf,
  vectorsOpen,
  written,
  type Place,
} from "../state/index.ts";
import { characterOf } from "./characters.tsx";

/** The number of tokens with similar vectors, and of likely characters. */
const MOST_SHOWN = 3;

/** The number of tokens of a row. Those before are left out. */
const MOST_TOKENS = 12;

export function Vectors() {
  const sample = shownSample.value;
  return (
    <details
      class="card text-vectors"
      data-testid="text-vectors"
      open={vectorsOpen.value}
      onToggle={({ currentTarget }) => (vectorsOpen.value = currentTarget.open)}
    >
      <summary id="text-vectors-title">Details: how text becomes numbers</summary>
      {vectorsOpen.value && sample && <Way sample={sample} at={shownPlace.value} />}
    </details>
  );
}

const quoted = (token: number): string => `“${written(characterOf(token))}”`;

/** From characters to probabilities. */
function Way({ sample, at }: { sample: Sample; at: Place }) {
  const token = rowOf(sample, at.row)[at.place]!;
  const { length } = vectorOf(sample, token);
  return (
    <ol class="text-way">
      <li>
        <h3>Characters are tokens, and each has an index</h3>
        <Indices sample={sample} at={at} />
      </li>
      <li>
        <h3>
          The index picks a vector: {quoted(token)} is row {token} of a table
        </h3>
        <Vector sample={sample} token={token} />
        <p class="quiet">{length} numbers, which are learned. Orange is negative, blue is positive.</p>
      </li>
      <li>
        <h3>The most similar vectors</h3>
        <div data-testid="text-nearest">
          {nearestTokens(sample, token, MOST_SHOWN).map((near, place) => (
            <Vector key={place} sample={sample} token={near.token} cosine={near.cosine} />
          ))}
        </div>
        <p class="quiet">By the cosine of their angle: 1 has the same direction, 0 is unrelated.</p>
      </li>
      <li>
        <h3>The layers make probabilities</h3>
        <Next sample={sample} at={at} />
        <p class="quiet">
          The layers turn the vectors so far into one. Its product with the vector of each token says how likely that
          token is next.
        </p>
      </li>
    </ol>
  );
}

function Indices({ sample, at }: { sample: Sample; at: Place }) {
  const first = Math.max(0, Math.min(at.place - MOST_TOKENS / 2, sample.length - MOST_TOKENS));
  const tokens = Array.from(rowOf(sample, at.row).subarray(first, first + MOST_TOKENS));
  const classAt = (place: number) => (first + place === at.place ? "chosen" : "");
  return (
    <table class="text-indices" data-testid="text-indices">
      <caption class="hidden">The index of each character</caption>
      <tbody>
        <tr>
          {tokens.map((token, place) => (
            <th key={place} scope="col" class={classAt(place)}>
              {written(characterOf(token))}
            </th>
          ))}
        </tr>
        <tr>
          {tokens.map((token, place) => (
            <td key={place} class={classAt(place)}>
              {token}
            </td>
          ))}
        </tr>
      </tbody>
    </table>
  );
}

/** The vector of a token as a row of cells. */
function Vector({ sample, token, cosine }: { sample: Sample; token: number; cosine?: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const values = vectorOf(sample, token);
  useEffect(() => {
    const cells = { side: 1, columns: values.length, count: values.length };
    drawMosaic(canvas.current!, cells, divergingColors(), (place) => 128 + values[place]!);
  }, [sample, token, scheme.value]);
  return (
    <div class="text-vector">
      <span>{written(characterOf(token))}</span>
      <canvas ref={canvas} role="img" aria-label={`The vector of ${named(characterOf(token))}`} height={1} />
      <span class="value">{cosine?.toFixed(2).replace("-", "−")}</span>
    </div>
  );
}

/** The likeliest characters after the one at a place. */
function Next({ sample, at: { row, place } }: { sample: Sample; at: Place }) {
  const isLast = place + 1 === sample.length;
  const probabilities = isLast ? undefined : probabilitiesAt(sample, { row, place: place + 1 }, 1);
  const before = Array.from(rowOf(sample, row).subarray(Math.max(0, place + 1 - MOST_TOKENS), place + 1), (token) =>
    written(characterOf(token)),
  ).join("");
  return (
    <p data-testid="text-next">
      {probabilities
        ? `After “${before}”: ${likeliest(probabilities, MOST_SHOWN)
            .map(({ token, probability }) => `${written(characterOf(token))} ${percent(probability, 0)}`)
            .join(", ")}`
        : `“${before}” is the end: it predicts nothing more.`}
    </p>
  );
}
