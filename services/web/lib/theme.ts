export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export const themeCookie = "taskflow_theme";

/** The theme a cookie's value names; "system" for everything else. */
export function themeOf(value: string | undefined): Theme {
  return themes.find((t) => t === value) ?? "system";
}
