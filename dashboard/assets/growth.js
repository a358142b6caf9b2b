// What an operator does with a made plan, from the page about growth: undo it, forbid it, approve it;
// and with a written function or node, from the page about trials: take it back, approve it;
// and with a trained model, from the page about models: promote it, roll it back;
// and with what housekeeping proposes, from the page about knowledge: accept it, refuse it.
// Nothing is sent before the operator has agreed. The admin's key stays in this page's memory, and is
// gone with the page.
(() => {
  "use strict";

  const WORDS = { proposals: {
    accept: ["Accept proposal", "A new store is made and answers after a reload; a store is archived or merged at once, and can come back."],
    refuse: ["Refuse proposal", "It is not proposed again for the same evidence."],
  }, learned: {
    promote: ["Promote", "It answers under its name from the next request on."],
    rollback: ["Roll back", "The version that was promoted before it answers from the next request on."],
  }, routes: {
    remove: ["Take back", "It ends at once. The version before it acts again, or none does."],
    approve: ["Approve", "It acts for all requests but a control from now on."],
  }, growth: {
    remove: ["Undo", "It ends at once, and its pattern is answered as before. No other one is made for it within a week."],
    forbid: ["Forbid", "It ends at once, and none like it is made for its pattern again."],
    approve: ["Approve", "A plan that waits begins its trial; a plan on trial is adopted."],
  } };
  let key = "";
  let box = null; // the dialog, made once

  function element(tag, props, ...children) {
    const made = document.createElement(tag);
    Object.assign(made, props);
    made.append(...children);
    return made;
  }

  function dialog() {
    if (box) return box;
    const title = element("h2", { id: "grow-title" });
    const words = element("p", {});
    const field = element("input", { type: "password", autocomplete: "off" });
    const keyed = element("label", { hidden: true }, element("span", { textContent: "An admin's key" }), field);
    const status = element("p", { className: "wrong" });
    status.setAttribute("role", "status");
    const go = element("button", { type: "submit" });
    const leave = element("button", { type: "button", textContent: "Cancel" });
    const form = element("form", {}, words, keyed, status,
      element("div", { className: "acts" }, go, leave));
    const made = element("dialog", { className: "grow" }, title, form);
    made.setAttribute("aria-labelledby", "grow-title");
    leave.addEventListener("click", () => made.close());
    form.addEventListener("submit", (event) => { event.preventDefault(); carryOut(); });
    document.body.append(made);
    box = { made, title, words, field, keyed, status, go, wish: null };
    return box;
  }

  function open(of, wish) {
    const { made, title, words, status, go } = dialog();
    const [act, effect] = WORDS[of][wish.do];
    box.wish = wish;
    box.of = of;
    title.textContent = `${act} ${wish.plan}?`;
    words.textContent = effect;
    status.textContent = "";
    go.textContent = act;
    go.disabled = false;
    made.showModal();
  }

  async function carryOut() {
    const { made, field, keyed, status, go, wish, of } = box;
    if (!keyed.hidden) key = field.value.trim();
    const headers = { "content-type": "application/json" };
    if (key) headers.authorization = `Bearer ${key}`;
    go.disabled = true;
    status.textContent = "";
    let answer = null;
    let error = null;
    try {
      answer = await fetch(`/service/${of}`, {
        method: "POST", headers, cache: "no-store", body: JSON.stringify(wish),
      });
      if (answer.ok) { made.close(); return; }
      error = (await answer.json()).error;
    } catch { /* then the words below have to do */ }
    go.disabled = false;
    const words = typeof error === "string" ? error : error && error.message;
    if (answer && answer.status === 401 && typeof error === "string") { window.location.assign("/login"); return; }
    if (answer && (answer.status === 401 || answer.status === 403)) {
      const first = keyed.hidden;
      keyed.hidden = false;
      field.focus();
      if (first) return; // the field says what is missing
    }
    status.textContent = words || "The dashboard does not answer: try again.";
  }

  document.addEventListener("click", (event) => {
    const at = event.target.closest("[data-grow]");
    const of = at && at.dataset.of;
    if (at && WORDS[of] && WORDS[of][at.dataset.grow]) open(of, { do: at.dataset.grow, plan: at.dataset.plan });
  });
})();
