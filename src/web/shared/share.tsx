import { useSignal } from "@preact/signals";

const said = { no: "Share", copied: "Address copied", failed: "Copy the address bar" };

/** Copies the page's address, which holds the state of the visible tab. */
export function ShareButton({ testId }: { testId: string }) {
  const result = useSignal<keyof typeof said>("no");
  const share = async () => {
    try {
      // The clipboard needs a page served over https.
      await navigator.clipboard.writeText(location.href);
      result.value = "copied";
    } catch {
      result.value = "failed";
    }
    setTimeout(() => (result.value = "no"), 2000);
  };
  return (
    <button
      type="button"
      data-testid={testId}
      onClick={share}
      title="Copies this page's address, which holds all of its settings"
    >
      {said[result.value]}
    </button>
  );
}
