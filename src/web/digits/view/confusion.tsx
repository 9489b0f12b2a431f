import { signal } from "@preact/signals";
import { Newest } from "../../shared/requests.ts";
import type { CellPictures, Mistake } from "../contract.ts";
import { cellPictures, networkVersion, test } from "../state/index.ts";
import { percent } from "../../shared/format.ts";
import { Picture, Pictures } from "./pictures.tsx";

interface Cell {
  readonly actual: number;
  readonly predicted: number;
  /** The number of images that the matrix showed. Those of `found` are of a later test if training went on. */
  readonly count: number;
  readonly found: CellPictures;
  readonly network: number;
}

/** The selected cell with its images and its network. */
export const chosen = signal<Cell | undefined>(undefined);

/** The cell with the keyboard focus. */
const focused = signal(0);

const clicks = new Newest();

async function choose(actual: number, predicted: number, count: number): Promise<void> {
  focused.value = actual * 10 + predicted;
  const network = networkVersion.value;
  const found = await clicks.ask(() => cellPictures(actual, predicted));
  if (found) chosen.value = { actual, predicted, count, found, network };
}

/** The confusion matrix of the test set, and the most confident mistakes. */
export function Confusion() {
  const now = test.value;
  if (!now) return <p class="quiet">The network has not been evaluated on the test set yet.</p>;
  return (
    <div class="confusion-view">
      <figure>
        <Matrix counts={now.confusion} />
        <figcaption class="quiet">
          Rows: actual digit. Columns: predicted digit. Select a cell to see its images.
        </figcaption>
      </figure>
      <div class="pictures-view">
        <ChosenCell />
        <h3>Most confident mistakes</h3>
        {now.mistakes.length === 0 ? (
          <p class="quiet">None: every prediction is correct.</p>
        ) : (
          <Mistakes list={now.mistakes} pictures={now.pictures} />
        )}
      </div>
    </div>
  );
}

const digits = Array.from({ length: 10 }, (_, digit) => digit);

function Matrix({ counts }: { counts: Uint32Array }) {
  const largest = digits.map((row) => Math.max(1, ...digits.map((column) => counts[row * 10 + column]!)));
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10 }[event.key];
    const next = focused.value + (by ?? 0);
    if (by === undefined || next < 0 || next > 99) return;
    event.preventDefault();
    focused.value = next;
    document.getElementById(`cell-${next}`)?.focus();
  };
  return (
    <table class="confusion" data-testid="confusion" onKeyDown={move}>
      <caption class="hidden">Confusion matrix of the test set</caption>
      <thead>
        <tr>
          <td />
          {digits.map((digit) => (
            <th key={digit} scope="col">
              {digit}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {digits.map((actual) => (
          <tr key={actual}>
            <th scope="row">{actual}</th>
            {digits.map((predicted) => {
              const cell = actual * 10 + predicted;
              const count = counts[cell]!;
              const share =
                actual === predicted ? count / largest[actual]! : Math.min(1, (6 * count) / largest[actual]!);
              return (
                <td key={predicted}>
                  <button
                    type="button"
                    id={`cell-${cell}`}
                    class={actual === predicted ? "right" : "wrong"}
                    style={{ "--share": count === 0 ? 0 : Math.round(12 + 36 * share) }}
                    tabIndex={cell === focused.value ? 0 : -1}
                    aria-label={`${count} images of ${actual} predicted as ${predicted}`}
                    onClick={() => choose(actual, predicted, count)}
                  >
                    {count || ""}
                  </button>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ChosenCell() {
  const cell = chosen.value;
  if (cell?.network !== networkVersion.value) return null;
  const { actual, predicted, count, found } = cell;
  return (
    <>
      <h3>
        {actual} predicted as {predicted}
      </h3>
      {found.count === 0 ? (
        <p class="quiet">{count > 0 ? "The network reads these images differently now." : "No images."}</p>
      ) : (
        <Pictures
          pictures={found.pictures}
          count={found.count}
          label={`Test images of ${actual} predicted as ${predicted}`}
          testId="cell-pictures"
        />
      )}
    </>
  );
}

function Mistakes({ list, pictures }: { list: readonly Mistake[]; pictures: Uint8Array }) {
  return (
    <ul class="mistakes" data-testid="mistakes">
      {list.map(({ index, actual, predicted, confidence }, place) => (
        <li key={index}>
          <Picture pixels={pictures.subarray(place * 784, (place + 1) * 784)} label={`Test image ${index}`} />
          <span>
            <strong>{predicted}</strong>, not {actual}
            <br />
            <span class="quiet">{percent(confidence)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
