import type { Metadata } from "next";
import { notFound } from "next/navigation";

import { views } from "@/features/tasks/model";
import { TaskListView } from "@/features/tasks/task-list-view";
import { viewNames } from "@/features/tasks/view-names";

const named = (view: string) => views.find((v) => v === view);

export async function generateMetadata({ params }: PageProps<"/[view]">): Promise<Metadata> {
  const view = named((await params).view);
  return view ? { title: viewNames[view] } : {};
}

export default async function ViewPage({ params }: PageProps<"/[view]">) {
  const view = named((await params).view);
  if (!view) notFound();
  return <TaskListView key={view} view={view} />;
}
