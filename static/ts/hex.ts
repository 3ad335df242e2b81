/* Bytes as a table of text: where they are, in hexadecimal, and as ASCII. */

/** What is shown of a large body. */
const MOST = 65_536;

/** So many bytes to a line: `00000010  7b 22 61 22 …  {"a"…`. */
export function hex(text: string, perLine: number): string {
  // A sign of UTF-8 is a byte or more.
  const bytes = new TextEncoder().encode(text);
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, MOST); at += perLine) {
    const some = [...bytes.subarray(at, at + perLine)];
    const digits = some.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const signs = some.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${digits.padEnd(perLine * 3 - 1)}  ${signs}`);
  }
  if (bytes.length > MOST) lines.push(`… and ${bytes.length - MOST} bytes more`);
  return lines.join("\n");
}
