import { expect, test } from "vitest";
import { credentialsCsv } from "../../src/course/credentials";
import type { Member } from "../../src/types";

test("credentials are saved without text that a spreadsheet runs", () => {
  const member = { external_id: "s1", name: '=SUM("a")', email: "a,b" } as Member;
  expect(credentialsCsv([{ member, given: "rlp_1" }], "api_key")).toBe(
    'external_id,name,email,api_key\r\ns1,"\'=SUM(""a"")","a,b",rlp_1',
  );
});
