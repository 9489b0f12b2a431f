/*
 * What a unit looks for: its weights, the test images that excite it most, and the units that it leads to.
 */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Newest } from "../../../shared/requests.ts";
import type { CellPictures, WeightsEvent } from "../../contract.ts";
import { excitingPictures, networkVersion, running, test, weights } from "../../state/index.ts";
import { Pictures } from "../pictures.tsx";
import { Tile } from "../tile.tsx";
import { inspected, unitName, type UnitId } from "./selection.ts";

/** How often the images are chosen again while the network learns. */
const REFRESH_MILLISECONDS = 2500;

/** The largest share of the time to spend on it. */
const LARGEST_SHARE = 0.1;

const questions = new Newest();

export function UnitCard() {
  const now = weights.value;
  const id = inspected.value;
  const found = useExciting(id);
  if (!now || !id) return <div class="unit-card" />;
  const { layers } = now;
  const name = unitName(id, layers.length);
  const place = layers[id.layer]!.units.indexOf(id.unit);
  return (
    <div class="unit-card" role="group" aria-label={name} data-testid="unit-card">
      <div>
        <h3>{name}</h3>
        <p class="quiet">{id.layer === 0 ? "Its weights" : "Weights from the layer before"}</p>
        {id.layer === 0 ? (
          <div class="unit-tile">
            <Tile
              weights={now}
              place={now.tileUnits.indexOf(id.unit)}
              ink={undefined}
              label={`The weights of ${name}`}
            />
          </div>
        ) : (
          <Strengths values={columnOf(now, id.layer, place)} names={namesOf(now, id.layer - 1)} />
        )}
      </div>
      <div>
        <h3>Test digits that excite it most</h3>
        <div class="exciting">
          {found && (
            <Pictures
              pictures={found.pictures}
              count={found.count}
              label={`Test digits that excite ${name} most`}
              testId="exciting"
              perRow={5}
            />
          )}
        </div>
      </div>
      <div>
        <h3>Where it leads</h3>
        {id.layer === layers.length - 1 ? (
          <p class="quiet">To the answer: the output with the largest value is the prediction.</p>
        ) : (
          <Strengths values={rowOf(now, id.layer + 1, place)} names={namesOf(now, id.layer + 1)} />
        )}
      </div>
    </div>
  );
}

/** The images for a unit, asked for again while the network learns. */
function useExciting(id: UnitId | undefined): CellPictures | undefined {
  const found = useSignal<{ readonly version: number; readonly pictures: CellPictures } | undefined>(undefined);
  const version = networkVersion.value;
  // The first evaluation on the test set goes first: the test accuracy matters more.
  const isEvaluated = test.value !== undefined;
  useEffect(() => {
    if (!id || !isEvaluated) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const ask = async () => {
      const started = performance.now();
      // Training reports a lost device.
      const pictures = await questions.ask(() => excitingPictures(id.layer, id.unit)).catch(() => undefined);
      if (isOver) return;
      if (pictures) found.value = { version, pictures };
      const wait = Math.max(REFRESH_MILLISECONDS, (performance.now() - started) / LARGEST_SHARE);
      if (running.value) timer = setTimeout(ask, wait);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [id?.layer, id?.unit, version, running.value, isEvaluated]);
  return found.value?.version === version ? found.value.pictures : undefined;
}

/** The weights from a drawn unit to those of the next layer, and from the previous layer to a drawn unit. */
function rowOf({ layers }: WeightsEvent, next: number, place: number): number[] {
  const { units, weights: values } = layers[next]!;
  return place < 0 ? [] : [...values.subarray(place * units.length, (place + 1) * units.length)];
}

function columnOf({ layers }: WeightsEvent, layer: number, place: number): number[] {
  const { units, weights: values } = layers[layer]!;
  return place < 0 ? [] : [...values].filter((_, index) => index % units.length === place);
}

const namesOf = ({ layers }: WeightsEvent, layer: number): string[] =>
  [...layers[layer]!.units].map((unit) => (layer === layers.length - 1 ? String(unit) : String(unit + 1)));

/** Weights as bars, up for positive and down for negative. */
function Strengths({ values, names }: { values: readonly number[]; names: readonly string[] }) {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  return (
    <ul class="strengths">
      {names.map((name, index) => {
        const share = (values[index] ?? 0) / largest;
        return (
          <li key={name} title={`Weight ${(values[index] ?? 0).toFixed(2)}`}>
            <span class="strength">
              <span class={share < 0 ? "down" : "up"} style={{ transform: `scaleY(${(-share).toFixed(2)})` }} />
            </span>
            <span class="quiet">{name}</span>
          </li>
        );
      })}
    </ul>
  );
}
