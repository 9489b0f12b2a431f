/*
 * Writes the parts of shaders/matmul_registers.wgsl that exist once for each accumulator or operand of a thread.
 */
import registers from "../../../shaders/matmul_registers.wgsl?raw";

/** What the statements of a thread depend on. */
export interface RegisterKernel {
  /** Outputs of a thread, multiples of 4. */
  readonly threadRows: number;
  readonly threadColumns: number;
  /** The number of vec4s of each operand that a thread loads in a step. */
  readonly leftLoads: number;
  readonly rightLoads: number;
  /** The vec4s of values of k in a step. */
  readonly innerVec4s: number;
  /** Whether there is WGSL for each of them, instead of a loop over them. */
  readonly unrolled: boolean;
  /** The rows of outputs of a thread that are written at once. */
  readonly stripRows: number;
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  /** Whether sums start from what an earlier launch stored. */
  readonly accumulates: boolean;
  /** Whether the columns of the right operand, which then is not transposed, are summed too. */
  readonly sumsColumns: boolean;
  /** Whether they are summed before they are rounded. */
  readonly exactSums: boolean;
}

/** The elements of a vec4 in WGSL. */
export const COMPONENTS = ["x", "y", "z", "w"] as const;

/** 0 … count - 1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Puts statements in place of each line `$NAME` of a template, with its indentation. */
export function withStatements(template: string, statements: Readonly<Record<string, readonly string[]>>): string {
  return template.replaceAll(/^( *)\$(\w+)$/gm, (_, indent: string, name: string) =>
    statements[name]!.map((line) => indent + line).join("\n"),
  );
}

/** The WGSL of the kernel, but for the operand's type and the constants. */
export function registerSource(kernel: RegisterKernel): string {
  return withStatements(registers, {
    declare: declarations(kernel),
    load_next: loads(kernel),
    store_next: stores(kernel),
    multiply: multiplications(kernel),
    store_strips: strips(kernel),
    store_column_sums: storedColumnSums(kernel),
  });
}

/** The positions of a thread's accumulators, each of four columns. */
const accumulators = ({ threadRows, threadColumns }: RegisterKernel) =>
  range(threadRows).flatMap((row) =>
    range(threadColumns / 4).map((vec4) => ({ row, vec4, name: `sum_${row}_${vec4}` })),
  );

function declarations(kernel: RegisterKernel): string[] {
  const { threadColumns, leftLoads, rightLoads, accumulates, sumsColumns } = kernel;
  const stored = (row: number, vec4: number) =>
    COMPONENTS.map((_, lane) => {
      const column = `tile_column(local.x, ${4 * vec4 + lane}u)`;
      return `stored_output(batch, first_row + tile_row(local.y, ${row}u), first_column + ${column})`;
    }).join(", ");
  return [
    ...accumulators(kernel).map(
      ({ row, vec4, name }) => `var ${name} = vec4<f32>(${accumulates ? stored(row, vec4) : ""});`,
    ),
    ...(sumsColumns ? range(threadColumns / 4).map((vec4) => `var column_sum_${vec4} = vec4<f32>();`) : []),
    ...range(leftLoads).map((load) => `var next_left_${load}: vec4<f32>;`),
    ...range(rightLoads).map((load) => `var next_right_${load}: vec4<f32>;`),
  ];
}

const unit = (load: number) => `own + ${load}u * PART_THREADS`;

function loads({ leftLoads, rightLoads }: RegisterKernel): string[] {
  return [
    ...range(leftLoads).map(
      (load) => `next_left_${load} = load_left(left_start, first_row, first, last, ${unit(load)});`,
    ),
    ...range(rightLoads).map(
      (load) => `next_right_${load} = load_right(right_start, first_column, first, last, ${unit(load)});`,
    ),
  ];
}

function stores({ leftLoads, rightLoads, exactSums }: RegisterKernel): string[] {
  const right = (load: number) => `blocks[right + right_slot(${unit(load)})] = rounded(next_right_${load});`;
  const exact = (load: number) => `blocks[right + RIGHT_BLOCK + right_slot(${unit(load)})] = next_right_${load};`;
  return [
    ...range(leftLoads).map((load) => `blocks[left + left_slot(${unit(load)})] = rounded(next_left_${load});`),
    ...range(rightLoads).flatMap((load) => [right(load), ...(exactSums ? [exact(load)] : [])]),
  ];
}

/** The vec4s of one operand that a thread multiplies in one iteration, and its elements. */
interface Fragment {
  readonly reads: readonly string[];
  /** The WGSL of the element for a value of k among the four and a row or column of the thread. */
  element(k: number, line: number): string;
}

/** A block that is contiguous along k: a vec4 has four values of k of one row or column. */
function alongInner(side: "left" | "right", lines: number, threads: string, thread: string): Fragment {
  return {
    reads: [
      `let ${side}_at = ${side} + ${thread} * INNER_VEC4S + ((inner_vec4 ^ (${thread} * INNER_VEC4S / 8u)) % INNER_VEC4S);`,
      ...range(lines).map((line) => `let ${side}_${line} = blocks[${side}_at + ${line}u * ${threads} * INNER_VEC4S];`),
    ],
    element: (k, line) => `${side}_${line}.${COMPONENTS[k]!}`,
  };
}

/** A block that is contiguous along rows or columns: a vec4 has four of them for one value of k. */
function acrossInner(side: "left" | "right", lines: number, threads: string, thread: string): Fragment {
  const slot = acrossInnerSlots(`${side}_at`, lines, threads);
  return {
    reads: [
      `let ${side}_at = ${side} + inner_vec4 * (${lines}u * ${threads}) + ${thread};`,
      ...range(4).flatMap((k) =>
        range(lines / 4).map((vec4) => `let ${side}_${k}_${vec4} = blocks[${slot(k, vec4)}];`),
      ),
    ],
    element: (k, line) => `${side}_${k}_${Math.floor(line / 4)}.${COMPONENTS[line % 4]!}`,
  };
}

const acrossInnerSlots = (at: string, lines: number, threads: string) => (k: number, vec4: number) =>
  `${at} + ${(k * lines) / 4 + vec4}u * ${threads}`;

/** The multiply-adds of a step. */
function multiplications(kernel: RegisterKernel): string[] {
  const { innerVec4s, unrolled, sumsColumns } = kernel;
  const sums = sumsColumns ? ["if (group.y == 0u) {", ...columnSums(kernel).map(indented), "}"] : [];
  const body = [...products(kernel), ...sums];
  if (unrolled)
    return range(innerVec4s).flatMap((vec4) => ["{", ...[`const inner_vec4 = ${vec4}u;`, ...body].map(indented), "}"]);
  return [
    `for (var next_vec4 = zero; next_vec4 < ${innerVec4s}u; next_vec4++) {`,
    ...[`let inner_vec4 = min(next_vec4, ${innerVec4s - 1}u);`, ...body].map(indented),
    "}",
  ];
}

const indented = (line: string) => `    ${line}`;

function products(kernel: RegisterKernel): string[] {
  const { threadRows, threadColumns, transposeLeft, transposeRight } = kernel;
  const left = (transposeLeft ? acrossInner : alongInner)("left", threadRows, "GROUP_ROWS", "local.y");
  const right = (transposeRight ? alongInner : acrossInner)("right", threadColumns, "GROUP_COLUMNS", "local.x");
  const columns = (k: number, vec4: number) =>
    transposeRight
      ? `vec4(${COMPONENTS.map((_, lane) => right.element(k, 4 * vec4 + lane)).join(", ")})`
      : `right_${k}_${vec4}`;
  const add = (k: number) =>
    accumulators(kernel).map(
      ({ row, vec4, name }) => `${name} = fma(vec4(${left.element(k, row)}), ${columns(k, vec4)}, ${name});`,
    );
  return [...left.reads, ...right.reads, ...range(4).flatMap(add)];
}

/** The right operand is contiguous along columns. */
function columnSums({ threadColumns, exactSums }: RegisterKernel): string[] {
  const slot = acrossInnerSlots(exactSums ? "right_at + RIGHT_BLOCK" : "right_at", threadColumns, "GROUP_COLUMNS");
  return range(4).flatMap((k) =>
    range(threadColumns / 4).map((vec4) => `column_sum_${vec4} += blocks[${slot(k, vec4)}];`),
  );
}

function strips(kernel: RegisterKernel): string[] {
  const { threadRows, threadColumns, stripRows } = kernel;
  return range(threadRows / stripRows).flatMap((strip) => {
    const own = accumulators(kernel).filter(({ row }) => Math.floor(row / stripRows) === strip);
    const lines = own.map(({ row, vec4, name }) => {
      const place = (row % stripRows) * (threadColumns / 4) + vec4;
      return `    blocks[local.z * STRIP + ${place}u * PART_THREADS + own] = ${name};`;
    });
    const isLast = strip === threadRows / stripRows - 1;
    return [`${isLast ? "default" : `case ${strip}u`}: {`, ...lines, "}"];
  });
}

function storedColumnSums({ threadColumns, sumsColumns }: RegisterKernel): string[] {
  if (!sumsColumns) return [];
  return range(threadColumns / 4).map(
    (vec4) => `blocks[local.z * (TILE_COLUMNS / 4u) + ${vec4}u * GROUP_COLUMNS + local.x] = column_sum_${vec4};`,
  );
}
