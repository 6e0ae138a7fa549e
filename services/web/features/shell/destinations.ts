import {
  Activity,
  CalendarClock,
  CalendarDays,
  CircleAlert,
  CircleCheck,
  Inbox,
  type LucideIcon,
  Settings,
  Sun,
  Trash2,
} from "lucide-react";

export type Destination = { href: string; name: string; icon: LucideIcon; keys?: string };

/** Where the navigation leads: the lists, then what else there is. */
export const lists: readonly Destination[] = [
  { href: "/today", name: "Today", icon: Sun, keys: "g t" },
  { href: "/upcoming", name: "Upcoming", icon: CalendarClock, keys: "g u" },
  { href: "/overdue", name: "Overdue", icon: CircleAlert, keys: "g o" },
  { href: "/all", name: "All tasks", icon: Inbox, keys: "g a" },
  { href: "/completed", name: "Completed", icon: CircleCheck, keys: "g c" },
  { href: "/trash", name: "Trash", icon: Trash2, keys: "g r" },
];

export const others: readonly Destination[] = [
  { href: "/calendar", name: "Calendar", icon: CalendarDays, keys: "g m" },
  { href: "/activity", name: "Activity", icon: Activity },
  { href: "/settings", name: "Settings", icon: Settings, keys: "g s" },
];

export const destinations: readonly Destination[] = [...lists, ...others];
