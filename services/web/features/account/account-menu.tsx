"use client";

import { LogOut, Settings } from "lucide-react";
import Link from "next/link";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { useToast } from "@/components/ui/toast";
import { askAuth } from "@/lib/auth/client";
import { useUser } from "@/lib/user";

import { failureOf } from "./failure";
import { initials } from "./initials";
import { leaveFor } from "./leave";

/** Who is signed in, and the way out. */
export function AccountMenu() {
  const user = useUser();
  const toast = useToast();
  const [leaving, setLeaving] = useState(false);

  async function signOut() {
    setLeaving(true);
    try {
      await askAuth("/sign-out");
      leaveFor("/sign-in");
    } catch (thrown) {
      setLeaving(false);
      toast({ title: "You are still signed in", description: failureOf(thrown).message, tone: "danger" });
    }
  }

  return (
    <Menu>
      <MenuTrigger asChild>
        <Button look="ghost" size="icon" aria-label="Account" busy={leaving} className="rounded-full">
          {!leaving && (
            <span
              aria-hidden
              className="grid size-8 place-content-center rounded-full bg-accent-soft text-xs font-semibold text-accent"
            >
              {initials(user.name, user.email)}
            </span>
          )}
        </Button>
      </MenuTrigger>
      <MenuContent align="end" className="w-60">
        <div className="px-2.5 py-2">
          <p className="truncate text-sm font-medium">{user.name}</p>
          <p className="truncate text-sm text-muted">{user.email}</p>
        </div>
        <MenuSeparator />
        <MenuItem asChild>
          <Link href="/settings">
            <Settings aria-hidden />
            Settings
          </Link>
        </MenuItem>
        <MenuItem onSelect={() => void signOut()}>
          <LogOut aria-hidden />
          Sign out
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
