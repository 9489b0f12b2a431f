/*
 * What the page and the view use of the Text tab's state.
 */
export * from "./address.ts";
export { comparison, connect, dispatches, idle, resume, textCommands } from "./connection.ts";
export * from "./own-text.ts";
export * from "./reading.ts";
export * from "./signals.ts";
