/** How settings and tokens get into files. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writePrivate } from "../../../scripts/deploy/settings.ts";

test("a secret goes by no link that another user has laid for it", () => {
  const directory = mkdtempSync(join(tmpdir(), "meshboot-private-"));
  try {
    const [shared, theirs] = [join(directory, "shared"), join(directory, "theirs")];
    mkdirSync(shared);
    writeFileSync(theirs, "theirs");
    for (const name of ["admin-token", "admin-token.new"]) symlinkSync(theirs, join(shared, name));
    const path = writePrivate(shared, "admin-token", "secret\n");
    expect(readFileSync(theirs, "utf8")).toBe("theirs");
    expect(readFileSync(path, "utf8")).toBe("secret\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
