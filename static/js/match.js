// A match asked again in place. The forms work by themselves; here the answer is fetched, the parts of the page marked
// data-part are changed for its own, and the address becomes the new receipt's. What is asked is a receipt each time,
// so a form marked data-live waits until whoever types pauses.

const TYPED_MS = 900;
const CHOSEN_MS = 300;
const SLOW_MS = 600;
const GIVE_UP_MS = 20000;

export function enhance(match) {
  const status = match.querySelector("[data-match-status]");
  const trouble = match.querySelector("[data-match-trouble]");
  let asking;
  let shown = location.pathname;
  let again;

  const results = () => match.querySelector("#match-results");
  const waits = new WeakMap();
  for (const form of match.querySelectorAll("[data-live]")) form.dataset.sent = sentOf(form);

  function later(form, wait) {
    clearTimeout(waits.get(form));
    waits.set(form, setTimeout(() => form.requestSubmit(), wait));
  }

  match.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-again]")) return;
    event.preventDefault();
    clearTimeout(waits.get(form));
    const { submitter } = event;
    ask(form.action, { method: "POST", body: new FormData(form, submitter) }, form, () => plainly(form, submitter));
  });
  for (const [name, wait] of [["input", TYPED_MS], ["change", CHOSEN_MS]]) {
    match.addEventListener(name, (event) => {
      const form = event.target.form;
      if (!form?.matches("[data-live]")) return;
      // Leaving a field after typing is a change too: nothing is asked twice for it.
      if (name === "change" && event.target.type !== "checkbox" && sentOf(form) === form.dataset.sent) return;
      later(form, event.target.type === "checkbox" ? CHOSEN_MS : wait);
    });
  }
  addEventListener("popstate", () => {
    if (location.pathname !== shown) ask(location.href, {}, null, () => location.reload());
  });
  trouble.querySelector("button").addEventListener("click", () => again?.());

  async function ask(url, how, form, otherwise) {
    asking?.abort();
    const mine = (asking = new AbortController());
    again = () => ask(url, how, form, otherwise);
    const slow = setTimeout(() => (status.textContent = status.dataset.slow), SLOW_MS);
    const enough = setTimeout(() => mine.abort("late"), GIVE_UP_MS);
    results().setAttribute("aria-busy", "true");
    for (const live of match.querySelectorAll("[data-live]")) {
      clearTimeout(waits.get(live));
      live.dataset.sent = sentOf(live);
    }
    try {
      const answer = await fetch(url, { ...how, signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asking) return;
      trouble.hidden = true;
      if (answer.status === 422 && form) refuse(form, page);
      else if (answer.ok && page.querySelector("#match-results")) draw(page, answer.url, how.method === "POST");
      else otherwise();
    } catch {
      if (mine !== asking) return;
      status.textContent = "";
      trouble.hidden = false;
    } finally {
      clearTimeout(slow);
      clearTimeout(enough);
      if (mine === asking) results().removeAttribute("aria-busy");
    }
  }

  function draw(page, url, isNew) {
    const keep = remember();
    for (const part of page.querySelectorAll("[data-part]")) document.getElementById(part.id)?.replaceWith(document.adoptNode(part));
    for (const form of match.querySelectorAll("form[data-live]")) settle(form, page.getElementById(form.id));
    document.title = page.title;
    shown = new URL(url).pathname;
    if (isNew) history.pushState(null, "", shown);
    const next = document.querySelector('form.lang input[name="next"]');
    if (next) next.value = shown;
    keep();
    status.textContent = results().dataset.said;
    document.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
  }

  // What is wrong stands beside its field; the list stays what it was.
  function refuse(form, page) {
    const answered = page.getElementById(form.id);
    if (!answered) return;
    settle(form, answered, true);
    const errors = [...form.querySelectorAll(".field-error")];
    status.textContent = errors.map((error) => error.textContent.trim()).join(" ");
  }

  // The part in which somebody is keeps them: what is open, what was typed beside a choice, where the focus is.
  function remember() {
    const focus = document.activeElement;
    const inPart = focus?.closest("[data-part]");
    const open = [...match.querySelectorAll("[data-part] details[id][open]")].map((fold) => fold.id);
    const side = match.querySelector("[data-listmap]")?.dataset.showing;
    const note = match.querySelector("#note")?.value;
    const reasons = [...match.querySelectorAll('#choice input[name="reasons"]:checked')].map((box) => box.value);
    return () => {
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      const pair = match.querySelector("[data-listmap]");
      if (pair && side) pair.dataset.showing = side;
      const field = match.querySelector("#note");
      if (field && note) field.value = note;
      for (const box of match.querySelectorAll('#choice input[name="reasons"]')) box.checked ||= reasons.includes(box.value);
      if (inPart) (document.getElementById(focus.id || "options-title") ?? document.getElementById("options-title"))?.focus();
    };
  }
}

const sentOf = (form) => new URLSearchParams(new FormData(form)).toString();

// The fields of a form as the server answered them, unless somebody wrote on while it did.
function settle(form, answered, isRefused = false) {
  if (!answered) return;
  form.action = answered.action;
  if (form.dataset.sent !== undefined && form.dataset.sent !== sentOf(form)) return;
  const fields = [...form.querySelectorAll(".field")];
  const others = [...answered.querySelectorAll(".field")];
  fields.forEach((field, place) => {
    const other = others[place];
    if (!other) return;
    if (field.classList.contains("has-error") || other.classList.contains("has-error")) {
      const focus = field.contains(document.activeElement) ? document.activeElement.id : null;
      field.replaceWith(document.adoptNode(other));
      if (focus) document.getElementById(focus)?.focus();
    } else if (!isRefused) {
      const now = other.querySelector("input");
      const before = field.querySelector("input");
      if (before.value !== now.value) before.value = now.value;
      before.checked = now.checked;
    }
  });
  form.dataset.sent = sentOf(form);
}

// As without this script: the browser sends the form and shows what the server answers.
function plainly(form, submitter) {
  if (submitter?.name) {
    const pressed = document.createElement("input");
    Object.assign(pressed, { type: "hidden", name: submitter.name, value: submitter.value });
    form.append(pressed);
  }
  form.submit();
}
