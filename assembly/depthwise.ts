/*
 * Depthwise convolutions, [examples, height, width, channels] by [window height, window width, channels], and their
 * gradient for the weights. Positions in padding are left out. Four channels are one vector, and of a number of channels
 * that is no multiple of four, the last vector also reads what follows in memory but stores only its own channels.
 */
import { multiplyAdd } from "./multiply-add";
import { finish, storeLanes, word } from "./operand";

// Words of the argument blocks, which src/ops/convolution/wasm.ts writes. In pairs, the word for the height comes first.
const IMAGES = 0;
/** The weights of a convolution, or the values of its windows for the gradient. */
const OTHER = 1;
const RESULT = 2;
const EXAMPLES = 5;
const SIZE = 6;
const CHANNELS = 8;
const KERNEL = 9;
const STRIDE = 11;
const DILATION = 13;
const BEFORE = 15;
const SPREAD = 17;
const COUNT = 19;
const FLIPPED = 21;

/** For a position in padding. No address and no offset is this number. */
const NOWHERE = -1;

/** The number of adjacent windows that are computed together. */
const TOGETHER = 4;

/** The convolution. Units are windows. An element adds its products in the order of the positions. */
export function depthwise(args: i32, start: i32, end: i32, scratch: i32): void {
  const columns = word(args, COUNT + 1);
  const rows = word(args, COUNT);
  const channels = word(args, CHANNELS);
  const offsets = scratch + (word(args, KERNEL) << 2);
  writeOffsets(args, offsets);
  const inside = firstInside(args, offsets);
  const insideEnd = inside + insideCount(args, offsets, inside);
  let result = word(args, RESULT) + ((start * channels) << 2);
  for (let window = start; window < end;) {
    const line = window / columns;
    const across = window - line * columns;
    const acrossEnd = min(columns, across + end - window);
    writeLines(args, line / rows, line % rows, scratch);
    const first = min(max(across, inside), acrossEnd);
    const last = first + ((max(first, min(insideEnd, acrossEnd)) - first) & -TOGETHER);
    for (let channel = 0; channel < channels; channel += 4) {
      convolve(args, scratch, offsets, channel, across, first, result);
      convolveInside(args, scratch, offsets, channel, first, last, result + (((first - across) * channels) << 2));
      convolve(args, scratch, offsets, channel, last, acrossEnd, result + (((last - across) * channels) << 2));
    }
    result += ((acrossEnd - across) * channels) << 2;
    window += acrossEnd - across;
  }
  finish(args, RESULT, start * channels, end * channels, scratch);
}

/** Writes the byte offset in an image's line for each column of windows and position across a window. */
function writeOffsets(args: i32, offsets: i32): void {
  const width = word(args, KERNEL + 1);
  for (let across = 0; across < word(args, COUNT + 1); across++)
    for (let place = 0; place < width; place++) {
      const x = elementOf(args, 1, across, place);
      store<i32>(offsets + ((across * width + place) << 2), x < 0 ? NOWHERE : (x * word(args, CHANNELS)) << 2);
    }
}

/** Writes the address of an image's line for each position down a window. */
function writeLines(args: i32, example: i32, down: i32, lines: i32): void {
  const height = word(args, SIZE);
  const lineBytes = (word(args, SIZE + 1) * word(args, CHANNELS)) << 2;
  for (let place = 0; place < word(args, KERNEL); place++) {
    const y = elementOf(args, 0, down, place);
    store<i32>(lines + (place << 2), y < 0 ? NOWHERE : word(args, IMAGES) + (example * height + y) * lineBytes);
  }
}

/** The element along an axis of the image at a position in a window, or a negative number for padding. */
function elementOf(args: i32, axis: i32, window: i32, place: i32): i32 {
  const at = window * word(args, STRIDE + axis) + place * word(args, DILATION + axis) - word(args, BEFORE + axis);
  const spread = word(args, SPREAD + axis);
  const element = spread === 1 ? at : at % spread === 0 ? at / spread : -1;
  return at >= 0 && element < word(args, SIZE + axis) ? element : -1;
}

/** Whether all positions across the windows of a column are inside the image. */
function isInside(args: i32, offsets: i32, across: i32): bool {
  const width = word(args, KERNEL + 1);
  for (let place = 0; place < width; place++)
    if (load<i32>(offsets + ((across * width + place) << 2)) === NOWHERE) return false;
  return true;
}

/** The first column of windows without padding on their left or right, or the number of columns. */
function firstInside(args: i32, offsets: i32): i32 {
  const columns = word(args, COUNT + 1);
  // Between the elements of a spread image there is padding in every window of several positions.
  if (word(args, SPREAD + 1) !== 1) return columns;
  let across = 0;
  while (across < columns && !isInside(args, offsets, across)) across++;
  return across;
}

/** The number of such columns from the first on. */
function insideCount(args: i32, offsets: i32, first: i32): i32 {
  let across = first;
  while (across < word(args, COUNT + 1) && isInside(args, offsets, across)) across++;
  return across - first;
}

/** Four channels of the windows [across, acrossEnd) of a line, one by one. */
function convolve(args: i32, lines: i32, offsets: i32, channel: i32, across: i32, acrossEnd: i32, result: i32): void {
  const channels = word(args, CHANNELS);
  const height = word(args, KERNEL);
  const width = word(args, KERNEL + 1);
  const step = weightStep(args);
  const firstWeight = firstWeightOf(args, channel);
  let to = result + (channel << 2);
  for (; across < acrossEnd; across++) {
    const own = offsets + ((across * width) << 2);
    let weight = firstWeight;
    let sum = f32x4.splat(0);
    for (let down = 0; down < height; down++) {
      const line = load<i32>(lines + (down << 2));
      for (let place = 0; place < width; place++) {
        const offset = load<i32>(own + (place << 2));
        if (line !== NOWHERE && offset !== NOWHERE)
          sum = multiplyAdd(v128.load(line + offset + (channel << 2)), v128.load(weight), sum);
        weight += step;
      }
    }
    storeLanes(to, sum, channels - channel);
    to += channels << 2;
  }
}

/** The same for windows that have no padding on their left or right, four at a time. */
function convolveInside(
  args: i32,
  lines: i32,
  offsets: i32,
  channel: i32,
  across: i32,
  acrossEnd: i32,
  result: i32,
): void {
  const channels = word(args, CHANNELS);
  const height = word(args, KERNEL);
  const width = word(args, KERNEL + 1);
  const step = weightStep(args);
  const firstWeight = firstWeightOf(args, channel);
  const placeBytes = (word(args, DILATION + 1) * channels) << 2;
  const windowBytes = (word(args, STRIDE + 1) * channels) << 2;
  let to = result + (channel << 2);
  for (; across < acrossEnd; across += TOGETHER) {
    const offset = load<i32>(offsets + ((across * width) << 2)) + (channel << 2);
    let weight = firstWeight;
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    for (let down = 0; down < height; down++) {
      const line = load<i32>(lines + (down << 2));
      if (line === NOWHERE) {
        weight += step * width;
        continue;
      }
      let source = line + offset;
      for (let place = 0; place < width; place++) {
        const factor = v128.load(weight);
        const second = source + windowBytes;
        const third = second + windowBytes;
        a = multiplyAdd(v128.load(source), factor, a);
        b = multiplyAdd(v128.load(second), factor, b);
        c = multiplyAdd(v128.load(third), factor, c);
        d = multiplyAdd(v128.load(third + windowBytes), factor, d);
        source += placeBytes;
        weight += step;
      }
    }
    const count = channels - channel;
    const stride = channels << 2;
    storeLanes(to, a, count);
    storeLanes(to + stride, b, count);
    storeLanes(to + 2 * stride, c, count);
    storeLanes(to + 3 * stride, d, count);
    to += TOGETHER * stride;
  }
}

/** The bytes from the weight of a position to that of the next one. */
function weightStep(args: i32): i32 {
  const bytes = word(args, CHANNELS) << 2;
  return word(args, FLIPPED) ? -bytes : bytes;
}

/** The address of a channel's weight of the first position. */
function firstWeightOf(args: i32, channel: i32): i32 {
  const last = word(args, KERNEL) * word(args, KERNEL + 1) - 1;
  const place = word(args, FLIPPED) ? last : 0;
  return word(args, OTHER) + ((place * word(args, CHANNELS) + channel) << 2);
}

/**
 * The gradient for the weights, where the spread is 1. Units are results. A result adds the products of a line of windows
 * in float32, in order, and the sums of all lines in float64.
 */
export function depthwiseWeights(args: i32, start: i32, end: i32, scratch: i32): void {
  const channels = word(args, CHANNELS);
  for (let unit = start; unit < end;) {
    const place = unit / channels;
    const channel = unit - place * channels;
    const count = min(channels - channel, end - unit);
    memory.fill(scratch, 0, ((count + 3) & -4) << 3);
    sumPlace(args, place, channel, count, scratch);
    for (let c = 0; c < count; c++)
      store<f32>(word(args, RESULT) + ((unit + c) << 2), <f32>load<f64>(scratch + (c << 3)));
    unit += count;
  }
  finish(args, RESULT, start, end, scratch);
}

/** Adds to `sums` the products of all windows at one position, for channels [channel, channel + count). */
function sumPlace(args: i32, place: i32, channel: i32, count: i32, sums: i32): void {
  const down = place / word(args, KERNEL + 1);
  const across = place % word(args, KERNEL + 1);
  const channels = word(args, CHANNELS);
  const rows = word(args, COUNT);
  const columns = word(args, COUNT + 1);
  const height = word(args, SIZE);
  const width = word(args, SIZE + 1);
  let first = 0;
  while (first < columns && elementOf(args, 1, first, across) < 0) first++;
  let last = first;
  while (last < columns && elementOf(args, 1, last, across) >= 0) last++;
  if (first === last) return;
  const step = (word(args, STRIDE + 1) * channels) << 2;
  const left = elementOf(args, 1, first, across);
  for (let line = 0; line < word(args, EXAMPLES) * rows; line++) {
    const y = elementOf(args, 0, line % rows, down);
    if (y < 0) continue;
    const pixel = ((line / rows) * height + y) * width + left;
    const image = word(args, IMAGES) + ((pixel * channels + channel) << 2);
    const values = word(args, OTHER) + (((line * columns + first) * channels + channel) << 2);
    let c = 0;
    for (; c + 16 <= count; c += 16)
      addSixteen(image + (c << 2), step, values + (c << 2), channels << 2, last - first, sums + (c << 3));
    for (; c < count; c += 4)
      addFour(image + (c << 2), step, values + (c << 2), channels << 2, last - first, sums + (c << 3));
  }
}

function addSixteen(image: i32, imageStep: i32, values: i32, valueStep: i32, count: i32, sums: i32): void {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (; count > 0; count--) {
    a = multiplyAdd(v128.load(image), v128.load(values), a);
    b = multiplyAdd(v128.load(image, 16), v128.load(values, 16), b);
    c = multiplyAdd(v128.load(image, 32), v128.load(values, 32), c);
    d = multiplyAdd(v128.load(image, 48), v128.load(values, 48), d);
    image += imageStep;
    values += valueStep;
  }
  addTo(sums, a);
  addTo(sums + 32, b);
  addTo(sums + 64, c);
  addTo(sums + 96, d);
}

function addFour(image: i32, imageStep: i32, values: i32, valueStep: i32, count: i32, sums: i32): void {
  let sum = f32x4.splat(0);
  for (; count > 0; count--) {
    sum = multiplyAdd(v128.load(image), v128.load(values), sum);
    image += imageStep;
    values += valueStep;
  }
  addTo(sums, sum);
}

/** Adds four numbers to float64 sums. */
function addTo(sums: i32, values: v128): void {
  const high = v128.shuffle<f64>(values, values, 1, 1);
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(values)));
  v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16);
}
