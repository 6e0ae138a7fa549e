import { parseDuration } from "./duration";

type Setting = {
  name: string;
  /** What holds if it is not set; for people, and read by `value`. */
  standard?: string;
  required?: boolean;
  secret?: boolean;
  /** Who reads it, where that is not the server. */
  only?: "migrate" | "build";
  doc: string;
};

/** Every setting there is. README.md has them as a table, which a test compares. */
export const settings = [
  {
    name: "PUBLIC_URL",
    required: true,
    doc: "the one origin people use, such as https://tasks.example.org; https makes cookies Secure and sends HSTS",
  },
  {
    name: "DATABASE_URL",
    required: true,
    secret: true,
    doc: "Postgres connection URL; the tables lie in the schema `auth`",
  },
  {
    name: "DATABASE_POOLER",
    standard: "false",
    doc: "`true`: the URL leads to a pooler in transaction mode (PgBouncer, Neon -pooler); set statement_timeout on the role then",
  },
  { name: "DATABASE_MAX_CONNS", standard: "10", doc: "connections at most" },
  {
    name: "BETTER_AUTH_SECRET",
    required: true,
    secret: true,
    doc: "signs session cookies, at least 32 bytes (openssl rand -base64 48); nobody else needs it",
  },
  {
    name: "JWT_SECRET",
    secret: true,
    doc: "shared secret of the services' HS256 tokens, at least 32 bytes and not BETTER_AUTH_SECRET; empty issues EdDSA tokens with public keys at `/api/auth/jwks`",
  },
  { name: "JWT_ISSUER", doc: "the `iss` of tokens; empty: none with HS256, PUBLIC_URL with EdDSA" },
  { name: "JWT_AUDIENCE", doc: "the `aud` of tokens; empty: none with HS256, PUBLIC_URL with EdDSA" },
  {
    name: "AUTH_TOKEN_TTL",
    standard: "7d",
    doc: "how long a token lasts, such as 15m, 24h or 7d, from 1m to 7d; it is renewed from the session before",
  },
  {
    name: "AUTH_TRUSTED_ORIGINS",
    doc: "further origins whose pages may sign in, comma-separated; `*` stands for a part of the host",
  },
  {
    name: "AUTH_TRUSTED_PROXIES",
    doc: "addresses or CIDR ranges of proxies that append to X-Forwarded-For, comma-separated; empty takes the header if it has one address, so the origin must overwrite it",
  },
  {
    name: "AUTH_RATE_LIMIT_WINDOW",
    standard: "10s",
    doc: "the time over which requests of one address are counted",
  },
  {
    name: "AUTH_RATE_LIMIT_MAX",
    standard: "100",
    doc: "requests of one address to one path of /api/auth within it; beyond it is 429",
  },
  {
    name: "AUTH_RATE_LIMIT_SIGN_IN_MAX",
    standard: "3",
    doc: "the same for sign-in, sign-up and all else that takes a password",
  },
  {
    name: "NEXT_PUBLIC_CHATKIT_DOMAIN_KEY",
    only: "build",
    doc: "offers OpenAI ChatKit as a chat panel; the page then loads scripts from cdn.platform.openai.com",
  },
  { name: "DEMO_EMAIL", only: "migrate", doc: "makes this user unless there is one; with DEMO_PASSWORD" },
  { name: "DEMO_PASSWORD", only: "migrate", secret: true, doc: "the demo user's password, 8 to 72 bytes" },
  { name: "DEMO_NAME", standard: "Demo", only: "migrate", doc: "the demo user's name" },
  { name: "PORT", standard: "3000", doc: "where HTTP is served" },
  { name: "HOSTNAME", standard: "0.0.0.0", doc: "on which address" },
] as const satisfies readonly Setting[];

type Name = (typeof settings)[number]["name"];
export type Env = Record<string, string | undefined>;

/** The settings of the server, read and found good. */
export type Config = {
  publicURL: string;
  secure: boolean;
  authSecret: string;
  token: { secret?: string; issuer?: string; audience?: string; ttlSeconds: number };
  trustedOrigins: string[];
  trustedProxies: string[];
  rateLimit: { windowSeconds: number; max: number; signInMax: number };
};

const minSecret = 32; // bytes: the size of HS256's output (RFC 7518, 3.2)
const longestToken = 7 * 24 * 3600;

/** Reads the settings. Throws one Error that names all mistakes, and no value of a secret. */
export function readConfig(env: Env = process.env): Config {
  const wrong: string[] = [];
  const value = (name: Name): string => {
    const setting: Setting | undefined = settings.find((s) => s.name === name);
    return env[name]?.trim() || setting?.standard || "";
  };
  for (const s of settings as readonly Setting[]) {
    if (s.required && !value(s.name as Name)) wrong.push(`${s.name} must be set: ${s.doc}`);
  }

  const publicURL = value("PUBLIC_URL").replace(/\/$/, "");
  if (publicURL && !isOrigin(publicURL)) {
    wrong.push(
      `PUBLIC_URL must be an origin such as https://tasks.example.org, without a path: ${publicURL}`,
    );
  }
  const database = value("DATABASE_URL");
  if (database && !/^postgres(ql)?:\/\//.test(database)) {
    wrong.push("DATABASE_URL must begin with postgres://");
  }
  const authSecret = value("BETTER_AUTH_SECRET");
  const secret = value("JWT_SECRET");
  for (const [name, of] of Object.entries({ BETTER_AUTH_SECRET: authSecret, JWT_SECRET: secret })) {
    const bytes = Buffer.byteLength(of);
    if (bytes > 0 && bytes < minSecret) {
      wrong.push(
        `${name} has ${bytes} bytes: expected at least ${minSecret}; make one with: openssl rand -base64 48`,
      );
    }
  }
  if (secret && secret === authSecret) {
    wrong.push("JWT_SECRET must not be BETTER_AUTH_SECRET: who verifies tokens could then forge sessions");
  }

  const seconds = (name: Name, min: number, max: number): number => {
    const parsed = parseDuration(value(name));
    if (parsed === undefined || parsed < min || parsed > max) {
      wrong.push(
        `${name} must be a time from ${min}s to ${max}s, such as 30s, 15m, 24h or 7d: ${value(name)}`,
      );
      return min;
    }
    return parsed;
  };
  const whole = (name: Name, min: number, max: number): number => {
    const parsed = Number(value(name));
    if (!Number.isInteger(parsed) || parsed < min || parsed > max) {
      wrong.push(`${name} must be a whole number from ${min} to ${max}: ${value(name)}`);
      return min;
    }
    return parsed;
  };
  const list = (name: Name): string[] =>
    value(name)
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean);

  const trustedOrigins = list("AUTH_TRUSTED_ORIGINS");
  for (const origin of trustedOrigins) {
    if (!isOrigin(origin.replaceAll("*", "x")))
      wrong.push(`AUTH_TRUSTED_ORIGINS has what is no origin: ${origin}`);
  }
  const trustedProxies = list("AUTH_TRUSTED_PROXIES");
  for (const proxy of trustedProxies) {
    if (!/^[0-9a-f.:]+(\/\d{1,3})?$/i.test(proxy))
      wrong.push(`AUTH_TRUSTED_PROXIES has what is no address: ${proxy}`);
  }
  const config: Config = {
    publicURL,
    secure: publicURL.startsWith("https://"),
    authSecret,
    token: {
      secret: secret || undefined,
      issuer: value("JWT_ISSUER") || undefined,
      audience: value("JWT_AUDIENCE") || undefined,
      ttlSeconds: seconds("AUTH_TOKEN_TTL", 60, longestToken),
    },
    trustedOrigins,
    trustedProxies,
    rateLimit: {
      windowSeconds: seconds("AUTH_RATE_LIMIT_WINDOW", 1, 24 * 3600),
      max: whole("AUTH_RATE_LIMIT_MAX", 1, 1_000_000),
      signInMax: whole("AUTH_RATE_LIMIT_SIGN_IN_MAX", 1, 1_000_000),
    },
  };
  whole("DATABASE_MAX_CONNS", 1, 1000);
  if (!["true", "false"].includes(value("DATABASE_POOLER"))) {
    wrong.push(`DATABASE_POOLER must be true or false: ${value("DATABASE_POOLER")}`);
  }
  if (wrong.length > 0)
    throw new Error(`The configuration is wrong:\n${wrong.map((w) => `  ${w}`).join("\n")}`);
  return config;
}

let read: Config | undefined;

/** The settings of this process, read once. */
export function config(): Config {
  read ??= readConfig();
  return read;
}

function isOrigin(text: string): boolean {
  try {
    const url = new URL(text);
    return (url.protocol === "https:" || url.protocol === "http:") && url.origin === text.toLowerCase();
  } catch {
    return false;
  }
}

/** The settings as README.md shows them. */
export function settingsTable(): string {
  const rows = (settings as readonly Setting[]).map((s) => {
    const notes = [s.only && `${s.only} only`, s.secret && "secret"].filter(Boolean).join(", ");
    const standard = s.standard ? `\`${s.standard}\`` : "";
    return `| \`${s.name}\` | ${standard} | ${s.required ? "yes" : ""} | ${s.doc}${notes && ` (${notes})`} |`;
  });
  return ["| Variable | Default | Required | Meaning |", "|---|---|---|---|", ...rows].join("\n");
}
