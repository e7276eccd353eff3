// README, what stands beside it, and the pages of docs/ as one site. What is where in it is said once, in README's tables.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, defineConfig } from "vitepress";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BESIDE_README = ["CHANGELOG", "CONTRIBUTING", "SECURITY"];

/** A group for each table of README that lists pages: its title is the head of the first column. */
function sidebar(): DefaultTheme.SidebarItem[] {
  const tables = readFileSync(join(ROOT, "README.md"), "utf8").matchAll(
    /^\| ([a-z ]+?) +\| +\|\n\|[- |]+\|\n((?:\| \[docs\/.*\n)+)/gm,
  );
  const groups = [...tables].map(([, text = "", rows = ""]) => ({
    text,
    items: [...rows.matchAll(/\((docs\/[a-z-]+)\.md\)/g)].map(([, page = ""]) => itemOf(page)),
  }));
  return [...groups, { text: "the project", items: BESIDE_README.map(itemOf) }];
}

function itemOf(page: string): DefaultTheme.SidebarItem {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(ROOT, `${page}.md`), "utf8")) ?? [];
  return { text: title ?? page, link: `/${page}` };
}

/** Whether it is a file that the site has beside its pages (`gather` in package.json), in a folder of which a page may be. */
function isFile(link: string): boolean {
  return ["", "docs"].some((folder) => existsSync(join(ROOT, "docs/pages/public", folder, link)));
}

export default defineConfig({
  title: "Meshboot",
  description: "Docker hosts that join one dual-stack ZeroTier mesh by themselves at first boot",
  srcDir: "pages",
  rewrites: { "README.md": "index.md" },
  cleanUrls: true,
  ignoreDeadLinks: [isFile],
  themeConfig: { sidebar: sidebar(), search: { provider: "local" }, outline: "deep" },
});
