"""Makes duplicates_*.jsonl, duplicates_*_truth.json and benchmark_*.jsonl (see README.md). python3 make_duplicates.py OUT_DIR"""
import importlib
import json
import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # whoever imports it, too

import bench
import docs
import families

HERE = sys.argv[1] if len(sys.argv) > 1 else "."
sys.path.insert(0, HERE)
ASSIST = ["You are a helpful assistant.", "Answer briefly.", "You are the assistant of a small company. Be polite and short.", "Reply in plain text.", "You answer questions of our staff."]


def cap(s):
    return s[:1].upper() + s[1:]


class Maker:
    def __init__(self, which, seed):
        self.which, self.r = which, random.Random("dup:%s:%s" % (which, seed))
        self.F = families.SEEN if which == "seen" else families.UNSEEN
        self.D = docs.SEEN if which == "seen" else docs.UNSEEN
        self.T = importlib.import_module("tickets_" + which)
        self.keys, self.rows, self.texts = set(), [], set()
        self.truth = {k: [] for k in ("exact", "near", "paraphrase", "different", "leaks", "resemble", "personal", "not_personal")}
        self.kinds = {"exact": [], "near": [], "paraphrase": [], "different": [], "leaks": [], "personal": []}
        self.fam_turn = 0
        self.world = self.T.World(4711, 3000)
        self.tick = self._tickets()

    # ---------------------------------------------------------------- questions of the families
    def draw(self, spec, not_=None):
        r = self.r
        while True:
            v = r.randrange(spec[1], spec[2] + 1, spec[3]) if isinstance(spec, tuple) else r.choice(spec)
            if v != not_:
                return v

    def key(self, f, s):
        s = dict(s)
        if "sym" in f[4]:
            a, b = f[4]["sym"]
            s[a], s[b] = sorted((s[a], s[b]))
        return (f[0],) + tuple(sorted(s.items()))

    def fresh(self, need=None):
        """A family and slot values that no row has yet."""
        fs = [f for f in self.F if need is None or need in f[4]]
        for _ in range(10000):
            f = fs[self.fam_turn % len(fs)]
            self.fam_turn += 1
            s = {k: self.draw(v) for k, v in f[1].items()}
            if self.valid(s) and self.claim(f, s):
                return f, s
        raise SystemExit("no fresh values")

    def valid(self, s):
        return "b" not in s or "a" not in s or s["a"] != s["b"]

    def claim(self, f, s, neg=False):
        k = (neg,) + self.key(f, s)
        if k in self.keys:
            return False
        self.keys.add(k)
        return True

    def ask(self, f, s, j, neg=False):
        t = f[4]["neg"][0][j] if neg else f[2][j]
        return re.sub(r"\b([Aa]) (?=[aeioAEIO])", r"\1n ", cap(t.format(**s)))

    def reply(self, f, s, neg=False, other=0):
        a = f[4]["neg"][1] if neg else f[3]
        if callable(a):
            v = a(s)
            return [v, "That is %s." % v, "The answer: %s" % v][other]
        h = random.Random(str(self.key(f, s)))
        yes = h.random() < .5
        if neg and "{yes}" not in a and "{no}" not in a:
            h = random.Random("neg" + str(self.key(f, s)))
        a = a.replace("{yes}", "Yes" if yes else "No").replace("{no}", "No" if yes else "Yes")
        a = re.sub(r"\{h:(\d+):(\d+)\}", lambda m: str(h.randint(int(m.group(1)), int(m.group(2)))), a).format(**s)
        return [a, "Sure. " + a, a + " Let me know if you need more."][other]

    # ---------------------------------------------------------------- notes (documents)
    def facts(self, n):
        """n facts with values; no two notes have the same ones."""
        while True:
            out = []
            for j in self.r.sample(range(len(self.D)), n):
                s = {}
                for k in re.findall(r"\{(\w+)\}", self.D[j][0]):
                    v = docs.V[k]
                    s[k] = self.r.randint(*v) if isinstance(v, tuple) else self.r.choice(v)
                out.append((j, s))
            key = frozenset((j, tuple(s.items())) for j, s in out)
            if key not in self.keys:
                self.keys.add(key)
                return out

    def note(self, facts, forms):
        return " ".join(cap(self.D[j][w].format(**s)) for (j, s), w in zip(facts, forms))

    def note_reply(self, task, facts, forms):
        text = self.note(facts, forms)
        short = "; ".join("%s (%s)" % (self.D[j][3].format(**s), ", ".join(map(str, s.values()))) for j, s in facts)
        if task == "numbers":
            return ", ".join(re.findall(r"\d+", text)) or "none"
        if task == "days":
            return ", ".join(re.findall(r"[A-Z][a-z]+day", text)) or "none"
        return {"summary": "In short: ", "german": "Kurz auf Deutsch: ", "headline": ""}[task] + short

    # ---------------------------------------------------------------- tickets
    def _tickets(self):
        seen, out = set(), []
        for q, f in zip(self.world.stream, self.world.facts):
            k = frozenset(re.findall(r"\w+", q.text.lower()))
            if f["ambiguous"] or len(k) < 12 or any(len(k & o) / len(k | o) > .7 for o in seen):
                continue
            seen.add(k)
            out.append(q)
            if len(out) >= 520:
                break
        return iter(out)

    def ticket(self):
        q = next(self.tick)
        return self.world.prompt(q), self.world.teacher(q), q

    # ---------------------------------------------------------------- rows
    def quality(self):
        r = self.r
        return round(min(1, max(0, r.betavariate(9, 2) if r.random() < .85 else r.betavariate(2, 4))), 2)

    def row(self, messages, answer):
        self.rows.append({"messages": messages, "answer": answer, "quality": self.quality()})
        return len(self.rows) - 1

    def msgs(self, text, system=None):
        if system is None:
            system = self.r.choice(ASSIST) if self.r.random() < .5 else ""
        return ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": text}]

    @staticmethod
    def with_user(messages, text):
        return [m for m in messages[:-1]] + [dict(messages[-1], content=text)]

    def add_pair(self, kind, how, a, b, ans_a, ans_b):
        x, y = self.row(a, ans_a), self.row(b, ans_b)
        self.truth[kind].append([x, y])
        self.kinds[kind].append(how)

    def base(self, kind):
        """-> messages, answer, another valid answer, words that an edit must not touch"""
        r = self.r
        if kind == "family":
            f, s = self.fresh()
            j = r.randrange(4)
            return self.msgs(self.ask(f, s, j)), self.reply(f, s), self.reply(f, s, other=r.choice([1, 2])), set(re.findall(r"\w+", " ".join(map(str, s.values())).lower()))
        if kind == "note":
            facts = self.facts(r.randint(3, 5))
            task = r.choice(["summary", "german", "headline"])
            forms = [r.randrange(2) for _ in facts]
            a = self.note_reply(task, facts, forms)
            return self.msgs(r.choice(docs.TASKS[task]).replace("{d}", self.note(facts, forms))), a, "Here it is. " + a, set(re.findall(r"\w+", " ".join(str(v) for _, s in facts for v in s.values()).lower()))
        m, a, q = self.ticket()
        return m, a, self.world.teacher(q, 1) if self.world.read(self.world.teacher(q, 1)) == q.truth_label else q.truth_label, set()

    # ---------------------------------------------------------------- the small edits of near duplicates
    KEEP = set("not no never none without less off after before over under free allowed forbidden positive negative formal informal past future first last from to".split())

    def typo(self, text, keep):
        spots = [m for m in re.finditer(r"\b[a-z]{5,}\b", text) if m.group() not in keep and m.group() not in self.KEEP]
        if not spots:
            return text
        m = self.r.choice(spots)
        w, p = m.group(), self.r.randrange(1, len(m.group()) - 1)
        w = self.r.choice([w[:p] + w[p] + w[p:], w[:p] + w[p + 1:], w[:p] + w[p + 1] + w[p] + w[p + 2:]])
        return text[:m.start()] + w + text[m.end():]

    def near(self, messages, keep, order):
        r, text = self.r, messages[-1]["content"]
        old = text
        ops = r.sample(["typo", "greet", "punct", "please", "short"], r.choice([1, 1, 2, 2, 3]))
        if order:
            ops = ["order"] + ops[:1] * r.randrange(2)
        for _ in range(6):
            for op in ops:
                if op == "order":
                    head, d, tail = order
                    parts = re.split(r"(?<=\.) ", d)
                    shuffled = parts[:]
                    while shuffled == parts:
                        r.shuffle(shuffled)
                    text = text.replace(d, " ".join(shuffled))
                elif op == "typo":
                    for _ in range(r.randint(1, 2)):
                        text = self.typo(text, keep)
                elif op == "greet":
                    text = r.choice(["Hi, ", "Hello! ", "Hey, ", "Good morning. ", "Quick question: ", "Hi there - "]) + text
                elif op == "please":
                    text = text.rstrip() + r.choice([" Thanks!", " Thank you.", " Please.", " Many thanks in advance", " thx"])
                elif op == "punct":
                    t = re.sub(r"[?.!]+$", "", text) if r.random() < .5 else re.sub(r"([?.!])$", r"\1\1", text)
                    text = t if t != text else text + " ."
                elif op == "short":
                    for a, b in (("What is", "What's"), ("I am ", "I'm "), ("do not", "don't"), ("cannot", "can't"), ("I would", "I'd"), ("there is", "there's"), ("I have ", "I've "), (", ", " - ")):
                        if a in text:
                            text = text.replace(a, b, 1)
                            break
            if text != old:
                break
            ops = ["typo", "greet"]
        return self.with_user(messages, text), "+".join(ops)

    def respace(self, messages):
        r, t = self.r, messages[-1]["content"]
        how = r.choice(["spaces", "ends", "case", "case+spaces", "tabs"])
        if "case" in how:
            t = r.choice([str.upper, str.lower])(t)
        if "spaces" in how:
            t = re.sub(" ", lambda m: " " * r.choice([1, 1, 2, 3]), t)
            t = t.replace(" ", "  ", 1)
        if how == "ends":
            t = r.choice(["\n", "  ", "\n\n"]) + t + r.choice([" ", "\n", " \n"])
        if how == "tabs":
            t = t.replace(" ", "\t", 2) + "\n"
        if t == messages[-1]["content"]:
            t, how = t + "\n", "ends"
        return self.with_user(messages, t), how

    # ---------------------------------------------------------------- the planted parts
    def plant_exact(self):
        for n, (kind, count) in enumerate((("family", 90), ("note", 50), ("ticket", 60))):
            for k in range(count):
                m, a, b, _ = self.base(kind)
                other, how = self.respace(m) if k % 4 == 3 or kind + str(k) == "family0" else (m, "same")
                self.add_pair("exact", kind + ":" + how, m, other, a, a if self.r.random() < .7 else b)

    def plant_near(self):
        r = self.r
        for kind, count in (("family", 80), ("note", 70), ("ticket", 50)):
            for k in range(count):
                if kind == "note" and k < 45:
                    facts = self.facts(r.randint(3, 5))
                    forms = [r.randrange(2) for _ in facts]
                    d, task = self.note(facts, forms), r.choice(["summary", "headline", "german"])
                    t = r.choice(docs.TASKS[task])
                    m, a = self.msgs(t.replace("{d}", d)), self.note_reply(task, facts, forms)
                    other, how = self.near(m, set(re.findall(r"\w+", " ".join(str(v) for _, s in facts for v in s.values()).lower())), ("", d, ""))
                    self.add_pair("near", kind + ":" + how, m, other, a, a)
                    continue
                m, a, b, keep = self.base(kind)
                other, how = self.near(m, keep, None)
                self.add_pair("near", kind + ":" + how, m, other, a, r.choice([a, b]))

    def plant_paraphrase(self):
        r = self.r
        for _ in range(150):
            f, s = self.fresh()
            i, j = r.sample(range(4), 2)
            sys_ = r.choice(ASSIST + [""] * 5)
            self.add_pair("paraphrase", "question:" + f[0], self.msgs(self.ask(f, s, i), sys_), self.msgs(self.ask(f, s, j), sys_), self.reply(f, s), self.reply(f, s, other=r.randrange(3)))
        for _ in range(50):
            facts = self.facts(r.randint(2, 4))
            task = r.choice(["summary", "german", "headline"])
            i, j = r.sample(range(3), 2)
            one = [r.randrange(2) for _ in facts]
            two = [1 - w for w in one]
            sys_ = r.choice(ASSIST + [""] * 5)
            ms = [self.msgs(docs.TASKS[task][k].replace("{d}", self.note(facts, w)), sys_) for k, w in ((i, one), (j, two))]
            self.add_pair("paraphrase", "note:" + task, ms[0], ms[1], self.note_reply(task, facts, one), self.note_reply(task, facts, two))

    def plant_different(self):
        r = self.r
        k = 0
        while k < 90:                                       # another number or name
            f, s = self.fresh()
            slot = r.choice(list(s))
            t = dict(s, **{slot: self.draw(f[1][slot], s[slot])})
            if not self.valid(t) or not self.claim(f, t):
                continue
            j, sys_ = r.randrange(4), r.choice(ASSIST + [""] * 5)
            self.add_pair("different", "another number" if isinstance(f[1][slot], tuple) else "another entity", self.msgs(self.ask(f, s, j), sys_), self.msgs(self.ask(f, t, j), sys_), self.reply(f, s), self.reply(f, t))
            k += 1
        k = 0
        while k < 30:                                       # a to b, b to a
            f, s = self.fresh("swap")
            a, b = f[4]["swap"]
            t = dict(s, **{a: s[b], b: s[a]})
            if not self.claim(f, t):
                continue
            j, sys_ = r.randrange(4), r.choice(ASSIST + [""] * 5)
            self.add_pair("different", "swapped", self.msgs(self.ask(f, s, j), sys_), self.msgs(self.ask(f, t, j), sys_), self.reply(f, s), self.reply(f, t))
            k += 1
        k = 0
        while k < 50:                                       # the contrary
            f, s = self.fresh("neg")
            if not self.claim(f, s, True):
                continue
            j, sys_ = r.randrange(2), r.choice(ASSIST + [""] * 5)
            self.add_pair("different", "contrary question", self.msgs(self.ask(f, s, j), sys_), self.msgs(self.ask(f, s, j, True), sys_), self.reply(f, s), self.reply(f, s, True))
            k += 1
        for k in range(90):
            facts = self.facts(r.randint(2, 4))
            forms = [0] * len(facts)
            p, sys_ = r.randrange(len(facts)), r.choice(ASSIST + [""] * 5)
            task = r.choice(["summary", "german", "headline"])
            tm = r.choice(docs.TASKS[task])
            one, a = tm.replace("{d}", self.note(facts, forms)), self.note_reply(task, facts, forms)
            if k < 40:                                      # one fact has another number or name
                j, s = facts[p]
                slot = r.choice(list(s))
                v = docs.V[slot]
                new = s[slot]
                while new == s[slot]:
                    new = r.randint(*v) if isinstance(v, tuple) else r.choice(v)
                other = facts[:p] + [(j, dict(s, **{slot: new}))] + facts[p + 1:]
                self.add_pair("different", "note, another detail", self.msgs(one, sys_), self.msgs(tm.replace("{d}", self.note(other, forms)), sys_), a, self.note_reply(task, other, forms))
            elif k < 70:                                    # one fact is denied
                neg = forms[:p] + [2] + forms[p + 1:]
                self.add_pair("different", "note, one fact denied", self.msgs(one, sys_), self.msgs(tm.replace("{d}", self.note(facts, neg)), sys_), a, a + " (but not: " + self.D[facts[p][0]][3].format(**facts[p][1]) + ")")
            else:                                           # the same note, another task
                t2 = r.choice([x for x in docs.TASKS if x != task])
                self.add_pair("different", "note, another task", self.msgs(one, sys_), self.msgs(r.choice(docs.TASKS[t2]).replace("{d}", self.note(facts, forms)), sys_), a, self.note_reply(t2, facts, forms))
        T, k = self.T, 0
        combos = [(m, x) for m in T.MAIN for x in dict.fromkeys(T.SEC_FOR[m]) if x in T.NEG and T.rule_1(m, {x}) != T.rule_1(m, set())]
        say = T._say
        done = set()
        while k < 40:                                       # a ticket with a fact, and with the fact denied
            m, x = combos[k % len(combos)]
            head, main = r.choice(T.GREET), say(r, r.choice(T.MAIN[m]))
            kind = r.choice(list(T.KINDS))
            tail = say(r, r.choice(T.KIND_SAY), num=T.KINDS[kind](r)) + " " + say(r, r.choice(T.FILL))
            if main in done:
                continue
            done.add(main)
            user = "Message from the customer:\n{t}"
            texts = ["%s %s %s %s" % (head, main, say(r, r.choice(b)), tail) for b in (T.SEC[x], T.NEG[x])]
            ms = [[{"role": "system", "content": T.SYSTEM}, {"role": "user", "content": user.replace("{t}", t)}] for t in texts]
            self.add_pair("different", "ticket, fact denied", ms[0], ms[1], T.rule_1(m, {x}), T.rule_1(m, set()))
            k += 1

    WRAP = ["Please answer this quiz question: {q}", "Q: {q}\nA:", "My daughter has this in her homework:\n\n> {q}\n\nCan you help?", "Think step by step, then give the answer.\n\n{q}\n\nAnswer:",
            "You get one question. Reply with the answer only.\n### Question\n{q}\n### Answer", "Someone at the pub asked me: \"{q}\" What should I have said?", "Context: none\nTask: solve\nInput: {q}\nOutput:"]

    def plant_leaks(self, questions, like):
        r = self.r
        free = [i for i in range(500) if i not in {x[2] for x in like}]
        for n, i in enumerate(r.sample(free, 120)):
            q, a = questions[i]["question"], questions[i]["answer"]
            how = ("verbatim", "wrapped", "spaces or case", "one turn")[n // 30]
            if how == "verbatim":
                m, ans = self.msgs(q), r.choice([a, a, "It is %s." % a])
            elif how == "wrapped":
                m, ans = self.msgs(r.choice(self.WRAP).replace("{q}", q)), r.choice([a, "The answer is %s." % a])
            elif how == "spaces or case":
                m, _ = self.respace(self.msgs(q))
                ans = a
            else:
                f, s = self.fresh()
                f2, s2 = self.fresh()
                m = self.msgs(self.ask(f, s, r.randrange(4)))
                ans = self.reply(f, s)
                if n % 3 == 0:                             # the question is the last turn
                    m = m + [{"role": "assistant", "content": ans}, {"role": "user", "content": q}]
                    ans = a
                else:                                      # or an earlier one
                    head = [x for x in m if x["role"] == "system"]
                    m = head + [{"role": "user", "content": q}, {"role": "assistant", "content": a}, {"role": "user", "content": self.ask(f2, s2, r.randrange(4))}]
                    ans = self.reply(f2, s2)
            self.truth["leaks"].append([self.row(m, ans), i])
            self.kinds["leaks"].append(how)
        for n, (q, a, i) in enumerate(like):
            m = self.msgs(q if n % 2 else r.choice(self.WRAP).replace("{q}", q))
            self.truth["resemble"].append([self.row(m, a), i])

    # ---------------------------------------------------------------- personal data
    FIRST = "Jana Miguel Aisha Torben Keiko Dario Fiona Lamar Ingrid Pavel Noor Bruno Celia Hamid Orla Viktor Maren Tariq Juno Edda".split()
    LAST = "Kowalska Ferrante Lindholm Achterberg Osei Nakagawa Brandvold Castellan Dubrow Eszter Fairweather Gundersen Holloway Iversen Jaramillo Kessler Lovatt Mbeki Norwood Ostrander".split()
    STREET = "Birkenweg|Mill Lane|Rue des Tilleuls|Via Garibaldi|Calle Mayor|Elm Avenue|Storgatan|Kerkstraat|Lindenallee|Harbour Road|Quarry Hill|Rosengasse".split("|")

    def luhn(self, head, n, good=True):
        d = [int(c) for c in head] + [self.r.randint(0, 9) for _ in range(n - len(head) - 1)]
        t = 0
        for k, x in enumerate(reversed(d)):
            x = x * 2 if k % 2 == 0 else x
            t += x - 9 if x > 9 else x
        c = (-t) % 10
        if not good:
            c = (c + self.r.randint(1, 9)) % 10
        return "".join(map(str, d)) + str(c)

    def iban(self):
        r = self.r
        c, n = r.choice([("DE", 18), ("NL", 0), ("FR", 23), ("AT", 16), ("ES", 20), ("PL", 24), ("GB", -1), ("CH", 17)])
        b = "".join(r.choice("0123456789") for _ in range(n)) if n > 0 else {0: "TEST", -1: "TEST"}[n] + "".join(r.choice("0123456789") for _ in range(10 if n == 0 else 14))
        v = int("".join(str(int(x, 36)) for x in b + c + "00"))
        s = c + "%02d" % (98 - v % 97) + b
        return " ".join(s[k:k + 4] for k in range(0, len(s), 4)) if r.random() < .6 else s

    def person(self):
        return self.r.choice(self.FIRST), self.r.choice(self.LAST)

    def pii(self, kind):
        r = self.r
        a, b = self.person()
        if kind == "mail":
            d = r.choice(["posthus.example", "mail.lindenhof.example", "example.org", "kontor.test", "example.com", "uni-tal.example"])
            return r.choice(["%s.%s@%s", "%s_%s@%s", "%s%s@%s"]) % (a.lower(), b.lower(), d) if r.random() < .85 else "%s.%s (at) %s" % (a.lower(), b.lower(), d.replace(".", " (dot) "))
        if kind == "phone":
            return r.choice(["+1 202-555-01%02d", "(415) 555-01%02d", "+44 20 7946 09%02d", "+49 30 23125 0%02d", "0171 39200%02d", "+33 1 99 00 12 %02d", "+46 31 3900 6%02d", "07700 9001%02d"]) % r.randint(0, 99)
        if kind == "iban":
            return self.iban()
        if kind == "card":
            s = self.luhn(r.choice(["400000", "555555", "222300", "411111"]), 16) if r.random() < .8 else self.luhn("378282", 15)
            return r.choice([s, " ".join(s[k:k + 4] for k in range(0, 16, 4)), "-".join(s[k:k + 4] for k in range(0, 16, 4))]) if len(s) == 16 else s[:4] + " " + s[4:10] + " " + s[10:]
        return "%s %s, %s" % (a, b, r.choice(["%s %d, %05d %s", "%s %d, %s-%s"]) % ((r.choice(self.STREET), r.randint(1, 160), r.randint(10000, 99999), r.choice(families.CITY)))) if r.random() < .5 else \
            "%s %s, %d %s, %s" % (a, b, r.randint(1, 160), r.choice(self.STREET), r.choice(families.CITY))

    SAY = {
        "mail": ["You can reach me at {v}.", "Please send the papers to {v}.", "My address is {v}, the old one is dead.", "cc {v} please.", "Contact: {v}"],
        "phone": ["Call me on {v} after lunch.", "My number is {v}.", "Tel. {v}", "If in doubt ring {v}.", "WhatsApp: {v}"],
        "iban": ["Transfer it to {v}.", "My account is {v}.", "IBAN {v}", "The money should go to {v} this time.", "Debit from {v}."],
        "card": ["I paid with the card {v}.", "Card no. {v}, exp 09/27.", "Charge it to {v}.", "It was booked on {v}.", "Use {v} as before."],
        "address": ["Deliver it to {v}.", "I live here: {v}.", "Sender: {v}", "The parcel is for {v}.", "Please change the record to {v}."],
    }
    JOB = ["Rewrite this more politely: \"{t}\"", "Translate into French: {t}", "Is the following message spam? {t}", "Shorten this: {t}", "Draft a reply to this message.\n\n{t}", "Fix the spelling: {t}", "Which department should get this? {t}", "{t}\n\nSum up what the writer wants."]

    def plant_personal(self, fills):
        r = self.r
        plan = ["mail"] * 35 + ["phone"] * 30 + ["iban"] * 25 + ["card"] * 25 + ["address"] * 35
        for n, kind in enumerate(plan):
            have = [kind] + ([r.choice([k for k in self.SAY if k != kind])] if r.random() < .15 else [])
            facts = self.facts(2)
            bits = [self.note(facts, [r.randrange(2) for _ in facts]), r.choice(fills)]
            told = [cap(r.choice(self.SAY[k]).replace("{v}", self.pii(k))) for k in have]
            place = r.choices(["user", "answer", "earlier turn"], weights=[.8, .1, .1])[0]
            job = r.choice(self.JOB)
            if place == "user":
                parts = bits + told
                r.shuffle(parts)
                m, a = self.msgs(job.replace("{t}", " ".join(parts))), r.choice(["Done: a shorter, friendlier text follows.", "The writer asks us to act on the note.", "Front office.", "No, it looks genuine."])
            elif place == "answer":
                m, a = self.msgs(job.replace("{t}", " ".join(bits))), "Here is a draft. " + " ".join(told) + " Kind regards"
            else:
                m = self.msgs("For later: " + " ".join(told)) + [{"role": "assistant", "content": "Noted."}, {"role": "user", "content": job.replace("{t}", " ".join(bits))}]
                a = "The writer asks us to act on the note."
            self.truth["personal"].append(self.row(m, a))
            self.kinds["personal"].append({"kinds": have, "where": place})
        for n in range(40):                                # look like personal data and are not
            facts = self.facts(2)
            d = r.choice([lambda: "The batch code is %s." % self.luhn(str(r.randint(100000, 999999)), 16, False), lambda: "The build is 10.%d.%d.%d." % (r.randint(0, 99), r.randint(0, 999), r.randint(0, 99)),
                          lambda: "Ping @%s in the channel." % r.choice(["frontdesk", "nightshift", "ops", "stores"]), lambda: "Install it with npm i left-pad@%d.%d.%d." % (r.randint(1, 9), r.randint(0, 20), r.randint(0, 9)),
                          lambda: "Measured at %d.%04d, %d.%04d." % (r.randint(40, 60), r.randint(0, 9999), r.randint(1, 20), r.randint(0, 9999)), lambda: "The sum is %d + %d." % (r.randint(10 ** 8, 10 ** 9), r.randint(10 ** 8, 10 ** 9)),
                          lambda: "Article DE%d is sold out." % r.randint(1000, 99999), lambda: "Logged at 2024-%02d-%02dT%02d:%02d:00Z." % (r.randint(1, 12), r.randint(1, 28), r.randint(0, 23), r.randint(0, 59)),
                          lambda: "The checksum starts with %032x." % r.getrandbits(128)])()
            parts = [self.note(facts, [r.randrange(2) for _ in facts]), d]
            r.shuffle(parts)
            self.truth["not_personal"].append(self.row(self.msgs(r.choice(self.JOB).replace("{t}", " ".join(parts))), "The writer asks us to act on the note."))

    # ---------------------------------------------------------------- all of it
    def build(self, seed):
        r = self.r
        questions, like = bench.build(self.which, seed)
        self.plant_exact()
        self.plant_near()
        self.plant_paraphrase()
        self.plant_different()
        self.plant_leaks(questions, like)
        self.plant_personal(["It is about our last talk.", "Nothing else has changed.", "I hope that helps.", "We spoke about it last week.", "Sorry for the trouble.", "That is all for now.", "The rest is as agreed."])
        while len(self.rows) < 3000:
            kind = r.choices(["family", "note", "ticket"], weights=[.4, .3, .3])[0]
            m, a, b, _ = self.base(kind)
            if kind == "family" and r.random() < .2:        # a conversation
                f, s = self.fresh()
                m = m + [{"role": "assistant", "content": a}, {"role": "user", "content": self.ask(f, s, r.randrange(4))}]
                a = self.reply(f, s)
            self.row(m, a)
        order = list(range(3000))
        r.shuffle(order)
        ids, t, out = {}, 1_700_000_000, []
        for k, x in enumerate(order):
            ids[x] = "%s%05d" % (self.which[0], k)
            t += int(r.expovariate(1 / 860)) + 1
            out.append(dict({"id": ids[x], "ts": t}, **self.rows[x]))
        T = {k: [[ids[a], ids[b]] for a, b in self.truth[k]] for k in ("exact", "near", "paraphrase", "different")}
        T["leaks"] = [[ids[a], i] for a, i in self.truth["leaks"]]
        T["resemble"] = [[ids[a], i] for a, i in self.truth["resemble"]]
        T["personal"] = [ids[a] for a in self.truth["personal"]]
        T["not_personal"] = [ids[a] for a in self.truth["not_personal"]]
        T["kinds"] = self.kinds                             # how each item was made, parallel to the lists above
        return out, T, questions


def lines(path, rows):
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        for x in rows:
            f.write(json.dumps(x, ensure_ascii=False) + "\n")
    os.replace(path + ".tmp", path)


if __name__ == "__main__":
    for which in ("seen", "unseen"):
        rows, truth, questions = Maker(which, 11).build(11)
        lines(os.path.join(HERE, "duplicates_%s.jsonl" % which), rows)
        lines(os.path.join(HERE, "benchmark_%s.jsonl" % which), questions)
        with open(os.path.join(HERE, "duplicates_%s_truth.json" % which), "w", encoding="utf-8") as f:
            json.dump(truth, f, indent=0, ensure_ascii=False)
        print(which, len(rows), {k: len(v) for k, v in truth.items()})
