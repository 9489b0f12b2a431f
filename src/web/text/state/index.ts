/*
 * What the page and the view use of the Text tab's state.
 */
export * from "./address.ts";
export { connect, resume, textCommands, dispatches } from "./connection.ts";
export * from "./own-text.ts";
export * from "./reading.ts";
export * from "./signals.ts";
