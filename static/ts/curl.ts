/* A request as a line for the shell. */
const LEFT_OUT =
  /^(host|content-length|connection|accept|accept-encoding|user-agent|traceparent|x-request-id|webhook-.*)$/i;

/** What the server keeps of a header that holds a secret. */
const HIDDEN = "•••";

/** The `webhook-…` headers stay out: with the same id the repeat would be recognised and not counted. */
export function curl(method: string, url: string, headers: [string, string][], body: string): string {
  const parts = ["curl", "-X", method, quote(url)];
  for (const [name, value] of headers) {
    if (!LEFT_OUT.test(name) && value !== HIDDEN) parts.push("-H", quote(`${name}: ${value}`));
  }
  if (body !== "") parts.push("--data-raw", quote(body));
  return parts.join(" ");
}

/** One word for a POSIX shell. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
