// Turns a long <select data-picker> into a search-as-you-type box (accessible-autocomplete).
// An option's data-words holds further words it is found by. The select stays, hidden, and is what is sent.

import { addStyle, loadScript } from "./vendor.js";

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export async function enhance(select) {
  addStyle("accessible-autocomplete/accessible-autocomplete.min.css");
  await loadScript("accessible-autocomplete/accessible-autocomplete.min.js");
  const options = [...select.options].filter((option) => option.value);
  const entries = options.map((option) => ({
    label: option.text,
    words: fold(`${option.text} ${option.dataset.words ?? ""} ${option.closest("optgroup")?.label ?? ""}`),
  }));
  // The box drops aria-describedby while someone types, so hint and error go into the help it reads out itself.
  const described = (select.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
  const help = [...described.map((part) => document.getElementById(part)?.textContent.trim()), select.dataset.pickerHelp];
  const invalid = select.getAttribute("aria-invalid");
  const id = select.id;

  window.accessibleAutocomplete.enhanceSelectElement({
    selectElement: select,
    autoselect: false,
    confirmOnBlur: false,
    showAllValues: true,
    displayMenu: "overlay",
    // What no choice means, as "All help".
    placeholder: [...select.options].find((option) => !option.value)?.text ?? "",
    defaultValue: select.value ? select.selectedOptions[0].text : "",
    source(query, populate) {
      const wanted = fold(query).split(/\s+/).filter(Boolean);
      populate(entries.filter((entry) => wanted.every((word) => entry.words.includes(word))).map((entry) => entry.label));
    },
    onConfirm(label) {
      const chosen = options.find((option) => option.text === label);
      if (!chosen) return;
      select.value = chosen.value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    },
    tNoResults: () => select.dataset.pickerNone,
    tStatusNoResults: () => select.dataset.pickerNone,
    tStatusQueryTooShort: () => select.dataset.pickerHelp,
    tStatusResults: (count) => `${select.dataset.pickerCount} ${count}`,
    tStatusSelectedOption: (label, count, index) => `${label}, ${index + 1} / ${count}`,
    tAssistiveHint: () => help.filter(Boolean).join(" "),
  });

  const input = document.getElementById(id);
  if (invalid) input.setAttribute("aria-invalid", invalid);
  // Words that match nothing must not send the choice made before them.
  input.addEventListener("input", () => {
    const exact = options.find((option) => option.text === input.value);
    select.value = exact ? exact.value : "";
  });
}
