import "./globals.css";

import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";

import { PagePolicy } from "@/features/account/page-policy";
import { cn } from "@/lib/cn";
import { themeCookie, themeOf } from "@/lib/theme";

export const metadata: Metadata = {
  title: { default: "TaskFlow", template: "%s · TaskFlow" },
  description: "A task manager that never loses a change.",
  applicationName: "TaskFlow",
  formatDetection: { telephone: false, address: false, email: false },
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f6f7f9" },
    { media: "(prefers-color-scheme: dark)", color: "#0f1116" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  // The theme is in a cookie, so that the first paint has it without a script.
  const theme = themeOf((await cookies()).get(themeCookie)?.value);
  return (
    <html lang="en" className={cn(GeistSans.variable, theme !== "system" && theme)}>
      <body>
        <PagePolicy />
        {children}
      </body>
    </html>
  );
}
