import { Check, Minus } from "lucide-react";
import { Checkbox as Radix } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

export function Checkbox({ className, ...rest }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      className={cn(
        "grid size-5 shrink-0 cursor-pointer place-content-center rounded-md border border-line-strong bg-surface data-[state=checked]:border-accent data-[state=checked]:bg-accent data-[state=indeterminate]:border-accent data-[state=indeterminate]:bg-accent",
        className,
      )}
      {...rest}
    >
      <Radix.Indicator className="text-accent-ink">
        {rest.checked === "indeterminate" ? <Minus className="size-3.5" /> : <Check className="size-3.5" />}
      </Radix.Indicator>
    </Radix.Root>
  );
}
