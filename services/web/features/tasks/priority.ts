import type { Priority } from "./model";

export const priorityNames: Record<Priority, string> = {
  none: "None",
  low: "Low",
  medium: "Medium",
  high: "High",
  urgent: "Urgent",
};

// Whole class names, for Tailwind finds them by reading.
export const priorityText: Record<Priority, string> = {
  none: "text-muted",
  low: "text-low",
  medium: "text-medium",
  high: "text-high",
  urgent: "text-urgent",
};

/** A ring that fills when what it stands before is done. */
export const priorityRing: Record<Priority, string> = {
  none: "border-line-strong data-[state=checked]:bg-line-strong",
  low: "border-low bg-low/10 data-[state=checked]:bg-low",
  medium: "border-medium bg-medium/10 data-[state=checked]:bg-medium",
  high: "border-high bg-high/10 data-[state=checked]:bg-high",
  urgent: "border-urgent bg-urgent/10 data-[state=checked]:bg-urgent",
};
