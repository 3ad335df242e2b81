/* Text that is as large as its place allows. */
const STEP = 0.92;
const SMALLEST = 0.2;

/** Makes the text of `node` as large as fits into `within`, from the size of its style downwards; again whenever the place changes. Gives how to stop. */
export function fit(node: HTMLElement, within: HTMLElement): () => void {
  const watch = new ResizeObserver(() => shrink(node, within));
  watch.observe(within);
  return () => watch.disconnect();
}

/** Words stay whole where they fit at any size. */
export function shrink(node: HTMLElement, within: HTMLElement): void {
  node.classList.toggle("broken", false);
  if (fits(node, within)) return;
  node.classList.toggle("broken", true);
  fits(node, within);
}

function fits(node: HTMLElement, within: HTMLElement): boolean {
  for (let size = 1; size >= SMALLEST; size *= STEP) {
    node.style.setProperty("--fit", String(size));
    if (within.scrollHeight <= within.clientHeight && within.scrollWidth <= within.clientWidth) return true;
  }
  return false;
}
