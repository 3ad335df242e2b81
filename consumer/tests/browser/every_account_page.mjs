// Every page of accounts, in each of its looks: of who is not signed in, of an account that is new, of one with everything, and of the administrator.
import { administrator, call, company, signedIn } from "./accounts.mjs";
import { play, producer } from "./browser.mjs";
import { looked } from "./looks.mjs";

await play(async (browser) => {
  const found = await accounts(browser);
  if (found.length > 0) throw new Error(`\n${found.join("\n")}`);
});

async function accounts(browser) {
  const found = [];
  const look = async (user, pages) => {
    const options = user ? { storageState: await signedIn(browser, user) } : {};
    for (const [name, path] of Object.entries(pages)) {
      found.push(...(await looked(browser, `account-${name}`, `${producer}/account${path}`, options)));
    }
  };
  await look(null, { login: "/login", new: "/new" });
  const { sarah, shop, paid, own, subscription, noisy } = await company();
  await look(shop, { "empty-subscriptions": "/subscriptions", "empty-deliveries": "/deliveries" });
  const { deliveries } = await call(sarah, "GET", "/webhook/deliveries?status=waiting");
  await look(sarah, {
    home: "",
    webhooks: "/webhooks",
    "webhooks-all": "/webhooks?show=all",
    webhook: `/webhooks/${own}`,
    "webhook-of-another": `/webhooks/${paid}`,
    subscriptions: "/subscriptions",
    subscription: `/subscriptions/${subscription}?recover=24h`,
    "subscription-with-options": `/subscriptions/${noisy}`,
    deliveries: "/deliveries",
    "deliveries-none": "/deliveries?status=held",
    delivery: `/deliveries/${deliveries[0].id}`,
    "not-found": "/deliveries/nowhere",
  });
  await look(await administrator(), { admin: "/admin", "admin-deliveries": "/deliveries" });
  return found;
}
