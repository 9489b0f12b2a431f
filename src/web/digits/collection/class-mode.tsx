/*
 * A large pad that asks for one digit after the other, so that a class can draw together. It takes the place of the tab.
 */
import "./collection.css";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { visit } from "../../shared/address/history.ts";
import { percent } from "../../shared/format.ts";
import { viewOptions } from "../state/index.ts";
import { clear, isEmpty, PadCanvas, undo } from "../view/pad-canvas.tsx";
import { Picture } from "../view/pictures.tsx";
import { canKeep, Fault, keepPicture, LastChange } from "./keep.tsx";
import { nextDigit } from "./next-digit.ts";
import { accuracy, counts, drawings, numbered, openCollection, readings, withArticle } from "./state.ts";

/** The number of the last drawings that are shown. */
const LAST = 6;

const leave = () => visit(() => (viewOptions.value = { ...viewOptions.value, classMode: false }));

export function ClassMode() {
  const asked = useSignal(0);
  useEffect(() => {
    openCollection();
    clear();
    return clear;
  }, []);
  const next = () => {
    asked.value = nextDigit(counts.value, asked.value);
    clear();
  };
  const keep = async () => {
    if (await keepPicture(asked.value)) next();
  };
  return (
    <section class="card class-mode" aria-labelledby="asked">
      <div class="row spread">
        <h2 id="asked" aria-live="polite" data-testid="asked">
          Draw {withArticle(asked.value)}
        </h2>
        <button type="button" data-testid="leave-class-mode" onClick={leave}>
          Done
        </button>
      </div>
      <PadCanvas />
      <div class="row class-buttons">
        <button type="button" data-testid="undo" disabled={isEmpty.value} onClick={undo} title="Remove the last stroke">
          Undo
        </button>
        <button type="button" class="primary" data-testid="keep-asked" disabled={!canKeep()} onClick={keep}>
          Keep my {asked.value}
        </button>
        <button type="button" data-testid="skip" onClick={next}>
          Another digit
        </button>
      </div>
      <Fault place="pad" />
      <Kept />
    </section>
  );
}

/** The last drawings with what the network reads, and how many there are. */
function Kept() {
  const all = drawings.value ?? [];
  return (
    <>
      <ul class="class-list" data-testid="last-drawings">
        {all
          .slice(-LAST)
          .toReversed()
          .map(({ id, label, pixels }) => {
            const digit = readings.value.get(id);
            return (
              <li key={id}>
                <Picture pixels={pixels} label={`The drawing of ${withArticle(label)}`} />
                <span class={digit === undefined ? "" : digit === label ? "right" : "wrong"}>
                  {digit === undefined ? "–" : digit === label ? `✓ ${digit}` : `✗ ${digit}`}
                </span>
              </li>
            );
          })}
      </ul>
      <p class="class-text">
        <span data-testid="drawings-count">{numbered(all.length)}</span>
        {accuracy.value !== undefined && `: the network reads ${percent(accuracy.value, 0)} right`}.{" "}
        <LastChange place="pad" />
      </p>
      <p class="quiet">The drawings stay in this browser.</p>
    </>
  );
}
