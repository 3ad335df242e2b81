/* Whether the server has another player by now: a screen runs for months, and the server is updated meanwhile. */

/** `false` also where the server does not answer. */
export async function isOutdated(): Promise<boolean> {
  const scripts = [...document.scripts].map((script) => script.getAttribute("src") ?? "");
  try {
    const page = await fetch(location.pathname, {
      headers: { accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(8000),
    });
    const text = page.ok ? await page.text() : "";
    return text !== "" && scripts.some((src) => !text.includes(src));
  } catch {
    return false;
  }
}
