import type { Backend } from "../../src/index.ts";

/** What an example's `main` uses: a backend, and where its output goes. */
export interface Stage {
  readonly backend: Backend;
  print(line: string): void;
  /** Writes the example's picture, an SVG element. */
  draw(picture: string): Promise<void>;
}

/** An example. Importing it runs nothing; `npm run example NN` calls its `main`. */
export interface Example {
  main(stage: Stage): Promise<void>;
}
