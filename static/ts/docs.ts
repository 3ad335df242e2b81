// The page /docs: Swagger UI on the producer's own description. Its bundle is a script of its own, loaded before this one.

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
