/** Holds the consoles' own elements for as long as they are open, whatever page is shown. */
export function ConsoleLayer() {
  return <div id="console-layer" />
}
