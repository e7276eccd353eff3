import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** The words of up to eight letters and digits that are broken within. */
const BROKEN_WORDS = `(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (parentElement.closest(".unseen")) continue;
    for (const { index, 0: word } of data.matchAll(/(?<!\\S)\\w{2,8}(?!\\S)/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      if (range.getClientRects().length > 1) broken.push(word);
    }
  }
  return broken;
})()`;

/** Gives each time the longest text that one has: what was done just now is so later too. */
const AGE = `for (const time of document.querySelectorAll("time")) time.textContent = "59 minutes ago"`;

/** No violation that axe finds, no word broken that is short, and no wider than the screen. */
export async function expectSound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => `${page.url()} ${id}: ${nodes.map(({ html }) => html).join(" ")}`),
  ).toEqual([]);
  await page.evaluate(AGE);
  expect(await page.evaluate(BROKEN_WORDS), `${page.url()} breaks short words`).toEqual([]);
  const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(beyond, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0);
}
