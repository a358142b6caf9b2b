"""The machinery of both worlds of tickets: their texts, times, facts, tasks and teacher.

`world_of(company)` gives the class World of a company, which is a module with its words and rules, and
the function that says a template in its words.
"""
import json
import random
import re
from dataclasses import dataclass

MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
_KEYS = {"a": "sqz", "e": "wrd", "i": "uok", "o": "ipl", "n": "bm", "t": "ry", "s": "ad", "r": "et", "l": "kp", "c": "xv"}
YESNO_LABELS = ["yes", "no"]


@dataclass(frozen=True)
class Request:
    i: int
    at_seconds: float
    text: str
    truth_label: str


def _rng(*key):
    return random.Random(":".join(str(k) for k in key))     # text seeds are the same in every process


def _typos(rng, text, count):
    words = text.split(" ")
    spots = [k for k, w in enumerate(words) if len(w) > 3 and w.isalpha()]
    for k in rng.sample(spots, min(count, len(spots))):
        w, p = words[k], rng.randrange(1, len(words[k]) - 1)
        how = rng.randrange(4)
        if how == 0:
            w = w[:p] + w[p + 1] + w[p] + w[p + 2:]
        elif how == 1:
            w = w[:p] + w[p + 1:]
        elif how == 2:
            w = w[:p] + w[p] + w[p:]
        else:
            w = w[:p] + rng.choice(_KEYS.get(w[p].lower(), "e")) + w[p + 1:]
        words[k] = w
    return " ".join(words)


def _pick(rng, weights):
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def world_of(company):
    BASE, BURST_MAIN, CHANNELS, CLASH, CLOSE, COMPANY = company.BASE, company.BURST_MAIN, company.CHANNELS, company.CLASH, company.CLOSE, company.COMPANY
    FILL, GREET, KINDS, KIND_NOT, KIND_SAY, LABELS = company.FILL, company.GREET, company.KINDS, company.KIND_NOT, company.KIND_SAY, company.LABELS
    LANG, LANGS, MAIN, MONTH_SAY, MONTH_TWO, NEG = company.LANG, company.LANGS, company.MAIN, company.MONTH_SAY, company.MONTH_TWO, company.NEG
    PRIOR, PRODUCTS, PROD_SAY, PROD_TWO, SEC, SEC_FOR = company.PRIOR, company.PRODUCTS, company.PROD_SAY, company.PROD_TWO, company.SEC, company.SEC_FOR
    SIGN, SLOT_AFTER, SLOT_SYSTEM, SYSTEM, USER, VAGUE = company.SIGN, company.SLOT_AFTER, company.SLOT_SYSTEM, company.SYSTEM, company.USER, company.VAGUE
    VOCAB, YN, YN_NO, YN_PAIRS, YN_QUESTION, YN_SYSTEM = company.VOCAB, company.YN, company.YN_NO, company.YN_PAIRS, company.YN_QUESTION, company.YN_SYSTEM
    YN_W, YN_YES, _yn, rule_1, rule_2 = company.YN_W, company.YN_YES, company._yn, company.rule_1, company.rule_2
    SLOT_LABELS = {"kind": list(KINDS) + ["none"], "month": MONTHS + ["none"], "product": list(PRODUCTS) + ["none"]}


    def _say(rng, template, **known):
        """Fills {words} from VOCAB (or `known`) and takes one of [a|b]."""
        used = {}

        def word(m):
            k = m.group(1)
            if k in known:
                return known[k]
            if k == "n":
                return str(rng.randint(3, 60))
            base = k.rstrip("2")
            c = rng.choice(VOCAB[base])
            while base in used and used[base] == c and k != base:
                c = rng.choice(VOCAB[base])
            used.setdefault(base, c)
            return c

        def alt(m):
            return rng.choice(m.group(1).split("|"))

        for _ in range(4):
            done = re.sub(r"\{(\w+)\}", word, re.sub(r"\[([^\[\]]*\|[^\[\]]*)\]", alt, template))
            if done == template:
                break
            template = done
        return template[:1].upper() + template[1:]


    def _month(rng, k, lang):
        if lang != "en":
            return LANG[lang]["months"][k]
        name = MONTHS[k].capitalize()
        return rng.choice([name, name, name[:3] + ".", "%02d/%d" % (k + 1, rng.randint(2023, 2025)), name + " %d" % rng.randint(2023, 2025), name.lower()])


    def _ticket(seed, i, burst):
        """One ticket: its text and all that is true of it."""
        r = _rng("ticket", COMPANY, seed, i)
        lang = r.choice(LANGS) if r.random() < .10 else "en"
        L = LANG.get(lang)
        f = {"language": lang, "ambiguous": None, "chances": None, "secondary": [], "denied": [], "mains": [], "yn": []}
        main = _pick(r, PRIOR)
        if burst and r.random() < .5:
            main = BURST_MAIN
        parts = []
        if r.random() < .15:                                            # ambiguous
            if lang == "en" and r.random() < .45:
                a, b, p, texts = r.choice(VAGUE)
                f["ambiguous"], f["chances"] = "vague", {a: p, b: 1 - p}
                parts = [_say(r, r.choice(texts))]
            else:
                other = _pick(r, {m: w for m, w in PRIOR.items() if BASE[m] != BASE[main]})
                f["ambiguous"], f["chances"] = "mixed", {BASE[main]: .65, BASE[other]: .35}
                f["mains"] = [main, other]
                parts = [_say(r, r.choice((L or MAIN)[m])) for m in (main, other)]
        else:
            f["mains"] = [main]
            # how many other facts are in the ticket
            k = r.choices([0, 1, 2], weights=[.38, .48, .14])[0]
            allowed = list(dict.fromkeys(SEC_FOR[main]))
            while len(f["secondary"]) < min(k, len(allowed)):
                s = r.choice(SEC_FOR[main])
                if s not in f["secondary"] and not any({s, t} in CLASH for t in f["secondary"]):
                    f["secondary"].append(s)
                elif k > 1 and r.random() < .2:
                    break
            parts = [_say(r, r.choice((L or MAIN)[main]))] + [_say(r, r.choice(L[s] if L else SEC[s])) for s in f["secondary"]]
            if lang == "en" and r.random() < .22:                       # the words of a fact, denied
                free = [s for s in NEG if s not in f["secondary"] and not any({s, t} in CLASH for t in f["secondary"])]
                s = r.choice(free)
                f["denied"].append(s)
                parts.append(_say(r, r.choice(NEG[s])))
        if r.random() < .5:                                             # facts for the yes/no task
            f["yn"] = list(r.choice(YN_PAIRS)) if lang == "en" and r.random() < .2 else [_pick(r, YN_W)]
            parts += [_say(r, r.choice((L or YN)[y])) for y in f["yn"]]
        # slots
        slots = {"kind": "none", "month": "none", "product": "none"}
        if r.random() < .5:
            slots["kind"] = r.choice(list(KINDS))
            parts.append(_say(r, r.choice(L["num"] if L else KIND_SAY), num=KINDS[slots["kind"]](r)))
        elif lang == "en" and r.random() < .25:
            parts.append(_say(r, r.choice(KIND_NOT), cust=str(r.randint(100000, 999999))))
        if r.random() < .45:
            slots["product"] = r.choice(list(PRODUCTS))
            p, q = slots["product"], r.choice([x for x in PRODUCTS if x != slots["product"]])
            two = lang == "en" and r.random() < .3
            parts.append(_say(r, r.choice(L["prod"] if L else PROD_TWO if two else PROD_SAY),
                              p=PRODUCTS[p][0] if L else r.choice(PRODUCTS[p]), q=r.choice(PRODUCTS[q])))
        if r.random() < .4:
            k = r.randrange(12)
            slots["month"] = MONTHS[k]
            two = lang == "en" and r.random() < .3
            parts.append(_say(r, r.choice(L["month"] if L else MONTH_TWO if two else MONTH_SAY),
                              m=_month(r, k, lang), k=_month(r, (k + r.randint(1, 11)) % 12, lang)))
        f["slots"] = slots
        if lang == "en":
            parts += [_say(r, x) for x in r.sample(FILL, r.choices([0, 1, 2], weights=[.5, .35, .15])[0])]
        if f["ambiguous"] != "mixed":                                   # in a mixed one the first topic stays first
            r.shuffle(parts)
        else:
            rest = parts[1:]
            r.shuffle(rest)
            parts = parts[:1] + rest
        body = r.choice([" ", " ", " ", "\n"]).join(parts)
        if r.random() < .12:
            body = body.lower()
        if r.random() < .08:
            body = body.replace(".", "").replace(",", "")
        f["typos"] = r.randint(1, 4) if r.random() < .25 else 0
        if f["typos"]:
            body = _typos(r, body, f["typos"])
        if r.random() < .55:
            g = r.choice(L["greet"] if L else GREET)
            body = g + r.choice(["\n", " ", "\n\n"]) + body
        if r.random() < .5:
            body += r.choice(["\n", "\n\n", " "]) + r.choice(L["close"] if L else CLOSE)
            if r.random() < .5:
                body += "\n" + r.choice(SIGN)
        return body, f


    class _Tickets:
        """The tickets under all three tasks: texts, times and facts."""

        def __init__(self, seed, n, change):
            self.seed, self.n = seed, n
            r = _rng("world", seed, COMPANY)
            self.changed_at = int(n * (change if change is not None else r.uniform(.55, .68)))
            b = int(n * r.uniform(.18, .38))
            self.burst = (b, b + max(1, n // 25))                       # a busy hour that is NOT a change of the rule
            self.rows, t = [], 8 * 3600.0
            for i in range(n):
                body, f = _ticket(seed, i, self.burst[0] <= i < self.burst[1])
                hour = (t / 3600) % 24
                gap = 30.0 if 8 <= hour < 18 else 90.0 if 6 <= hour < 22 else 400.0
                if self.burst[0] <= i < self.burst[1]:
                    gap /= 4
                t += _rng("time", COMPANY, seed, i).expovariate(1 / gap)
                self.rows.append((round(t, 1), body, f))


    class _Task:
        """What the three tasks have in common."""
        labels = ()

        def __init__(self, tickets):
            self._tickets, self.seed, self.n = tickets, tickets.seed, tickets.n
            self.changed_at, self.burst = tickets.changed_at, tickets.burst
            self.facts, self.stream = [], []
            for i, (t, body, f) in enumerate(tickets.rows):
                old, new = self._truth(i, f)
                self.facts.append(dict(f, before=old, after=new, moved=old != new))
                self.stream.append(Request(i, t, body, new if i >= self.changed_at else old))

        def prompt(self, request):
            r = _rng("prompt", COMPANY, self.seed, request.i)
            u = r.choice(USER).replace("{no}", str(20000 + request.i)).replace("{ch}", r.choice(CHANNELS)).replace("{t}", request.text)
            return [{"role": "system", "content": self.system}, {"role": "user", "content": u}]

        def teacher(self, request, attempt=0):
            """The paid model's answer: 97% right; the same every time for one (request, attempt)."""
            r = _rng("teacher", COMPANY, self.task, self.seed, request.i, attempt)
            label = request.truth_label if r.random() < .97 else self._wrong(r, request.truth_label)
            return self._form(r, label)

        def best_possible(self, first=0, last=None):
            """Accuracy of a reader who knows the rule and guesses the likelier label of ambiguous tickets."""
            rows = self.facts[first:last]
            return sum(max(f["chances"].values()) if self.task == "triage" and f["chances"] else 1 for f in rows) / max(1, len(rows))


    class YesNo(_Task):
        task, labels = "yesno", YESNO_LABELS

        def __init__(self, seed=0, n=1000, change=None, _tickets=None):
            self.system, self.question = YN_SYSTEM, YN_QUESTION
            super().__init__(_tickets or _Tickets(seed, n, change))

        def _truth(self, i, f):
            a = (f["mains"], set(f["secondary"]), set(f["yn"]))
            return _yn(*a, False), _yn(*a, True)

        def _wrong(self, r, label):
            return "no" if label == "yes" else "yes"

        def _form(self, r, label):
            return r.choice([label, label, label, label.capitalize(), label.capitalize() + ".", label.upper(), r.choice(YN_YES if label == "yes" else YN_NO)])

        @staticmethod
        def read(answer):
            m = re.search(r"\b(yes|no)\b", answer.lower())
            return m.group(1) if m else None


    class Slots(_Task):
        task, labels = "slots", SLOT_LABELS

        def __init__(self, seed=0, n=1000, change=None, _tickets=None):
            self.system = SLOT_SYSTEM
            super().__init__(_tickets or _Tickets(seed, n, change))

        def _truth(self, i, f):
            old = f["slots"]
            return json.dumps(old), json.dumps({k: SLOT_AFTER[k].get(v, v) for k, v in old.items()})

        def _wrong(self, r, label):
            d = json.loads(label)
            k = r.choice(list(d))
            d[k] = r.choice([x for x in SLOT_LABELS[k] if x != d[k]])
            return json.dumps(d)

        def _form(self, r, label):
            d = json.loads(label)
            how = r.randrange(6)
            if how == 3:
                return "```json\n" + json.dumps(d, indent=2) + "\n```"
            if how == 4:
                return "; ".join("%s: %s" % kv for kv in d.items())
            if how == 5:
                return json.dumps({k: v if v == "none" else v.capitalize() for k, v in d.items()})
            return label

        @staticmethod
        def read(answer):
            d = {k: re.search(k + r'"?\s*:\s*"?(\w+)', answer.lower()) for k in SLOT_LABELS}
            return json.dumps({k: m.group(1) for k, m in d.items()}) if all(d.values()) else None


    class World(_Task):
        """The triage task; `.yesno` and `.slots` are the two other tasks on the same tickets."""
        task, labels = "triage", LABELS

        def __init__(self, seed=0, n=1000, change=None):
            self.system = SYSTEM
            super().__init__(_Tickets(seed, n, change))
            self._other = {}

        def _truth(self, i, f):
            if f["chances"]:
                label = _pick(_rng("coin", COMPANY, self.seed, i), f["chances"])
                return label, label
            s = set(f["secondary"])
            return rule_1(f["mains"][0], s), rule_2(f["mains"][0], s)

        def _wrong(self, r, label):
            return r.choice([x for x in LABELS if x != label])

        def _form(self, r, label):
            return r.choice([label] * 4 + [label.capitalize() + ".", label.capitalize(), "label: " + label, "Label: " + label.capitalize(), label + "\n",
                                           "**" + label + "**", '"' + label + '"', "The label is " + label + ".", label.upper()])

        @staticmethod
        def read(answer):
            """The label in an answer text (None if there is not exactly one)."""
            found = [x for x in LABELS if re.search(r"(?<![\w-])" + re.escape(x) + r"(?![\w-])", answer.lower())]
            return found[0] if len(found) == 1 else None

        @property
        def yesno(self):
            if "yesno" not in self._other:
                self._other["yesno"] = YesNo(_tickets=self._tickets)
            return self._other["yesno"]

        @property
        def slots(self):
            if "slots" not in self._other:
                self._other["slots"] = Slots(_tickets=self._tickets)
            return self._other["slots"]

    return World, _say
