/* Text that is as large as its place allows. */
const STEP = 0.92;
const SMALLEST = 0.2;

/** Makes the text of `node` as large as fits into `within`, from the size of its style downwards; again whenever the place changes. Gives how to stop. */
export function fit(node: HTMLElement, within: HTMLElement): () => void {
  const watch = new ResizeObserver(() => shrink(node, within));
  watch.observe(within);
  return () => watch.disconnect();
}

export function shrink(node: HTMLElement, within: HTMLElement): void {
  for (let size = 1; ; size *= STEP) {
    node.style.setProperty("--fit", String(size));
    const fits = within.scrollHeight <= within.clientHeight && within.scrollWidth <= within.clientWidth;
    if (fits || size < SMALLEST) return;
  }
}
