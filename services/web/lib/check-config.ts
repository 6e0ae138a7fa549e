import { config } from "./config";
import { cause, log } from "./log";

/** Ends the process if the configuration is wrong, and says what is. */
export function checkConfig(): void {
  try {
    config();
  } catch (err) {
    log("error", "the configuration is wrong", { error: cause(err) });
    process.exit(1);
  }
}
