import { env } from "node:process";
import { defineConfig } from "vitest/config";

const api = env.RLP_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  server: { proxy: { "/v1": { target: api, ws: true }, "/readyz": api } },
  test: { include: ["test/**/*.test.ts"] },
});
