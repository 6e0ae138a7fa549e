"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

import { Button } from "@/components/ui/button";
import { useToast } from "@/components/ui/toast";

export function CopyButton({ text, label }: { text: string; label: string }) {
  const toast = useToast();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // Without https, or forbidden.
      toast({ title: "It could not be copied", description: "Select the text and copy it.", tone: "danger" });
    }
  }

  return (
    <Button size="sm" aria-label={label} onClick={() => void copy()}>
      {copied ? <Check aria-hidden className="text-ok" /> : <Copy aria-hidden />}
      <span role="status">{copied ? "Copied" : "Copy"}</span>
    </Button>
  );
}
