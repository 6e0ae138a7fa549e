"use client";

import { useQuery } from "@tanstack/react-query";

import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Skeleton } from "@/components/ui/skeleton";
import { ApiError } from "@/lib/api/problem";
import { useUser } from "@/lib/user";

import { Conversation } from "./conversation";
import type { Current } from "./current";
import { loadPage } from "./history";

/** The conversation that is shown, once its history is there. */
export function Opened({ current }: { current: Current }) {
  if (current.opened === null) return <Conversation key={current.key} page={null} onNamed={current.named} />;
  return <Loaded key={current.key} current={current} id={current.opened} />;
}

function Loaded({ current, id }: { current: Current; id: string }) {
  const user = useUser();
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ["conversation", user.id, id, current.key],
    queryFn: ({ signal }) => loadPage(user.id, id, { signal }),
    // It is read once to begin with; what is said after that comes by itself.
    staleTime: Infinity,
    gcTime: 0,
  });
  if (data) return <Conversation page={data} onNamed={current.named} />;
  if (error) {
    const again = !(error instanceof ApiError) || error.passing;
    return (
      <div className="grid min-h-0 flex-1 content-center overflow-y-auto">
        <Empty
          role="alert"
          title="The conversation cannot be shown"
          action={
            again ? (
              <Button busy={isFetching} onClick={() => void refetch()}>
                Try again
              </Button>
            ) : (
              <Button onClick={() => current.open(null)}>Begin a new one</Button>
            )
          }
        >
          {error.message}
        </Empty>
      </div>
    );
  }
  return (
    <div
      role="status"
      aria-label="Loading the conversation"
      className="mx-auto grid w-full max-w-3xl flex-1 content-start gap-4 p-4"
    >
      <Skeleton className="h-9 w-1/2 justify-self-end" />
      <Skeleton className="h-20 w-4/5" />
      <Skeleton className="h-9 w-2/5 justify-self-end" />
      <Skeleton className="h-14 w-3/5" />
    </div>
  );
}
