/*
 * Functions of the tests that kernels call: a fill that reads doubled values from elsewhere, and a finish that counts how
 * often it has seen each result.
 */

/** Writes elements [start, end) of a tensor: twice the values at the address that `args` holds. */
export function fillDoubled(args: i32, start: i32, end: i32, scratch: i32): void {
  const source = load<i32>(args);
  for (let i = start; i < end; i++) store<f32>(scratch + ((i - start) << 2), 2 * load<f32>(source + (i << 2)));
}

/** Writes elements [start, end) of a tensor of uint32: the values at the address that `args` holds. */
export function fillCopied(args: i32, start: i32, end: i32, scratch: i32): void {
  memory.copy(scratch, load<i32>(args) + (start << 2), (end - start) << 2);
}

/** Negates results [start, end) of the region at the first address of `args`, and counts them at the second. */
export function finishNegated(args: i32, start: i32, end: i32, _scratch: i32): void {
  const results = load<i32>(args);
  const counts = load<i32>(args, 4);
  for (let i = start; i < end; i++) {
    const at = results + (i << 2);
    store<i32>(at, load<i32>(at) ^ 0x8000_0000);
    const count = counts + (i << 2);
    store<i32>(count, load<i32>(count) + 1);
  }
}
