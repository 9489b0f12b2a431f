import { Canvas } from "../canvas.tsx";
import { drawBias, drawUnitOf } from "./draw-diagram.ts";
import { downOf, shareAcross, type Layout } from "./layout.ts";
import { toggleInput, unitExists, unitName, type UnitId } from "./network.ts";
import { edited, enlarged, pointedWeight, tabStop, unitElementId } from "./pointed.ts";

/** The units as buttons: the Tab key stops once, and the arrow keys move between units and layers. */
export function Units({ layout }: { layout: Layout }) {
  const { network } = layout;
  const { columns } = network;
  const at = unitExists(network, tabStop.value) ? tabStop.value : { column: 0, unit: 0 };
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    const count = columns[at.column + (by?.[0] ?? 0)];
    if (!by || count === undefined) return;
    event.preventDefault();
    const unit = Math.min(count - 1, Math.max(0, at.unit + by[1]!));
    tabStop.value = { column: at.column + by[0]!, unit };
    document.getElementById(unitElementId(tabStop.value))?.focus();
  };
  return (
    <div role="group" aria-label="Units of the network" onKeyDown={move}>
      {columns.flatMap((count, column) =>
        Array.from({ length: count }, (_, unit) => (
          <Unit
            key={`${column}/${unit}`}
            layout={layout}
            id={{ column, unit }}
            isTabStop={column === at.column && unit === at.unit}
          />
        )),
      )}
    </div>
  );
}

/** A click chooses an input, or edits the bias of another unit. */
function Unit({ layout, id, isTabStop }: { layout: Layout; id: UnitId; isTabStop: boolean }) {
  const { network } = layout;
  const isInput = id.column === 0;
  const isChosen = !isInput || network.inputs.includes(id.unit);
  const click = ({ detail }: MouseEvent) => {
    // Not every browser focuses a button that is tapped.
    enlarged.value = id;
    if (isInput) toggleInput(network.mode, id.unit);
    // A key has no count of clicks. A tap does not move the focus, which would open a keyboard on the screen.
    else
      edited.value = { mode: network.mode, place: { layer: id.column - 1, unit: id.unit }, takesFocus: detail === 0 };
  };
  return (
    <button
      type="button"
      id={unitElementId(id)}
      data-testid={unitElementId(id)}
      class={isChosen ? "" : "unused"}
      aria-label={unitName(network, id)}
      aria-pressed={isInput ? isChosen : undefined}
      tabIndex={isTabStop ? 0 : -1}
      style={{ left: `${100 * shareAcross(layout, id.column)}%`, top: `${downOf(layout, id)}px` }}
      onPointerEnter={() => (enlarged.value = id)}
      onPointerLeave={() => (enlarged.value = undefined)}
      onFocus={() => {
        enlarged.value = tabStop.value = id;
        pointedWeight.value = undefined;
      }}
      onBlur={() => (enlarged.value = undefined)}
      onClick={click}
    >
      <Canvas
        draw={(drawing) => {
          drawUnitOf(drawing, network, id);
          if (!isInput) drawBias(drawing, network, id);
        }}
      />
      {isInput && <small>{network.features[id.unit]!.label}</small>}
    </button>
  );
}
