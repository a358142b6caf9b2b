// Shows a model's Markdown as elements. The text is a stranger's: it only ever becomes text and the
// elements named here, no attribute comes from it but the address of a link to http or https, and
// nothing is loaded. Every character is read a bounded number of times.
(() => {
  "use strict";

  const DEEPEST = 6; // lists, quotes and emphasis inside one another
  const MARKS = [["**", "strong"], ["__", "strong"], ["~~", "del"], ["*", "em"], ["_", "em"]];

  function element(tag, ...children) {
    const made = document.createElement(tag);
    made.append(...children);
    return made;
  }

  function link(address) {
    let url = null;
    try { url = new URL(address); } catch { return null; } // a relative address leads nowhere
    if (url.protocol !== "https:" && url.protocol !== "http:") return null;
    const made = element("a");
    made.href = url.href;
    made.target = "_blank";
    made.rel = "noopener noreferrer nofollow";
    made.title = url.href;
    return made;
  }

  // Emphasis, code and links of a text without line structure.
  function inline(text, depth = 0) {
    const made = document.createDocumentFragment();
    const absent = new Set(); // marks that do not come again
    let plain = "", at = 0, leads_nowhere = -1; // where the last address was that is no link
    const flush = () => { if (plain) made.append(plain); plain = ""; };
    const end = (mark, from) => {
      if (absent.has(mark)) return -1;
      const place = text.indexOf(mark, from);
      if (place < 0) absent.add(mark);
      return place;
    };
    while (at < text.length) {
      const sign = text[at];
      if (sign === "\\" && at + 1 < text.length && /[!-/:-@[-`{-~]/.test(text[at + 1])) {
        plain += text[at + 1];
        at += 2;
        continue;
      }
      if (sign === "`") {
        let ticks = 1;
        while (text[at + ticks] === "`") ticks += 1;
        const close = end("`".repeat(ticks), at + ticks);
        if (close > 0) {
          flush();
          made.append(element("code", text.slice(at + ticks, close)));
          at = close + ticks;
        } else {
          plain += text.slice(at, at + ticks);
          at += ticks;
        }
        continue;
      }
      if (sign === "[" && depth < DEEPEST) {
        const middle = end("](", at + 1);
        const close = middle < 0 || middle === leads_nowhere ? -1 : end(")", middle + 2);
        const made_link = close < 0 || close - at > 4096 ? null
          : link(text.slice(middle + 2, close).trim());
        if (middle >= 0 && !made_link) leads_nowhere = middle;
        if (made_link) {
          made_link.append(inline(text.slice(at + 1, middle), DEEPEST));
          if (plain.endsWith("!")) plain = plain.slice(0, -1) + "image: "; // no image is loaded
          flush();
          made.append(made_link);
          at = close + 1;
          continue;
        }
      }
      const found = depth < DEEPEST
        && MARKS.find(([mark]) => text.startsWith(mark, at) && !/\s/.test(text[at + mark.length] || " "));
      if (found) {
        const [mark, tag] = found;
        const word = mark[0] === "_" && /\w/.test(text[at - 1] || " "); // snake_case is no emphasis
        const close = word ? -1 : end(mark, at + mark.length);
        if (close > at + mark.length) {
          flush();
          made.append(element(tag, inline(text.slice(at + mark.length, close), depth + 1)));
          at = close + mark.length;
        } else {
          plain += mark;
          at += mark.length;
        }
        continue;
      }
      plain += sign;
      at += 1;
    }
    flush();
    return made;
  }

  function code(text, language) {
    const box = element("div", element("pre", element("code", text)));
    box.className = "scroll code";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", language ? `code in ${language}` : "code");
    return box;
  }

  const cells = (line) => line.trim().replace(/^\|/, "").replace(/\|$/, "").split("|");

  function table(head, rows) {
    const line = (tag, texts) => element("tr", ...texts.map((text) => {
      const cell = element(tag, inline(text.trim()));
      if (tag === "th") cell.scope = "col";
      return cell;
    }));
    const box = element("div", element("table", element("thead", line("th", cells(head))),
      element("tbody", ...rows.map((row) => line("td", cells(row))))));
    box.className = "scroll";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "table");
    return box;
  }

  const FENCE = /^ {0,3}(```+|~~~+)\s{0,3}([\w+#.-]{0,30})/;
  const HEADING = /^ {0,3}(#{1,6}) +(\S.*)$/;
  const ITEM = /^( {0,20})([-*+]|\d{1,9}[.)]) +(\S.*)$/;
  const RULE = /^ {0,3}(?:-(?: ?-){2,60}|\*(?: ?\*){2,60}|_(?: ?_){2,60}) {0,3}$/;
  const ROW = /^ {0,3}\|/;
  const SEPARATOR = /^ {0,3}\|[ :|-]{1,500}$/;

  // An item's own lines: those after it that are blank or further in.
  function listed(lines, at, depth) {
    const first = ITEM.exec(lines[at]);
    const numbered = /\d/.test(first[2]);
    const list = element(numbered ? "ol" : "ul");
    if (numbered && Number.parseInt(first[2], 10) !== 1) list.start = Number.parseInt(first[2], 10);
    let next = at;
    while (next < lines.length) {
      const item = ITEM.exec(lines[next]);
      if (!item || item[1].length > first[1].length + 1 || /\d/.test(item[2]) !== numbered
        || item[1].length < first[1].length) break;
      const inner = [item[3]];
      next += 1;
      const inwards = item[1].length + 2;
      while (next < lines.length) {
        const line = lines[next];
        const indent = line.length - line.trimStart().length;
        if (line.trim() !== "" && indent < inwards) break;
        if (line.trim() === "" && !(lines[next + 1] || "").startsWith(" ".repeat(inwards))) break;
        inner.push(line.slice(Math.min(inwards, indent)));
        next += 1;
      }
      list.append(element("li", inner.length === 1 ? inline(inner[0]) : blocks(inner, depth + 1)));
      if (next + 1 < lines.length && lines[next].trim() === "" && ITEM.test(lines[next + 1])) next += 1;
    }
    return [list, next];
  }

  function blocks(lines, depth) {
    const made = document.createDocumentFragment();
    let at = 0, paragraph = [];
    const flush = () => {
      if (paragraph.length) made.append(element("p", inline(paragraph.join("\n"))));
      paragraph = [];
    };
    while (at < lines.length) {
      const line = lines[at];
      const fence = FENCE.exec(line), heading = HEADING.exec(line);
      if (fence) {
        flush();
        const begin = at + 1;
        at = begin;
        while (at < lines.length && !lines[at].trimStart().startsWith(fence[1])) at += 1;
        made.append(code(lines.slice(begin, at).join("\n"), fence[2]));
        at += 1;
      } else if (heading) {
        flush();
        const level = Math.min(3 + heading[1].length, 6); // the card's own title is an h3
        made.append(element("h" + level, inline(heading[2].replace(/ #{1,6} {0,3}$/, ""))));
        at += 1;
      } else if (RULE.test(line)) {
        flush();
        made.append(element("hr"));
        at += 1;
      } else if (ITEM.test(line) && depth < DEEPEST && (!paragraph.length || !/\d/.test(line.trim()[0]))) {
        flush();
        const [list, next] = listed(lines, at, depth);
        made.append(list);
        at = next;
      } else if (line.startsWith(">") && depth < DEEPEST) {
        flush();
        const quoted = [];
        while (at < lines.length && lines[at].startsWith(">")) {
          quoted.push(lines[at].replace(/^> ?/, ""));
          at += 1;
        }
        made.append(element("blockquote", blocks(quoted, depth + 1)));
      } else if (ROW.test(line) && SEPARATOR.test(lines[at + 1] || "")) {
        flush();
        const begin = at + 2;
        at = begin;
        while (at < lines.length && ROW.test(lines[at])) at += 1;
        made.append(table(line, lines.slice(begin, at)));
      } else if (line.trim() === "") {
        flush();
        at += 1;
      } else {
        paragraph.push(line);
        at += 1;
      }
    }
    flush();
    return made;
  }

  window.waggle_markdown = (text) => blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0);
})();
