"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useState, useSyncExternalStore } from "react";

import { switchTheme } from "@/lib/switch-theme";
import { type Theme, themes } from "@/lib/theme";

import { Section } from "./section";

const looks = {
  system: { name: "System", icon: Monitor },
  light: { name: "Light", icon: Sun },
  dark: { name: "Dark", icon: Moon },
} satisfies Record<Theme, unknown>;

const never = () => () => undefined;

function chosen(): Theme {
  return themes.find((theme) => document.documentElement.classList.contains(theme)) ?? "system";
}

export function ThemeSection() {
  const before = useSyncExternalStore(never, chosen, () => null);
  const [now, setNow] = useState<Theme | null>(null);
  return (
    <Section title="Theme" about="On this device.">
      <fieldset className="grid grid-cols-3 gap-2 sm:max-w-md">
        <legend className="sr-only">Theme</legend>
        {themes.map((theme) => {
          const { name, icon: Icon } = looks[theme];
          return (
            <label
              key={theme}
              className="relative flex h-10 cursor-pointer items-center justify-center gap-2 rounded-lg border border-line text-sm hover:bg-sunken has-checked:border-accent has-checked:bg-accent-soft has-checked:font-medium has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
            >
              <input
                type="radio"
                name="theme"
                value={theme}
                checked={(now ?? before) === theme}
                onChange={() => {
                  setNow(theme);
                  switchTheme(theme);
                }}
                className="absolute inset-0 cursor-pointer appearance-none rounded-lg outline-none"
              />
              <Icon aria-hidden className="size-4" />
              {name}
            </label>
          );
        })}
      </fieldset>
    </Section>
  );
}
