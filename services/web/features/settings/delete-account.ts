import { failureOf } from "@/features/account/failure";
import { answered, tasksApi } from "@/lib/api/client";
import { ApiError } from "@/lib/api/problem";
import { askAuth } from "@/lib/auth/client";

/** How far the deletion came, and why no further. */
export type Stopped = { step: "password" | "tasks" | "account"; message: string };

/**
 * Deletes a user with everything: first the password is checked, then task-api forgets all it has, then the account itself
 * goes. Cut off at any point it can be done again from the start: each step finds what the last time left.
 * Returns null when all is gone.
 */
export async function deleteAccount(userId: string, password: string): Promise<Stopped | null> {
  try {
    await askAuth("/check-password", { password });
  } catch (thrown) {
    return { step: "password", message: words(thrown) };
  }
  try {
    await answered(tasksApi.DELETE("/api/{user_id}", { params: { path: { user_id: userId } } }));
  } catch (error) {
    const gone = error instanceof ApiError && error.status === 404;
    if (!gone)
      return { step: "tasks", message: error instanceof Error ? error.message : "It could not be deleted." };
  }
  try {
    await askAuth("/delete-user", { password });
  } catch (thrown) {
    return { step: "account", message: words(thrown) };
  }
  return null;
}

function words(thrown: unknown): string {
  const { message, retryAfter } = failureOf(thrown);
  return retryAfter ? `${message} Try again in ${retryAfter} s.` : message;
}
