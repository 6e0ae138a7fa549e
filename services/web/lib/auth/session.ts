import "server-only";

import { headers } from "next/headers";

import { auth } from "./server";

/** The session of a page's request, or null. It is not prolonged here: a page cannot set the cookie that would belong to it. */
export async function currentSession() {
  return auth().api.getSession({ headers: await headers(), query: { disableRefresh: true } });
}
