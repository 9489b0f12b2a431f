import { filterOf, stages } from "../stages.ts";
import { filterHistory, shownFilters, shownPlace } from "../state/index.ts";
import { SmallPicture } from "./picture.tsx";

/** A filter of the first convolution, scaled to its own largest weight. */
export function FilterPicture(props: {
  filter: number;
  weights: () => Float32Array | undefined;
  class?: string;
  label?: string;
}) {
  const { filter, label } = props;
  const side = stages[0]!.window;
  return (
    <SmallPicture
      side={side}
      class={`convolution-filter ${props.class ?? ""}`}
      colors="signed"
      values={() => {
        const weights = props.weights();
        if (!weights) return undefined;
        const values = filterOf({ filters: [{ weights, biases: [] }] }, 0, filter, 0);
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
        return { side, at: (index) => values[index]! / largest };
      }}
      {...(label && { label })}
    />
  );
}

/** The filters of the first convolution at an earlier step, chosen with a slider. */
export function FilterHistoryCard() {
  const { records } = filterHistory.value;
  const last = Math.max(0, records.length - 1);
  const place = Math.min(shownPlace.value ?? last, last);
  const shown = shownFilters.value;
  const isNow = shownPlace.value === undefined;
  return (
    <section class="card convolution-history" aria-labelledby="convolution-history-title">
      <h2 id="convolution-history-title">How the filters were learned</h2>
      <div class="convolution-history-filters" data-testid="convolution-history" data-step={shown?.step}>
        {Array.from({ length: stages[0]!.maps }, (_, filter) => (
          <FilterPicture
            key={filter}
            filter={filter}
            weights={() => shownFilters.value?.weights}
            label={`Filter ${filter + 1}`}
          />
        ))}
      </div>
      <label class="field">
        <span>
          Filters of the first convolution {isNow ? "now, at step " : "at step "}
          <output data-testid="convolution-history-step">{shown?.step ?? "–"}</output>
        </span>
        <input
          type="range"
          data-testid="convolution-history-slider"
          min={0}
          max={last}
          step={1}
          value={place}
          disabled={records.length < 2}
          onInput={({ currentTarget }) => {
            const chosen = Number(currentTarget.value);
            shownPlace.value = chosen === last ? undefined : chosen;
          }}
        />
      </label>
      <p class="quiet">
        They start as noise. Training turns some of them into detectors of edges and strokes:{" "}
        <span class="high">blue</span> looks for ink, <span class="low">orange</span> for background.
      </p>
    </section>
  );
}
