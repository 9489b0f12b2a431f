/*
 * The pad to draw on with a mouse, a finger, a pen or the keyboard.
 */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { scheme, token } from "../../shared/colors.ts";
import { Drawing, type Place } from "../state/drawing.ts";
import { centered } from "../state/pad-image.ts";
import { sampleStrokes } from "../state/sample.ts";
import { predictDrawing } from "../state/index.ts";

/** The side of the pad in pixels: enough for smooth strokes, and few enough to read back after every move. */
const SIDE = 140;

/** The width of a stroke. After scaling, it is about that of MNIST's digits. */
const STROKE = 11;

/** How far an arrow key moves the cursor, in pixels. */
const KEY_MOVE = 7;

/** The drawing as the network sees it. */
export const picture = signal<Uint8Array<ArrayBuffer> | undefined>(undefined);

const drawing = new Drawing();

/** The drawing as ink, 0 … 255. The visible canvas has the colors of the theme instead. */
const ink = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true })!;

/** Increases when strokes are removed. */
const redrawn = signal(0);

/** Whether there are no strokes to undo. */
export const isEmpty = signal(true);

/** Whether a stroke is not finished. */
export const isDrawing = signal(false);

/** Whether the pad shows the sample that it starts with. The first stroke replaces it. */
export const isSample = signal(false);

/** Whether the pad has never been drawn on or cleared. */
let untouched = true;

/** Draws the sample, unless the visitor has used the pad. */
function showSample(): void {
  if (!untouched) return;
  untouched = false;
  isSample.value = true;
  for (const [first, ...others] of sampleStrokes(SIDE)) {
    drawing.begin("keyboard", first!);
    for (const place of others) drawing.extend("keyboard", place);
    drawing.end("keyboard");
  }
  redraw();
}

function removeSample(): void {
  drawing.clear();
  ink.clearRect(0, 0, SIDE, SIDE);
  isSample.value = false;
}

/** The cursor of the keyboard; undefined while the keyboard is not used. */
const cursor = signal<Place | undefined>(undefined);
const penDown = signal(false);

function readInk(): void {
  const { data } = ink.getImageData(0, 0, SIDE, SIDE);
  const bytes = new Uint8Array(SIDE * SIDE);
  for (let index = 0; index < bytes.length; index++) bytes[index] = data[4 * index + 3]!;
  picture.value = centered(bytes, SIDE);
  isEmpty.value = drawing.strokes.length === 0;
  isDrawing.value = drawing.isActive;
  void predictDrawing(picture.value);
}

function inkLine(from: Place, to: Place): void {
  Object.assign(ink, { lineWidth: STROKE, lineCap: "round" });
  ink.beginPath();
  ink.moveTo(from.x, from.y);
  // A canvas draws no caps for a line of length 0.
  ink.lineTo(to.x, to.y + (from.x === to.x && from.y === to.y ? 0.01 : 0));
  ink.stroke();
}

export function undo(): void {
  drawing.undo();
  redraw();
}

export function clear(): void {
  drawing.clear();
  isSample.value = false;
  redraw();
}

function redraw(): void {
  penDown.value = false;
  ink.clearRect(0, 0, SIDE, SIDE);
  for (const stroke of drawing.strokes)
    stroke.forEach((place, index) => inkLine(stroke[Math.max(0, index - 1)]!, place));
  redrawn.value++;
  readInk();
}

const LABEL =
  "Drawing pad for a digit. Draw with a mouse, finger or pen, or with the keyboard: the arrow keys move the cursor, " +
  "Space lowers and lifts the pen, Backspace removes the last stroke, and Delete clears the pad.";

export function PadCanvas() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const asked = useRef(false);
  const repaint = () => paint(canvas.current!.getContext("2d")!);
  useEffect(showSample, []);
  useEffect(repaint, [scheme.value, redrawn.value, cursor.value, penDown.value]);
  /** Shows and reads the ink at most once per frame. */
  const inked = () => {
    if (asked.current) return;
    asked.current = true;
    requestAnimationFrame(() => {
      asked.current = false;
      if (canvas.current) repaint();
      readInk();
    });
  };
  const placeOf = ({ clientX, clientY }: PointerEvent) => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    return { x: ((clientX - left) / width) * SIDE, y: ((clientY - top) / height) * SIDE };
  };
  const extend = (drawer: number | "keyboard", to: Place) => {
    const from = drawing.extend(drawer, to);
    if (!from) return;
    inkLine(from, to);
    inked();
  };
  const begin = (drawer: number | "keyboard", at: Place) => {
    isDrawing.value = true;
    if (isSample.value) removeSample();
    if (!drawing.begin(drawer, at)) return false;
    inkLine(at, at);
    inked();
    return true;
  };
  const end = (drawer: number | "keyboard") => {
    drawing.end(drawer);
    inked();
  };
  const lift = () => {
    end("keyboard");
    penDown.value = false;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    const isUndo = key === "Backspace" || (key === "z" && (ctrlKey || metaKey));
    if (!isUndo && (ctrlKey || metaKey || altKey)) return;
    const at = cursor.value ?? { x: SIDE / 2, y: SIDE / 2 };
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (by) {
      const within = (value: number) => Math.min(SIDE, Math.max(0, value));
      cursor.value = { x: within(at.x + KEY_MOVE * by[0]!), y: within(at.y + KEY_MOVE * by[1]!) };
      extend("keyboard", cursor.value);
    } else if (key === " ") {
      cursor.value = at;
      if (penDown.value) lift();
      else penDown.value = begin("keyboard", at);
    } else if (isUndo) undo();
    else if (key === "Delete") clear();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <canvas
        ref={canvas}
        class="draw-pad"
        data-testid="draw-pad"
        width={SIDE}
        height={SIDE}
        role="application"
        tabIndex={0}
        aria-label={LABEL}
        onKeyDown={onKeyDown}
        onBlur={() => {
          lift();
          cursor.value = undefined;
        }}
        onPointerDown={(event) => {
          // A pointer does not focus the pad, so that Space still starts and pauses.
          event.preventDefault();
          if (event.button !== 0 || !begin(event.pointerId, placeOf(event))) return;
          cursor.value = undefined;
          canvas.current!.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          if (!drawing.isDrawing(event.pointerId)) return;
          const moves = event.getCoalescedEvents?.() ?? [];
          for (const move of moves.length > 0 ? moves : [event]) extend(event.pointerId, placeOf(move));
        }}
        onPointerUp={({ pointerId }) => end(pointerId)}
        onPointerCancel={({ pointerId }) => end(pointerId)}
      />
      <span class="hidden" role="status">
        {cursor.value && (penDown.value ? "Pen down" : "Pen up")}
      </span>
    </>
  );
}

/** Paints the ink in the color of the theme, and the cursor of the keyboard. */
function paint(context: CanvasRenderingContext2D): void {
  context.globalCompositeOperation = "copy";
  context.drawImage(ink.canvas, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = token("--text");
  context.fillRect(0, 0, SIDE, SIDE);
  context.globalCompositeOperation = "source-over";
  if (cursor.value) paintCursor(context, cursor.value);
}

function paintCursor(context: CanvasRenderingContext2D, { x, y }: Place): void {
  context.strokeStyle = context.fillStyle = token("--accent");
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, STROKE / 2, 0, 2 * Math.PI);
  if (penDown.value) context.fill();
  context.stroke();
}
