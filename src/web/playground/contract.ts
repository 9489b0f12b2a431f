/** What the Playground asks of the worker. */
export interface PlaygroundApi {
  /** Ends what is under way. */
  stop(): void;
}
