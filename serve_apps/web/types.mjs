// Writes src/types.ts, the API's documents and events, from its OpenAPI document: `node types.mjs [PATH]`.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const HEADER =
  "/** The API's documents and events. Generated from serve_apps/api/openapi.json: run `npm run types`. */\n\n";
const JSON_VALUE = "type Json = null | boolean | number | string | Json[] | { [name: string]: Json };";
const DOCUMENT = new URL("../api/openapi.json", import.meta.url);
const TARGET = new URL("src/types.ts", import.meta.url);

const { openapi, info, components } = JSON.parse(await readFile(DOCUMENT, "utf8"));
const types = await openapiTS(
  { openapi, info, paths: {}, components: { schemas: components.schemas } },
  {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    inject: JSON_VALUE,
    transform: (_, { path }) =>
      path === "#/components/schemas/JsonValue" ? ts.factory.createTypeReferenceNode("Json") : undefined,
  },
);
await writeFile(process.argv[2] ?? TARGET, HEADER + astToString(types));
