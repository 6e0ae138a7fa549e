"use client";

import { useQuery } from "@tanstack/react-query";

import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { must, tasksApi } from "@/lib/api/client";
import { formatDay, fullDay } from "@/lib/time/due";
import { useUser } from "@/lib/user";

const barWidth = 8;
const gap = 3;
const height = 48;
/** A day without any is a line on the ground, so that one sees there was a day. */
const ground = 2;

/** How many tasks were completed on each of the last 30 days. */
export function CompletedChart() {
  const user = useUser();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["stats", user.id],
    queryFn: ({ signal }) =>
      must(tasksApi.GET("/api/{user_id}/stats", { params: { path: { user_id: user.id } }, signal })),
    staleTime: 60_000,
  });
  if (!data) {
    if (error && !isFetching) {
      return (
        <div
          role="alert"
          className="flex h-34 items-center gap-3 rounded-xl border border-line bg-surface p-4 text-sm"
        >
          <p className="min-w-0 flex-1 text-muted">{error.message}</p>
          <Button size="sm" onClick={() => void refetch()}>
            Try again
          </Button>
        </div>
      );
    }
    return <Skeleton className="h-34 rounded-xl" />;
  }
  const days = data.completed_per_day;
  const first = days[0]?.day;
  const last = days.at(-1)?.day;
  if (!first || !last) return null;
  const most = Math.max(1, ...days.map((d) => d.count));
  const total = days.reduce((sum, d) => sum + d.count, 0);
  const width = days.length * (barWidth + gap) - gap;
  return (
    <figure className="rounded-xl border border-line bg-surface p-4">
      <figcaption className="flex items-baseline justify-between gap-4 pb-3 text-sm">
        <span>
          <strong className="font-semibold tabular-nums">{total}</strong>{" "}
          <span className="text-muted">completed in {days.length} days</span>
        </span>
        <span className="text-xs text-muted tabular-nums">Most in a day: {total === 0 ? 0 : most}</span>
      </figcaption>
      <svg
        aria-hidden
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        className="block h-12 w-full overflow-visible"
      >
        {days.map(({ day, count }, i) => {
          const tall = count === 0 ? ground : ground + (count / most) * (height - ground);
          return (
            <g key={day} className="group">
              <title>{`${fullDay(day)}: ${count}`}</title>
              {/* The whole column can be pointed at. */}
              <rect
                x={i * (barWidth + gap)}
                y={0}
                width={barWidth}
                height={height}
                className="fill-transparent"
              />
              <rect
                x={i * (barWidth + gap)}
                y={height - tall}
                width={barWidth}
                height={tall}
                rx={1.5}
                className={count === 0 ? "fill-line" : "fill-accent group-hover:fill-accent-strong"}
              />
            </g>
          );
        })}
      </svg>
      <div aria-hidden className="flex justify-between pt-1.5 text-xs text-muted">
        <span>{formatDay(first, last)}</span>
        <span>Today</span>
      </div>
      <table className="sr-only">
        <caption>Tasks completed per day</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Completed</th>
          </tr>
        </thead>
        <tbody>
          {days.map(({ day, count }) => (
            <tr key={day}>
              <th scope="row">{fullDay(day)}</th>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
