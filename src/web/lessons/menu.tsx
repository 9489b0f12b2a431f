/*
 * The button in the page's header that opens the list of lessons.
 */
import "./menu.css";
import { signal } from "@preact/signals";
import { lazy } from "../shared/lazy.tsx";

const LessonList = lazy(async () => (await import("./list-view.tsx")).LessonList);

const opened = signal(false);

/** The browser closes the list when the visitor presses Escape or clicks beside it. */
export function LessonMenu() {
  return (
    <>
      <button type="button" popovertarget="lessons" data-testid="lessons">
        Lessons
      </button>
      <div popover id="lessons" class="card lessons" onToggle={(event) => (opened.value = event.newState === "open")}>
        {opened.value && <LessonList />}
      </div>
    </>
  );
}
