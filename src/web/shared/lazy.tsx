import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";

/** A component whose code is loaded when it is first shown. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const loaded = signal<ComponentType<Props> | "failed" | undefined>(undefined);
  return (props) => {
    const Loaded = loaded.value;
    useEffect(() => {
      load().then(
        (component) => (loaded.value = component),
        () => (loaded.value = "failed"),
      );
    }, []);
    if (typeof Loaded === "function") return <Loaded {...props} />;
    if (Loaded === undefined) return <p class="quiet">Loading …</p>;
    return (
      <p class="fault" role="alert">
        The files of this view could not be loaded. Check the connection, and open it again.
      </p>
    );
  };
}
