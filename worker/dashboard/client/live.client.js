// Keeps what a page shows up to date: the Worker says what changed, and the page is asked for again. What is live is marked with `data-live`, the
// topics of live.tsx; a part that has another source names it in `data-from`.

/** How often a page asks in a row, and ms until it may once more: a mesh in which something changes all the time must not use up the free plan's day. */
const ASKING = { most: 10, againMs: 60_000 };

/** ms after which a socket is opened: whoever clicks on at once needs none. */
const OPEN_MS = 1000;

/** ms between two signs of life, and that an answer may take. */
const SIGN_MS = { every: 50_000, wait: 10_000 };

/** ms until a lost socket is opened again: at first and at most, less some of it at random, so that not all come at once. */
const RECONNECT_MS = { first: 1000, longest: 60_000 };

/** ms for which a socket has to be open to count as one. */
const STEADY_MS = 10_000;

/** ms for which a page that nobody sees keeps its socket. */
const HIDDEN_MS = 30_000;

/** With which the Worker closes a socket whose session is over. */
const OVER = 4401;

const NOT_LIVE = "This page is not live: load it again to see what is new.";

class LivePage {
  /** @type {WebSocket | undefined} */
  #socket;
  /** Times in a row that a socket was lost, or did not open. */
  #failures = 0;
  /** What changed and is not asked for yet; `all`: nobody knows.
   * @type {Set<string>} */
  #news = new Set();
  #isAsking = false;
  /** How often it may ask at once. */
  #left = ASKING.most;
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /** Opens a socket while somebody sees the page, and ends it when nobody has for a while. */
  watch() {
    const shown = () => {
      if (document.hidden) return this.#after("hide", HIDDEN_MS, () => this.#close());
      this.#cancel("hide");
      this.#askSoon();
      if (this.#socket === undefined) this.#after("open", OPEN_MS, () => this.#open());
    };
    document.addEventListener("visibilitychange", shown);
    // A browser that keeps a page for the way back keeps none with a socket.
    addEventListener("pagehide", () => this.#close());
    addEventListener("pageshow", shown);
    setInterval(() => {
      this.#left = Math.min(ASKING.most, this.#left + 1);
      this.#askSoon();
    }, ASKING.againMs);
  }

  #open() {
    if (this.#socket !== undefined || document.hidden) return;
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/v1/live`);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      say("");
      this.#sign();
      // One that is closed as soon as it is open is no better than none.
      this.#after("steady", STEADY_MS, () => {
        this.#failures = 0;
      });
      this.#changed(["all"]);
    });
    socket.addEventListener("message", ({ data }) => {
      this.#cancel("unanswered");
      if (data !== "pong") this.#changed(JSON.parse(data).changed);
    });
    // What becomes of one that was given up is nobody's matter.
    socket.addEventListener("close", ({ code }) => socket === this.#socket && this.#lost(code));
  }

  #sign() {
    this.#after("sign", SIGN_MS.every, () => {
      this.#socket?.send("ping");
      this.#after("unanswered", SIGN_MS.wait, () => this.#lost(0));
      this.#sign();
    });
  }

  #close() {
    const socket = this.#socket;
    this.#socket = undefined;
    for (const name of ["open", "steady", "sign", "unanswered"]) this.#cancel(name);
    socket?.close();
  }

  /** @param {number} code with which it was closed */
  #lost(code) {
    this.#close();
    this.#failures++;
    // A request for a socket is refused without a word: the page's own says whether the session is over.
    if (code === OVER || this.#failures === 1) this.#changed(["all"]);
    if (this.#failures > 1) say(NOT_LIVE);
    const longest = Math.min(RECONNECT_MS.longest, RECONNECT_MS.first * 2 ** this.#failures);
    this.#after("open", longest * (0.5 + Math.random() / 2), () => this.#open());
  }

  /** @param {readonly string[]} topics */
  #changed(topics) {
    for (const topic of topics) this.#news.add(topic);
    this.#askSoon();
  }

  #askSoon() {
    if (this.#news.size === 0 || this.#isAsking || this.#left === 0 || document.hidden) return;
    const places = new Set(
      regions()
        .filter(({ dataset: { live = "" } }) =>
          ["all", ...live.split(" ")].some((topic) => this.#news.has(topic)),
        )
        .map(({ dataset: { from } }) => from ?? location.href),
    );
    this.#news.clear();
    if (places.size === 0) return;
    this.#isAsking = true;
    this.#left--;
    void Promise.all([...places].map(renew)).then((isRenewed) => {
      this.#isAsking = false;
      if (isRenewed.includes(false)) say(NOT_LIVE);
      else if (this.#socket?.readyState === WebSocket.OPEN) say("");
      this.#askSoon();
    });
  }

  /** Does it so many ms later, in place of what was to be done under that name.
   * @param {string} name
   * @param {number} ms
   * @param {() => void} work */
  #after(name, ms, work) {
    this.#cancel(name);
    this.#timers.set(name, setTimeout(work, ms));
  }

  /** @param {string} name */
  #cancel(name) {
    clearTimeout(this.#timers.get(name));
  }
}

/** @returns {HTMLElement[]} */
function regions() {
  return [...document.querySelectorAll("[data-live]")].filter((region) => region instanceof HTMLElement);
}

/** Asks for what is shown from that place, and shows it. Whether there is such a thing still.
 * @param {string} place
 * @returns {Promise<boolean>} */
async function renew(place) {
  const answer = await ask(place);
  if (answer === undefined) return false;
  const fresh = new DOMParser().parseFromString(answer.text, "text/html");
  const shown = regions().filter(({ dataset: { from } }) => (from ?? location.href) === place);
  const found = shown.map(({ id }) => fresh.querySelector(`#${id}[data-live]`));
  if (!answer.ok || found.includes(null)) {
    if (isSessionOver(answer) && place === location.href) location.reload();
    return false;
  }
  for (const [at, region] of shown.entries())
    Idiomorph.morph(region, [...(found[at]?.childNodes ?? [])], MORPH);
  if (place === location.href) document.title = fresh.title;
  return true;
}

/** The answer with its text; undefined when none comes.
 * @param {string} place */
async function ask(place) {
  try {
    const answer = await fetch(place, { headers: { Accept: "text/html" }, redirect: "manual" });
    const { ok, type, status } = answer;
    return { ok, type, status, text: await answer.text() };
  } catch {
    return undefined;
  }
}

/** Whether an answer that is not the page leads to the way in, where nothing is live.
 * @param {Pick<Response, "type" | "status">} answer */
function isSessionOver({ type, status }) {
  return type === "opaqueredirect" || status === 200 || status === 401;
}

/** What somebody has made of the page stays: forms with something in them, what is opened, and parts that come from elsewhere.
 * @type {NonNullable<Parameters<typeof Idiomorph.morph>[2]>} */
const MORPH = {
  morphStyle: "innerHTML",
  callbacks: {
    beforeNodeMorphed: (node) =>
      !(node instanceof Element) || !(node.hasAttribute("data-from") || isInUse(node)),
    beforeNodeRemoved: (node) =>
      !(node instanceof Element) || ![node, ...node.querySelectorAll("form")].some(isInUse),
    beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
  },
};

/** @param {Element} form */
function isInUse(form) {
  if (!(form instanceof HTMLFormElement)) return false;
  const { activeElement } = document;
  const isAt = form.contains(activeElement) && !(activeElement instanceof HTMLButtonElement);
  return isAt || [...form.elements].some(isFilledIn);
}

/** Whether somebody has put something else into the field than the page came with.
 * @param {Element} field */
function isFilledIn(field) {
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    const chosen = Math.max(
      0,
      options.findIndex(({ defaultSelected }) => defaultSelected),
    );
    return field.selectedIndex !== chosen;
  }
  if (field instanceof HTMLInputElement)
    return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  return field instanceof HTMLTextAreaElement && field.value !== field.defaultValue;
}

/** @param {string} text */
function say(text) {
  const note = document.querySelector("#live-note");
  if (note !== null && note.textContent !== text) note.textContent = text;
}

if (regions().length > 0) new LivePage().watch();
