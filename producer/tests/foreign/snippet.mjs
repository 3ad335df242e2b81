// Shows the delivery on standard input to the Node snippet; prints `ok` or `refused`.
import { json } from "node:stream/consumers";
import { verifyWebhook } from "../../snippets/verify.mjs";

const { secret_key, headers, body } = await json(process.stdin);
console.log({ true: "ok", false: "refused" }[verifyWebhook(secret_key, headers, Buffer.from(body))]);
