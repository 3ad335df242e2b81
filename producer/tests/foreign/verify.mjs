// Verifies the delivery on standard input with Standard Webhooks' own library; prints `ok`.
import { text } from "node:stream/consumers";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const { secret, headers, body } = JSON.parse(await text(process.stdin));
try {
  new Webhook(secret).verify(body, headers);
  console.log("ok");
} catch (error) {
  if (!(error instanceof WebhookVerificationError)) throw error;
  console.log(error.message);
}
