import { useSignal } from "@preact/signals";

const texts = { idle: "Share", copied: "Address copied", failed: "Copy from the address bar" };

/** Copies the page's address, which holds the state of the visible tab. */
export function ShareButton({ testId }: { testId: string }) {
  const result = useSignal<keyof typeof texts>("idle");
  const share = async () => {
    try {
      // The clipboard needs a page served over https.
      await navigator.clipboard.writeText(location.href);
      result.value = "copied";
    } catch {
      result.value = "failed";
    }
    setTimeout(() => (result.value = "idle"), 2000);
  };
  return (
    <button
      type="button"
      data-testid={testId}
      onClick={share}
      title="Copy the address of this page, which contains all settings"
    >
      {texts[result.value]}
    </button>
  );
}
