import type { MetadataRoute } from "next";

export default function manifest(): MetadataRoute.Manifest {
  return {
    name: "TaskFlow",
    short_name: "TaskFlow",
    description: "A task manager that never loses a change.",
    start_url: "/today",
    display: "standalone",
    background_color: "#f6f7f9",
    theme_color: "#4a48d4",
    icons: [{ src: "/icon.svg", sizes: "any", type: "image/svg+xml" }],
  };
}
