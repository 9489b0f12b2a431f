/*
 * What the network writes, with the color of its probability. Pointing at a character shows what it was drawn from.
 */
import { percent } from "../../shared/format.ts";
import type { Sample } from "../contract.ts";
import {
  correction,
  earlier,
  isWritten,
  named,
  pointed,
  prepared,
  probabilityOf,
  rowOf,
  shownPlace,
  shownSample,
} from "../state/index.ts";
import { characterOf, inText, lookOf } from "./characters.tsx";

export function SampleCard() {
  const sample = shownSample.value;
  return (
    <section class="card text-sample" aria-labelledby="text-sample-title">
      <div class="row spread">
        <h2 id="text-sample-title">
          What it writes {earlier.value ? "at step" : "now, at step"}{" "}
          <output data-testid="text-sample-step">{sample?.step ?? "–"}</output>
        </h2>
        <button
          type="button"
          data-testid="text-newest"
          disabled={!earlier.value}
          onClick={() => (earlier.value = undefined)}
        >
          Newest
        </button>
      </div>
      {sample ? <Rows sample={sample} /> : <div class="text-rows questions" />}
      <p class="quiet text-key">
        How sure it was of a character: not at all <span class="text-scale" aria-hidden="true" /> fully. Gray is given
        {sample && !sample.answers ? "" : ", green is right"}. Point at or tap a character.
      </p>
    </section>
  );
}

const idOf = (row: number, place: number) => `text-character-${row}-${place}`;

function Rows({ sample }: { sample: Sample }) {
  const isTask = sample.answers !== undefined;
  return (
    <div
      class={`text-rows ${isTask ? "questions" : "prose"}`}
      role="group"
      aria-label="The text, a button for each character"
      data-testid="text-sample"
      onPointerOver={({ target }) => point(target)}
      onClick={({ target }) => point(target)}
      onFocusIn={({ target }) => point(target)}
      onKeyDown={(event) => move(event, sample)}
    >
      {Array.from({ length: sample.rows }, (_, row) => (
        <div class="text-row" key={row}>
          <span class="text-line">
            {Array.from(rowOf(sample, row), (token, place) => (
              <Character key={place} sample={sample} row={row} place={place} token={token} />
            ))}
          </span>
          {isTask && <Mark sample={sample} row={row} />}
        </div>
      ))}
    </div>
  );
}

/** Points at the character of an element. */
function point(target: EventTarget | null): void {
  if (!(target instanceof HTMLElement)) return;
  const { row, place } = target.dataset;
  if (place !== undefined) pointed.value = { row: Number(row), place: Number(place) };
}

/** The arrow keys move between characters, Home and End to the ends of a row. */
function move(event: KeyboardEvent, { rows, length }: Sample): void {
  const { row, place } = shownPlace.value;
  const next = {
    ArrowLeft: [row, place - 1],
    ArrowRight: [row, place + 1],
    ArrowUp: [row - 1, place],
    ArrowDown: [row + 1, place],
    Home: [row, 0],
    End: [row, length - 1],
  }[event.key];
  if (!next) return;
  event.preventDefault();
  const [toRow, toPlace] = next as [number, number];
  if (toRow < 0 || toRow >= rows || toPlace < 0 || toPlace >= length) return;
  document.getElementById(idOf(toRow, toPlace))?.focus();
}

interface CharacterProps {
  readonly sample: Sample;
  readonly row: number;
  readonly place: number;
  readonly token: number;
}

function Character({ sample, row, place, token }: CharacterProps) {
  const look = lookOf(sample, row, place);
  const isShown = shownPlace.value.row === row && shownPlace.value.place === place;
  const character = characterOf(token);
  const said = isWritten(sample, place) ? percent(probabilityOf(sample, { row, place })!, 0) : "given";
  return (
    <button
      type="button"
      id={idOf(row, place)}
      class={`text-character ${look.class}`}
      style={look.style}
      data-row={row}
      data-place={place}
      aria-pressed={isShown}
      aria-label={`${named(character)}, ${said}`}
      tabIndex={isShown ? 0 : -1}
    >
      {inText(character)}
    </button>
  );
}

/** Whether an answer is right, and what is right if it is not. */
function Mark({ sample, row }: { sample: Sample; row: number }) {
  const answer = correction(sample, row);
  const text = answer && Array.from(answer, characterOf).join("");
  const width = `${prepared.value ? sample.length - sample.given + 2 : 2}ch`;
  return (
    <span class={`text-mark ${answer ? "wrong" : "right"}`} style={{ minWidth: width }} data-testid="text-mark">
      {answer ? (
        <>
          ✗ <span class="hidden">wrong, it is </span>
          <span class="right">{text}</span>
        </>
      ) : (
        <>
          ✓<span class="hidden"> right</span>
        </>
      )}
    </span>
  );
}
