/*
 * What the page and the view use of the Digits tab's state.
 */
export * from "./address.ts";
export { choose, edit, reset, resume, stepOnce, toggleRunning } from "./commands.ts";
export {
  cancelComparison,
  cellPictures,
  compareDevices,
  connect,
  disconnect,
  excitingPictures,
  idle,
  predictDrawing,
  profileStep,
  readPictures,
  reconnect,
  send,
  setVisible,
  watchWeights,
} from "./connection.ts";
export * from "./files.ts";
export { currentNumber, earlierRuns, forgetRun, MOST_OVERLAID, overlaid, overlay, type EarlierRun } from "./runs.ts";
export * from "./signals.ts";
