// Asks in a native dialog before a form with data-confirm (the dialog's id) is sent.

export function enhance(form) {
  const dialog = document.getElementById(form.dataset.confirm);
  let submitter = null;
  let confirmed = false;
  form.addEventListener("submit", (event) => {
    if (confirmed) return;
    event.preventDefault();
    submitter = event.submitter;
    dialog.returnValue = "no";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    confirmed = true;
    form.requestSubmit(submitter);
  });
}
