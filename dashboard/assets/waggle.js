// The browser's part: once a second fetch the view that the URL describes, and give each changed
// panel its new content. Dragging, buttons and filters change the URL. Text from telemetry is only
// ever set as text.
(() => {
  "use strict";

  const PLACES = { tags: new Map(), sql: new Map() };
  let busy = null; // the fetch under way, with its URL
  let paused = false;
  let newest = null;
  let shown = { name: "live", words: "" }; // the state that the last full answer gave
  let seen = ""; // the view that was shown last
  let span = null; // start and end of that view

  const byId = (id) => document.getElementById(id);
  const query = () => new URLSearchParams(window.location.search);
  const page = () => window.location.pathname.replace(/^\/+|\/+$/g, "") || "learning";

  function theme() {
    const chosen = query().get("theme");
    if (chosen === "dark" || chosen === "light") return chosen;
    let kept = null;
    try { kept = window.localStorage.getItem("theme"); } catch { /* storage may be denied */ }
    if (kept === "dark" || kept === "light") return kept;
    return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  // Go to the same view with some values changed; an empty value is removed.
  function go(changes) {
    const next = query();
    const target = changes.page ?? page();
    for (const [name, value] of Object.entries(changes)) {
      if (name === "page") continue;
      if (value) next.set(name, value); else next.delete(name);
    }
    if (changes.page && changes.page !== page()) {
      for (const name of ["find", "pattern", "outcome", "tier", "strategy"]) {
        if (!(name in changes)) next.delete(name);
      }
      if (!("request" in changes)) next.delete("request");
    }
    const search = next.toString();
    dash_clientside.set_props("url", { pathname: "/" + target, search: search ? "?" + search : "" });
  }

  function say(words) {
    const toast = byId("toast");
    if (!toast) return;
    toast.textContent = words;
    toast.classList.add("shown");
    window.clearTimeout(say.timer);
    say.timer = window.setTimeout(() => toast.classList.remove("shown"), 2500);
  }

  function state(name, words) {
    const place = byId("state");
    if (!place) return;
    const label = { live: "● live", paused: "‖ paused", missing: "○ no telemetry",
                    failed: "! trouble", away: "✗ dashboard does not answer" }[name] || name;
    if (place.textContent !== label) place.textContent = label;
    place.className = "state " + name;
    place.title = words || "";
  }

  function ago() {
    const place = byId("fresh");
    if (!place) return;
    if (!newest) { place.textContent = "no request yet"; return; }
    const seconds = Math.max(0, (Date.now() - newest) / 1000);
    const age = seconds < 90 ? `${Math.round(seconds)} s`
      : seconds < 5400 ? `${Math.round(seconds / 60)} min`
      : seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
    place.textContent = `newest request ${age} ago`;
  }

  function brushed(graph, event) {
    if (!graph.layout || !graph.layout.meta || !graph.layout.meta.brush) return;
    const [start, end] = [event["xaxis.range[0]"], event["xaxis.range[1]"]];
    if (start && end) {
      const iso = (moment) => String(moment).replace(" ", "T").slice(0, 19);
      go({ from: iso(start), to: iso(end), last: "" });
    } else if (event["xaxis.autorange"]) {
      go({ from: "", to: "" });
    }
  }

  function listen(id, tries) {
    const place = byId("g-" + id);
    const graph = place && place.querySelector(".js-plotly-plot");
    if (!graph || !graph.on) {
      if (tries > 0) window.setTimeout(() => listen(id, tries - 1), 100);
      return;
    }
    if (graph.dataset.listens) return;
    graph.dataset.listens = "1";
    graph.on("plotly_relayout", (event) => brushed(graph, event));
  }

  // Numbers, tables and texts become plain elements. A thousand table cells appear at once; as Dash
  // components they took seconds. Text is set as text, and only these tags and attributes are made.
  const TAGS = new Set(["a", "button", "code", "dd", "details", "div", "dl", "dt", "h3", "p", "pre", "span",
                        "strong", "summary", "table", "tbody", "td", "th", "thead", "tr"]);
  const PROPS = { className: "class", tabIndex: "tabindex", role: "role", href: "href", open: "open",
                  scope: "scope" };

  function built(part) {
    const made = document.createDocumentFragment();
    if (part === null || part === undefined) return made;
    if (Array.isArray(part)) {
      for (const piece of part) made.append(built(piece));
    } else if (typeof part === "object") {
      const tag = part.type.toLowerCase();
      if (!TAGS.has(tag)) return made;
      const element = document.createElement(tag);
      for (const [name, value] of Object.entries(part.props)) {
        const attribute = PROPS[name] || (/^(data|aria)-[a-z]+$/.test(name) ? name : "");
        if (attribute && value !== false && value !== null) {
          element.setAttribute(attribute, value === true ? "" : value);
        }
      }
      element.append(built(part.props.children));
      made.append(element);
    } else {
      made.append(String(part));
    }
    return made;
  }

  // Replace the content of a place, and keep what the reader scrolled, opened and focused.
  function put(place, part) {
    const scrolled = [...place.querySelectorAll(".scroll")].map((box) => [box.scrollTop, box.scrollLeft]);
    const opened = [...place.querySelectorAll("details")].map((details) => details.open);
    const all = "a, button, summary, .scroll";
    const focus = [...place.querySelectorAll(all)].indexOf(document.activeElement);
    place.replaceChildren(built(part));
    place.querySelectorAll(".scroll").forEach((box, at) => {
      if (scrolled[at]) [box.scrollTop, box.scrollLeft] = scrolled[at];
    });
    place.querySelectorAll("details").forEach((details, at) => {
      if (opened[at] !== undefined) details.open = opened[at];
    });
    if (focus >= 0) place.querySelectorAll(all)[focus]?.focus({ preventScroll: true });
  }

  const plotly = new Promise((resolve) => {
    const begun = Date.now();
    const look = () => {
      if (window.Plotly || Date.now() - begun > 10000) resolve(); else window.setTimeout(look, 15);
    };
    look();
  });

  // Plotly gets no buttons of its own: one of them would send figures to a cloud.
  const GRAPH = {
    className: "graph",
    responsive: true,
    config: { displaylogo: false, displayModeBar: false, showSendToCloud: false,
              plotlyServerURL: "", doubleClick: "reset+autosize", scrollZoom: false },
  };

  function show(id, panel) {
    const section = byId("panel-" + id);
    if (!section || section.dataset.v === panel.v) return;
    section.dataset.v = panel.v; // kept on the element, because Dash may make it anew
    PLACES.sql.set(id, panel.sql);
    section.hidden = Boolean(panel.away);
    const form = panel.figure ? "figure" : panel.parts ? "parts" : "empty";
    if (form === "figure") {
      if (byId("g-" + id)) {
        dash_clientside.set_props("g-" + id, { figure: panel.figure });
      } else {
        const props = { ...GRAPH, id: "g-" + id, figure: panel.figure };
        const graph = { namespace: "dash_core_components", type: "Graph", props };
        dash_clientside.set_props("s-" + id, { children: graph });
      }
      listen(id, 50);
    } else {
      put(byId("b-" + id), panel.parts || panel.empty);
    }
    section.dataset.form = form;
  }

  function options(values) {
    for (const name of ["kind", "plan"]) {
      const select = document.querySelector(`#filters select[data-key="${name}"]`);
      if (!select) continue;
      const wanted = ["", ...(values[name + "s"] || [])];
      const chosen = query().get(name) || "";
      if (!wanted.includes(chosen)) wanted.push(chosen);
      if (select.dataset.has !== wanted.join("\n")) {
        select.dataset.has = wanted.join("\n");
        select.replaceChildren(...wanted.map((choice) => {
          const option = document.createElement("option");
          option.value = choice;
          option.textContent = choice || "all";
          return option;
        }));
      }
      if (document.activeElement !== select) select.value = chosen;
    }
  }

  const CHOICES = {
    outcome: ["", "failed", "explored", "judged", "unjudged"],
    tier: ["", "exact", "reuse", "adapt", "pattern", "novel"],
    strategy: ["", "bandit", "ladder", "fixed", "mix", "function", "computed", "specialist",
               "last_resort", "sticky", "moved", "escalate", "reuse", "named", "compared"],
  };

  const WRITTEN = { find: "request id, session, key, error, reason …", pattern: "all" };

  // The filters of a page, and two fields for the span, for people who cannot drag.
  function filters(names) {
    const place = byId("filters");
    if (!place || place.dataset.made === names) return;
    place.dataset.made = names;
    place.replaceChildren();
    const field = (label, control) => {
      const wrap = document.createElement("label");
      const words = document.createElement("span");
      words.textContent = label;
      wrap.append(words, control);
      place.append(wrap);
    };
    for (const name of names.split(",").filter(Boolean)) {
      if (WRITTEN[name]) {
        const input = document.createElement("input");
        input.type = "search";
        input.dataset.key = name;
        input.placeholder = WRITTEN[name];
        field(name, input);
        continue;
      }
      const select = document.createElement("select");
      select.dataset.key = name;
      for (const choice of CHOICES[name] || [""]) {
        const option = document.createElement("option");
        option.value = choice;
        option.textContent = choice || "all";
        select.append(option);
      }
      select.value = query().get(name) || "";
      field(name, select);
    }
    for (const [key, label] of [["from", "from (UTC)"], ["to", "to (UTC)"]]) {
      const input = document.createElement("input");
      input.type = "datetime-local";
      input.dataset.key = key;
      field(label, input);
    }
  }

  // Show in the controls what the URL says.
  function reflect() {
    const now = query();
    document.documentElement.dataset.theme = theme();
    for (const link of document.querySelectorAll("nav a[data-page]")) {
      if (link.dataset.page === page()) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const last = now.get("from") || now.get("to") ? "" : now.get("last") || "7d";
    for (const button of document.querySelectorAll("[data-last]")) {
      button.setAttribute("aria-pressed", String(button.dataset.last === last));
    }
    for (const [key, place] of [["from", 0], ["to", 1]]) {
      const input = document.querySelector(`#filters input[data-key="${key}"]`);
      if (input && document.activeElement !== input) {
        const value = (now.get(key) || (span ? span[place] : "")).slice(0, 16);
        if (input.value !== value) input.value = value;
      }
    }
    for (const name of Object.keys(WRITTEN)) {
      const input = document.querySelector(`#filters input[data-key="${name}"]`);
      if (input && document.activeElement !== input) input.value = now.get(name) || "";
    }
    const back = byId("whole");
    if (back) back.hidden = !(now.get("from") || now.get("to"));
    const dark = byId("theme");
    if (dark) dark.textContent = theme() === "dark" ? "☀ light" : "☾ dark";
  }

  async function refresh(force) {
    const names = byId("page") && byId("page").firstElementChild;
    if (!names) return;
    document.documentElement.dataset.at = page();
    if (page() === "playground") { // it shows no telemetry
      reflect();
      if (byId("playground")) window.waggle_playground.show(byId("playground"));
      return;
    }
    filters(names.dataset.filters || "");
    const params = query();
    params.set("theme", theme());
    const url = `/data/${page()}?${params}`;
    const other = url !== seen;
    reflect();
    if (!force && !other && (paused || document.hidden)) return; // keep what is shown
    const bare = document.querySelector(".panel[data-form=loading]:not([hidden])") !== null;
    if (busy && busy.url === url) return;
    if (busy) busy.stop.abort();
    const doing = { url, stop: new AbortController() };
    busy = doing;
    try {
      const headers = other || force || bare ? {} : { "If-None-Match": PLACES.tags.get(url) || "" };
      const answer = await fetch(url, { headers, cache: "no-store", signal: doing.stop.signal });
      if (answer.status === 401) { window.location.assign("/login"); return; }
      if (answer.status === 304) {
        await answer.text();
        state(paused ? "paused" : shown.name, shown.words); // nothing changed, so the state did not
        return;
      }
      const values = await answer.json();
      if (busy !== doing) return;
      if (!answer.ok) { state("failed", values.error); say(values.error); seen = url; return; }
      span = values.span || null;
      seen = url;
      PLACES.tags.clear();
      PLACES.tags.set(url, answer.headers.get("etag"));
      newest = values.newest ? Date.parse(values.newest) : null;
      for (const [id, panel] of Object.entries(values.panels)) {
        if (panel.figure) await plotly; // otherwise Dash would load Plotly a second time
        show(id, panel);
        // New plots are drawn one after another, so that the first appears before the last begins.
        if (panel.figure && !byId("g-" + id)) await new Promise((go_on) => setTimeout(go_on, 0));
        if (busy !== doing) return;
      }
      options(values);
      reflect();
      ago();
      shown = { name: values.state, words: values.words };
      state(paused ? "paused" : shown.name, shown.words);
    } catch (error) {
      if (error.name !== "AbortError") {
        state("away", "The dashboard may be starting again. This page keeps trying.");
      }
    } finally {
      if (busy === doing) busy = null;
    }
  }

  async function copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      say("The query is copied.");
    } catch {
      const box = byId("sqlbox");
      byId("sqltext").value = text;
      box.showModal();
      byId("sqltext").select();
    }
  }

  function picture(id) {
    const graph = byId("g-" + id) && byId("g-" + id).querySelector(".js-plotly-plot");
    if (!graph || byId("panel-" + id).dataset.form !== "figure") {
      say("This panel has no picture: download the CSV.");
      return;
    }
    const card = getComputedStyle(byId("panel-" + id)).backgroundColor;
    const title = { text: byId("title-" + id).textContent, x: 0.02, font: { size: 14 } };
    const margin = { ...graph.layout.margin, t: 60 };
    const layout = { ...graph.layout, paper_bgcolor: card, title, margin, autosize: false };
    const size = { width: Math.max(graph.clientWidth, 640), height: graph.clientHeight + 40 };
    window.Plotly.downloadImage(
      { data: graph.data, layout: { ...layout, ...size } },
      { format: "png", scale: 2, ...size, filename: `waggle-${page()}-${id}` },
    );
  }

  function table(id) {
    const link = document.createElement("a");
    link.href = `/csv/${page()}/${id}?${query()}`;
    link.download = `waggle-${page()}-${id}.csv`;
    link.click();
  }

  document.addEventListener("click", (event) => {
    const at = event.target.closest("[data-act],[data-go],[data-last],[data-page]");
    if (!at) return;
    const plain = !(event.metaKey || event.ctrlKey || event.shiftKey);
    if (at.dataset.page !== undefined && plain) {
      event.preventDefault();
      go({ page: at.dataset.page });
      window.scrollTo(0, 0);
    } else if (at.dataset.go !== undefined) {
      event.preventDefault();
      const wanted = Object.fromEntries(new URLSearchParams(at.dataset.go));
      // A link says which rows it means, so a filter that was chosen before does not narrow them.
      go(wanted.page ? { kind: "", plan: "", ...wanted } : wanted);
      if (!at.dataset.go.includes("page=")) {
        byId("page").scrollIntoView({ block: "start" });
      }
    } else if (at.dataset.last !== undefined) {
      go({ last: at.dataset.last, from: "", to: "" });
    }
    switch (at.dataset.act) {
      case "sql": {
        const sql = PLACES.sql.get(at.dataset.panel);
        if (sql) copied(sql + ";"); else say("This panel has run no query yet.");
        break;
      }
      case "csv": table(at.dataset.panel); break;
      case "png": picture(at.dataset.panel); break;
      case "whole": go({ from: "", to: "" }); break;
      case "close": byId("sqlbox").close(); break;
      case "pause":
        paused = !paused;
        at.setAttribute("aria-pressed", String(paused));
        at.textContent = paused ? "▶ go on" : "‖ pause";
        state(paused ? "paused" : shown.name, shown.words);
        if (!paused) refresh(true);
        break;
      case "theme": {
        const next = theme() === "dark" ? "light" : "dark";
        try { window.localStorage.setItem("theme", next); } catch { /* then only the URL keeps it */ }
        go({ theme: next });
        break;
      }
      default:
    }
  });

  document.addEventListener("change", (event) => {
    const key = event.target.dataset && event.target.dataset.key;
    if (!key || !event.target.closest("#filters")) return;
    if (key === "from" || key === "to") {
      if (event.target.value) go({ [key]: event.target.value + ":00" });
    } else {
      go({ [key]: event.target.value });
    }
  });

  document.documentElement.dataset.theme = theme();
  window.setInterval(ago, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(false); });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.waggle = {
    refresh: () => {
      refresh(false);
      return window.dash_clientside.no_update;
    },
  };
})();
