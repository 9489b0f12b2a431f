/*
 * The row below the pad that keeps the drawing with its label.
 */
import "./collection.css";
import { useEffect } from "preact/hooks";
import { clear, isDrawing, isEmpty, isSample, picture } from "../view/pad-canvas.tsx";
import { readDrawing } from "../view/read-drawing.ts";
import { collectionFault, keepDrawing, lastChange, openCollection, undoChange, type ChangePlace } from "./state.ts";

const digits = Array.from({ length: 10 }, (_, digit) => digit);

/** Keeps the drawing on the pad, and clears the pad once it is stored. */
export async function keepPicture(label: number): Promise<boolean> {
  const pixels = picture.value;
  const byKeyboard = document.activeElement?.matches(":focus-visible");
  if (!pixels || !(await keepDrawing({ label, pixels }))) return false;
  // The visitor may have gone on drawing. The same ink may have been read again.
  if (picture.value?.every((ink, index) => ink === pixels[index])) clear();
  // The button is disabled now.
  if (byKeyboard) focusFirst([".draw-pad"]);
  return true;
}

/** Focuses the first element that one of the selectors finds, without a jump of the page. */
export function focusFirst(selectors: readonly string[]): void {
  const found = selectors.map((selector) => document.querySelector<HTMLElement>(selector)).find((element) => element);
  found?.focus({ preventScroll: true });
}

/** Whether the pad has a drawing that can be kept. */
export const canKeep = (): boolean => !isSample.value && !isEmpty.value && !isDrawing.value;

export function Keep() {
  useEffect(openCollection, []);
  const isReady = canKeep();
  const proposed = isReady ? readDrawing()?.digit : undefined;
  return (
    <div class="keep" role="group" aria-label="Keep the drawing">
      <p class="keep-text" aria-live="polite" data-testid="keep-text">
        {isReady ? (
          "Keep it for our test set as:"
        ) : (
          <LastChange place="pad" otherwise="Draw a digit, and keep it as:" />
        )}
      </p>
      <div class="keep-digits" onKeyDown={move}>
        {digits.map((digit) => (
          <button
            key={digit}
            type="button"
            class={digit === proposed ? "primary" : ""}
            data-testid={`keep-${digit}`}
            aria-label={`Keep as ${digit}${digit === proposed ? ", as the network reads it" : ""}`}
            tabIndex={digit === (proposed ?? 0) ? 0 : -1}
            disabled={!isReady}
            onClick={() => void keepPicture(digit)}
          >
            {digit}
          </button>
        ))}
      </div>
      <Fault place="pad" />
    </div>
  );
}

/** The arrow keys move between the digits. */
function move(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  const buttons = Array.from(event.currentTarget.querySelectorAll("button"));
  const place = buttons.indexOf(event.target as HTMLButtonElement);
  buttons[(place + by + buttons.length) % buttons.length]!.focus();
}

/** What gets the focus after a change was undone by the keyboard: the first of these that is there. */
const afterUndo: Record<ChangePlace, readonly string[]> = {
  pad: [".draw-pad"],
  list: [".gallery-list button", ".gallery button"],
};

/** The last change, with a button that undoes it. */
export function LastChange({ place, otherwise = "" }: { place: ChangePlace; otherwise?: string }) {
  const last = lastChange.value;
  if (!last) return otherwise;
  const undo = async () => {
    const byKeyboard = document.activeElement?.matches(":focus-visible");
    // The button is gone then.
    if ((await undoChange(place)) && byKeyboard) focusFirst(afterUndo[place]);
  };
  return (
    <>
      {last.text}{" "}
      <button type="button" class="plain link" data-testid="undo-change" onClick={undo}>
        Undo
      </button>
    </>
  );
}

/** Why the last change failed, if the visitor made it here. */
export function Fault({ place }: { place: ChangePlace }) {
  const fault = collectionFault.value;
  if (fault?.place !== place) return null;
  return (
    <p class="fault" role="alert" data-testid={`${place}-fault`}>
      {fault.text}
    </p>
  );
}
