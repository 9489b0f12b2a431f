/*
 * Random changes of training examples, as graph ops. Their random numbers are counters, so that a step draws the same
 * numbers whenever it is run.
 */
export { affine, type RandomAffineOptions } from "./affine.ts";
export { crop, type RandomCropOptions } from "./crop.ts";
export { cutout, type CutoutOptions } from "./cutout.ts";
export { flip, type RandomFlipOptions } from "./flip.ts";
export type { Distance, FillOptions } from "./images.ts";
export { mixup, type MixupOptions } from "./mixup.ts";
export { rotate, type RandomRotateOptions } from "./rotate.ts";
export { scale, type RandomScaleOptions } from "./scale.ts";
export { shift, type RandomShiftOptions } from "./shift.ts";
