/* Card texts with values in them, and inks that can be read on a colour. */
const MAX_VALUE_CHARS = 200;
/** What stands where there is no value. */
export const NOTHING = "–";

/** The text with each `{{a.b.0.c}}` replaced by the member of `value` at that path. */
export function fill(text: string, value: unknown): string {
  return text.replace(/\{\{([^{}]*)\}\}/g, (_, path: string) => written(at(value, path.trim())));
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path === "" || path === "." ? [] : path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

function written(value: unknown): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;
}

/** Black or white, whichever reads better on the colour (`#rgb` or `#rrggbb`), by the luminance of WCAG 2. */
export function ink(color: string): "#000" | "#fff" {
  const light = luminance(color);
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000" : "#fff";
}

function luminance(color: string): number {
  const digits = color.slice(1);
  const long = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((start) =>
    linear(Number.parseInt(long.slice(start, start + 2), 16)),
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(channel: number): number {
  const share = (Number.isNaN(channel) ? 0 : channel) / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}
