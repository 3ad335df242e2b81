/* The pages of devices that obey: plain forms, kept true, with what was opened kept open. */
import { find } from "./dom.ts";
import { confirmations, settle } from "./forms.ts";
import { keepTrue } from "./live.ts";

const opened = new Set<string>();

/** What somebody opened stays open when the list is drawn anew. */
function reopen(part: ParentNode): void {
  for (const details of part.querySelectorAll<HTMLDetailsElement>("details[id]")) {
    if (opened.has(details.id)) details.open = true;
  }
}

document.addEventListener(
  "toggle",
  (event) => {
    const details = event.target as HTMLDetailsElement;
    if (!details.id) return;
    if (details.open) opened.add(details.id);
    else if (details.isConnected) opened.delete(details.id);
  },
  true,
);

/** Rows of a form that are moved by their buttons without asking the server; their names are counted anew. */
function movableRows(form: HTMLFormElement): void {
  form.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("button[name=do]");
    const row = button?.closest<HTMLElement>("[data-row]");
    const [what] = (button?.value ?? "").split("-");
    if (!row || !(what === "up" || what === "down" || what === "remove")) return;
    event.preventDefault();
    const group = row.parentElement;
    if (what === "remove") row.remove();
    else if (what === "up") row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    if (group) count(group);
    if (what !== "remove") button?.focus();
    const note = find("[data-changed]", form);
    if (note) note.hidden = false;
  });
}

function count(group: HTMLElement): void {
  const name = group.dataset.rows ?? "";
  const rows = [...group.querySelectorAll<HTMLElement>("[data-row]")];
  const number = new RegExp(`${name}-\\d+`);
  rows.forEach((row, at) => {
    for (const field of row.querySelectorAll<HTMLInputElement>("[name]")) {
      field.name = field.name.replace(number, `${name}-${at}`);
      if (field.name === "do") field.value = field.value.replace(/\d+$/, String(at));
    }
    const place = find("[data-place]", row);
    if (place) place.textContent = String(at + 1);
  });
  const total = find<HTMLInputElement>(`input[name=${name}s]`);
  if (total) total.value = String(rows.length);
}

settle();
keepTrue("/screens-moved", reopen);
confirmations();
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-movable]")) movableRows(form);
