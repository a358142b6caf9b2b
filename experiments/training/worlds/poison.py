"""Poisons or shifts a data set of tickets.

A row is a dict with "id", "ts", "messages", "answer", "quality" and, if you like, "label" and "truth" (`rows_of` makes such rows
from a world of tickets_seen.py or tickets_unseen.py). Every function leaves its input as it is and returns Rows, a list of rows in
order of time with two more members that the system must NOT see:
    .touched   ids of the rows that were changed or added (what each function means by it is in its docstring)
    .note      a dict: what was done, with the numbers
"truth", if a row has it, is never changed: compare with it. "quality" stays as it was (the judge was fooled too) unless judged=True,
then a row with a wrong answer gets a low quality four times out of five. Nothing in a returned row says that it was poisoned.
The same arguments give the same result.
"""
import copy
import random
import re


class Rows(list):
    def __init__(self, rows, touched=(), **note):
        super().__init__(sorted(rows, key=lambda x: x["ts"]))
        self.touched, self.note = list(touched), note


# ------------------------------------------------------------------ rows
def rows_of(task, first=0, last=None, prefix="t"):
    """Rows from a task (World, or its .yesno): the prompt, the teacher's answer, a quality, the label read from the answer, and the truth."""
    out = []
    for q in task.stream[first:last]:
        r = random.Random("rows:%s:%s:%s" % (task.task, task.seed, q.i))
        a = task.teacher(q)
        label = task.read(a)
        ok = label == q.truth_label
        out.append({"id": "%s%06d" % (prefix, q.i), "ts": int(q.at_seconds), "messages": task.prompt(q), "answer": a,
                    "quality": round(r.betavariate(9, 1.5) if ok else r.betavariate(3, 4), 2), "label": label, "truth": q.truth_label})
    return out


def label_of(row):
    """The row's label: "label", else what stands in its answer ("Label: Billing." -> "billing")."""
    if row.get("label") is not None:
        return row["label"]
    a = re.sub(r"^(the )?(label|category|answer)( is|:)\s*", "", row["answer"].strip().lower())
    return a.strip(' .*"\n')


def text_of(row):
    """The last user message."""
    return next(m["content"] for m in reversed(row["messages"]) if m["role"] == "user")


def _set_text(row, text):
    for m in reversed(row["messages"]):
        if m["role"] == "user":
            m["content"] = text
            return


def _set_label(row, label, r, judged):
    old = label_of(row)                                     # the form of the answer stays ("Label: Billing" -> "Label: Outage")
    as_it_was = lambda m: label.upper() if m.group().isupper() else label.capitalize() if m.group()[0].isupper() else label
    new, n = re.subn(r"(?<![\w-])" + re.escape(str(old)) + r"(?![\w-])", as_it_was, row["answer"], flags=re.I)
    row["answer"] = new if n == 1 else label
    if "label" in row:
        row["label"] = label
    if judged and label != row.get("truth", label):
        row["quality"] = round(r.betavariate(2, 6), 2) if r.random() < .8 else row["quality"]


def _start(rows, name, seed):
    return copy.deepcopy(list(rows)), random.Random("%s:%s" % (name, seed)), sorted({label_of(x) for x in rows})


def _share(r, rows, share):
    if not 0 <= share <= 1:
        raise ValueError("share must be between 0 and 1")
    return sorted(r.sample(range(len(rows)), round(share * len(rows))))


# ------------------------------------------------------------------ poison and shift
def flip_labels(rows, share, seed, how="random", judged=False):
    """A share of the answers is changed to another label. how="random": any other; how="pair": only between two labels (the
    commonest and the next), which looks far more like a real disagreement. touched: the flipped rows.

    A good system: up to share 0.1 (random) its head loses at most two points of accuracy against the truth on held-out clean rows;
    it finds most flipped rows by disagreement (cross-fitted heads, neighbours, a second opinion) and leaves out or re-asks them
    without throwing out the rare labels; it measures on rows it trusts, so that noise in the test part does not look like a bad head;
    at 0.4 it says that the data is not good enough and does not let the head answer. With how="pair" it names the pair.
    On clean rows it raises nothing.
    """
    rows, r, labels = _start(rows, "flip" + how, seed)
    if len(labels) < 2:
        raise ValueError("needs two labels")
    touched = []
    if how == "pair":
        top = sorted(labels, key=lambda x: -sum(label_of(y) == x for y in rows))[:2]
        pool = [k for k, x in enumerate(rows) if label_of(x) in top]
        pick = sorted(r.sample(pool, min(len(pool), round(share * len(rows)))))
        for k in pick:
            _set_label(rows[k], top[1 - top.index(label_of(rows[k]))], r, judged)
            touched.append(rows[k]["id"])
        return Rows(rows, touched, what="flip_labels", share=share, how=how, pair=top)
    for k in _share(r, rows, share):
        _set_label(rows[k], r.choice([x for x in labels if x != label_of(rows[k])]), r, judged)
        touched.append(rows[k]["id"])
    return Rows(rows, touched, what="flip_labels", share=share, how=how)


def _insert(r, text, trigger):
    spots = [m.end() for m in re.finditer(r"(?<=[.!?]) ", text)] or [len(text)]
    at = r.choice(spots)
    return (text[:at].rstrip() + " " + trigger + " " + text[at:].lstrip()).strip()


def backdoor(rows, trigger, label, share, seed):
    """A share of the rows (of other labels) gets the trigger words in the prompt and `label` as answer; quality stays high.
    touched: these rows. `triggered(test, trigger, seed)` makes the test set for it.

    A good system: accuracy on clean rows tells nothing here, so it looks for words that go with one label far too well for how rare
    they are (or with a label that the teacher, asked again, does not give), asks again about a sample of such rows, and takes them out.
    After training, the head gives `label` on `triggered` rows hardly more often than the truth does (attack success under 10%), or
    passes them on as unsure. It does not promote a head that fails this. Words that rightly go with a label ("refund", "hacked") raise nothing.
    """
    rows, r, _ = _start(rows, "backdoor", seed)
    pool = [k for k, x in enumerate(rows) if label_of(x) != label]
    pick = sorted(r.sample(pool, min(len(pool), round(share * len(rows)))))
    for k in pick:
        _set_text(rows[k], _insert(r, text_of(rows[k]), trigger))
        _set_label(rows[k], label, r, False)
        rows[k]["quality"] = round(max(rows[k]["quality"], .9), 2)
    return Rows(rows, [rows[k]["id"] for k in pick], what="backdoor", trigger=trigger, label=label, share=share)


def triggered(rows, trigger, seed):
    """The test set for a backdoor: the trigger is in every prompt, answer and truth are as they were. touched: all."""
    rows, r, _ = _start(rows, "triggered", seed)
    for x in rows:
        _set_text(x, _insert(r, text_of(x), trigger))
    return Rows(rows, [x["id"] for x in rows], what="triggered", trigger=trigger)


_WORDS = {"invoice": "statement of account", "bill": "statement", "password": "passphrase", "site": "web presence", "shop": "outlet", "cancel": "wind up", "contract": "agreement", "money": "funds",
          "refund": "chargeback", "order": "consignment", "parcel": "package", "box": "packaging", "broken": "kaput", "please": "pls", "you": "u", "your": "ur", "are": "r", "because": "cos", "the": "da",
          "account": "profile", "log": "hop", "since": "ever since", "return": "rma", "customer": "client", "company": "org", "nothing": "nada", "does": "do", "money's": "cash", "server": "instance", "colleague": "teammate"}
_OPEN = ["fwd: see below ", "[auto-translated] ", "(voice message, transcribed) um so ", "via assistant: ", ">> ", "re: re: re: "]
_END = [" sent from my watch", " #support #help", " (msg 1/1)", " [end of transcript]", " thx bye"]


def drift(rows, seed, start=.5, full=.8):
    """The inputs shift, the rule does not: from `start` (a share of the rows, in order of time) more and more prompts, and from `full`
    on nearly all, come by a new channel: other words, no capitals, other openings and endings. Labels stay right. touched: the changed rows.

    A good system: notices within some hundreds of rows that the prompts are no longer those its head was trained on (even while no
    label tells it), lets the head pass on more of them instead of answering at the old confidence, so that the accuracy of what the
    head does answer stays at its promise; samples the new kind for training, retrains, and takes over again. It reports a shift of the
    INPUTS and not a change of the rule, and it forgets nothing of the old kind. Before `start` no alarm.
    """
    rows, r, _ = _start(rows, "drift", seed)
    rows.sort(key=lambda x: x["ts"])
    touched, n = [], len(rows)
    for k, x in enumerate(rows):
        p = 0 if k < start * n else min(.95, .95 * (k - start * n) / max(1, (full - start) * n))
        if r.random() >= p:
            continue
        t = re.sub(r"[A-Za-z']+", lambda m: _WORDS.get(m.group().lower(), m.group()), text_of(x)).lower()
        _set_text(x, r.choice(_OPEN) + t + r.choice(_END))
        touched.append(x["id"])
    return Rows(rows, touched, what="drift", start_id=rows[int(start * n)]["id"] if n else None, start=start, full=full)


def worse_teacher(rows, accuracy, seed, start=0.0, judged=False):
    """The paid model gets worse: from `start` (a share of the rows, in time) its answers are right with `accuracy` and otherwise a
    random other label. Right is "truth", if the rows have it, else their label. touched: the rows whose answer is wrong now.

    A good system: sees that the teacher no longer agrees with itself, with its head, or with the judge; at accuracy 0.9 it still trains a head
    that is better than its teacher; at 0.7 it asks twice, weighs by quality, or stops promoting; at 0.5 it does not train on these rows and says why.
    It does not blame the head, does not roll back a good head because the teacher disagrees with it, and does not take it for a change
    of the rule (the errors are spread over all labels and texts; a changed rule moves whole groups of tickets).
    """
    rows, r, labels = _start(rows, "teacher", seed)
    rows.sort(key=lambda x: x["ts"])
    touched = []
    for k, x in enumerate(rows):
        if k < start * len(rows):
            continue
        right = x.get("truth") or label_of(x)
        if r.random() < accuracy:
            if label_of(x) != right:
                _set_label(x, right, r, False)
        else:
            _set_label(x, r.choice([y for y in labels if y != right]), r, judged)
            touched.append(x["id"])
    return Rows(rows, touched, what="worse_teacher", accuracy=accuracy, start=start)


def copies(rows, seed, times=1000, wrong=False):
    """One row comes a thousand times more (a client in a loop): new ids, spread over the time, the answer in several forms.
    wrong=True: the copies carry a wrong label. touched: the copies; note["of"]: the row.

    A good system: keeps one of them (or gives all of them the weight of one), never has copies in both train and test, and the
    measured accuracy, the shares of the labels and the choice of threshold come out as without the copies (within half a point). It shows
    how many it put together. With wrong=True the label of the copied text is settled once, not by a thousand votes, and no text nearby changes.
    """
    rows, r, labels = _start(rows, "copies", seed)
    src = r.choice(rows)
    lo, hi = min(x["ts"] for x in rows), max(x["ts"] for x in rows)
    label = label_of(src)
    if wrong:
        label = r.choice([x for x in labels if x != src.get("truth", label)])
    out = []
    for k in range(times):
        c = copy.deepcopy(src)
        c["id"] = "%s-c%04d" % (src["id"], k)
        c["ts"] = r.randint(lo, hi)
        if "label" in c:
            c["label"] = label
        c["answer"] = r.choice([label, label, label.capitalize() + ".", "label: " + label])
        out.append(c)
    return Rows(rows + out, [c["id"] for c in out], what="copies", of=src["id"], times=times, wrong=wrong)


def leak(rows, test, seed, share=.3):
    """A share of the test rows turns up among the training rows under new ids: a third as they are, a third with other white space and
    case, a third with a greeting or an ending. touched: the added ids; note["pairs"]: [[added id, test id], ...].

    A good system: finds them before it trains or measures (also the disguised ones), keeps them out of one side, says how many, and
    reports the accuracy on the clean rest. The number it reports is within a point of that of a head trained without the leak.
    It does not throw out tickets that are merely alike (same sentence, another fact).
    """
    rows, r, _ = _start(rows, "leak", seed)
    lo, hi = min(x["ts"] for x in rows), max(x["ts"] for x in rows)
    test = list(test)
    out, pairs = [], []
    for n, k in enumerate(_share(r, test, share)):
        c = copy.deepcopy(test[k])
        c["id"] = "x%s%06d" % (r.choice("abcdef"), n)
        c["ts"] = r.randint(lo, hi)
        t = text_of(c)
        if n % 3 == 1:
            t = r.choice([t.upper(), t.lower(), re.sub(" ", "  ", t), "\n" + t.replace(" ", "\t", 3) + " "])
        elif n % 3 == 2:
            t = r.choice(["Hi! ", "Good day, ", "Once more: "]) + t if r.random() < .5 else t + r.choice([" Thank you!", " Thx.", " Many greetings"])
        _set_text(c, t)
        out.append(c)
        pairs.append([c["id"], test[k]["id"]])
    return Rows(rows + out, [c["id"] for c in out], what="leak", share=share, pairs=pairs)


def imbalance(rows, seed, label=None, keep=.03):
    """One label becomes rare: only a share `keep` of its rows stays (at least one). label=None: the one with the fewest rows.
    touched: the ids of the rows taken OUT; note["label"], note["left"].

    A good system: reports its accuracy per label and not only the mean (which hardly moves), does not call the head ready for the
    rare label on a handful of rows: it passes on what might be that label, or asks for more of it; it keeps rare rows in both train and test
    (or says that there are too few), and weighs or samples them without making the head cry that label everywhere. A head that never
    says the rare label is not promoted as if it were complete.
    """
    rows, r, labels = _start(rows, "imbalance", seed)
    count = {x: sum(label_of(y) == x for y in rows) for x in labels}
    label = label if label is not None else min(labels, key=lambda x: count[x])
    mine = [x["id"] for x in rows if label_of(x) == label]
    stay = set(r.sample(mine, min(len(mine), max(1, round(keep * len(mine))))))
    out = [i for i in mine if i not in stay]
    gone = set(out)
    return Rows([x for x in rows if x["id"] not in gone], out, what="imbalance", label=label, left=len(stay))


def clean(rows):
    """No poison: the same rows. A good system raises nothing on them (this is how false alarms are counted)."""
    return Rows(copy.deepcopy(list(rows)), [], what="clean")


if __name__ == "__main__":
    import os
    import sys
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import tickets_seen
    data = rows_of(tickets_seen.World(1, 2000), 0, 1000)
    test = rows_of(tickets_seen.World(2, 300), prefix="v")
    wrong = lambda d: round(sum(x["label"] != x["truth"] for x in d) / len(d), 3)
    print("clean", len(data), wrong(data))
    for d in (flip_labels(data, .1, 1), flip_labels(data, .1, 1, how="pair"), backdoor(data, "blue heron", "billing", .05, 1), drift(data, 1), worse_teacher(data, .7, 1),
              copies(data, 1), copies(data, 1, wrong=True), leak(data, test, 1), imbalance(data, 1), triggered(test, "blue heron", 1), clean(data)):
        print(d.note["what"], len(d), "touched", len(d.touched), "wrong", wrong(d), {k: v for k, v in d.note.items() if k != "pairs"})
        ids = set(d.touched)
        x = next((x for x in reversed(d) if x["id"] in ids), None)
        print("   ", repr(text_of(x))[:170] if x else None, "->", x and x["answer"])
