/*
 * What the page and the view use of the Playground tab's state.
 */
export * from "./address.ts";
export { comparison, connect, dispatches, idle, playgroundCommands, resume } from "./connection.ts";
export * from "./signals.ts";
