/**
 * Connects a tab as soon as its code in the worker is loaded.
 * @param connectTo sends what the visitor changes, and lets the training run; returns a function that ends both
 * @param failed called with a text for the visitor if the code cannot be loaded
 * @returns a function that disconnects the tab and pauses the training
 */
export function connectWhenLoaded<Api>(
  opening: Promise<Api>,
  connectTo: (api: Api) => () => void,
  failed: (text: string) => void,
): () => void {
  let isLeft = false;
  let disconnect = () => {};
  opening.then(
    (api) => {
      if (!isLeft) disconnect = connectTo(api);
    },
    () => failed("The worker could not load the code of this tab. Check the connection, and open the tab again."),
  );
  return () => {
    isLeft = true;
    disconnect();
  };
}
