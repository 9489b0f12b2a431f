/*
 * What a lesson consists of: something to predict, something to do, and something to see.
 */
import type { ComponentType } from "preact";

/** A button of the card that does a part of the action. The controls of the tab may be used as well. */
export interface Action {
  readonly label: string;
  /** Whether it is pressed several times in a lesson. */
  readonly isRepeated?: boolean;
  run(): void;
}

/** How far the visitor's action is. */
export type Progress =
  /** What is done, or what is still to do. */
  | { readonly note: string }
  /** The action is done: what the visitor saw, with the visitor's own numbers, and the index of the choice that was right. */
  | { readonly seen: string; readonly right: number };

export interface Lesson {
  readonly title: string;
  /** The tab and its settings at the beginning, as the part of the address after the #. */
  readonly hash: string;
  /** What the visitor predicts before the action. */
  readonly question: string;
  readonly choices: readonly string[];
  /** What the visitor does. */
  readonly act: string;
  readonly actions: readonly Action[];
  /** The test IDs of the controls and pictures of the tab that the action is about. They are outlined. */
  readonly about: readonly string[];
  /** Brings the tab to the beginning: new weights, and no training. */
  begin(): void;
  /**
   * Follows the visitor from the beginning on.
   * @returns a function that reads signals; it is called again when they change, until the action is done
   */
  follow(): () => Progress;
  /** Shown in place of the tab's view, which then does not train. */
  readonly View?: ComponentType;
}
