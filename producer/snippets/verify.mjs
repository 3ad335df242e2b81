import { createHmac, timingSafeEqual } from "node:crypto";

/** Whether the request is genuine and at most 5 minutes old; `body` is its raw body (a Buffer), not yet parsed. */
export function verifyWebhook(secretKey, headers, body) {
  const timestamp = headers["webhook-timestamp"];
  const ageS = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!(ageS <= 300)) return false; // also when it is not a number
  const hmac = createHmac("sha256", secretKey).update(`${headers["webhook-id"]}.${timestamp}.`).update(body);
  const expected = Buffer.from(`v1,${hmac.digest("base64")}`);
  // While the key is being rotated, there is a signature of the old and one of the new.
  return (headers["webhook-signature"] ?? "").split(" ").some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
