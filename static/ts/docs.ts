// The page /docs: Swagger UI on the producer's own description. Its bundle is a script of its own, loaded before this one.

import { chosen, onThemeChange } from "./themes.ts";

interface SentRequest {
  url: string;
  headers: Record<string, string>;
}

declare const SwaggerUIBundle: (options: Record<string, unknown>) => unknown;

/** The accounts API wants a Content-Type of every request, and Swagger UI sends none without a body. */
function withContentType(request: SentRequest): SentRequest {
  if (new URL(request.url, location.href).pathname.startsWith("/v1/")) {
    request.headers["Content-Type"] = "application/json";
  }
  return request;
}

/** Swagger UI has a dark look of its own, which a class turns on; it follows the theme that our other pages remember. */
function dress(): void {
  const theme = chosen();
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark-mode", dark);
}

dress();
onThemeChange(dress);
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor: withContentType,
});
