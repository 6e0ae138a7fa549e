"use client";

import { useState } from "react";

import { Button } from "@/components/ui/button";
import { useToast } from "@/components/ui/toast";
import { askAuth } from "@/lib/auth/client";
import { useOnDemand } from "@/lib/use-on-demand";
import { useUser } from "@/lib/user";

import { failureOf } from "./failure";
import { initials } from "./initials";
import { leaveFor } from "./leave";

const load = () => import("./account-popup").then((m) => m.AccountPopup);

/** Who is signed in, and the way out. */
export function AccountMenu() {
  const user = useUser();
  const toast = useToast();
  const [leaving, setLeaving] = useState(false);
  const { part: Popup, ask, warming } = useOnDemand(load);

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

  const trigger = (
    <Button
      look="ghost"
      size="icon"
      aria-label="Account"
      aria-haspopup="menu"
      busy={leaving}
      onClick={ask}
      {...warming}
      className="rounded-full"
    >
      {!leaving && (
        <span
          aria-hidden
          className="grid size-8 place-content-center rounded-full bg-accent-soft text-xs font-semibold text-accent"
        >
          {initials(user.name, user.email)}
        </span>
      )}
    </Button>
  );
  return Popup ? <Popup user={user} trigger={trigger} onSignOut={() => void signOut()} /> : trigger;
}
