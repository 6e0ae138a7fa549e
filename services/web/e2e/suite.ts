import {
  type APIResponse,
  type Browser,
  type BrowserContext,
  type Page,
  expect,
  test as base,
} from "@playwright/test";

/** Somebody with an account, signed in in a browser of their own. */
export type Person = {
  id: string;
  email: string;
  password: string;
  context: BrowserContext;
  page: Page;
  /** The same person in another browser. */
  elsewhere: () => Promise<Page>;
  /** Asks the REST API as this person; fails the test unless the answer is good. */
  api: (
    method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ) => Promise<APIResponse>;
};

export type Task = {
  id: string;
  title: string;
  version: number;
  completed: boolean;
  due_date: string | null;
};

let made = 0;

async function newPerson(
  browser: Browser,
  origin: string,
  closing: BrowserContext[],
  options?: Parameters<Browser["newContext"]>[0],
): Promise<Person> {
  const name = `p${process.pid}-${Date.now().toString(36)}-${made++}`;
  const email = `${name}@example.com`;
  const password = `password of ${name}`;
  const open = async () => {
    const context = await browser.newContext({ baseURL: origin, ...options });
    closing.push(context);
    return context;
  };
  const context = await open();
  const headers = { Origin: origin };
  const signedUp = await context.request.post("/api/auth/sign-up/email", {
    data: { name: "Pat Doe", email, password },
    headers,
  });
  expect(signedUp.ok(), await signedUp.text()).toBe(true);
  const { user } = (await signedUp.json()) as { user: { id: string } };
  const zone = await context.request.put(`/api/${user.id}/profile`, {
    data: { time_zone: "Europe/Oslo" },
    headers,
  });
  expect(zone.ok(), await zone.text()).toBe(true);
  return {
    id: user.id,
    email,
    password,
    context,
    page: await context.newPage(),
    elsewhere: async () => {
      const other = await open();
      const signedIn = await other.request.post("/api/auth/sign-in/email", {
        data: { email, password },
        headers,
      });
      expect(signedIn.ok(), await signedIn.text()).toBe(true);
      return other.newPage();
    },
    api: async (method, path, body) => {
      const answer = await context.request.fetch(`/api/${user.id}${path}`, { method, data: body, headers });
      expect(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
      return answer;
    },
  };
}

/** Breaks parts of the suite and mends them: "notifier", "task-api", "notifier-dapr", "broker", … */
export type Control = {
  kill: (part: string) => Promise<void>;
  start: (part: string) => Promise<void>;
  token: (user: string, ttl: string) => Promise<string>;
};

type Fixtures = {
  /** Makes a new person; the options are those of a browser context (viewport, colorScheme, …). */
  person: (options?: Parameters<Browser["newContext"]>[0]) => Promise<Person>;
  control: Control;
};

export const test = base.extend<Fixtures>({
  person: async ({ browser, baseURL }, use) => {
    const closing: BrowserContext[] = [];
    await use((options) => newPerson(browser, baseURL ?? "", closing, options));
    await Promise.all(closing.map((c) => c.close()));
  },
  control: async ({ request }, use) => {
    const base = process.env["CONTROL"];
    if (!base)
      throw new Error(
        "this test breaks parts of its suite: run it by `make test PKG=./services/e2e RUN=Page`",
      );
    const down = new Set<string>();
    const post = async (what: string) => {
      const answer = await request.post(`${base}/${what}`, { timeout: 60_000 });
      expect(answer.ok(), await answer.text()).toBe(true);
    };
    await use({
      kill: async (part) => {
        down.add(part);
        await post(`kill/${part}`);
      },
      start: async (part) => {
        await post(`start/${part}`);
        down.delete(part);
      },
      token: async (user, ttl) => {
        const answer = await request.get(`${base}/token`, { params: { user, ttl } });
        expect(answer.ok(), await answer.text()).toBe(true);
        return ((await answer.json()) as { token: string }).token;
      },
    });
    // The next test has a whole suite again, however this one ended.
    for (const part of down) await post(`start/${part}`);
  },
});

export { expect };

/** The row of a task in the list. */
export function row(page: Page, title: string) {
  return page.getByRole("list", { name: "Tasks" }).getByRole("listitem").filter({ hasText: title });
}
