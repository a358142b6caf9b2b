// The playground: one prompt goes to several plans side by side. Before anything is sent that costs
// money, the viewer sees the bound and agrees. Text of models is only ever set as text, or shown by
// markdown.js. The key that pays stays in this page's memory, and is gone with the page.
(() => {
  "use strict";

  const TOGETHER = 4; // plans asked at once; a browser has six connections to a site
  const LONGEST_SHOWN = 1_000_000; // characters of one answer; the rest is counted, not shown
  const LONGEST_MARKED = 200_000; // a longer answer stays plain text
  let root = null; // made once, so that answers stay while the viewer looks at other pages
  let key = "";
  let run = null; // the run under way: its AbortController and its cards

  // -- elements ----------------------------------------------------------------------------------

  function make(tag, props = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (name === "text") made.textContent = value;
      else if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
      else if (name in made && name !== "form" && name !== "role") made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const say = (words) => { part("status").textContent = words; };

  function labelled(words, control, hint = "") {
    const label = make("label", { className: "field" }, make("span", { text: words }), control);
    if (hint) label.append(make("small", { text: hint }));
    return label;
  }

  // -- numbers -----------------------------------------------------------------------------------

  function dollars(value) {
    if (value === null || value === undefined) return "unknown";
    if (value === 0) return "$0";
    return value >= 1 ? `$${value.toFixed(2)}` : `$${Number(value.toPrecision(3))}`;
  }
  const chance = (value) => (value === undefined ? "–" : `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`);
  const millis = (value) => (value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`);

  // -- the service -------------------------------------------------------------------------------

  class Refused extends Error {
    constructor(status, message) { super(message); this.status = status; }
  }

  async function send(name, body, signal) {
    const headers = {};
    if (body) headers["content-type"] = "application/json";
    if (key) headers.authorization = `Bearer ${key}`;
    const options = { method: body ? "POST" : "GET", headers, cache: "no-store", signal };
    if (body) options.body = JSON.stringify(body);
    let answer = null;
    try {
      answer = await fetch("/service/" + name, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, "The dashboard does not answer.");
    }
    if (answer.ok) return answer;
    let error = null;
    try { error = (await answer.json()).error; } catch { /* no JSON: the status has to do */ }
    if (answer.status === 401 && typeof error === "string") window.location.assign("/login");
    const words = typeof error === "string" ? error : error && error.message;
    if (answer.status === 401) part("payer").hidden = false;
    throw new Refused(answer.status, words || `The service answered ${answer.status}.`);
  }

  // -- plans -------------------------------------------------------------------------------------

  async function loadPlans() {
    const place = part("plans");
    try {
      const models = await (await send("models")).json();
      const plans = models.data.filter((model) => model.owned_by === "plan").map((model) => model.id);
      const chosen = new Set([...place.querySelectorAll("input:checked")].map((box) => box.value));
      const first = place.querySelector("input") === null;
      place.replaceChildren(...plans.map((plan) => make("label", { className: "choice" },
        make("input", { type: "checkbox", value: plan, checked: first || chosen.has(plan) }),
        make("span", { text: plan }))));
      if (!plans.length) place.append(make("p", { text: "The service has no plans: add some to waggle.yaml." }));
      say("");
    } catch (error) {
      place.replaceChildren(make("p", { className: "wrong", text: error.message }));
      if (error.status === 401) say("Give the key that pays, then load the plans.");
    }
  }

  const chosenPlans = () => [...part("plans").querySelectorAll("input:checked")].map((box) => box.value);

  function question() {
    const prompt = part("prompt").value;
    if (!prompt.trim()) {
      part("prompt").setAttribute("aria-invalid", "true");
      part("prompt").focus();
      say("The prompt is empty: write one.");
      return null;
    }
    part("prompt").removeAttribute("aria-invalid");
    const most = Number.parseInt(part("most").value, 10);
    if (!(most >= 1 && most <= 100_000)) {
      part("most").focus();
      say("The longest answer must be from 1 to 100,000 tokens.");
      return null;
    }
    return { prompt, system: part("system").value, max_tokens: most };
  }

  // -- why `auto` would choose which -------------------------------------------------------------

  const oddsOf = (route) => (route.shadow ? route.shadow.odds : route.probabilities);

  function explain(route) {
    const auto = route.shadow || route; // in the shadow, what auto would have chosen
    const odds = oddsOf(route);
    const expected = new Map((route.expected || []).map((row) => [row.plan, row]));
    const names = [...Object.keys(odds).sort((a, b) => odds[b] - odds[a]), ...Object.keys(route.ineligible)];
    const head = ["plan", "chance", "quality", "cost", "seconds", "utility", "at most", ""];
    const rows = names.map((plan) => {
      const row = expected.get(plan);
      const estimate = row
        ? [`${row.quality.toFixed(2)} ± ${row.interval.toFixed(2)}`, dollars(row.cost_usd),
           row.seconds.toFixed(1), row.utility.toFixed(3)]
        : ["–", "–", "–", "–"];
      const why = route.ineligible[plan] ? `cannot: ${route.ineligible[plan]}` : "";
      return [plan, chance(odds[plan]), ...estimate, dollars(route.most_usd[plan]), why];
    });
    const line = (tag, cells) => make("tr", {}, ...cells.map((text, at) => make(tag, {
      text, ...(tag === "th" ? { scope: "col" } : {}), className: at > 0 && at < 7 ? "number" : "",
    })));
    const table = make("table", {}, make("thead", {}, line("th", head)),
      make("tbody", {}, ...rows.map((cells) => line("td", cells))));
    part("why").replaceChildren(
      make("h2", { text: "What would auto do?" }),
      make("p", { text: `auto would choose ${auto.plan} (${auto.strategy}): ${route.reason}.` }),
      make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "each plan's chance and estimates" }, table),
      make("p", { className: "note", text: "quality, cost, seconds and utility are what the learner expects; they are missing until it has learned. “At most” is the bound of one answer." }),
    );
    part("why").hidden = false;
  }

  async function route(signal) {
    const asked = question();
    if (!asked) return null;
    try {
      const answer = await (await send("route", asked, signal)).json();
      explain(answer);
      return { asked, route: answer };
    } catch (error) {
      say(error.name === "AbortError" ? "Cancelled: nothing was sent." : error.message);
      part("why").hidden = true;
      return null;
    }
  }

  // -- consent -----------------------------------------------------------------------------------

  // Resolves to whether the viewer agrees to spend. Where nothing can cost, nobody is asked.
  function consent(plans, most) {
    const costs = plans.map((plan) => [plan, most[plan] ?? null]);
    if (costs.every(([, usd]) => usd === 0)) return Promise.resolve(true);
    const known = costs.reduce((sum, [, usd]) => sum + (usd || 0), 0);
    const unknown = costs.filter(([, usd]) => usd === null).map(([plan]) => plan);
    const box = part("consent");
    const words = [`This run costs at most ${dollars(known)}.`];
    if (unknown.length) words[0] = `This run costs at most ${dollars(known)}, and what these cost is unknown: ${unknown.join(", ")}.`;
    part("consent-words").textContent = words[0];
    part("consent-list").replaceChildren(...costs.map(([plan, usd]) => make("li", {
      text: usd === 0 ? `${plan}: costs nothing` : usd === null ? `${plan}: its price is unknown` : `${plan}: at most ${dollars(usd)}`,
    })));
    return new Promise((resolve) => {
      box.returnValue = "";
      box.addEventListener("close", () => resolve(box.returnValue === "spend"), { once: true });
      box.showModal();
    });
  }

  // -- answers -----------------------------------------------------------------------------------

  function card(plan, odds) {
    const body = make("div", { className: "scroll answer", tabIndex: 0, role: "region", "aria-label": `answer of ${plan}` });
    const facts = make("p", { className: "quiet facts", text: "waiting" });
    const acts = make("div", { className: "acts" });
    const title = make("h3", { text: plan });
    if (odds !== undefined) title.append(make("span", { className: "quiet", text: ` auto: ${chance(odds)}` }));
    const element = make("section", { className: "panel", "aria-label": plan }, make("header", {}, title, acts), body, facts);
    element.dataset.plan = plan;
    element.dataset.state = "waiting";
    return { plan, element, body, facts, acts, stop: new AbortController() };
  }

  async function* events(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let kept = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const pieces = (kept + value).split("\n\n");
      kept = pieces.pop();
      for (const piece of pieces) {
        const data = piece.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
        if (data && data !== "[DONE]") yield JSON.parse(data);
      }
    }
  }

  // One plan's answer. A failure is shown in its own card, and hides nothing of the others.
  async function answer(place, asked, most) {
    const begun = performance.now();
    const coming = document.createTextNode("");
    const seen = { text: "", characters: 0, first: 0, usage: null, finish: "", headers: null, note: {} };
    place.element.dataset.state = "answering";
    place.facts.textContent = "asked …";
    place.body.replaceChildren(make("pre", { className: "coming" }, coming));
    const stop = make("button", { type: "button", text: "stop", "aria-label": `stop ${place.plan}`, on: { click: () => place.stop.abort() } });
    place.acts.replaceChildren(stop);
    try {
      const body = { ...asked, plan: place.plan, most_usd: most };
      const got = await send("answer", body, place.stop.signal);
      seen.headers = got.headers;
      for await (const event of events(got)) {
        if (event.error) throw new Refused(0, event.error.message || String(event.error));
        if (event.usage) seen.usage = event.usage;
        if (event.waggle) seen.note = event.waggle;
        for (const choice of event.choices || []) {
          seen.finish = choice.finish_reason || seen.finish;
          const words = (choice.delta && choice.delta.content) || "";
          if (!words) continue;
          seen.first = seen.first || performance.now() - begun;
          seen.characters += words.length;
          const shown = words.slice(0, LONGEST_SHOWN - seen.text.length);
          seen.text += shown;
          coming.appendData(shown);
        }
      }
      finished(place, seen, performance.now() - begun);
    } catch (error) {
      const stopped = error.name === "AbortError";
      place.element.dataset.state = stopped ? "stopped" : "failed";
      place.acts.replaceChildren();
      place.facts.textContent = stopped
        ? "Stopped. What was written until then may cost."
        : "Failed.";
      if (!stopped) place.body.append(make("p", { className: "wrong", text: error.message }));
    }
    return seen.usage ? seen.usage.cost : null;
  }

  function finished(place, seen, total) {
    const cost = seen.usage ? seen.usage.cost : null;
    const header = (name) => seen.headers.get("x-waggle-" + name) || "";
    const facts = [`${dollars(cost)}${seen.usage && seen.usage.cost_estimated ? " (estimated)" : ""}`,
      `${millis(total)}, first word ${seen.first ? millis(seen.first) : "–"}`];
    if (seen.usage && seen.usage.completion_tokens !== undefined) facts.push(`${seen.usage.completion_tokens} tokens`);
    const backend = seen.note.backend || header("backend");
    if (backend && backend !== place.plan) facts.push(`by ${backend}`);
    const verified = seen.note.verified ? seen.note.verified.level : header("verified");
    if (verified) facts.push(`verified: ${verified}`);
    if (seen.note.partial) facts.push(`partial: ${seen.note.reason || seen.note.partial}`);
    if (seen.finish === "length") facts.push("cut off at the longest answer");
    if (seen.characters > seen.text.length) facts.push(`${seen.characters} characters, of which the first ${seen.text.length} are shown`);
    place.facts.textContent = facts.join(" · ");
    place.element.dataset.state = "done";
    const shown = seen.text.length && seen.text.length <= LONGEST_MARKED;
    let marked = shown;
    const put = () => {
      const plain = make("pre", { className: "coming", text: seen.text || "(an empty answer)" });
      place.body.replaceChildren(marked ? window.waggle_markdown(seen.text) : plain);
    };
    put();
    const raw = make("button", { type: "button", text: "plain text", "aria-pressed": "false" });
    raw.setAttribute("aria-label", `plain text of ${place.plan}`);
    raw.addEventListener("click", () => {
      marked = !marked;
      raw.setAttribute("aria-pressed", String(!marked));
      put();
    });
    place.acts.replaceChildren(...thumbs(place, header("request-id")), ...(shown ? [raw] : []));
  }

  function thumbs(place, request_id) {
    if (!request_id) return [];
    const pair = ["up", "down"].map((way) => make("button", {
      type: "button", text: way === "up" ? "▲ good" : "▼ bad", "aria-pressed": "false",
      "aria-label": `${way === "up" ? "good" : "bad"} answer of ${place.plan}`,
    }));
    pair.forEach((button, at) => button.addEventListener("click", async () => {
      const way = at === 0 ? "up" : "down";
      try {
        await send("feedback", { request_id, thumbs: way });
        pair.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        say(`Noted: ${place.plan}, thumb ${way}. The learner learns from it.`);
      } catch (error) {
        say(`Not noted: ${error.message}`);
      }
    }));
    return pair;
  }

  // -- a run -------------------------------------------------------------------------------------

  async function ask() {
    if (run) return;
    const asked = question();
    if (!asked) return;
    const plans = chosenPlans();
    if (!plans.length) { say("No plan is chosen: choose at least one."); return; }
    const mine = { cards: [], stop: new AbortController() };
    run = mine;
    busy(true);
    try {
      const routed = await route(mine.stop.signal);
      if (!routed) return;
      const { most_usd: most, ineligible } = routed.route;
      const able = plans.filter((plan) => !(plan in ineligible));
      const odds = oddsOf(routed.route);
      if (!able.length) { say("None of the chosen plans can answer this: the table says why."); return; }
      if (!(await consent(able, most))) { say("Nothing was sent, nothing was spent."); return; }
      mine.cards = able.map((plan) => card(plan, odds[plan]));
      part("answers").replaceChildren(...mine.cards.map((each) => each.element));
      part("results").hidden = false;
      await askAll(mine, asked, most);
    } finally {
      run = null;
      busy(false);
    }
  }

  async function askAll(mine, asked, most) {
    const waiting = [...mine.cards];
    const costs = [];
    const count = (state) => mine.cards.filter((each) => each.element.dataset.state === state).length;
    const worker = async () => {
      for (let place = waiting.shift(); place; place = waiting.shift()) {
        if (mine.stop.signal.aborted) {
          place.element.dataset.state = "stopped";
          place.facts.textContent = "Not sent.";
          continue;
        }
        costs.push(await answer(place, asked, most[place.plan] ?? null));
        say(`${place.plan} ${place.element.dataset.state}. ${count("done")} of ${mine.cards.length} done.`);
      }
    };
    mine.stop.signal.addEventListener("abort", () => mine.cards.forEach((each) => each.stop.abort()));
    await Promise.all(Array.from({ length: TOGETHER }, worker));
    const unknown = costs.some((usd) => usd === null || usd === undefined) || costs.length < mine.cards.length;
    const sum = costs.reduce((total, usd) => total + (usd || 0), 0);
    say(`${count("done")} of ${mine.cards.length} answered. Cost: ${dollars(sum)}${unknown ? " and what is unknown" : ""}.`);
  }

  function busy(now) {
    part("ask").disabled = now;
    part("look").disabled = now;
    part("cancel").hidden = !now;
    if (now) say("Asking …");
  }

  // -- the page ----------------------------------------------------------------------------------

  function built() {
    const data = (name) => ({ "data-part": name });
    const prompt = make("textarea", { ...data("prompt"), rows: 5, maxLength: 500_000, "aria-required": "true", "aria-keyshortcuts": "Control+Enter" });
    const system = make("textarea", { ...data("system"), rows: 2 });
    const most = make("input", { ...data("most"), type: "number", min: 1, max: 100_000, value: "1024" });
    const secret = make("input", { ...data("key"), type: "password", autocomplete: "off", spellcheck: false });
    const form = make("form", { className: "panel whole", "aria-label": "what to ask", noValidate: true },
      labelled("Prompt", prompt, "Control+Enter asks."),
      make("details", {}, make("summary", { text: "System prompt and length" }),
        labelled("System prompt", system),
        labelled("Longest answer, in tokens", most, "It bounds what an answer can cost.")),
      make("div", { ...data("payer"), className: "payer", hidden: true },
        labelled("Key that pays", secret, "A key with the scope app or admin. It stays in this page."),
        make("button", { ...data("load"), type: "button", text: "load the plans", on: { click: () => { key = secret.value.trim(); loadPlans(); } } })),
      make("fieldset", {}, make("legend", { text: "Plans" }), make("div", { ...data("plans"), className: "choices" })),
      make("div", { className: "acts" },
        make("button", { ...data("ask"), type: "submit", text: "ask" }),
        make("button", { ...data("look"), type: "button", text: "what would auto do?", on: { click: () => { say(""); route(); } } }),
        make("button", { ...data("cancel"), type: "button", text: "cancel", hidden: true, on: { click: () => run && run.stop.abort() } })),
      make("p", { ...data("status"), role: "status" }));
    secret.addEventListener("input", () => { key = secret.value.trim(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
    prompt.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); }
    });
    const consentBox = make("dialog", { ...data("consent"), "aria-labelledby": "consent-title" },
      make("form", { method: "dialog" },
        make("h2", { id: "consent-title", text: "Spend money?" }),
        make("p", data("consent-words")), make("ul", data("consent-list")),
        make("div", { className: "acts" },
          make("button", { value: "cancel", text: "spend nothing", autofocus: true }),
          make("button", { value: "spend", text: "spend at most this" }))));
    return make("div", { className: "panels playground" }, form,
      make("section", { ...data("why"), className: "panel whole", hidden: true, "aria-label": "what auto would do" }),
      make("section", { ...data("results"), className: "whole", hidden: true, "aria-label": "answers" },
        make("h2", { text: "Answers" }), make("div", { ...data("answers"), className: "panels" })),
      consentBox);
  }

  window.waggle_playground = {
    show(place) {
      if (!root) {
        root = built();
        loadPlans();
      }
      if (root.parentElement !== place) place.replaceChildren(root);
    },
  };
})();
