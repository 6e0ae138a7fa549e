import { Slot } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/cn";

import { type ButtonLook, buttonLook } from "./button-look";
import { Spinner } from "./spinner";

type Props = ComponentProps<"button"> &
  ButtonLook & {
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
  const classes = cn(buttonLook({ look: variant, size }), className);
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
