import type { View } from "./model";

/** What each view is called, in the navigation, its heading and its title. */
export const viewNames: Record<View, string> = {
  today: "Today",
  upcoming: "Upcoming",
  overdue: "Overdue",
  all: "All tasks",
  completed: "Completed",
  trash: "Trash",
};
