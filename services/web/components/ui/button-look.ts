// At least 24 px high everywhere (WCAG 2.2, 2.5.8), 40 px where a finger is likely.
const always =
  "inline-flex shrink-0 cursor-pointer items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap select-none disabled:cursor-not-allowed disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0";

const looks = {
  primary: "bg-accent text-accent-ink hover:bg-accent-strong",
  secondary: "border border-line bg-surface text-ink hover:bg-sunken",
  ghost: "text-ink hover:bg-sunken",
  danger: "border border-danger bg-danger-soft text-danger hover:brightness-95",
  link: "text-accent underline-offset-4 hover:underline",
};

const sizes = {
  sm: "h-8 px-2.5 text-sm",
  md: "h-10 px-4 text-sm",
  icon: "size-9 p-0",
};

export type ButtonLook = { look?: keyof typeof looks | undefined; size?: keyof typeof sizes | undefined };

/** The classes of a button. */
export function buttonLook({ look = "secondary", size = "md" }: ButtonLook = {}): string {
  return `${always} ${looks[look]} ${sizes[size]}`;
}
