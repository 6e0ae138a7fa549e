import { queryOptions } from "@tanstack/react-query";

import { must, tasksApi } from "@/lib/api/client";
import type { components } from "@/lib/api/task-api.gen";

export type Profile = components["schemas"]["Profile"];

/** The user's settings at the server. */
export function profileQuery(userId: string) {
  return queryOptions({
    queryKey: ["profile", userId],
    queryFn: ({ signal }) =>
      must(tasksApi.GET("/api/{user_id}/profile", { params: { path: { user_id: userId } }, signal })),
    staleTime: 5 * 60_000,
  });
}

/** Sets the zone of a profile that is still as it was read; ApiError 412 if it is not. */
export function saveZone(profile: Profile, zone: string): Promise<Profile> {
  return must(
    tasksApi.PUT("/api/{user_id}/profile", {
      params: { path: { user_id: profile.user_id }, header: { "If-Match": `"${profile.version}"` } },
      body: { time_zone: zone },
    }),
  );
}
