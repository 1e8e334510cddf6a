import { describe, expect, it } from "vitest";
import { entriesOf, read, told, toUpload } from "../src/drafts/environment";
import type { UserEnvironment } from "../src/types";

const GRID =
  "import gymnasium as gym\n\nclass Cell:\n    pass\n\nclass Wall(Cell):\n    pass\n\nclass Grid(gym.Env):\n    pass\n";

describe("an environment of one's own", () => {
  it("offers the classes of its files, environments first", () => {
    const files = [
      { path: "grid.py", content: GRID },
      { path: "levels.txt", content: "class No(Env): pass" },
    ];
    expect(entriesOf(files)).toEqual(["grid:Grid", "grid:Wall"]);
    expect(toUpload(files, " grid:Grid ")).toEqual({ entry: "grid:Grid", files });
  });

  it("refuses files that are no text, by their names", async () => {
    await expect(read([new File([new Uint8Array([255, 254])], "weights.bin")])).rejects.toThrow("weights.bin is not");
    await expect(read([new File([GRID], "grid.py")])).resolves.toEqual([{ path: "grid.py", content: GRID }]);
  });

  it("says what came of the check", () => {
    const environment = { name: "Grid", state: "checking", message: null } as UserEnvironment;
    expect(told(environment)).toBe("Checking Grid in a sandbox…");
    expect(told({ ...environment, state: "ready" })).toContain("is chosen");
    expect(told({ ...environment, state: "refused", message: "seeding: no" })).toContain(
      "correct what the report says",
    );
    expect(told({ ...environment, state: "unchecked", message: "no sandbox" })).toBe("no sandbox");
  });
});
