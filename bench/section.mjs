// docs/benchmarks.md has two authors: the section between the markers is the accounts API's, the rest is the intake's.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const PAGE = "docs/benchmarks.md";
const BEGIN = "<!-- accounts: written by bench/accounts.mjs -->";
const END = "<!-- /accounts -->";

/** Writes the page around the section, which stays. */
export function writePage(text) {
  const [, section] = parts();
  write(section ? `${text.trimEnd()}\n\n${BEGIN}${section}${END}\n` : text);
}

/** Writes the section, and leaves the page around it as it is. */
export function writeSection(text) {
  const [before, , after] = parts();
  write(`${before.trimEnd()}\n\n${BEGIN}\n${text.trim()}\n${END}\n${after.trimStart()}`.trimStart());
}

function parts() {
  const page = existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "";
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) return [page, "", ""];
  return [page.slice(0, from), page.slice(from + BEGIN.length, to), page.slice(to + END.length)];
}

function write(text) {
  mkdirSync("docs", { recursive: true });
  writeFileSync(PAGE, text);
}
