/*
 * What the page and the view use of the Convolution tab's state.
 */
export * from "./address.ts";
export { comparison, connect, convolutionCommands, dispatches, idle, resume } from "./connection.ts";
export * from "./signals.ts";
