/** Closes a message. */
export const CloseButton = ({ close }: { close: () => void }) => (
  <button type="button" class="plain" aria-label="Close this message" onClick={close}>
    ✕
  </button>
);
