import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useForChart } from "../../shared/redraws.ts";
import { lazy } from "../../shared/lazy.tsx";
import { DATABASE } from "../collection/database.ts";
import { predictDrawing, prepared, step } from "../state/index.ts";
import { clear, isEmpty, isSample, PadCanvas, picture, undo } from "./pad-canvas.tsx";

const Keep = lazy(async () => (await import("../collection/keep.tsx")).Keep);

/** Whether an earlier visit may have kept drawings. A first visit does not load their code until the visitor draws. */
const mayHaveDrawings = signal(false);

/** Browsers that list no databases, or store nothing, count as having some. */
async function lookForDrawings(): Promise<void> {
  const all = await Promise.resolve()
    .then(() => indexedDB.databases())
    .catch(() => undefined);
  mayHaveDrawings.value = all?.some(({ name }) => name === DATABASE) ?? true;
}

export function DrawPad() {
  // The prediction changes during training.
  const moment = useForChart(step).value;
  useEffect(() => void lookForDrawings(), []);
  useEffect(() => void (picture.value && predictDrawing(picture.value)), [moment, prepared.value]);
  return (
    <div class="pad" role="group" aria-label="Draw a digit">
      <div class="row spread">
        <h3>{isSample.value ? "Draw your own" : "Draw a digit"}</h3>
        <span class="row">
          <button
            type="button"
            data-testid="undo"
            disabled={isEmpty.value}
            onClick={undo}
            title="Remove the last stroke"
          >
            Undo
          </button>
          <button type="button" data-testid="clear" onClick={clear}>
            Clear
          </button>
        </span>
      </div>
      <PadCanvas />
      <div class="keep-place">
        {prepared.value && (!isSample.value || mayHaveDrawings.value) ? (
          <Keep />
        ) : (
          <p class="quiet">Draw a digit, and keep it for a test set of your own.</p>
        )}
      </div>
    </div>
  );
}
