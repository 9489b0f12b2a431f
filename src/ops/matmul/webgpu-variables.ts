/*
 * Writes the parts of shaders/matmul_variables.wgsl that exist once for each row of a thread.
 */
import elements from "../../../shaders/matmul_elements.wgsl?raw";
import template from "../../../shaders/matmul_variables.wgsl?raw";

/**
 * The WGSL of the kernel, but for the operand's type and the constants.
 * @param rows those of a thread
 * @param accumulates whether sums start from what an earlier launch stored
 */
export function variablesSource(rows: number, accumulates: boolean): string {
  const numbers = Array.from({ length: rows }, (_, row) => row);
  const first = (row: number) => `(batch * ROWS + min(first_row + ${row}u, LAST_ROW - 1u)) * COLUMNS`;
  const start = (row: number) => (accumulates ? `stored_columns(${first(row)}, first_column)` : "vec4<f32>()");
  const statements: Readonly<Record<string, string[]>> = {
    declare: numbers.map((row) => `var sum_${row} = ${start(row)};`),
    add_products: numbers.map(
      (row) =>
        `sum_${row} = fma(vec4(f32(operand_of(read_left_value(left, first_row + ${row}u, k)))), operands, sum_${row});`,
    ),
  };
  return (elements + template)
    .replaceAll(/^( *)\$(declare|add_products)$/gm, (_, indent: string, name: string) =>
      statements[name]!.map((line) => indent + line).join("\n"),
    )
    .replace("$names", numbers.map((row) => `sum_${row}`).join(", "));
}
