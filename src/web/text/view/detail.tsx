/*
 * One character: what it was drawn from, and what attention read for it.
 */
import { Segments, Slider } from "../../shared/fields.tsx";
import { evenPercent } from "../../shared/format.ts";
import type { Sample } from "../contract.ts";
import { viewFields, type ViewSettings } from "../settings.ts";
import {
  isWritten,
  likeliest,
  named,
  prepared,
  probabilitiesAt,
  rowOf,
  settings,
  shownPlace,
  shownSample,
  view,
  written,
  type Place,
} from "../state/index.ts";
import { Arcs } from "./arcs.tsx";
import { characterOf } from "./characters.tsx";

/** The number of bars. */
const MOST_BARS = 8;

const change = (changed: Partial<ViewSettings>) => (view.value = { ...view.value, ...changed });

export function Detail() {
  const sample = shownSample.value;
  return (
    <section class="card text-detail" aria-labelledby="text-detail-title">
      <h2 id="text-detail-title">How it chose this character</h2>
      <p class="text-chosen" data-testid="text-chosen">
        {sample ? described(sample, shownPlace.value) : "Preparing the network …"}
      </p>
      <Bars />
      <Slider
        label="Temperature"
        testId="text-temperature"
        field={viewFields.temperature}
        value={view.value.temperature}
        onChange={(temperature) => change({ temperature })}
      />
      <p class="quiet">0 always takes the likeliest character; more gives unlikely ones a chance.</p>
      <Attention />
    </section>
  );
}

function described(sample: Sample, { row, place }: Place): string {
  const tokens = rowOf(sample, row);
  const character = named(characterOf(tokens[place]!));
  if (place === 0) return `“${character}” is the first character: nothing comes before it.`;
  const before = Array.from(tokens.subarray(Math.max(0, place - 12), place), characterOf)
    .map(written)
    .join("");
  const cut = place > 12 ? "…" : "";
  if (isWritten(sample, place)) return `After “${cut}${before}” it wrote “${character}”.`;
  return `After “${cut}${before}”, “${character}” was given. The bars are what it would have written.`;
}

/** The probabilities of the next character. */
function Bars() {
  const sample = shownSample.value;
  const { row, place } = shownPlace.value;
  const probabilities = sample && probabilitiesAt(sample, { row, place }, view.value.temperature);
  const best = probabilities ? likeliest(probabilities, MOST_BARS) : [];
  const chosen = sample && rowOf(sample, row)[place];
  const count = Math.min(MOST_BARS, prepared.value?.characters.length ?? MOST_BARS);
  return (
    <ol class="text-bars" aria-label="Probability of the next character" data-testid="text-bars">
      {Array.from({ length: count }, (_, index) => {
        const bar = best[index];
        return (
          <li key={index} class={bar && bar.token === chosen ? "best" : ""}>
            <span class="name">{bar ? written(characterOf(bar.token)) : ""}</span>
            <span class="bar">
              <span style={{ width: `${100 * (bar?.probability ?? 0)}%` }} />
            </span>
            <span class="value">{bar ? evenPercent(bar.probability, 1) : "–"}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** Which earlier characters one head read. */
function Attention() {
  const { layers, heads } = prepared.value ?? settings.value;
  // The address may name a layer or head that this network does not have.
  const layer = Math.min(view.value.layer, layers);
  const head = Math.min(view.value.head, heads);
  return (
    <>
      <h3>What attention read for it</h3>
      <div class="row">
        <Numbered title="Layer" name="layer" count={layers} value={layer} />
        <Numbered title="Head" name="head" count={heads} value={head} />
      </div>
      <Arcs layer={layer - 1} head={head - 1} />
    </>
  );
}

interface NumberedProps {
  readonly title: string;
  readonly name: "layer" | "head";
  readonly count: number;
  readonly value: number;
}

/** Chooses a layer or a head by its number. */
function Numbered({ title, name, count, value }: NumberedProps) {
  const options = Array.from({ length: count }, (_, index) => ({
    value: index + 1,
    text: index + 1,
    testId: `text-${name}-${index + 1}`,
  }));
  return (
    <span class="text-choice">
      {title}
      <Segments
        legend={title}
        name={`text-${name}`}
        options={options}
        value={value}
        onChange={(chosen) => change({ [name]: chosen })}
      />
    </span>
  );
}
