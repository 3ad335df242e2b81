/* A JSON tree in a `<pre>`: indented, coloured, each object and array with a button that folds it. What is folded has no elements. */
import { el } from "./dom.ts";
import { plural } from "./format.ts";
import { type Branch, isBranch, type Leaf, type Member } from "./json.ts";

/** Members shown unfolded at first; a large body stays as quick as a small one. */
const OPEN_AT_FIRST = 800;
/** Members of one object or array that are shown at a time. */
const AT_A_TIME = 200;
const DEEPEST = 24;

/** How many more members may be shown unfolded, and how deep the next ones stand. */
type Room = { left: number };

export function folded(root: Leaf | Branch): Node[] {
  return line({ key: null, value: root }, 0, { left: OPEN_AT_FIRST });
}

/** A member without its indentation, its comma and its end of line. */
function line({ key, value }: Member, depth: number, room: Room): Node[] {
  const name = key === null ? [] : [el("span", { class: "key" }, key), text(": ")];
  if (!isBranch(value)) return [...name, el("span", { class: value.kind }, value.text)];
  const close = value.open === "{" ? "}" : "]";
  if (value.members.length === 0) return [...name, text(value.open + close)];
  const [button, inside] = foldable(value, depth, room);
  return [button, ...name, text(value.open), inside, text(close)];
}

function foldable(branch: Branch, depth: number, room: Room): [Node, Node] {
  const inside = el("span", {});
  const many = plural(branch.members.length, branch.open === "{" ? "member" : "item");
  const label = `${branch.open === "{" ? "Object" : "Array"} of ${many}`;
  const button = el("button", { class: "fold", type: "button", "aria-label": label });
  const show = (open: boolean, within: Room) => {
    button.setAttribute("aria-expanded", String(open));
    inside.className = open ? "" : "more";
    inside.replaceChildren(...(open ? members(branch, depth, 0, within) : [text(` ${many} `)]));
  };
  button.addEventListener("click", () => {
    show(button.getAttribute("aria-expanded") !== "true", { left: AT_A_TIME });
  });
  show(depth < DEEPEST && room.left > 0, room);
  return [button, inside];
}

/** The members from a place on, each on its line, and a button for those there is no room for. */
function members(branch: Branch, depth: number, from: number, room: Room): Node[] {
  const indent = `\n${"  ".repeat(depth + 1)}`;
  const shown = branch.members.slice(from, from + AT_A_TIME);
  room.left -= shown.length;
  const last = branch.members.length - 1;
  const nodes = shown.flatMap((member, place) => [
    text(indent),
    ...line(member, depth + 1, room),
    ...(from + place < last ? [text(",")] : []),
  ]);
  const rest = branch.members.length - from - shown.length;
  if (rest === 0) return [...nodes, text(`\n${"  ".repeat(depth)}`)];
  const more = el("button", { class: "rest", type: "button" }, `${plural(rest, "more", "more")}, show the next`);
  more.addEventListener("click", () => {
    const next = members(branch, depth, from + AT_A_TIME, { left: AT_A_TIME });
    const [indentation, end] = [more.previousSibling, more.nextSibling];
    indentation?.remove();
    end?.remove();
    more.replaceWith(...next);
  });
  return [...nodes, text(indent), more, text(`\n${"  ".repeat(depth)}`)];
}

function text(content: string): Text {
  return document.createTextNode(content);
}
