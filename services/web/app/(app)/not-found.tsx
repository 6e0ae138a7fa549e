import { Compass } from "lucide-react";
import Link from "next/link";

import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";

export default function NotFound() {
  return (
    <Empty
      icon={<Compass aria-hidden />}
      title="There is no such page"
      action={
        <Button asChild>
          <Link href="/today">Go to today</Link>
        </Button>
      }
    >
      The link may be old, or the address mistyped. Your tasks are all where they were.
    </Empty>
  );
}
