/*
 * What the networks see: the visitor's drawing, or a test image.
 */
import { clear, isEmpty, PadCanvas, undo } from "../../digits/view/pad-canvas.tsx";
import { PICTURE_SIDE } from "../stages.ts";
import { prepared, subject } from "../state/index.ts";
import { NetworkInput } from "./flow.tsx";
import { SmallPicture } from "./picture.tsx";

export function Input() {
  return (
    <section class="card convolution-subject" aria-labelledby="convolution-subject-title">
      <div class="row spread">
        <h2 id="convolution-subject-title">Draw a digit</h2>
        <span class="row">
          <button type="button" data-testid="undo" disabled={isEmpty.value} onClick={undo}>
            Undo
          </button>
          <button type="button" data-testid="clear" disabled={isEmpty.value} onClick={clear}>
            Clear
          </button>
        </span>
      </div>
      <PadCanvas />
      <p class="quiet">or choose a test image:</p>
      <Samples />
      <div class="convolution-network-input">
        <h3>
          Input <span class="quiet">28×28</span>
        </h3>
        <NetworkInput />
      </div>
    </section>
  );
}

/** Test images to choose from. */
function Samples() {
  return (
    <div class="convolution-samples" role="group" aria-label="Test images">
      {Array.from({ length: 10 }, (_, digit) => (
        <button
          key={digit}
          type="button"
          data-testid={`convolution-sample-${digit}`}
          aria-label={`Test image of ${digit}`}
          aria-pressed={isEmpty.value && subject.value.digit === digit}
          onClick={() => {
            clear();
            subject.value = { ...subject.value, digit };
          }}
        >
          <SmallPicture
            side={PICTURE_SIDE}
            colors="ink"
            values={() => {
              const pixels = prepared.value?.samples.subarray(digit * PICTURE_SIDE ** 2);
              return pixels && { side: PICTURE_SIDE, at: (index) => pixels[index]! / 255 };
            }}
          />
        </button>
      ))}
    </div>
  );
}
