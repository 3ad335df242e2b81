/* Runs before the first paint: a remembered theme, and the sign that scripts run. */
import { apply, chosen } from "./themes.ts";

document.documentElement.classList.add("js");
apply(chosen());
