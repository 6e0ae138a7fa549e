import { answered, must, tasksApi } from "@/lib/api/client";
import { ApiError } from "@/lib/api/problem";
import type { components, operations } from "@/lib/api/task-api.gen";

import type { NewTask, Scope, Task, TaskPatch } from "../model";
import { type Known, isGone } from "./merge";

export type ListParameters = NonNullable<operations["listTasks"]["parameters"]["query"]>;
export type Page = components["schemas"]["TaskPage"];
export type Changes = components["schemas"]["Changes"];
export type Operation = components["schemas"]["BatchOperation"];
export type Outcome = components["schemas"]["BatchItem"];
export type Snooze = { minutes: number } | { until: string };

/** What this page asks of task-api, for one user. Every method throws ApiError. */
export type Door = ReturnType<typeof door>;

export function door(userId: string) {
  const user = { user_id: userId };
  const of = (task: Task) => ({
    path: { ...user, task_id: task.id },
    header: { "If-Match": `"${task.version}"` },
  });
  return {
    list: (query: ListParameters, signal?: AbortSignal): Promise<Page> =>
      must(tasksApi.GET("/api/{user_id}/tasks", { params: { path: user, query }, signal })),

    /** The task, or that it is gone. */
    async get(id: string, signal?: AbortSignal): Promise<Known> {
      const path = { ...user, task_id: id };
      try {
        return await must(tasksApi.GET("/api/{user_id}/tasks/{task_id}", { params: { path }, signal }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return { gone: true, id };
        throw error;
      }
    },

    changes: (since: number, limit: number, signal?: AbortSignal): Promise<Changes> =>
      must(
        tasksApi.GET("/api/{user_id}/changes", { params: { path: user, query: { since, limit } }, signal }),
      ),

    create: (task: NewTask, idempotencyKey: string): Promise<Task> =>
      must(
        tasksApi.POST("/api/{user_id}/tasks", {
          params: { path: user, header: { "Idempotency-Key": idempotencyKey } },
          body: task,
        }),
      ),

    patch: (task: Task, body: TaskPatch, scope?: Scope): Promise<Task> =>
      must(
        tasksApi.PATCH("/api/{user_id}/tasks/{task_id}", {
          params: { ...of(task), query: scope ? { scope } : {} },
          body,
        }),
      ),

    complete: (task: Task, completed: boolean): Promise<Task> =>
      must(
        tasksApi.PATCH("/api/{user_id}/tasks/{task_id}/complete", { params: of(task), body: { completed } }),
      ),

    remove: (task: Task): Promise<Task> =>
      must(tasksApi.DELETE("/api/{user_id}/tasks/{task_id}", { params: of(task) })),

    restore: (task: Task): Promise<Task> =>
      must(tasksApi.POST("/api/{user_id}/tasks/{task_id}/restore", { params: of(task) })),

    skip: (task: Task): Promise<Task> =>
      must(tasksApi.POST("/api/{user_id}/tasks/{task_id}/skip", { params: of(task) })),

    snooze: (task: Task, body: Snooze): Promise<Task> =>
      must(tasksApi.POST("/api/{user_id}/tasks/{task_id}/snooze", { params: of(task), body })),

    /** What became of each operation (at most 100), in order. */
    async batch(operations: Operation[]): Promise<Outcome[]> {
      const asked = tasksApi.POST("/api/{user_id}/tasks/batch", {
        params: { path: user },
        body: { operations },
      });
      const { data } = await answered(asked);
      return [...(data?.results ?? [])].sort((a, b) => a.index - b.index);
    },
  };
}

/** The current task that a 412 came with. */
export function currentOf(error: unknown): Task | undefined {
  if (!(error instanceof ApiError) || error.status !== 412) return undefined;
  const current = error.current as Known | undefined;
  return current && !isGone(current) ? current : undefined;
}
