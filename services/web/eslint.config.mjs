import next from "eslint-config-next/core-web-vitals";
import prettier from "eslint-config-prettier";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: [".next/**", "node_modules/**", "**/*.gen.ts", "next-env.d.ts"] },
  ...next,
  ...ts.configs.strict,
  {
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-console": "error",
    },
  },
  { files: ["scripts/**", "e2e/**"], rules: { "no-console": "off", "react-hooks/rules-of-hooks": "off" } },
  prettier,
);
