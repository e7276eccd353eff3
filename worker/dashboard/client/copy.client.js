// The buttons that copy what stands before them.

/** ms for which a button says that it has copied. */
const COPIED_MS = 2000;

document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element ? target.closest("button.copy") : null;
  const source = button?.previousElementSibling;
  const word = button?.firstChild;
  if (!source || !word) return;
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(source.textContent ?? "");
  } catch {
    // A browser may keep its clipboard to itself.
    getSelection()?.selectAllChildren(source);
    done = "Selected";
  }
  word.textContent = done;
  tell(`${done}: ${button.querySelector(".unseen")?.textContent?.trim()}`);
  setTimeout(() => {
    word.textContent = "Copy";
    tell("");
  }, COPIED_MS);
});

/** @param {string} text */
function tell(text) {
  const note = document.querySelector("#copy-note");
  if (note !== null) note.textContent = text;
}

document.documentElement.classList.add("scripted");
