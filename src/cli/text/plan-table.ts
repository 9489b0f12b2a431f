import type { DispatchDescription } from "../../backends/backend.ts";
import { counted, LINE_WIDTH, scaled, wrap } from "./text.ts";

/** Widths of the columns; the shapes take the rest of a line. Two spaces separate columns. */
const COLUMNS = { kernel: 27, grid: 9, flops: 6, bytes: 6 };
const SHAPES = LINE_WIDTH - Object.values(COLUMNS).reduce((sum, width) => sum + width + 2, 0);

/** The dispatches of a step as a table of 80 columns, with FLOPs and bytes to three digits. */
export function planTable(dispatches: readonly DispatchDescription[]): string[] {
  const total = (pick: (dispatch: DispatchDescription) => number) =>
    dispatches.reduce((sum, each) => sum + pick(each), 0);
  const [flops, bytes] = [total((each) => each.flops), total((each) => each.bytes)];
  return [
    ...row("kernel", "shapes", "grid", "FLOPs", "bytes"),
    ...dispatches.flatMap((each) =>
      row(each.kernel, each.shapes, each.grid.join("×"), scaled(each.flops), scaled(each.bytes)),
    ),
    ...row(counted(dispatches.length, "dispatch", "dispatches"), "", "", scaled(flops), scaled(bytes)),
  ];
}

/** One row. Names and shapes that are too long continue in the lines below, and each kernel of a merged dispatch starts a line. */
function row(kernel: string, shapes: string, grid: string, flops: string, bytes: string): string[] {
  const shapesOf = shapes.split("; ");
  const texts = kernel.split("; ").flatMap((name, position) => kernelLines(name, shapesOf[position] ?? ""));
  return texts.map((text, line) => {
    const numbers =
      line === 0 ? [grid.padEnd(COLUMNS.grid), flops.padStart(COLUMNS.flops), bytes.padStart(COLUMNS.bytes)] : [];
    return [text, ...numbers].join("  ").trimEnd();
  });
}

/** The first two columns of one kernel. */
function kernelLines(kernel: string, shapes: string): string[] {
  const names = wrap(kernel.split(/ (?=\+)/), COLUMNS.kernel);
  // Do not break a line within the brackets of a shape.
  const parts = wrap(shapes.split(/ (?![^[]*\])/), SHAPES);
  const lines = Math.max(names.length, parts.length, 1);
  return Array.from({ length: lines }, (_, line) =>
    [(names[line] ?? "").padEnd(COLUMNS.kernel), (parts[line] ?? "").padEnd(SHAPES)].join("  "),
  );
}
