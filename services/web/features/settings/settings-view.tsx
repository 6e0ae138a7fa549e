import { DeleteAccountSection } from "./delete-account-section";
import { ExportSection } from "./export-section";
import { McpSection } from "./mcp-section";
import { NotificationsSection } from "./notifications-section";
import { ThemeSection } from "./theme-section";
import { TokensSection } from "./tokens-section";
import { ZoneSection } from "./zone-section";

export function SettingsView() {
  return (
    <div className="mx-auto grid w-full max-w-3xl gap-5 px-4 py-6 sm:px-6 sm:py-8">
      <h1 className="text-xl font-semibold tracking-tight">Settings</h1>
      <ZoneSection />
      <ThemeSection />
      <NotificationsSection />
      <ExportSection />
      <McpSection />
      <TokensSection />
      <DeleteAccountSection />
    </div>
  );
}
