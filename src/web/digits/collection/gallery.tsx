/*
 * All drawings that were kept, with what the network reads now, and what can be done with them.
 */
import "./collection.css";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { visit } from "../../shared/address/history.ts";
import { Checkbox, NumberField } from "../../shared/fields.tsx";
import { FileButton } from "../../shared/file-button.tsx";
import { percent } from "../../shared/format.ts";
import { rareFields } from "../settings.ts";
import { draft, edit, prepared, test, viewOptions } from "../state/index.ts";
import { Picture } from "../view/pictures.tsx";
import { Fault, focusFirst, LastChange } from "./keep.tsx";
import { accuracy, drawings, exportFile, importFile, openCollection, readings, remove, withArticle } from "./state.ts";
import type { StoredDrawing } from "./store.ts";

/** The drawings of a page of the gallery: few enough to be redrawn with every reading. */
const PER_PAGE = 60;

/** How often an epoch has each drawing, if the visitor does not say. */
const USUAL_COPIES = 10;

export function Gallery() {
  useEffect(openCollection, []);
  const all = drawings.value;
  return (
    <div class="stack gallery">
      <p>
        Keep drawings below the pad, and see how well the network reads your own digits. They stay in this browser: no
        drawing leaves it unless you export it.
      </p>
      <Buttons all={all ?? []} />
      <p class="gallery-change" data-testid="last-change">
        <LastChange place="list" />
      </p>
      <Fault place="list" />
      {all && all.length > 0 && (
        <>
          <Result count={all.length} />
          <Training count={all.length} />
        </>
      )}
      {all && <Drawings all={all} />}
    </div>
  );
}

/** The button that undoes the last change. */
const UNDO = ".gallery-change button";

function Buttons({ all }: { all: readonly StoredDrawing[] }) {
  const removeAll = async () => {
    // The button is disabled then.
    if (await remove(all)) focusFirst([UNDO]);
  };
  return (
    <div class="row">
      <button
        type="button"
        class="primary"
        data-testid="class-mode"
        title="A large pad that asks for one digit after the other"
        onClick={() => visit(() => (viewOptions.value = { ...viewOptions.value, classMode: true }))}
      >
        Class mode
      </button>
      <button type="button" data-testid="export-drawings" disabled={all.length === 0} onClick={exportFile}>
        Export
      </button>
      <FileButton label="Import" testId="import-drawings" accept=".zip" onFile={(file) => void importFile(file)} />
      <button type="button" data-testid="remove-drawings" disabled={all.length === 0} onClick={removeAll}>
        Remove all
      </button>
    </div>
  );
}

const shareText = (share: number | undefined) => (share === undefined ? "–" : percent(share));

/** The accuracy on the drawings beside that on the test set. */
function Result({ count }: { count: number }) {
  return (
    <dl class="numbers gallery-numbers">
      <div>
        <dt>Our drawings</dt>
        <dd>
          <span data-testid="drawings-accuracy">{shareText(accuracy.value)}</span>{" "}
          <small data-testid="drawings-count">of {count.toLocaleString("en")}</small>
        </dd>
      </div>
      <div>
        <dt>Test set</dt>
        <dd>
          {shareText(test.value?.accuracy)} <small>of {prepared.value?.testExamples.toLocaleString("en")}</small>
        </dd>
      </div>
    </dl>
  );
}

function Training({ count }: { count: number }) {
  const copies = draft.value.drawingCopies;
  const added = copies * count;
  return (
    <div class="gallery-training">
      <div class="row">
        <Checkbox
          label="Also train on them"
          testId="train-on-drawings"
          value={copies > 0}
          onChange={(wanted) => edit({ drawingCopies: wanted ? USUAL_COPIES : 0 })}
        />
        {copies > 0 && (
          <NumberField
            label="Copies per epoch"
            testId="drawing-copies"
            field={rareFields.drawingCopies}
            value={copies}
            onChange={(value) => edit({ drawingCopies: value })}
          />
        )}
      </div>
      <p class="quiet" data-testid="training-note">
        {copies > 0
          ? `Each epoch has ${count.toLocaleString("en")} × ${copies} = ${added.toLocaleString("en")} drawings among its images. So the accuracy on our drawings is no longer a test.`
          : "Takes effect at once: the training continues with the same weights."}
      </p>
    </div>
  );
}

/** The newest drawings first, a page at a time. */
function Drawings({ all }: { all: readonly StoredDrawing[] }) {
  const page = useSignal(0);
  const pages = Math.max(1, Math.ceil(all.length / PER_PAGE));
  const chosen = Math.min(page.value, pages - 1);
  const end = all.length - chosen * PER_PAGE;
  const shown = all.slice(Math.max(0, end - PER_PAGE), end).toReversed();
  return (
    <>
      <ul class="gallery-list" data-testid="drawings">
        {shown.map((drawing) => (
          <Entry key={drawing.id} drawing={drawing} reading={readings.value.get(drawing.id)} />
        ))}
      </ul>
      {pages > 1 && (
        <div class="row">
          <button type="button" disabled={chosen === 0} onClick={() => (page.value = chosen - 1)}>
            Newer
          </button>
          <span class="quiet">
            Page {chosen + 1} of {pages}
          </span>
          <button type="button" disabled={chosen === pages - 1} onClick={() => (page.value = chosen + 1)}>
            Older
          </button>
        </div>
      )}
    </>
  );
}

function Entry({ drawing, reading }: { drawing: StoredDrawing; reading: number | undefined }) {
  const { label, pixels } = drawing;
  const isWrong = reading !== undefined && reading !== label;
  const removeIt = async ({ currentTarget }: { readonly currentTarget: HTMLElement }) => {
    const entry = currentTarget.closest("li")!;
    // The focus goes to a neighbor, so that the next one can be removed, too.
    const neighbor = (entry.nextElementSibling ?? entry.previousElementSibling)?.querySelector("button");
    if (!(await remove([drawing]))) return;
    if (neighbor) neighbor.focus({ preventScroll: true });
    else focusFirst([UNDO]);
  };
  return (
    <li class={isWrong ? "wrong" : ""}>
      <Picture pixels={pixels} label={`The drawing of ${withArticle(label)}`} />
      <span>
        <strong>{label}</strong>
        <br />
        <span class="gallery-reading">{textOf(reading, isWrong)}</span>
      </span>
      <button
        type="button"
        class="plain"
        aria-label={`Remove drawing ${drawing.id}, ${withArticle(label)}`}
        onClick={removeIt}
      >
        ✕
      </button>
    </li>
  );
}

/** What the network reads, such as "✗ read as 1". */
function textOf(reading: number | undefined, isWrong: boolean): string {
  if (reading === undefined) return "–";
  return isWrong ? `✗ read as ${reading}` : "✓ read right";
}
