import "server-only";

import { betterAuth } from "better-auth";
import { nextCookies } from "better-auth/next-js";

import { config } from "@/lib/config";

import { options } from "./options";

function make() {
  const all = options(config());
  return betterAuth({ ...all, plugins: [...all.plugins, nextCookies()] }); // it must be the last
}

let made: ReturnType<typeof make> | undefined;

/** Better Auth. Made at first use: a build has neither settings nor a database. */
export function auth(): ReturnType<typeof make> {
  made ??= make();
  return made;
}
