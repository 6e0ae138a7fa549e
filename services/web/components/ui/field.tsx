import { Label } from "radix-ui";
import { type ReactElement, type ReactNode, cloneElement, useId } from "react";

type Labelled = { id?: string; "aria-describedby"?: string; "aria-invalid"?: boolean };

/** A control with its label, a hint and what is wrong with it, tied together for screen readers. */
export function Field(props: {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  children: ReactElement<Labelled>;
}) {
  const own = useId();
  const id = props.children.props.id ?? own;
  const about = props.error ? `${id}-error` : props.hint ? `${id}-hint` : undefined;
  return (
    <div className="grid gap-1.5">
      <Label.Root htmlFor={id} className="text-sm font-medium">
        {props.label}
      </Label.Root>
      {cloneElement(props.children, {
        id,
        "aria-describedby": about,
        "aria-invalid": props.error ? true : undefined,
      })}
      {props.error ? (
        <p id={`${id}-error`} role="alert" className="text-sm text-danger">
          {props.error}
        </p>
      ) : (
        props.hint && (
          <p id={`${id}-hint`} className="text-sm text-muted">
            {props.hint}
          </p>
        )
      )}
    </div>
  );
}
