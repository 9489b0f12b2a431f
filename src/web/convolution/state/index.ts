/*
 * What the page and the view use of the Convolution tab's state.
 */
export * from "./address.ts";
export { connect, convolutionCommands, resume, dispatches } from "./connection.ts";
export * from "./signals.ts";
