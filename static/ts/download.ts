/* Files made in the page: a chart as a picture, numbers as CSV. */
import { color, el } from "./dom.ts";

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function saveText(text: string, name: string): void {
  save(new Blob([text], { type: "text/csv;charset=utf-8" }), name);
}

/** The canvas on the panel's colour: a transparent picture is unreadable in a dark viewer. */
export function saveImage(canvas: HTMLCanvasElement, name: string): void {
  const copy = el("canvas", { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d");
  if (!context) return;
  context.fillStyle = color("panel");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  copy.toBlob((blob) => blob && save(blob, name));
}
