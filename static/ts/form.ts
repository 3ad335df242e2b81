/* The produce form sent by fetch; what the server refuses is shown beside its field, and what was typed stays. */
import type { Batch } from "./batch.ts";
import { el, find, need, problem, setText } from "./dom.ts";

export function produceForm(made: (batch: Batch) => void): void {
  const form = find<HTMLFormElement>("#produce");
  if (!form) return;
  const button = need<HTMLButtonElement>("button[type=submit]", form);
  form.addEventListener("change", () => showChoice(form));
  showChoice(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(form);
    button.disabled = true;
    try {
      made(await post<Batch>(form.action, new FormData(form)));
    } catch (error) {
      showError(form, error as Error & { problem?: Record<string, unknown> });
    }
    button.disabled = false;
  });
}

/** What concerns made-up tasks only is not sent with hardware; what concerns both says what happens when it is left empty. */
function showChoice(form: HTMLFormElement): void {
  const hardware = form.querySelector('[value="hardware"]:checked') !== null;
  for (const input of form.querySelectorAll<HTMLInputElement>(".field input")) {
    const other = input.dataset.ofHardware;
    if (other === undefined) input.disabled = hardware;
    else {
      input.dataset.ofTasks ??= input.placeholder;
      input.placeholder = hardware ? other : input.dataset.ofTasks;
    }
  }
}

/** Sends a form as the browser would, and reads the JSON answer. */
export async function post<T>(url: string, data = new FormData()): Promise<T> {
  const body = new URLSearchParams([...data].map(([name, value]) => [name, String(value)]));
  const response = await fetch(url, { method: "POST", body, headers: { accept: "application/json" } }).catch(() => {
    throw new Error("The producer does not answer. Is it still running?");
  });
  if (!response.ok) throw await problem(response);
  return (await response.json()) as T;
}

function clearErrors(form: HTMLFormElement): void {
  for (const note of form.querySelectorAll(".error, .form-error")) note.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    if (field.getAttribute("aria-describedby") === "field-error") field.removeAttribute("aria-describedby");
  }
}

function showError(form: HTMLFormElement, error: Error & { problem?: Record<string, unknown> }): void {
  const name = error.problem?.field;
  const field = typeof name === "string" ? form.elements.namedItem(name) : null;
  if (!(field instanceof HTMLElement)) {
    const away = error.problem === undefined;
    form.prepend(el("p", { class: "form-error", role: "alert", "data-away": away }, error.message));
    return;
  }
  const details = find<HTMLDetailsElement>("details", form);
  if (details) details.open = true;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", "field-error");
  const note = el("span", { class: "error", id: "field-error", role: "alert" });
  field.closest(".field")?.append(note);
  const rest = error.message.replace(`${name}: `, "");
  setText(note, rest.charAt(0).toUpperCase() + rest.slice(1));
  field.focus();
}
