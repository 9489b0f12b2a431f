/*
 * Packs blocks of a product's operands in the order in which the tiles read them: the four or eight values of a panel
 * are adjacent for each k. Beyond the edge of an operand, values are duplicates whose products are never stored.
 */

/**
 * Packs panels of four rows for the left operand. The rows run along k and are `stride` bytes apart.
 * @returns the address after the panels
 */
export function packLeftRows(target: i32, source: i32, stride: i32, rows: i32, inner: i32): i32 {
  for (let r = 0; r < rows; r += 4) {
    packFourRows(target, 16, source, stride, r, rows, inner);
    target += inner << 4;
  }
  return target;
}

/** Like `packLeftRows`, for a transposed operand: its rows lie side by side for each k. */
export function packLeftColumns(target: i32, source: i32, stride: i32, rows: i32, inner: i32): i32 {
  for (let r = 0; r < rows; r += 4) {
    packColumns(target, 16, source + (r << 2), stride, inner);
    target += inner << 4;
  }
  return target;
}

/**
 * Packs panels of eight columns for the right operand. The last one has four if that is enough. For each k, the columns lie
 * side by side, and consecutive k are `stride` bytes apart.
 * @returns the address after the panels
 */
export function packRightColumns(target: i32, source: i32, stride: i32, columns: i32, inner: i32): i32 {
  let c = 0;
  for (; c + 16 <= columns; c += 16) {
    packSixteenColumns(target, source + (c << 2), stride, inner);
    target += inner << 6;
  }
  for (; c < columns; c += 8) {
    const step = columns - c > 4 ? 32 : 16;
    if (step === 32) packEightColumns(target, source + (c << 2), stride, inner);
    else packColumns(target, 16, source + (c << 2), stride, inner);
    target += inner * step;
  }
  return target;
}

/** Like `packRightColumns`, for a transposed operand: its columns run along k and are `stride` bytes apart. */
export function packRightRows(target: i32, source: i32, stride: i32, columns: i32, inner: i32): i32 {
  for (let c = 0; c < columns; c += 8) {
    const step = columns - c > 4 ? 32 : 16;
    packFourRows(target, step, source, stride, c, columns, inner);
    if (step === 32) packFourRows(target + 16, step, source, stride, c + 4, columns, inner);
    target += inner * step;
  }
  return target;
}

/** Rows past the end are copies of the last one. */
function packFourRows(target: i32, step: i32, source: i32, stride: i32, row: i32, rows: i32, inner: i32): void {
  const last = rows - 1;
  const r0 = source + row * stride;
  const r1 = source + min(row + 1, last) * stride;
  const r2 = source + min(row + 2, last) * stride;
  const r3 = source + min(row + 3, last) * stride;
  packRows(target, step, r0, r1, r2, r3, inner);
}

/** Packs four rows along k by transposing them: the four values for k are stored at `target` + k · `step`. */
function packRows(target: i32, step: i32, r0: i32, r1: i32, r2: i32, r3: i32, inner: i32): void {
  let k = 0;
  for (; k + 4 <= inner; k += 4) {
    const a = v128.load(r0);
    const b = v128.load(r1);
    const c = v128.load(r2);
    const d = v128.load(r3);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(target, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(target + step, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    v128.store(target + 2 * step, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
    v128.store(target + 3 * step, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
    target += 4 * step;
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
  }
  for (; k < inner; k++) {
    store<f32>(target, load<f32>(r0));
    store<f32>(target, load<f32>(r1), 4);
    store<f32>(target, load<f32>(r2), 8);
    store<f32>(target, load<f32>(r3), 12);
    target += step;
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
  }
}

/** Packs four adjacent values for each k. Consecutive k are `stride` bytes apart. */
function packColumns(target: i32, step: i32, source: i32, stride: i32, inner: i32): void {
  for (let k = 0; k < inner; k++) {
    v128.store(target, v128.load(source));
    target += step;
    source += stride;
  }
}

/**
 * Packs sixteen adjacent values for each k, a whole cache line if they are aligned to one, into two panels of eight.
 */
function packSixteenColumns(target: i32, source: i32, stride: i32, inner: i32): void {
  let second = target + (inner << 5);
  for (let k = 0; k < inner; k++) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
    v128.store(second, v128.load(source, 32));
    v128.store(second, v128.load(source, 48), 16);
    target += 32;
    second += 32;
    source += stride;
  }
}

/** Packs eight adjacent values for each k. */
function packEightColumns(target: i32, source: i32, stride: i32, inner: i32): void {
  for (let k = 0; k < inner; k++) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
    target += 32;
    source += stride;
  }
}

/** Rounds packed values to float16 in place, as src/ops/matmul/precision.ts does. */
export function roundToFloat16(address: u32, end: u32): void {
  const largest = i32x4.splat(0x477f_e000); // 65,504
  const smallest = i32x4.splat(0x3880_0000); // 2⁻¹⁴
  const infinity = i32x4.splat(0x7f80_0000);
  for (; address < end; address += 16) {
    const bits = v128.load(address);
    const magnitude = v128.and(bits, i32x4.splat(0x7fff_ffff));
    // Round the bits to 11 significant digits, ties to even.
    const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
    let rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat(0x0fff)), odd);
    rounded = i32x4.min_s(v128.and(rounded, i32x4.splat(~0x1fff)), largest);
    rounded = v128.and(rounded, i32x4.ge_s(rounded, smallest));
    rounded = v128.or(rounded, v128.and(bits, i32x4.splat(0x8000_0000)));
    v128.store(address, v128.bitselect(rounded, bits, i32x4.lt_s(magnitude, infinity)));
  }
}
