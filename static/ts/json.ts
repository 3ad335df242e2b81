/* Pretty JSON from the text as it was received: digits, order and repeated keys stay as they came. */
export type Token = { kind: "key" | "string" | "number" | "word" | "plain"; text: string };

const LEXEME = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[A-Za-z]+|[{}[\],:]/gy;

/** The tokens of the text, indented by two; `null` when it is not JSON. */
export function pretty(text: string): Token[] | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const lexemes = (text.match(LEXEME) ?? []).filter((lexeme) => lexeme.trim() !== "");
  const tokens: Token[] = [];
  let depth = 0;
  const plain = (piece: string) => tokens.push({ kind: "plain", text: piece });
  const line = () => plain(`\n${"  ".repeat(depth)}`);
  lexemes.forEach((lexeme, index) => {
    const after = lexemes[index + 1];
    const before = lexemes[index - 1];
    if (lexeme === "{" || lexeme === "[") {
      plain(lexeme);
      depth++;
      if (after !== "}" && after !== "]") line();
    } else if (lexeme === "}" || lexeme === "]") {
      depth--;
      if (before !== "{" && before !== "[") line();
      plain(lexeme);
    } else if (lexeme === ",") {
      plain(",");
      line();
    } else if (lexeme === ":") plain(": ");
    else tokens.push({ kind: kind(lexeme, after), text: lexeme });
  });
  return tokens;
}

function kind(lexeme: string, after: string | undefined): Token["kind"] {
  if (lexeme.startsWith('"')) return after === ":" ? "key" : "string";
  return /^[-\d]/.test(lexeme) ? "number" : "word";
}
