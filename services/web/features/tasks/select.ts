// Which tasks a page shows, in which order and under which headings. Knows no network and no React.

import { daysBetween, monthOf, weekdayOf, weekdays } from "@/lib/time/clock";
import { type Day, addDays, dueDay, formatDay, isOverdue, today } from "@/lib/time/due";

import { type Priority, type Task, type View, priorities } from "./model";

export const sorts = ["due", "priority", "created", "updated", "title"] as const;
export type Sort = (typeof sorts)[number];

export type Filters = {
  /** Every word must occur in the title, the description or a tag. */
  q: string;
  /** Any of these; all if there is none. */
  priority: readonly Priority[];
  /** Exactly this tag, whatever its case; all if empty. */
  tag: string;
  /** null is the view's own order. */
  sort: Sort | null;
};

export const noFilters: Filters = { q: "", priority: [], tag: "", sort: null };

/** What the address says; what it does not know is left out. */
export function parseFilters(params: URLSearchParams): Filters {
  const named = (params.get("priority") ?? "").split(",");
  return {
    q: (params.get("q") ?? "").slice(0, 200),
    priority: priorities.filter((p) => named.includes(p)),
    tag: (params.get("tag") ?? "").slice(0, 50),
    sort: sorts.find((s) => s === params.get("sort")) ?? null,
  };
}

/** The address's query with these filters, and with everything else it had. */
export function formatFilters(filters: Filters, onto = new URLSearchParams()): string {
  const params = new URLSearchParams(onto);
  const set = (name: string, value: string) => (value ? params.set(name, value) : params.delete(name));
  set("q", filters.q);
  set("priority", filters.priority.join(","));
  set("tag", filters.tag);
  set("sort", filters.sort ?? "");
  return params.toString();
}

/** Whether anything is left out because of them. */
export function isFiltering(filters: Filters): boolean {
  return filters.q.trim() !== "" || filters.priority.length > 0 || filters.tag !== "";
}

export function matches(task: Task, filters: Filters): boolean {
  if (filters.priority.length > 0 && !filters.priority.includes(task.priority)) return false;
  const tag = filters.tag.toLowerCase();
  if (tag && !task.tags.some((t) => t.toLowerCase() === tag)) return false;
  const words = filters.q.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [task.title, task.description, ...task.tags].join("\n").toLowerCase();
  return words.every((word) => text.includes(word) || (word.startsWith("#") && text.includes(word.slice(1))));
}

type Compare = (a: Task, b: Task) => number;

const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const byTitle = new Intl.Collator("en", { sensitivity: "base", numeric: true });
const rank = (task: Task) => priorities.indexOf(task.priority);

/** Earliest first, a whole day after all times of it, and what is not due last. */
function byDue(zone: string): Compare {
  const known = new Map<string, string>();
  const place = (due: string | null): string => {
    if (due === null) return "~";
    let is = known.get(due);
    if (is === undefined) {
      const day = dueDay(due, zone);
      is = day === null ? "~" : day === due ? `${day}~` : `${day}${new Date(due).toISOString()}`;
      known.set(due, is);
    }
    return is;
  };
  return (a, b) => text(place(a.due_date), place(b.due_date));
}

/** In this order; those that are alike by due date, then priority, then age. The given list stays as it is. */
export function sorted(tasks: readonly Task[], sort: Sort, zone: string): Task[] {
  const due = byDue(zone);
  const priority: Compare = (a, b) => rank(b) - rank(a);
  const first: Record<Sort, Compare> = {
    due,
    priority,
    created: (a, b) => text(b.created_at, a.created_at),
    updated: (a, b) => text(b.updated_at, a.updated_at),
    title: (a, b) => byTitle.compare(a.title, b.title),
  };
  return [...tasks].sort(
    (a, b) => first[sort](a, b) || due(a, b) || priority(a, b) || text(a.created_at, b.created_at),
  );
}

/** What a heading stands over. */
export type Section = {
  key: string;
  /** null if the page's own heading says it. */
  title: string | null;
  /** Said more quietly beside the title. */
  hint?: string;
  tone?: "danger";
  /** The day that what is dropped here becomes due. */
  day?: Day;
  tasks: readonly Task[];
};

export type Clock = { zone: string; now: Date };

/** The views whose tasks are all open ones, selected here and not by the server. */
export type OpenView = Exclude<View, "completed" | "trash">;

/** How many days ahead have headings of their own; later ones share their month's. */
const daysAhead = 14;
/** How many of these are shown without a task, to drop one on. */
const emptyDays = 7;

/** The sections of a view, in order. Only the days of Upcoming may be empty. */
export function sectionsOf(
  view: OpenView,
  tasks: readonly Task[],
  filters: Filters,
  { zone, now }: Clock,
): Section[] {
  const found = sorted(
    tasks.filter((t) => matches(t, filters)),
    filters.sort ?? "due",
    zone,
  );
  const here = today(zone, now);
  const overdue = (t: Task) => isOverdue(t.due_date, zone, now);
  switch (view) {
    case "all":
      return present([{ key: "all", title: null, tasks: found }]);
    case "overdue":
      return present([{ key: "overdue", title: null, tasks: found.filter(overdue) }]);
    case "today": {
      const late = found.filter(overdue);
      const due = found.filter((t) => !overdue(t) && dueDay(t.due_date, zone) === here);
      return present([
        { key: "overdue", title: "Overdue", tone: "danger", tasks: late },
        { key: "today", title: late.length > 0 ? "Today" : null, day: here, tasks: due },
      ]);
    }
    case "upcoming":
      return ahead(found, here, zone, !isFiltering(filters));
  }
}

function present(sections: Section[]): Section[] {
  return sections.filter((s) => s.tasks.length > 0);
}

function ahead(tasks: readonly Task[], here: Day, zone: string, withEmpty: boolean): Section[] {
  const groups = new Map<string, Task[]>();
  for (const task of tasks) {
    const day = dueDay(task.due_date, zone);
    if (day === null || day <= here) continue;
    const key = daysBetween(here, day) <= daysAhead ? day : day.slice(0, 7);
    const group = groups.get(key);
    if (group) group.push(task);
    else groups.set(key, [task]);
  }
  if (groups.size === 0) return [];
  if (withEmpty)
    for (let n = 1; n <= emptyDays; n++) {
      const day = addDays(here, n);
      if (!groups.has(day)) groups.set(day, []);
    }
  // A day sorts before its month's rest only if it is compared as one.
  const place = (key: string) => (key.length === 7 ? `${key}-99` : key);
  return [...groups]
    .sort(([a], [b]) => text(place(a), place(b)))
    .map(([key, group]) =>
      key.length === 7
        ? { key, title: `${monthOf(`${key}-01`)} ${key.slice(0, 4)}`, tasks: group }
        : { key, ...dayTitle(key, here), day: key, tasks: group },
    );
}

/** "Tomorrow" with its date, or the weekday with it. */
function dayTitle(day: Day, here: Day): { title: string; hint: string } {
  const date = `${Number(day.slice(8))} ${monthOf(day)}`;
  const weekday = weekdays[weekdayOf(day)] ?? "";
  const near = formatDay(day, here);
  return near === "Tomorrow" ? { title: near, hint: `${weekday} ${date}` } : { title: weekday, hint: date };
}

/** What the navigation counts: due today whether its time is over or not, and overdue since whenever. */
export function counts(tasks: readonly Task[], { zone, now }: Clock): { today: number; overdue: number } {
  const here = today(zone, now);
  let due = 0;
  let late = 0;
  for (const task of tasks) {
    if (task.due_date === null) continue;
    if (isOverdue(task.due_date, zone, now)) late++;
    if (dueDay(task.due_date, zone) === here) due++;
  }
  return { today: due, overdue: late };
}

/** Every tag in use, the most used first, spelt as it is most often. */
export function tagsOf(tasks: readonly Task[]): string[] {
  const uses = new Map<string, number>();
  for (const task of tasks) for (const tag of task.tags) uses.set(tag, (uses.get(tag) ?? 0) + 1);
  return [...uses].sort(([a, n], [b, m]) => m - n || byTitle.compare(a, b)).map(([tag]) => tag);
}
