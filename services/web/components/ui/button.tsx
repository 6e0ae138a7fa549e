import { cva, type VariantProps } from "class-variance-authority";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

import { Spinner } from "./spinner";

// At least 24 px high everywhere (WCAG 2.2, 2.5.8), 40 px where a finger is likely.
const look = cva(
  "inline-flex shrink-0 cursor-pointer items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap select-none disabled:cursor-not-allowed disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      look: {
        primary: "bg-accent text-accent-ink hover:bg-accent-strong",
        secondary: "border border-line bg-surface text-ink hover:bg-sunken",
        ghost: "text-ink hover:bg-sunken",
        danger: "border border-danger bg-danger-soft text-danger hover:brightness-95",
        link: "text-accent underline-offset-4 hover:underline",
      },
      size: {
        sm: "h-8 px-2.5 text-sm",
        md: "h-10 px-4 text-sm",
        icon: "size-9 p-0",
      },
    },
    defaultVariants: { look: "secondary", size: "md" },
  },
);

type Props = ComponentProps<"button"> &
  VariantProps<typeof look> & {
    /** Renders the only child with these looks instead of a button, for links. */
    asChild?: boolean;
    /** Shows that what was asked for is being done, and takes no second press. */
    busy?: boolean;
  };

export function Button({
  className,
  look: variant,
  size,
  asChild,
  busy,
  disabled,
  children,
  ...rest
}: Props) {
  const classes = cn(look({ look: variant, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      className={classes}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}
