/*
 * What the page and the view use of the Playground tab's state.
 */
export * from "./address.ts";
export { connect, playgroundCommands, resume } from "./connection.ts";
export * from "./signals.ts";
