/*
 * The kernel of products by shuffles: its constants, and the parts of shaders/matmul_shuffle.wgsl that exist once for each
 * accumulator or operand of a lane.
 */
import elements from "../../../shaders/matmul_elements.wgsl?raw";
import template from "../../../shaders/matmul_shuffle.wgsl?raw";
import type { ProductKernel, ProductLaunch, Vec4Sides } from "./webgpu-kernels.ts";
import { stripRowsOf } from "./webgpu-register-tilings.ts";
import { COMPONENTS, range, withStatements } from "./webgpu-registers.ts";
import { stripRowBytes, type ShuffleTiling } from "./webgpu-shuffle-tilings.ts";

/** What the statements of a lane depend on. */
interface ShuffleKernel {
  /** Outputs of a lane: a multiple of 4 rows, and 1, 2 or a multiple of 4 columns. */
  readonly threadRows: number;
  readonly threadColumns: number;
  /** How many columns of a lane are adjacent: 1, 2 or 4. */
  readonly width: number;
  /** Whether the left operand is read in vec4s of rows, which then are adjacent in memory. */
  readonly leftRows: boolean;
  /** What the right operand is read in: single values, or vec4s of four columns or values of k that are adjacent in memory. */
  readonly rightReads: "values" | "columns" | "inner";
  /** Whether a part may have a number of values of k that is no multiple of 4. */
  readonly ragged: boolean;
  /** Whether sums start from what an earlier launch stored. */
  readonly accumulates: boolean;
  /** Whether the columns of the right operand, which then is not transposed, are summed too, before they are rounded. */
  readonly sumsColumns: boolean;
  /** The rows of outputs of a subgroup that are written at once. */
  readonly stripRows: number;
}

/** The values of k that one iteration adds. */
const STEP = 4;

/** A strip of outputs has at most this much workgroup memory, if it has several rows: GPUs take it from the cache that reads need. */
const STRIP_BYTES = 2 ** 14;

/**
 * The WGSL of a product (without the operand's type), its constants, and which operands it reads in vec4s.
 * @param divisible the operands whose rows in memory have a multiple of four elements
 */
export function shuffleProduct(
  { attributes, innerParts, accumulates, sumsColumns, part }: ProductLaunch,
  tiling: ShuffleTiling,
  divisible: Vec4Sides,
): Pick<ProductKernel, "source" | "constants"> & { readonly sides: Vec4Sides } {
  const { transposeLeft, transposeRight } = attributes;
  const { THREAD_ROWS: threadRows, THREAD_COLUMNS: threadColumns } = tiling.constants;
  const width = Math.min(4, threadColumns);
  const sides = { left: divisible.left && transposeLeft, right: divisible.right && (transposeRight || width === 4) };
  const inner = part.inner.end - part.inner.start;
  const stripRows = stripRowsOf(threadRows, stripRowBytes(tiling, innerParts.count), STRIP_BYTES);
  const source = sourceOf({
    threadRows,
    threadColumns,
    width,
    leftRows: sides.left,
    rightReads: sides.right ? (transposeRight ? "inner" : "columns") : "values",
    ragged: inner % STEP !== 0,
    accumulates,
    sumsColumns,
    stripRows,
  });
  const partInner = Math.min(innerParts.length, inner);
  const sizes = { WIDTH: width, PARTS: innerParts.count, PART_INNER: partInner, STRIP_ROWS: stripRows };
  return { sides, source, constants: { ...tiling.constants, ...sizes } };
}

function sourceOf(kernel: ShuffleKernel): string {
  return withStatements(elements + template, {
    columns: columnFunctions(kernel),
    declare: declarations(kernel),
    load_left: leftLoads(kernel),
    take_left: takenLeft(kernel),
    load_right: range(STEP).flatMap((step) => rightLoads(kernel, step)),
    add_products: range(STEP).flatMap((step) => [...products(kernel, step), ...rightLoads(kernel, step)]),
    add_last_products: lastProducts(kernel),
    store_strips: strips(kernel),
    store_column_sums: storedColumnSums(kernel),
  });
}

/** The groups of adjacent columns of a lane. */
const groups = ({ threadColumns, width }: ShuffleKernel): number[] => range(threadColumns / width);

/** The WGSL of `Columns` that have a value for each of the adjacent columns. */
const columnsOf = ({ width }: ShuffleKernel, value: (column: number) => string): string =>
  `Columns(${range(width).map(value).join(", ")})`;

/** The type of adjacent columns, and the functions on it. */
function columnFunctions(kernel: ShuffleKernel): string[] {
  const { width, rightReads } = kernel;
  const element = (column: number) => (width === 1 ? "value" : `value.${COMPONENTS[column]}`);
  const read =
    rightReads === "columns"
      ? "read_right_vec4(matrix + inside, min(column, LAST_COLUMN - 4u))"
      : columnsOf(kernel, (column) => `read_right_value(matrix, inside, column + ${column}u)`);
  return [
    `alias Columns = ${width === 1 ? "f32" : `vec${width}<f32>`};`,
    "fn rounded(value: Columns) -> Columns {",
    `    return ${columnsOf(kernel, (column) => `f32(operand_of(${element(column)}))`)};`,
    "}",
    "fn read_columns(matrix: u32, k: u32, column: u32) -> Columns {",
    "    let inside = min(k, LAST_INNER - 1u);",
    `    return ${read};`,
    "}",
    "fn partial_sum(place: u32) -> f32 {",
    `    return ${width === 1 ? "sums[place]" : "sums[place / WIDTH][place % WIDTH]"};`,
    "}",
  ];
}

/** A lane's accumulators, each of adjacent columns. */
const accumulators = (kernel: ShuffleKernel) =>
  range(kernel.threadRows).flatMap((row) =>
    groups(kernel).map((columns) => ({ row, columns, name: `sum_${row}_${columns}` })),
  );

/** The WGSL of the first column of a group. */
const firstColumn = (columns: number): string => `own_column + ${columns}u * (LANES * WIDTH)`;

function declarations(kernel: ShuffleKernel): string[] {
  const { threadRows, threadColumns, leftRows, rightReads, accumulates, sumsColumns } = kernel;
  const stored = (row: number, columns: number) =>
    columnsOf(kernel, (column) => `stored_output(batch, own_row + ${row}u, ${firstColumn(columns)} + ${column}u)`);
  const right =
    rightReads === "inner"
      ? range(threadColumns).map((column) => `var right_${column}: vec4<f32>;`)
      : range(STEP).flatMap((step) => groups(kernel).map((columns) => `var right_${step}_${columns}: Columns;`));
  return [
    ...accumulators(kernel).map(
      ({ row, columns, name }) => `var ${name} = ${accumulates ? stored(row, columns) : "Columns()"};`,
    ),
    ...(sumsColumns ? groups(kernel).map((columns) => `var column_sum_${columns} = Columns();`) : []),
    ...(leftRows
      ? range(threadRows / 4).map((rows) => `var next_left_${rows}: vec4<f32>;`)
      : range(threadRows).map((row) => `var next_left_${row}: f32;`)),
    ...right,
  ];
}

/** Reads the left operand of a lane's k in each row. */
function leftLoads({ threadRows, leftRows }: ShuffleKernel): string[] {
  return leftRows
    ? range(threadRows / 4).map((rows) => `next_left_${rows} = read_left_rows(left_start, own_row + ${4 * rows}u, k);`)
    : range(threadRows).map((row) => `next_left_${row} = read_left_value(left_start, own_row + ${row}u, k);`);
}

function takenLeft({ threadRows, leftRows }: ShuffleKernel): string[] {
  const next = (row: number) =>
    leftRows ? `next_left_${Math.floor(row / 4)}.${COMPONENTS[row % 4]}` : `next_left_${row}`;
  return range(threadRows).map((row) => `let left_${row} = f32(operand_of(${next(row)}));`);
}

/** Reads the right operand of k + step in a lane's columns; of all steps at once, after the last, where they are adjacent in memory. */
function rightLoads(kernel: ShuffleKernel, step: number): string[] {
  const { threadColumns, width, rightReads } = kernel;
  if (rightReads !== "inner")
    return groups(kernel).map(
      (columns) => `right_${step}_${columns} = read_columns(right_start, k + ${step}u, ${firstColumn(columns)});`,
    );
  if (step < STEP - 1) return [];
  return range(threadColumns).map((column) => {
    const place = `${firstColumn(Math.floor(column / width))} + ${column % width}u`;
    return `right_${column} = read_right_inner(right_start, k, ${place});`;
  });
}

/** Adds the products of value i + step of the block. */
function products(kernel: ShuffleKernel, step: number): string[] {
  const { threadRows, width, rightReads, sumsColumns } = kernel;
  const right = (columns: number) =>
    rightReads === "inner"
      ? columnsOf(kernel, (column) => `right_${columns * width + column}.${COMPONENTS[step]}`)
      : `right_${step}_${columns}`;
  const sumColumns = groups(kernel).map((columns) => `    column_sum_${columns} += ${right(columns)};`);
  return [
    "{",
    ...(sumsColumns ? ["    if (sums_columns) {", ...sumColumns.map((line) => `    ${line}`), "    }"] : []),
    ...groups(kernel).map((columns) => `    let columns_${columns} = rounded(${right(columns)});`),
    ...range(threadRows).flatMap((row) => [
      `    let value_${row} = Columns(subgroupShuffle(left_${row}, i + ${step}u));`,
      ...groups(kernel).map((columns) => {
        const name = `sum_${row}_${columns}`;
        return `    ${name} = fma(value_${row}, columns_${columns}, ${name});`;
      }),
    ]),
    "}",
  ];
}

/** Adds the products of the last values of k, at most three, whose right operand has been read. */
function lastProducts(kernel: ShuffleKernel): string[] {
  if (!kernel.ragged) return [];
  return range(STEP - 1).flatMap((step) => [
    `if (i + ${step}u < count) {`,
    ...products(kernel, step).map((line) => `    ${line}`),
    "}",
  ]);
}

function strips(kernel: ShuffleKernel): string[] {
  const { threadRows, stripRows } = kernel;
  return range(threadRows / stripRows).flatMap((strip) => {
    const own = accumulators(kernel).filter(({ row }) => Math.floor(row / stripRows) === strip);
    const lines = own.map(({ row, columns, name }) => {
      const line = `(part * PART_SUBGROUPS + band) * STRIP_ROWS + ${row % stripRows}u`;
      return `    sums[(${line}) * (TILE_COLUMNS / WIDTH) + ${columns}u * LANES + lane] = ${name};`;
    });
    const isLast = strip === threadRows / stripRows - 1;
    return [`${isLast ? "default" : `case ${strip}u`}: {`, ...lines, "}"];
  });
}

function storedColumnSums(kernel: ShuffleKernel): string[] {
  if (!kernel.sumsColumns) return [];
  return groups(kernel).map(
    (columns) => `sums[part * (TILE_COLUMNS / WIDTH) + ${columns}u * LANES + lane] = column_sum_${columns};`,
  );
}
