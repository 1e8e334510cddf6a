import { expect, test } from "vitest";
import { credentialsCsv, parseCsv, readRoster } from "../../src/course/roster";
import type { Member } from "../../src/types";

test("quotes hold separators, line ends and quotes", () => {
  expect(parseCsv('a,"b, ""c""\nd",e\r\nf,,')).toEqual([
    ["a", 'b, "c"\nd', "e"],
    ["f", "", ""],
  ]);
});

test("a roster is read by its column names, whatever separates them", () => {
  const { members, errors, unused } = readRoster("\uFEFFName;External ID;Mark\nAda;s1;1\n\nBob;s2;\n");
  expect(errors).toEqual([]);
  expect(members).toEqual([
    { external_id: "s1", name: "Ada" },
    { external_id: "s2", name: "Bob" },
  ]);
  expect(unused).toEqual(["mark"]);
});

test("what is wrong is said with its line", () => {
  const texts = (csv: string) => readRoster(csv).errors.map(({ message }) => message);
  expect(texts("name\nAda\n")).toEqual(["The first line must name the column external_id; it has name."]);
  expect(texts("external_id,role\ns1,teacher\n,learner\n")).toEqual([
    'Line 2: the role is "teacher"; use learner or staff.',
    "Line 3 has no external_id.",
  ]);
  expect(texts("external_id\n")).toEqual(["There is no line below the column names."]);
});

test("credentials are saved without text that a spreadsheet runs", () => {
  const member = { external_id: "s1", name: '=SUM("a")', email: "a,b" } as Member;
  expect(credentialsCsv([{ member, given: "rlp_1" }], "api_key")).toBe(
    'external_id,name,email,api_key\r\ns1,"\'=SUM(""a"")","a,b",rlp_1',
  );
});
