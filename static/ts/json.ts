/* JSON as a tree, from the text as it was received: digits, order and repeated keys stay as they came. */
export type Leaf = { kind: "string" | "number" | "word"; text: string };
/** An object (its members have keys) or an array. */
export type Branch = { open: "{" | "["; members: Member[] };
export type Member = { key: string | null; value: Leaf | Branch };

const LEXEME = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[A-Za-z]+|[{}[\]:]/g;

export function isBranch(value: Leaf | Branch): value is Branch {
  return "open" in value;
}

/** The tree of the text; `null` when it is not JSON. However deep it is, no call goes deeper. */
export function tree(text: string): Leaf | Branch | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const root: Branch = { open: "[", members: [] };
  const above: Branch[] = [];
  let within = root;
  let key: string | null = null;
  const lexemes = text.match(LEXEME) ?? [];
  lexemes.forEach((lexeme, index) => {
    if (lexeme === ":") return;
    if (lexeme === "}" || lexeme === "]") {
      within = above.pop() ?? root;
      return;
    }
    if (lexemes[index + 1] === ":") {
      key = lexeme;
      return;
    }
    const branch = lexeme === "{" || lexeme === "[";
    const value: Leaf | Branch = branch ? { open: lexeme, members: [] } : { kind: kind(lexeme), text: lexeme };
    within.members.push({ key, value });
    key = null;
    if (!isBranch(value)) return;
    above.push(within);
    within = value;
  });
  return root.members[0]?.value ?? null;
}

function kind(lexeme: string): Leaf["kind"] {
  if (lexeme.startsWith('"')) return "string";
  return /^[-\d]/.test(lexeme) ? "number" : "word";
}
