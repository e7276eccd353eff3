import { MIGRATIONS } from "../../worker/store/migrations.ts";

/** Takes away what migration 9 made and lets it fill that anew, as in an object of before. */
export function migrateAnew(sql: SqlStorage): void {
  for (const index of ["by_node", "by_time", "by_end"]) sql.exec(`DROP INDEX released_${index}`);
  for (const table of ["slot_pages", "name_numbers"]) sql.exec(`DROP TABLE ${table}`);
  sql.exec(MIGRATIONS[8] ?? "");
}
