"""Writes committee.json (run once; committee.json is what the tests read). See the "about" of the JSON for the truth.

OFFERS (also for tests)  load() -> dict;  majority(words, members) -> str;  play(q, rounds, agreement=None, shown=True) -> (answer, calls)
    figures(questions, rounds, agreement=None, shown=True) -> dict(right, of, accuracy, calls)
"""
from __future__ import annotations
import json, random
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEMBERS = ["ada", "ben", "caro", "dev", "eli"]
ROLES = {"ada": "reads the question literally", "ben": "argues the other side", "caro": "checks numbers", "dev": "remembers sources", "eli": "sums up"}
Q = [
 ("which is further north, Rome or New York?", "Rome", ["New York", "the same"]),
 ("is a tomato a fruit botanically? fruit / vegetable", "fruit", ["vegetable", "neither"]),
 ("train leaves 9:40, takes 2h35, when's it there", "12:15", ["11:15", "12:05"]),
 ("How many edges has a cube?", "12", ["8", "6"]),
 ("can I deduct the commute by bike here: yes, no, partly (policy says 10 cents per km up to 40 km)", "partly", ["yes", "no"]),
 ("17 x 23?", "391", ["381", "401"]),
 ("what came first, the fax or the telephone", "the fax", ["the telephone", "same year"]),
 ("does hot water sometimes freeze before cold, has it been observed: yes/no/disputed", "disputed", ["yes", "no"]),
 ("Contract says 'within 10 business days of Friday 3 May'. Last day?", "17 May", ["13 May", "15 May"]),
 ("¿Cuál es la capital de Turquía?", "Ankara", ["Estambul", "Esmirna"]),
 ("bat and ball 1.10 together, bat costs 1 more than ball. ball?", "0.05", ["0.10", "0.15"]),
 ("which planet has the longest day", "Venus", ["Mercury", "Jupiter"]),
 ("sql: does count(col) count nulls", "no", ["yes", "depends on the index"]),
 ("5 machines make 5 widgets in 5 min. 100 machines, 100 widgets?", "5 minutes", ["100 minutes", "1 minute"]),
 ("Is 1 a prime number", "no", ["yes", "by convention yes"]),
 ("my invoice: net 240, vat 21%, total?", "290.40", ["261.00", "290.00"]),
 ("who reigned longer, Victoria or Louis XIV", "Louis XIV", ["Victoria", "equal"]),
 ("python: what's -7 // 2", "-4", ["-3", "-3.5"]),
 ("what's the plural of 'attorney general'", "attorneys general", ["attorney generals", "attorneys generals"]),
 ("how many months have 28 days", "12", ["1", "4"]),
 ("lease says notice 'before the 3rd working day of a month', the 1st is a Saturday, which date is the 3rd working day", "5th", ["3rd", "4th"]),
 ("which weighs more, a litre of oil or of water", "water", ["oil", "the same"]),
 ("Is the Great Wall visible from the Moon by eye?", "no", ["yes", "only at dawn"]),
 ("a snail climbs 3m by day slips 2 by night, 10 m well, days?", "8", ["10", "7"]),
 ("largest desert on earth?", "Antarctica", ["Sahara", "Gobi"]),
 ("0.1 + 0.2 == 0.3 in javascript", "false", ["true", "throws"]),
 ("el agua hierve a menos grados en la montaña, ¿verdadero o falso?", "verdadero", ["falso", "depende del gas"]),
 ("which has more caffeine per cup on average, drip coffee or espresso shot", "drip coffee", ["espresso shot", "equal"]),
 ("flip a fair coin 3 times: P(at least one head)?", "7/8", ["3/4", "1/2"]),
 ("Refund asked on day 31, policy 30 days, 30th was a public holiday and policy extends to next working day. refund?", "yes", ["no", "half"]),
 ("how many legs has a lobster", "10", ["8", "6"]),
 ("is mercury liquid at room temp", "yes", ["no", "only under pressure"]),
 ("If all bloops are razzies and all razzies are lazzies, are all bloops lazzies?", "yes", ["no", "cannot say"]),
 ("what does 'biweekly' mean in our handbook, it says 'biweekly, i.e. 26 times a year'", "every two weeks", ["twice a week", "twice a month"]),
 ("which country has most time zones incl. overseas", "France", ["Russia", "United States"]),
 ("git: does 'git fetch' change my working tree", "no", ["yes", "only on main"]),
 ("one third of 0.9 plus a half of 0.4", "0.5", ["0.47", "0.6"]),
 ("which is denser, ice or water", "water", ["ice", "the same"]),
 ("number of players of a rugby league side on the pitch", "13", ["15", "11"]),
 ("¿Cuántos lados tiene un heptágono?", "7", ["6", "8"]),
 ("the meeting is 'next Friday', today is Wednesday 12th, their mail adds '(the 21st)'. which date", "21st", ["14th", "19th"]),
 ("Which is the smallest country", "Vatican City", ["Monaco", "San Marino"]),
 ("hex ff in decimal", "255", ["256", "225"]),
 ("speed: 60 km/h there, 40 back, same road, average?", "48", ["50", "45"]),
 ("who wrote 'Frankenstein'", "Mary Shelley", ["Percy Shelley", "Lord Byron"]),
 ("are dolphins fish", "no", ["yes", "some are"]),
 ("price up 20% then down 20%, net?", "down 4%", ["no change", "up 4%"]),
 ("how many hours from 22:30 to 06:15", "7.75", ["8.25", "7.45"]),
 ("regex: does '.' match newline by default", "no", ["yes", "in python yes"]),
 ("which blood type is the universal donor (red cells)", "O negative", ["AB positive", "O positive"]),
 ("Sum of angles in a hexagon (degrees)", "720", ["540", "360"]),
 ("in Monty Hall should I switch", "switch", ["stay", "it doesn't matter"]),
 ("our SLA: 99.9% a 30-day month, allowed downtime in minutes", "43.2", ["4.32", "72"]),
 ("what's heavier, an electron or a proton", "a proton", ["an electron", "equal"]),
 ("¿'Haber' o 'a ver' en: '___ si llegas pronto'?", "a ver", ["haber", "las dos"]),
 ("Half-life 6 h, start 80 mg, after 18 h?", "10", ["20", "26.7"]),
 ("first man in space", "Gagarin", ["Shepard", "Armstrong"]),
 ("css: which wins, an id selector or ten classes", "id", ["ten classes", "the later one"]),
 ("what fraction of 1 km is 25 cm", "1/4000", ["1/400", "1/40000"]),
 ("Five people shake hands once with each other. How many handshakes?", "10", ["20", "25"])]
# what happens: per round, how the five stand. R right, W first wrong, X second wrong; letters are shuffled over members
SCRIPT = {
 "A1": ("RRRRR", "RRRRR", "RRRRR"), "A2": ("RRRRW", "RRRRR", "RRRRR"), "A3": ("RRRRX", "RRRRW", "RRRRW"), "A4": ("RRRRW", "RRRWX", "RRRRX"),
 "B1": ("WWWWR", "WWWWR", "WWWWW"), "B2": ("WWWWW", "WWWWR", "WWWWR"), "C": ("WWWWR", "RRRWW", "RRRRR"), "D": ("RRRRW", "RRWWW", "WWWWR"),
 "E1": ("WWRRX", "RRRRW", "RRRRR"), "E2": ("WWWRR", "RRRRW", "RRRRR"), "E3": ("WWWRX", "RRRRX", "RRRRW"), "F": ("RRRWX", "RRRRW", "RRRRR"),
 "G1": ("WWRXX", "WWWRR", "RRRWX"), "G2": ("WWWRR", "WWWRX", "RRRRW"), "H1": ("WWWRX", "RRRWX", "WWWRR"), "H2": ("WWWXR", "WWWRR", "WWWXR"),
 "I": ("RRWWX", "RRWWX", "RRRWW")}
SEEN = ["A1"] * 4 + ["A2"] * 5 + ["A3"] * 4 + ["A4"] * 2 + ["B1", "B2", "C", "D", "E1", "E1", "E2", "E3", "F", "F", "G1", "G2", "H1", "H2", "I"]
UNSEEN = ["A1"] * 3 + ["A2"] * 6 + ["A3"] * 3 + ["A4"] * 2 + ["B1", "B2", "B2", "C", "D", "E1", "E2", "E2", "E3", "E3", "F", "G1", "G2", "H1", "H2", "I"]


def majority(words, members=MEMBERS):
    """Plurality; of tied answers the one held by the earliest member in the list."""
    n = {}
    for w in words:
        n[w] = n.get(w, 0) + 1
    top = max(n.values())
    return next(w for w in words if n[w] == top)


def play(q, rounds, agreement=None, shown=True):
    calls, words = 0, []
    for r in range(rounds):
        words = [q["opinions"][r if shown else 0][m] for m in MEMBERS]
        calls += len(words)
        if agreement and max(words.count(w) for w in words) / len(words) >= agreement - 1e-9:
            break
    return majority(words), calls


def figures(qs, rounds, agreement=None, shown=True):
    right = calls = 0
    for q in qs:
        a, c = play(q, rounds, agreement, shown)
        right, calls = right + (a == q["right"]), calls + c
    return dict(right=right, of=len(qs), accuracy=round(right / len(qs), 4), calls=calls)


def load():
    return json.loads((HERE / "committee.json").read_text(encoding="utf-8"))


ABOUT = """Truth: 60 questions (30 'seen', 30 'unseen': the unseen ones are not to be used before the end), five scripted members and what each
says in rounds 1-3. opinions[r][member] is said in round r+1 IF the member was shown the OTHERS' last words (all of the previous round's,
not its own only); a member not shown them repeats its round-1 word, so a committee that does not show the others' words stays at the accuracy
of round 1 ('not_shown'). says_loose has the same opinions as a person would write them (case, full stop, 'I think'): for a system
that normalises; the calculated figures hold for opinions. Chair: plurality of the members' last words; of tied answers the one of the earliest
member in `members`. calls = members' contributions (the chair's one call per question is not counted). Early stop: after a round in which at
least `agreement` (0.8, i.e. 4 of 5) of the members say the same. Target: accuracy after 1, 2, 3 rounds EXACTLY as in 'calculated' (per
split); early stop saves >= 40% of the calls of 3 full rounds at <= 1 point of accuracy. Traps: early agreement on a wrong answer that later rounds would have
corrected (script C), right early agreement that later rounds lose (D), ties (I: decided by the rule above), a majority that is
reached and lost (H1)."""


def main():
    rng = random.Random("committee-25")
    qs = []
    order = list(range(60))
    rng.shuffle(order)
    for split, scripts, ids in (("seen", SEEN, order[:30]), ("unseen", UNSEEN, order[30:])):
        assert len(scripts) == 30
        sc = scripts[:]
        rng.shuffle(sc)
        for code, j in zip(sc, ids):
            text, right, wrong = Q[j]
            w = wrong[:]
            rng.shuffle(w)
            m = {"R": right, "W": w[0], "X": w[1]}
            ops, prev = [], None
            for row in SCRIPT[code]:
                pos = list(row)
                if prev is None:
                    rng.shuffle(pos)
                    cur = pos
                else:                                  # as few members change as the script allows
                    left, cur = list(row), [None] * 5
                    for i, x in enumerate(prev):
                        if x in left:
                            cur[i] = x
                            left.remove(x)
                    rng.shuffle(left)
                    cur = [x if x is not None else left.pop() for x in cur]
                prev = cur
                ops.append({a: m[x] for a, x in zip(MEMBERS, cur)})
            forms = ["{}", "{}.", "I think {}", "It's {}.", "I'd say {}", "My answer: {}", "{}!"]
            loose = [{a: rng.choice(forms).format(x if rng.random() < .7 else x.lower()) for a, x in o.items()} for o in ops]
            qs.append(dict(id=f"c{j:02d}", split=split, question=text, options=sorted([right] + wrong), right=right, script=code, opinions=ops, says_loose=loose))
    qs.sort(key=lambda q: (q["split"], q["id"]))
    calc = {}
    for name, part in (("all", qs), ("seen", [q for q in qs if q["split"] == "seen"]), ("unseen", [q for q in qs if q["split"] == "unseen"])):
        full = figures(part, 3)
        early = figures(part, 3, .8)
        calc[name] = {**{f"rounds_{r}": figures(part, r) for r in (1, 2, 3)}, "not_shown": figures(part, 3, shown=False), "early_stop_0.8": early,
                      "early_stop_1.0": figures(part, 3, 1.0), "early_saves": round(1 - early["calls"] / full["calls"], 4),
                      "early_costs_points": round(100 * (full["accuracy"] - early["accuracy"]), 2)}
    doc = dict(about=" ".join(ABOUT.split()), members=MEMBERS, roles=ROLES, agreement=.8, calculated=calc, questions=qs)
    (HERE / "committee.json").write_text(json.dumps(doc, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(calc, indent=1))


if __name__ == "__main__":
    main()
