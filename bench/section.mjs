// docs/benchmarks.md has several authors: each section between markers is of its own script, the rest is the intake's.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const PAGE = "docs/benchmarks.md";
const SECTION = /<!-- (\w+): written by .*? -->\n[\s\S]*?<!-- \/\1 -->\n?/g;

/** Writes the page around the sections, which stay. */
export function writePage(text) {
  write([text, ...sections().values()]);
}

/** Writes the section of this name, and leaves everything else as it is. */
export function writeSection(name, text) {
  const all = sections();
  all.set(name, `<!-- ${name}: written by bench/${name}.mjs -->\n${text.trim()}\n<!-- /${name} -->`);
  write([page().replaceAll(SECTION, ""), ...all.values()]);
}

function sections() {
  return new Map([...page().matchAll(SECTION)].map(([text, name]) => [name, text]));
}

function page() {
  return existsSync(PAGE) ? readFileSync(PAGE, "utf8") : "";
}

function write(parts) {
  mkdirSync("docs", { recursive: true });
  writeFileSync(PAGE, `${parts.map((part) => part.trim()).filter(Boolean).join("\n\n")}\n`);
}
