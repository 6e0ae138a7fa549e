import { queryOptions } from "@tanstack/react-query";

import { answered, must, tasksApi } from "@/lib/api/client";
import type { components } from "@/lib/api/task-api.gen";

export type Token = components["schemas"]["APIToken"];
export type NewToken = components["schemas"]["NewAPIToken"];
export type CreatedToken = components["schemas"]["CreatedAPIToken"];

/** The user's API tokens that have not expired, without their secrets. */
export function tokensQuery(userId: string) {
  return queryOptions({
    queryKey: ["tokens", userId],
    queryFn: async ({ signal }) => {
      const list = await must(
        tasksApi.GET("/api/{user_id}/tokens", { params: { path: { user_id: userId } }, signal }),
      );
      return list.items;
    },
  });
}

/** Makes a token; the answer is the only one that has it. */
export function createToken(userId: string, token: NewToken): Promise<CreatedToken> {
  return must(tasksApi.POST("/api/{user_id}/tokens", { params: { path: { user_id: userId } }, body: token }));
}

/** Revokes a token. One that is gone already counts as revoked. */
export async function revokeToken(userId: string, id: string): Promise<void> {
  await answered(
    tasksApi.DELETE("/api/{user_id}/tokens/{token_id}", {
      params: { path: { user_id: userId, token_id: id } },
    }),
  ).catch((error: unknown) => {
    if (!(error instanceof Error && "status" in error && error.status === 404)) throw error;
  });
}
