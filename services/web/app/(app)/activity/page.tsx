import type { Metadata } from "next";

import { ActivityView } from "@/features/activity/activity-view";

export const metadata: Metadata = { title: "Activity" };

export default function Page() {
  return <ActivityView />;
}
