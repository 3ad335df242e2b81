/* The pages of sources: plain forms and links, with what is received and rejected kept true. */
import { confirmations, settle, tabs } from "./forms.ts";
import { keepTrue } from "./live.ts";

settle();
if (document.querySelector("[data-live]")) keepTrue("/sources-moved", () => {});
tabs();
confirmations();
