/*
 * Why convolution: the answers of both networks for the shifted picture, and their accuracy on shifted test images.
 */
import { signal } from "@preact/signals";
import { testedShifts, type Pair } from "../contract.ts";
import { MOST_SHIFT, shiftsAlong } from "../settings.ts";
import { accuracy, prepared, shifts, subject } from "../state/index.ts";
import { evenPercent } from "../../shared/format.ts";

const networks: readonly { readonly name: keyof Pair<unknown>; readonly title: string }[] = [
  { name: "convolution", title: "Convolutional" },
  { name: "dense", title: "Dense" },
];

/** The index of the picture that is not shifted. */
const MIDDLE = (shiftsAlong.length ** 2 - 1) / 2;

export function Shifts() {
  return (
    <section class="card convolution-shifts" aria-labelledby="convolution-shifts-title">
      <h2 id="convolution-shifts-title">Why convolution? Move the digit</h2>
      <p class="quiet">
        Each cell is the answer for the digit moved by up to {MOST_SHIFT} pixels. <span class="high">Blue</span> cells
        keep the answer of the middle, and are counted above the grid. Choose a cell to move the digit there.
      </p>
      <div class="convolution-grids">
        {networks.map(({ name, title }) => (
          <Grid key={name} network={name} title={title} />
        ))}
        <Accuracies />
      </div>
      <p class="quiet">
        A filter finds its pattern wherever it is, and pooling forgets small moves. A dense unit has a weight for each
        pixel: to it, a digit that has moved is something new.
      </p>
    </section>
  );
}

/** The cell with the keyboard focus, in either grid. */
const focused = signal(MIDDLE);

function focusCell(network: string, cell: number): void {
  focused.value = cell;
  document.getElementById(`shift-${network}-${cell}`)?.focus();
}

const direction = (pixels: number, [less, more]: readonly [string, string]) =>
  pixels === 0 ? "" : `${Math.abs(pixels)} ${pixels < 0 ? less : more}`;

/** Such as "2 left, 4 up". */
const described = (right: number, down: number): string =>
  [direction(right, ["left", "right"]), direction(down, ["up", "down"])].filter(Boolean).join(", ") || "not moved";

function Grid({ network, title }: { network: keyof Pair<unknown>; title: string }) {
  const predictions = shifts.value?.predictions[network];
  const middle = predictions?.[MIDDLE];
  const count = predictions?.filter((digit) => digit === middle).length;
  const move = (event: KeyboardEvent) => {
    const width = shiftsAlong.length;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[event.key];
    const next = focused.value + (by ?? 0);
    const leavesRow = Math.abs(by ?? 0) === 1 && Math.floor(next / width) !== Math.floor(focused.value / width);
    if (by === undefined) return;
    event.preventDefault();
    if (next >= 0 && next < width ** 2 && !leavesRow) focusCell(network, next);
  };
  return (
    <table class="convolution-grid" data-testid={`convolution-shifts-${network}`} onKeyDown={move}>
      <caption>
        {title}{" "}
        <strong data-testid={`convolution-kept-${network}`}>
          {count ?? "–"} of {shiftsAlong.length ** 2}
        </strong>
      </caption>
      <tbody>
        {shiftsAlong.map((down, row) => (
          <tr key={down}>
            {shiftsAlong.map((right, column) => (
              <Cell
                key={right}
                network={network}
                by={[right, down]}
                cell={row * shiftsAlong.length + column}
                digit={predictions?.[row * shiftsAlong.length + column]}
                middle={middle}
              />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface CellProps {
  readonly network: keyof Pair<unknown>;
  readonly by: readonly [right: number, down: number];
  readonly cell: number;
  readonly digit: number | undefined;
  readonly middle: number | undefined;
}

function Cell({ network, by, cell, digit, middle }: CellProps) {
  const { shift } = subject.value;
  const isChosen = shift[0] === by[0] && shift[1] === by[1];
  return (
    <td>
      <button
        type="button"
        id={`shift-${network}-${cell}`}
        class={digit === middle ? "same" : "different"}
        aria-pressed={isChosen}
        aria-label={`Moved ${described(...by)}: ${digit ?? "no answer yet"}`.replace("Moved not moved", "Not moved")}
        tabIndex={cell === focused.value ? 0 : -1}
        onClick={() => {
          focused.value = cell;
          subject.value = { ...subject.value, shift: by };
        }}
      >
        {digit ?? "–"}
      </button>
    </td>
  );
}

/** The accuracy of both networks on test images that are moved. */
function Accuracies() {
  const now = accuracy.value;
  return (
    <table class="convolution-accuracies" data-testid="convolution-accuracies">
      <caption class="quiet">Accuracy on {now?.count ?? "–"} test images, moved by</caption>
      <thead>
        <tr>
          <td />
          {testedShifts.map((pixels) => (
            <th key={pixels} scope="col">
              {pixels} px
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {networks.map(({ name, title }) => (
          <tr key={name}>
            <th scope="row">
              {title}
              <small>{prepared.value?.parameters[name].toLocaleString("en") ?? "–"} parameters</small>
            </th>
            {testedShifts.map((pixels, index) => (
              <td key={pixels}>{now ? evenPercent(now.accuracies[name][index]!) : "–"}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
