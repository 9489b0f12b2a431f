import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { scheme, token } from "../../colours.ts";
import { centred } from "../pad-image.ts";
import { answer, look, prepared, step } from "../state.ts";
import { Picture } from "./confusion.tsx";
import { percent } from "../../format.ts";

/** Pixels of the pad: enough for smooth strokes, few enough to read at every move. */
const SIDE = 140;

/** The stroke's width, about that of MNIST's digits once scaled. */
const STROKE = 11;

/** The drawing as the network sees it. */
const picture = signal<Uint8Array<ArrayBuffer> | undefined>(undefined);

/** The drawing's ink, 0 … 255, kept apart from the canvas, which has the theme's colours. */
const ink = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true })!;

function readInk(): void {
  const { data } = ink.getImageData(0, 0, SIDE, SIDE);
  const bytes = new Uint8Array(SIDE * SIDE);
  for (let index = 0; index < bytes.length; index++) bytes[index] = data[4 * index + 3]!;
  picture.value = centred(bytes, SIDE);
  void look(picture.value);
}

export function DrawPad() {
  // A network that learns answers anew.
  const moment = prepared.value && Math.floor(step.value / 25);
  useEffect(() => void (picture.value && look(picture.value)), [moment, prepared.value]);
  return (
    <section class="card pad" aria-label="Draw a digit">
      <div class="row spread">
        <h2>Draw a digit</h2>
        <button type="button" data-testid="clear" onClick={clear}>
          Clear
        </button>
      </div>
      <Canvas />
      <Prediction />
      <Hidden />
    </section>
  );
}

/** Raised when the pad is wiped. */
const wiped = signal(0);

function clear(): void {
  ink.clearRect(0, 0, SIDE, SIDE);
  wiped.value++;
  readInk();
}

function Canvas() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<{ x: number; y: number }>(undefined);
  const asked = useRef(false);
  const repaint = () => {
    const context = canvas.current!.getContext("2d")!;
    context.globalCompositeOperation = "copy";
    context.drawImage(ink.canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = token("--text");
    context.fillRect(0, 0, SIDE, SIDE);
  };
  useEffect(repaint, [scheme.value, wiped.value]);
  const placeOf = ({ clientX, clientY }: PointerEvent) => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    return { x: ((clientX - left) / width) * SIDE, y: ((clientY - top) / height) * SIDE };
  };
  const strokeTo = (to: { x: number; y: number }) => {
    const from = last.current ?? to;
    Object.assign(ink, { lineWidth: STROKE, lineCap: "round" });
    ink.beginPath();
    ink.moveTo(from.x, from.y);
    ink.lineTo(to.x, to.y + (from === to ? 0.01 : 0));
    ink.stroke();
    last.current = to;
    if (asked.current) return;
    asked.current = true;
    requestAnimationFrame(() => {
      asked.current = false;
      if (canvas.current) repaint();
      readInk();
    });
  };
  return (
    <canvas
      ref={canvas}
      class="draw-pad"
      data-testid="draw-pad"
      width={SIDE}
      height={SIDE}
      role="img"
      aria-label="A pad to draw a digit on, with a mouse, a finger or a pen"
      onPointerDown={(event) => {
        event.preventDefault();
        canvas.current!.setPointerCapture(event.pointerId);
        last.current = undefined;
        strokeTo(placeOf(event));
      }}
      onPointerMove={(event) => {
        if (event.buttons === 0 || !canvas.current!.hasPointerCapture(event.pointerId)) return;
        const moves = event.getCoalescedEvents?.() ?? [];
        for (const move of moves.length > 0 ? moves : [event]) strokeTo(placeOf(move));
      }}
    />
  );
}

const digits = Array.from({ length: 10 }, (_, digit) => digit);

function Prediction() {
  const shares = answer.value?.probabilities;
  const best = shares ? shares.indexOf(Math.max(...shares)) : undefined;
  return (
    <>
      <div class="row prediction">
        {picture.value ? <Picture pixels={picture.value} label="The drawing as the network sees it" /> : <span class="picture" />}
        <p aria-live="polite">
          {best === undefined ? (
            <span class="quiet">Draw with mouse, finger or pen: the network says what it sees.</span>
          ) : (
            <>
              The network says <output class="said" data-testid="prediction">{best}</output> <span class="quiet">{percent(shares![best]!)}</span>
            </>
          )}
        </p>
      </div>
      <ol class="bars" start={0} aria-label="Probability of each digit" data-testid="probabilities">
        {digits.map((digit) => (
          <li key={digit} class={digit === best ? "best" : ""}>
            <span class="name">{digit}</span>
            <span class="bar"><span style={{ width: `${100 * (shares?.[digit] ?? 0)}%` }} /></span>
            <span class="value">{shares ? percent(shares[digit]!) : "–"}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** More units of a layer than this are not shown. */
const MOST_UNITS = 256;

/** How strongly each hidden unit answers. */
function Hidden() {
  const layers = answer.value?.hidden;
  if (!layers || layers.length === 0) return null;
  return (
    <div class="hidden-layers" data-testid="hidden">
      {layers.map((values, layer) => (
        <HiddenLayer key={layer} values={values} title={`Hidden layer ${layer + 1}`} />
      ))}
    </div>
  );
}

function HiddenLayer({ values, title }: { values: Float32Array; title: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const count = Math.min(values.length, MOST_UNITS);
  const columns = Math.min(count, 32);
  const colours = scheme.value;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    const [high, low, none] = [token("--accent"), token("--accent-2"), token("--line")];
    context.clearRect(0, 0, columns * 10, 10 * Math.ceil(count / columns));
    for (let unit = 0; unit < count; unit++) {
      const [x, y, value] = [(unit % columns) * 10, Math.floor(unit / columns) * 10, values[unit]!];
      context.globalAlpha = 1;
      context.fillStyle = none;
      context.fillRect(x, y, 9, 9);
      context.globalAlpha = Math.abs(value) / largest;
      context.fillStyle = value < 0 ? low : high;
      context.fillRect(x, y, 9, 9);
    }
  }, [values, colours]);
  const active = values.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
  return (
    <figure>
      <figcaption class="quiet">
        {title}: {active} of {values.length} above 0
      </figcaption>
      <canvas ref={canvas} class="units" role="img" aria-label={`${title}: what each unit gives`} width={columns * 10} height={10 * Math.ceil(count / columns)} />
    </figure>
  );
}

