"use client";

import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";

import { Button } from "@/components/ui/button";
import { useToast } from "@/components/ui/toast";
import { must, tasksApi } from "@/lib/api/client";
import { useUser } from "@/lib/user";

import { saveFile } from "./save-file";
import { Section } from "./section";

const kinds = {
  json: { name: "Everything (JSON)", path: "/api/{user_id}/export", type: "json" },
  ics: { name: "Calendar (.ics)", path: "/api/{user_id}/export.ics", type: "ics" },
} as const;

export function ExportSection() {
  const user = useUser();
  const toast = useToast();
  // Fetched whole before it is saved: half of an export, or an error instead of one, is never taken for a file.
  const download = useMutation({
    mutationFn: async (kind: keyof typeof kinds) => {
      const options = { params: { path: { user_id: user.id } }, parseAs: "blob" } as const;
      const { path, type } = kinds[kind];
      const file = await must<Blob>(tasksApi.GET(path, options));
      saveFile(file, `taskflow-${new Date().toISOString().slice(0, 10)}.${type}`);
    },
    onError: (error) =>
      toast({ title: "The export did not work", description: error.message, tone: "danger" }),
  });
  return (
    <Section
      title="Export"
      about="Take your data with you: all tasks with their history, or what is due as a file that calendars open."
    >
      <div className="flex flex-wrap gap-2">
        {(["json", "ics"] as const).map((kind) => (
          <Button
            key={kind}
            busy={download.isPending && download.variables === kind}
            disabled={download.isPending}
            onClick={() => download.mutate(kind)}
          >
            <Download aria-hidden />
            {kinds[kind].name}
          </Button>
        ))}
      </div>
    </Section>
  );
}
