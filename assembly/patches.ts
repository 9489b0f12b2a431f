/*
 * Writes the windows of images as rows of a matrix, where a kernel reads them: rows (group, example, window row, window
 * column), columns (position in the window, channel). The elements of one line of a window are contiguous in the image,
 * unless there are groups, a dilation or a spread. They are copied as a whole, with padding before and after them.
 */
import { word } from "./operand";

// Words of the argument block, which src/ops/convolution/wasm.ts writes. In pairs, the word for the height comes first.
const IMAGE = 0;
const EXAMPLES = 1;
const SIZE = 2;
const CHANNELS = 4;
/** Channels per group. */
const OWN = 5;
const KERNEL = 6;
const STRIDE = 8;
const DILATION = 10;
const BEFORE = 12;
const SPREAD = 14;
const COUNT = 16;
/** The bits of a padding element. */
const FILL = 18;
/** Whether a line of a window is contiguous in the image. */
const IN_LINES = 19;

/** Writes elements [start, end) of the matrix. */
export function patches(args: i32, start: u32, end: u32, scratch: i32): void {
  const width = <u32>(word(args, KERNEL) * word(args, KERNEL + 1) * word(args, OWN));
  let row = start / width;
  let at = start;
  while (at < end) {
    const column = at - row * width;
    // Whole rows are written together, partial rows one by one.
    const whole = column === 0 ? (end - at) / width : 0;
    const rows = max(whole, 1);
    const columnEnd = whole > 0 ? width : min(width, end - row * width);
    writeRows(args, row, row + rows, column, columnEnd, scratch + ((at - start) << 2));
    row += rows;
    at += whole > 0 ? rows * width : columnEnd - column;
  }
}

/** Writes rows [start, end). The first two words at `scratch` are the start and end of the columns. */
export function patchRows(args: i32, start: i32, end: i32, scratch: i32): void {
  writeRows(args, start, end, load<i32>(scratch), load<i32>(scratch, 4), scratch);
}

function writeRows(args: i32, row: i32, rowEnd: i32, column: i32, columnEnd: i32, target: i32): void {
  const rows = word(args, COUNT);
  const columns = word(args, COUNT + 1);
  const examples = word(args, EXAMPLES);
  const exampleBytes = (word(args, SIZE) * word(args, SIZE + 1) * word(args, CHANNELS)) << 2;
  let across = row % columns;
  let down = (row / columns) % rows;
  let example = (row / (columns * rows)) % examples;
  let group = row / (columns * rows * examples);
  while (row < rowEnd) {
    const image = word(args, IMAGE) + example * exampleBytes + ((group * word(args, OWN)) << 2);
    const windows = min(columns - across, rowEnd - row);
    writeWindows(args, image, down, across, windows, column, columnEnd, target);
    target += windows * ((columnEnd - column) << 2);
    row += windows;
    across = 0;
    if (++down < rows) continue;
    down = 0;
    if (++example < examples) continue;
    example = 0;
    group++;
  }
}

/** Writes a range of columns for several adjacent windows of one image and group, line by line. */
function writeWindows(
  args: i32,
  image: i32,
  down: i32,
  across: i32,
  windows: i32,
  column: i32,
  columnEnd: i32,
  target: i32,
): void {
  const line = word(args, KERNEL + 1) * word(args, OWN);
  const lineBytes = (word(args, SIZE + 1) * word(args, CHANNELS)) << 2;
  const top = down * word(args, STRIDE) - word(args, BEFORE);
  const stride = (columnEnd - column) << 2;
  let place = column / line;
  for (let start = place * line; start < columnEnd; start += line) {
    const first = max(column - start, 0);
    const last = min(columnEnd - start, line);
    const y = elementOf(args, 0, top + place * word(args, DILATION));
    const imageLine = image + y * lineBytes;
    if (y < 0) fillRuns(target, stride, last - first, windows, word(args, FILL));
    else if (word(args, IN_LINES)) writeLines(args, imageLine, across, windows, first, last, target, stride);
    else {
      let to = target;
      for (let window = 0; window < windows; window++) {
        copyPlaces(args, imageLine, leftOf(args, across + window), first, last, to);
        to += stride;
      }
    }
    target += (last - first) << 2;
    place++;
  }
}

/** The image column at which a window begins. */
function leftOf(args: i32, across: i32): i32 {
  return across * word(args, STRIDE + 1) - word(args, BEFORE + 1);
}

/** Writes elements [first, last) of one line of several adjacent windows, those without padding in one loop. */
function writeLines(
  args: i32,
  imageLine: i32,
  across: i32,
  windows: i32,
  first: i32,
  last: i32,
  target: i32,
  stride: i32,
): void {
  const channels = word(args, CHANNELS);
  const width = word(args, SIZE + 1) * channels;
  const step = word(args, STRIDE + 1) * channels;
  const start = leftOf(args, across) * channels;
  let window = 0;
  for (; window < windows && start + window * step + first < 0; window++)
    copyLine(args, imageLine, leftOf(args, across + window), first, last, target + window * stride);
  const inside = min(windows, start + last > width ? 0 : (width - start - last) / step + 1);
  if (window < inside) {
    const from = imageLine + ((start + window * step + first) << 2);
    copyRuns(target + window * stride, stride, from, step << 2, last - first, inside - window);
    window = inside;
  }
  for (; window < windows; window++)
    copyLine(args, imageLine, leftOf(args, across + window), first, last, target + window * stride);
}

/** The element along an axis of the image at a position of the spread image, or -1 for padding. */
function elementOf(args: i32, axis: i32, at: i32): i32 {
  const spread = word(args, SPREAD + axis);
  const element = spread === 1 ? at : at % spread === 0 ? at / spread : -1;
  return at >= 0 && element < word(args, SIZE + axis) ? element : -1;
}

/** Copies elements [first, last) of one line of a window that begins at the image column `left`. */
function copyLine(args: i32, imageLine: i32, left: i32, first: i32, last: i32, target: i32): void {
  const channels = word(args, CHANNELS);
  const width = word(args, SIZE + 1) * channels;
  const start = left * channels + first;
  const end = left * channels + last;
  const from = min(max(start, 0), end);
  const to = max(min(end, width), from);
  if (from > start) fill(target, from - start, word(args, FILL));
  copy(target + ((from - start) << 2), imageLine + (from << 2), to - from);
  if (end > to) fill(target + ((to - start) << 2), end - to, word(args, FILL));
}

/** Like `copyLine`, for elements that are not contiguous. */
function copyPlaces(args: i32, imageLine: i32, left: i32, first: i32, last: i32, target: i32): void {
  const own = word(args, OWN);
  let place = first / own;
  for (let start = place * own; start < last; start += own) {
    const from = max(first - start, 0);
    const count = min(last - start, own) - from;
    const x = elementOf(args, 1, left + place * word(args, DILATION + 1));
    if (x < 0) fill(target, count, word(args, FILL));
    else copy(target, imageLine + ((x * word(args, CHANNELS) + from) << 2), count);
    target += count << 2;
    place++;
  }
}

/** Copies runs of `count` elements whose sources are `sourceStride` bytes apart. */
function copyRuns(target: i32, stride: i32, source: i32, sourceStride: i32, count: i32, runs: i32): void {
  for (; runs > 0; runs--) {
    copy(target, source, count);
    target += stride;
    source += sourceStride;
  }
}

function fillRuns(target: i32, stride: i32, count: i32, runs: i32, bits: i32): void {
  for (; runs > 0; runs--) {
    fill(target, count, bits);
    target += stride;
  }
}

function copy(target: i32, source: i32, count: i32): void {
  for (; count >= 16; count -= 16) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
    v128.store(target, v128.load(source, 32), 32);
    v128.store(target, v128.load(source, 48), 48);
    target += 64;
    source += 64;
  }
  for (; count >= 4; count -= 4) {
    v128.store(target, v128.load(source));
    target += 16;
    source += 16;
  }
  for (; count > 0; count--) {
    store<i32>(target, load<i32>(source));
    target += 4;
    source += 4;
  }
}

function fill(target: i32, count: i32, bits: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, i32x4.splat(bits));
    target += 16;
  }
  for (; count > 0; count--) {
    store<i32>(target, bits);
    target += 4;
  }
}
