/* The accounts' pages: plain forms and links, made live. */
import { find, typing } from "./dom.ts";
import { Explorer, readable } from "./explorer.ts";
import { confirmations, settle, tabs } from "./forms.ts";
import { keepTrue } from "./live.ts";

settle();
const explorer = find("#inspector") ? new Explorer() : null;
// Before scripts change what the server sent.
if (find("[data-live]")) keepTrue("/account/events", readable, explorer);
readable(document);
tabs();
confirmations();
addEventListener("keydown", (event) => {
  const open = !!find("dialog[open]:not(#sheet)");
  // What the frame's keys took for themselves counts as well: j and k move on here, too.
  const meant =
    !event.ctrlKey && !event.metaKey && !event.altKey && !(event.target as Element).closest("input, select, textarea");
  if (!meant || open) return;
  if (explorer?.key(event.key)) event.preventDefault();
  else if (!explorer && event.key === "r" && !typing(event))
    find<HTMLFormElement>("main form[data-retry]")?.requestSubmit();
});
