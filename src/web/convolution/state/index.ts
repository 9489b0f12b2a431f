/*
 * What the page and the view use of the Convolution tab's state.
 */
export * from "./address.ts";
export { connect, convolutionCommands, resume } from "./connection.ts";
export * from "./signals.ts";
