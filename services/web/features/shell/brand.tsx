import Link from "next/link";

/** The mark and the name; leads home. */
export function Brand() {
  return (
    <Link
      href="/today"
      className="flex items-center gap-2 rounded-lg px-1 text-[0.9375rem] font-semibold tracking-tight"
    >
      <Mark />
      TaskFlow
    </Link>
  );
}

export function Mark() {
  return (
    <svg aria-hidden viewBox="0 0 24 24" className="size-6 shrink-0">
      <rect width="24" height="24" rx="7" className="fill-accent" />
      <path
        d="M6.5 12.4l3.6 3.6 7.4-8"
        fill="none"
        strokeWidth="2.4"
        strokeLinecap="round"
        strokeLinejoin="round"
        className="stroke-accent-ink"
      />
    </svg>
  );
}
