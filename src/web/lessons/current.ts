/*
 * The lesson that the address names. The lessons themselves are loaded when one is opened.
 */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";

export interface CurrentLesson {
  /** The name in the address. There may be no such lesson. */
  readonly name: string;
  /** The index of the visitor's prediction among the choices; undefined until there is one. */
  readonly answer: number | undefined;
}

export const currentLesson = signal<CurrentLesson | undefined>(undefined);

/** The view of a lesson that has its own, which is shown in place of the tab's. */
export const lessonView = signal<ComponentType | undefined>(undefined);

/** Takes the lesson out of parameters of the address, and leaves those of the tab. */
export function takeLesson(params: URLSearchParams): void {
  const [name, answer] = ["lesson", "answer"].map((key) => params.get(key));
  params.delete("lesson");
  params.delete("answer");
  currentLesson.value = name ? { name, answer: answer ? Number(answer) - 1 : undefined } : undefined;
}

/** The parameters of a tab with those of the lesson, such as `lesson=xor&answer=2`: answers are counted from 1. */
export function withLesson(ofTab: URLSearchParams): URLSearchParams {
  const params = new URLSearchParams(ofTab);
  if (!currentLesson.value) return params;
  const { name, answer } = currentLesson.value;
  params.set("lesson", name);
  if (answer !== undefined) params.set("answer", String(answer + 1));
  return params;
}
