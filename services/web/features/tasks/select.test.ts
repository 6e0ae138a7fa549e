import { describe, expect, test } from "vitest";

import { task as fixture } from "./data/fixture";
import type { Task } from "./model";
import {
  type Filters,
  counts,
  formatFilters,
  isFiltering,
  matches,
  noFilters,
  parseFilters,
  sectionsOf,
  sorted,
  tagsOf,
} from "./select";

const zone = "Europe/Berlin";
// Tuesday, 13:00 in Berlin.
const clock = { zone, now: new Date("2026-11-24T12:00:00Z") };

let made = 0;
function task(title: string, fields: Partial<Task> = {}): Task {
  made++;
  return fixture({ id: `task-${made}`, title, ...fields });
}
const due = (title: string, due_date: string | null, fields: Partial<Task> = {}) =>
  task(title, { due_date, ...fields });
const titles = (tasks: readonly Task[]) => tasks.map((t) => t.title);
const shown = (view: Parameters<typeof sectionsOf>[0], tasks: Task[], filters: Partial<Filters> = {}) =>
  sectionsOf(view, tasks, { ...noFilters, ...filters }, clock).map((s) => [s.title, titles(s.tasks)]);

describe("Today", () => {
  test("has what is late in a section of its own before what is still to come", () => {
    const tasks = [
      due("this evening", "2026-11-24T19:00:00Z"),
      due("all day", "2026-11-24"),
      due("this morning", "2026-11-24T08:00:00Z"),
      due("yesterday", "2026-11-23"),
      due("tomorrow", "2026-11-25"),
      due("whenever", null),
    ];
    expect(shown("today", tasks)).toEqual([
      ["Overdue", ["yesterday", "this morning"]],
      ["Today", ["this evening", "all day"]],
    ]);
  });

  test("needs no heading while nothing is late", () => {
    expect(shown("today", [due("all day", "2026-11-24")])).toEqual([[null, ["all day"]]]);
  });

  test("is the day of the zone and not of UTC", () => {
    // 00:30 on the 25th in Berlin.
    expect(shown("today", [due("after midnight", "2026-11-24T23:30:00Z")])).toEqual([]);
  });
});

describe("Upcoming", () => {
  test("has a heading for each of the next days, and later one for each month", () => {
    const tasks = [
      due("in a year", "2027-11-24"),
      due("tomorrow", "2026-11-25"),
      due("in two weeks", "2026-12-08"),
      due("a day after that", "2026-12-09"),
      due("at Christmas", "2026-12-24"),
      due("today", "2026-11-24"),
    ];
    const sections = sectionsOf("upcoming", tasks, noFilters, clock).filter((s) => s.tasks.length > 0);
    expect(sections.map((s) => [s.title, s.hint, titles(s.tasks)])).toEqual([
      ["Tomorrow", "Wednesday 25 November", ["tomorrow"]],
      ["Tuesday", "8 December", ["in two weeks"]],
      ["December 2026", undefined, ["a day after that", "at Christmas"]],
      ["November 2027", undefined, ["in a year"]],
    ]);
  });

  test("keeps the next seven days open to drop something on, unless something is searched", () => {
    const tasks = [due("on Friday", "2026-11-27")];
    expect(sectionsOf("upcoming", tasks, noFilters, clock).map((s) => s.day)).toEqual([
      "2026-11-25",
      "2026-11-26",
      "2026-11-27",
      "2026-11-28",
      "2026-11-29",
      "2026-11-30",
      "2026-12-01",
    ]);
    expect(sectionsOf("upcoming", tasks, { ...noFilters, q: "friday" }, clock)).toHaveLength(1);
  });
});

test("Overdue has what is late, All has everything", () => {
  const tasks = [due("late", "2026-11-01"), due("whenever", null), due("soon", "2026-11-30")];
  expect(shown("overdue", tasks)).toEqual([[null, ["late"]]]);
  expect(shown("all", tasks)).toEqual([[null, ["late", "soon", "whenever"]]]);
});

describe("filters", () => {
  const milk = task("Buy milk", {
    description: "oat, two litres",
    tags: ["Errands"],
    priority: "high",
  });

  test.each<[string, Partial<Filters>, boolean]>([
    ["a word of the title", { q: "MILK" }, true],
    ["words of the title, the description and a tag", { q: "buy litres errand" }, true],
    ["a tag with its sign", { q: "#errands" }, true],
    ["one word that is nowhere", { q: "buy bread" }, false],
    ["nothing but space", { q: "  " }, true],
    ["one of several priorities", { priority: ["high", "urgent"] }, true],
    ["another priority", { priority: ["none"] }, false],
    ["a tag in another case", { tag: "errands" }, true],
    ["the beginning of a tag", { tag: "err" }, false],
  ])("by %s", (_, filters, found) => {
    expect(matches(milk, { ...noFilters, ...filters })).toBe(found);
  });

  test("are read from an address and written back", () => {
    const query = "q=buy+milk&priority=high%2Curgent&tag=errands&sort=title";
    expect(formatFilters(parseFilters(new URLSearchParams(query)))).toBe(query);
  });

  test("ignore what an address has and they do not know", () => {
    expect(parseFilters(new URLSearchParams("priority=huge,low&sort=luck"))).toEqual({
      ...noFilters,
      priority: ["low"],
    });
  });

  test("leave the rest of an address alone", () => {
    expect(formatFilters({ ...noFilters, tag: "home" }, new URLSearchParams("task=1&q=old"))).toBe(
      "task=1&tag=home",
    );
  });

  test("that only sort leave nothing out", () => {
    expect(isFiltering({ ...noFilters, sort: "title", q: " " })).toBe(false);
    expect(isFiltering({ ...noFilters, tag: "home" })).toBe(true);
  });
});

describe("sorting", () => {
  test("by due date puts times before the whole day, and what is not due last", () => {
    const tasks = [due("never", null), due("the day", "2026-11-24"), due("at one", "2026-11-24T12:00:00Z")];
    expect(titles(sorted(tasks, "due", zone))).toEqual(["at one", "the day", "never"]);
  });

  test("lets priority decide between those due at once, and age after that", () => {
    const tasks = [
      due("young", "2026-11-24", { created_at: "2026-11-03T00:00:00Z" }),
      due("old", "2026-11-24", { created_at: "2026-11-02T00:00:00Z" }),
      due("urgent", "2026-11-24", { priority: "urgent", created_at: "2026-11-04T00:00:00Z" }),
    ];
    expect(titles(sorted(tasks, "due", zone))).toEqual(["urgent", "old", "young"]);
  });

  test("by title counts as people do", () => {
    const tasks = ["Chapter 10", "chapter 2", "Appendix"].map((t) => task(t));
    expect(titles(sorted(tasks, "title", zone))).toEqual(["Appendix", "chapter 2", "Chapter 10"]);
  });

  test("by creation and by change begins with the newest", () => {
    const tasks = [
      task("first", { created_at: "2026-11-01T00:00:00Z", updated_at: "2026-11-09T00:00:00Z" }),
      task("second", { created_at: "2026-11-02T00:00:00Z", updated_at: "2026-11-03T00:00:00Z" }),
    ];
    expect(titles(sorted(tasks, "created", zone))).toEqual(["second", "first"]);
    expect(titles(sorted(tasks, "updated", zone))).toEqual(["first", "second"]);
  });

  test("keeps the order of those that are alike, and the list it was given", () => {
    const tasks = ["one", "two", "three"].map((t) => task(t));
    expect(titles(sorted(tasks, "priority", zone))).toEqual(["one", "two", "three"]);
    expect(sorted(tasks, "title", zone)).not.toBe(tasks);
    expect(titles(tasks)).toEqual(["one", "two", "three"]);
  });
});

test("the navigation counts a task due this morning both as today's and as late", () => {
  const tasks = [
    due("this morning", "2026-11-24T08:00:00Z"),
    due("all day", "2026-11-24"),
    due("never", null),
  ];
  expect(counts(tasks, clock)).toEqual({ today: 2, overdue: 1 });
});

test("the most used tags come first", () => {
  const tasks = [task("", { tags: ["a", "b"] }), task("", { tags: ["b"] })];
  expect(tagsOf(tasks)).toEqual(["b", "a"]);
});
