import { useEffect, useRef } from "preact/hooks";
import { scheme, token } from "../../shared/colors.ts";
import { predictDrawing, prediction, prepared, step } from "../state/index.ts";
import { Picture } from "./confusion.tsx";
import { clear, isEmpty, PadCanvas, picture, undo } from "./pad-canvas.tsx";
import { percent } from "../../shared/format.ts";

export function DrawPad() {
  // The prediction changes during training.
  const moment = prepared.value && Math.floor(step.value / 25);
  useEffect(() => void (picture.value && predictDrawing(picture.value)), [moment, prepared.value]);
  return (
    <section class="card pad" aria-label="Draw a digit">
      <div class="row spread">
        <h2>Draw a digit</h2>
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
      <Prediction />
      <Hidden />
    </section>
  );
}

const digits = Array.from({ length: 10 }, (_, digit) => digit);

function Prediction() {
  const shares = prediction.value?.probabilities;
  const best = shares ? shares.indexOf(Math.max(...shares)) : undefined;
  return (
    <>
      <div class="row prediction">
        {picture.value ? (
          <Picture pixels={picture.value} label="The input of the network: the drawing, scaled and centered" />
        ) : (
          <span class="picture" />
        )}
        <p aria-live="polite">
          {best === undefined ? (
            <span class="quiet">
              Draw with a mouse, finger or pen, or with the arrow keys and Space. The network predicts the digit.
            </span>
          ) : (
            <>
              Prediction:{" "}
              <output class="said" data-testid="prediction">
                {best}
              </output>{" "}
              <span class="quiet">{percent(shares![best]!)}</span>
            </>
          )}
        </p>
      </div>
      <ol class="bars" start={0} aria-label="Probability of each digit" data-testid="probabilities">
        {digits.map((digit) => (
          <li key={digit} class={digit === best ? "best" : ""}>
            <span class="name">{digit}</span>
            <span class="bar">
              <span style={{ width: `${100 * (shares?.[digit] ?? 0)}%` }} />
            </span>
            <span class="value">{shares ? percent(shares[digit]!) : "–"}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** The largest number of units of a layer to show. */
const MOST_UNITS = 256;

/** The outputs of the hidden units. */
function Hidden() {
  const layers = prediction.value?.hidden;
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
  const colors = scheme.value;
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
  }, [values, colors]);
  const active = values.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
  return (
    <figure>
      <figcaption class="quiet">
        {title}: {active} of {values.length} outputs are positive
      </figcaption>
      <canvas
        ref={canvas}
        class="units"
        role="img"
        aria-label={`${title}: the output of each unit`}
        width={columns * 10}
        height={10 * Math.ceil(count / columns)}
      />
    </figure>
  );
}
