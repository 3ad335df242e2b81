// What the parts of the benchmark count alike.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** How many events the log has. */
export async function total(url) {
  return (await (await fetch(`${url}/api/counts`)).json()).total;
}

/** The total, once it has stayed the same for half a second. */
export async function settled(url) {
  for (let last = -1, now = await total(url); ; last = now, now = await total(url)) {
    if (now === last) return now;
    await new Promise((done) => setTimeout(done, 500));
  }
}

/** A whole number with its thousands apart. */
export const whole = (value) => Math.round(value).toLocaleString("en-US");

export const percent = (share) => `${Math.round(share * 100)} %`;

/** What was demanded, and whether it was reached. */
export const verdict = (demand, met) => `${demand}: ${met ? "met" : "**not met**"}`;
