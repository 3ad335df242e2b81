/* How numbers and times are written. Pure functions; the server writes the same (common/src/show.rs). */
const GROUPED = new Intl.NumberFormat("en-US");

export function grouped(value: number): string {
  return GROUPED.format(value);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

export function percent(part: number, whole: number): string {
  if (whole <= 0) return "0 %";
  const value = (part / whole) * 100;
  return `${value === 100 || value === 0 ? value : value.toFixed(1)} %`;
}

/** A rate: one decimal below 100, grouped above. */
export function rate(perSecond: number): string {
  return perSecond < 100 ? String(Math.round(perSecond * 10) / 10) : grouped(Math.round(perSecond));
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KiB`;
  return `${(size / 1024 / 1024).toFixed(1)} MiB`;
}

/** A length of time in its two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const parts: [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = parts.findIndex(([size]) => whole >= size);
  const [large, small] = [parts[first], parts[first + 1]];
  if (!large) return `${whole} s`;
  const rest = small ? Math.floor((whole % large[0]) / small[0]) : 0;
  return `${Math.floor(whole / large[0])} ${large[1]}${rest > 0 && small ? ` ${rest} ${small[1]}` : ""}`;
}

/** How long something took: `420 ms`, `1.1 s`, and from ten seconds on as a duration. */
export function took(seconds: number): string {
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

/** How long ago, coarse: `0.4 s ago`, `12 s ago`, `4 min ago`, `3 d ago`. */
export function ago(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 0.95) return `${Math.max(0.1, seconds).toFixed(1)} s ago`;
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `2026-11-22 14:07:11 UTC`, the title of every relative time. */
export function absolute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
