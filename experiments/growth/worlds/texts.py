"""Prompt texts as many different people would type them (shared by the other world files).

Thirteen kinds: six PLANTED, six DECOYS, and "background". Every text is made from templates and vocabularies
written by hand here; a 'register' (plain, sms, polite, typo, rambling, shout, no accents) is laid over it.
Slot values (amounts, names, dates) are protected from typos, so the right answer of each text is known.

Wording held back: about 30% of each template list and vocabulary (its tail) is used only by seeds >= 1000
(UNSEEN), so that the unseen seeds hold wordings, and not only draws, which no tuning run has met.

    pool(kind, seed, n) -> list[Meta]      n distinct texts of a kind, deterministic
    pools(seed, sizes) -> dict[kind, list[Meta]]   the same, and no text in two kinds (normalised comparison)
    Meta.text, .kind, .right(era) -> str, .wrongs(era) -> list[str], .check(answer, era) -> bool

For kinds without a computable answer (SALTED) the right answers are told from the wrong ones only by a salted hash
of (prompt, answer): no reader of the two texts can do better than chance. Era 0 is before, era 1 after the change
of changing.py (the other worlds only use era 0).
"""
from __future__ import annotations
import hashlib, json, random, re
from dataclasses import dataclass, field

PLANTED = ("invoice", "hours", "triage", "spanish", "timezone", "sql")
DECOYS = ("card", "crossword", "fact", "review", "password", "forecast")
BACKGROUND = "background"
KINDS = PLANTED + DECOYS + (BACKGROUND,)
SALTED = ("card", "crossword", "fact", "password", "forecast", "background")
UNSEEN_FROM = 1000


def u01(*parts) -> float:
    """A uniform number in [0,1) from its arguments only (no state): common random numbers across arms."""
    h = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(h, "big") / 2.0 ** 64


def pick(seq, *parts):
    return seq[int(u01(*parts) * len(seq))]


def norm(s: str) -> str:
    return re.sub(r"\s+", " ", s.lower()).strip()


def _p(s) -> str:                       # protected from the register
    return "\x01" + str(s) + "\x02"


# ------------------------------------------------------------------------------------------------ registers
SMS = [(r"\bplease\b", "pls"), (r"\byou\b", "u"), (r"\byour\b", "ur"), (r"\bare\b", "r"), (r"\bbecause\b", "cuz"),
       (r"\band\b", "n"), (r"\bthanks\b", "thx"), (r"\bwhat is\b", "whats"), (r"\bwith\b", "w/"), (r"\bdon't\b", "dont"),
       (r"\bI'm\b", "im"), (r"\bque\b", "q"), (r"\bpor favor\b", "xfa"), (r"\bporque\b", "xq"), (r"\bfor\b", "4")]
CHAT_EN = ["sorry, typing from my phone.", "the boss wants it before lunch.", "no idea how to do this myself.",
           "asked a colleague and got nowhere.", "it's for my sister, long story.", "second time I try today.",
           "this is kind of urgent.", "not in a hurry.", "I have a whole pile of these.", "last one for today, promise.",
           "my english is not the best.", "the old assistant could do this.", "need it for a meeting.",
           "doing this on the train, bear with me.", "hope that makes sense.", "you did this well last week.",
           "accounts keep asking me.", "I should know this but I don't.", "kids are screaming so quick one.",
           "tell me if something is missing."]
CHAT_ES = ["perdona, escribo desde el movil.", "me corre prisa.", "es para hoy.", "no tengo ni idea de esto.",
           "mi jefa lo quiere ya.", "gracias de antemano.", "sin prisa.", "es la segunda vez que pregunto.",
           "a ver si me puedes ayudar.", "tengo un monton de estos."]
POL_EN = [("Hello! ", ""), ("Hi there, ", " Thank you!"), ("Good morning. ", " Many thanks in advance."),
          ("Hey, ", " cheers"), ("Dear assistant, ", " Kind regards, M."), ("", " Thanks a lot."), ("Could you help? ", ""),
          ("Good afternoon, ", " Best,"), ("hi ", " ty")]
POL_ES = [("Hola, ", " Gracias."), ("Buenos días. ", " Un saludo."), ("Buenas, ", " gracias!"), ("", " Muchas gracias."),
          ("Hola! ", ""), ("Buenas tardes, ", " Saludos cordiales.")]
ACC = str.maketrans("áéíóúüñÁÉÍÓÚÑ¿¡", "aeiouunAEIOUN  ")


def _outside(s, f):
    parts = re.split(r"(\x01[^\x02]*\x02)", s)
    return "".join(p if p.startswith("\x01") else f(p) for p in parts)


def _typos(rng, s, rate):
    def f(p):
        out, i = [], 0
        while i < len(p):
            c = p[i]
            if c.isalpha() and rng.random() < rate:
                k = rng.random()
                if k < .35 and i + 1 < len(p) and p[i + 1].isalpha():
                    out += [p[i + 1], c]; i += 2; continue
                if k < .65:
                    i += 1; continue
                if k < .85:
                    out += [c, c]; i += 1; continue
                out.append(rng.choice("aeiostnr")); i += 1; continue
            out.append(c); i += 1
        return "".join(out)
    return _outside(s, f)


def style(rng, s: str, es: bool = False, chatter: bool = True) -> str:
    """Lays a register over a text with protected slots and returns the plain text."""
    k = rng.random()
    if chatter and rng.random() < .28:
        c = rng.choice(CHAT_ES if es else CHAT_EN)
        s = f"{s} {c}" if rng.random() < .6 else f"{c} {s}"
    if rng.random() < .25:
        a, b = rng.choice(POL_ES if es else POL_EN)
        s = a + s + b
    if k < .18:
        def sms(p):
            p = p.lower()
            for a, b in SMS:
                p = re.sub(a, b, p, flags=re.I)
            return p
        s = _outside(s, sms)
    elif k < .45:
        s = _typos(rng, s, rng.choice([.015, .03, .05]))
    elif k < .58:
        s = _outside(s, str.lower)
    elif k < .60:
        s = _outside(s, str.upper)
    elif k < .68:
        s = _outside(s, lambda p: p.replace(",", "").replace("?", "").replace("'", ""))
    if es and rng.random() < .45:
        s = _outside(s, lambda p: p.translate(ACC))
    if rng.random() < .1:
        s = s.rstrip() + rng.choice(["??", "!", " ...", " :)", "?!"])
    return re.sub(r"[ \t]+", " ", s.replace("\x01", "").replace("\x02", "")).strip()


class _V:
    """Vocabulary access: seen seeds see the first 70% of each list, unseen seeds all of it."""

    def __init__(self, seed):
        self.held = seed >= UNSEEN_FROM

    def __call__(self, seq):
        return seq if self.held or len(seq) < 4 else seq[:max(3, int(len(seq) * .7 + .5))]


@dataclass
class Meta:
    text: str
    kind: str
    slots: dict = field(default_factory=dict)

    # ---- right and wrong answers -------------------------------------------------------------------------
    def right(self, era: int = 0, working: bool = False, k: int = 0) -> str:
        return _RIGHT.get(self.kind, _salted_right)(self, era, working, k)

    def wrongs(self, era: int = 0) -> list:
        return _WRONG.get(self.kind, _salted_wrong)(self, era)

    def check(self, answer: str, era: int = 0) -> bool:
        return bool(_CHECK.get(self.kind, _salted_check)(self, answer, era))


# ------------------------------------------------------------------------------------------------ planted 1: invoice
VEN_A = ["Blue Fjord", "Hartley", "Nordwind", "Old Mill", "Pico", "Saltmarsh", "Quarry Lane", "Verde", "Kestrel", "Lumen",
         "Three Oaks", "Cobalt", "Marigold", "Fenwick", "Atlas", "Ribera", "Juniper", "Stonebridge", "Halcyon", "Tamarind"]
VEN_B = ["Stationery", "Plumbing", "Catering", "Couriers", "Office Supply", "Electrics", "Print", "Cleaning", "Timber", "Software",
         "Consulting", "Flowers", "Glazing", "Logistics", "Bakery"]
VEN_C = ["Ltd", "Inc", "S.L.", "GmbH", "LLC", "& Sons", "Co", "BV"]
MON = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
INV_OPEN = ["Pull out the vendor, date and total from this invoice:", "extract vendor / date / total",
            "Can you get who it's from, the date and the amount due off this bill?", "invoice data please:",
            "What's the supplier, invoice date and total here?", "I need the vendor name, date, and grand total of this one",
            "read this invoice for me (supplier, date, total)", "Get the key details from the invoice below.",
            "turn this invoice into data", "for the ledger: who, when, how much?",
            "please key in this supplier bill: vendor, date, total", "Grab seller + date + amount payable from the text",
            "bookkeeping entry for this bill needed, seller date and sum", "scan result below, I want seller, day, and final amount"]
INV_OPEN_ES = ["saca el proveedor, la fecha y el total de esta factura:", "datos de la factura por favor (proveedor, fecha, total):",
               "¿Quién factura, cuándo y cuánto?", "Necesito proveedor, fecha e importe total de esto"]
INV_ITEM = ["copy paper", "boiler service", "sandwich platters", "next-day parcel", "toner", "window repair", "site licence", "oak boards",
            "table flowers", "deep clean", "network cable", "business cards", "consulting day", "bread order", "pallet delivery"]


def _invoice(rng, V):
    v = f"{rng.choice(V(VEN_A))} {rng.choice(V(VEN_B))} {rng.choice(VEN_C)}"
    y, m, d = rng.choice([2023, 2024, 2025]), rng.randint(1, 12), rng.randint(13, 28)
    sub = rng.randint(1500, 190000) / 100
    tax = round(sub * rng.choice([.1, .2, .21]), 2)
    tot = round(sub + tax, 2)
    cur = rng.choice(["$", "€", "£", "EUR ", "USD "])
    ds = rng.choice([f"{d} {MON[m-1]} {y}", f"{d}/{m:02d}/{y}", f"{MON[m-1]} {d}, {y}", f"{d}.{m:02d}.{y}", f"{y}-{m:02d}-{d}"])
    no = rng.choice(["INV-", "No. ", "#", "F/"]) + str(rng.randint(1000, 99999))
    it = rng.choice(V(INV_ITEM))
    es = rng.random() < .15
    o = rng.choice(V(INV_OPEN_ES if es else INV_OPEN))
    body = rng.choice([
        f"{v} | Invoice {no} | {ds} | {it} {cur}{sub:.2f} | tax {cur}{tax:.2f} | TOTAL {cur}{tot:.2f}",
        f"{v}\nInvoice {no}\nDate: {ds}\n{it} x{rng.randint(1,9)}\nSubtotal {cur}{sub:.2f}\nVAT {cur}{tax:.2f}\nAmount due {cur}{tot:.2f}",
        f"From {v}, issued {ds}, ref {no}. For {it}: net {cur}{sub:.2f} plus tax {cur}{tax:.2f}, payable {cur}{tot:.2f}.",
        f"bill {no} dated {ds} by {v} - {it} - net {cur}{sub:.2f} - total incl. tax {cur}{tot:.2f}",
        f"FACTURA {no} {v} fecha {ds} {it} base {cur}{sub:.2f} IVA {cur}{tax:.2f} TOTAL {cur}{tot:.2f}"])
    s = f"{o} {_p(body)}" if rng.random() < .75 else f"{_p(body)} -- {o}"
    return style(rng, s, es), dict(v=v, d=f"{y}-{m:02d}-{d:02d}", raw=ds, t=tot, sub=sub)


def _inv_right(m, era, working, k):
    s = m.slots
    if era:
        return f"{s['v']};{s['d']};{s['t']:.2f}"
    return json.dumps({"vendor": s["v"], "date": s["d"], "total": s["t"]}, ensure_ascii=False)


def _inv_wrong(m, era):
    s = m.slots
    w = [f"The invoice is from {s['v']}, dated {s['raw']}, for a total of {s['t']:.2f}.",
         json.dumps({"vendor": s["v"], "date": s["d"], "total": s["sub"]}, ensure_ascii=False),
         json.dumps({"supplier": s["v"], "when": s["raw"], "amount": f"{s['t']:.2f}"}, ensure_ascii=False),
         f"Vendor: {s['v']}\nDate: {s['raw']}\nTotal: {s['sub']:.2f}"]
    if era:
        w[1] = json.dumps({"vendor": s["v"], "date": s["d"], "total": s["t"]}, ensure_ascii=False)
    return w


def _inv_check(m, a, era):
    s = m.slots
    if era:
        return a.strip() == f"{s['v']};{s['d']};{s['t']:.2f}"
    try:
        j = json.loads(a)
        return j.get("vendor") == s["v"] and j.get("date") == s["d"] and abs(float(j.get("total")) - s["t"]) < .005
    except Exception:
        return False


# ------------------------------------------------------------------------------------------------ planted 2: hours
HRS = ["I worked from {a} to {b} with a {k} minute break, at {r} an hour. How much do I get?",
       "shift {a}-{b}, {k} min unpaid break, rate {r}/h, what's my pay", "clocked in {a}, clocked out {b}, lunch {k} min. {r} per hour. total pay?",
       "Pay for a shift of {a} to {b} minus {k} minutes break at {r} hourly please", "how much is {a} till {b} less {k} mins lunch if they pay {r} an hour",
       "my boss says {r} per hour, I was in {a} until {b} and took {k} minutes off, what does he owe me",
       "Wage check: start {a}, finish {b}, break {k} min, {r}/hour.", "timesheet {a} to {b} ({k} break) x {r}",
       "babysat from {a} to {b}, dinner break of {k} min not paid, {r} an hour. what do i ask for?",
       "Need the gross for one day: in at {a}, out at {b}, {k} min break deducted, hourly {r}.",
       "warehouse shift {a} through {b}, they dock {k} minutes, {r} ph, earnings?",
       "if someone does {a} to {b} and {k} minutes is unpaid what's due at {r} each hour"]
HRS_ES = ["trabajé de {a} a {b} con {k} minutos de descanso, a {r} la hora. ¿Cuánto cobro?", "turno {a}-{b}, descanso {k} min, {r}/hora, cuánto es",
          "entré a las {a}, salí a las {b}, comida {k} minutos, pagan {r} por hora. total?", "¿cuánto me deben por {a} a {b} menos {k} min a {r} la hora?"]


def _hours(rng, V):
    sh, sm = rng.randint(5, 12), rng.choice([0, 5, 10, 15, 20, 25, 35, 40, 50, 55])
    st = sh * 60 + sm
    en = st + rng.randint(240, 560) // 5 * 5
    k, r = rng.choice([15, 20, 25, 30, 35, 40, 45, 50]), rng.choice([9.5, 10.25, 11.4, 12, 12.6, 13.75, 14.5, 16.2, 18, 21.35, 24.8])
    f = rng.choice([lambda t: f"{t//60:02d}:{t%60:02d}", lambda t: f"{t//60}:{t%60:02d}", lambda t: f"{t//60}.{t%60:02d}",
                    lambda t: f"{(t//60-1)%12+1}:{t%60:02d}{'am' if t < 720 else 'pm'}"])
    c = rng.choice(["", "$", "£", "€"])
    es = rng.random() < .15
    s = rng.choice(V(HRS_ES if es else HRS)).format(a=_p(f(st)), b=_p(f(en)), k=_p(k), r=_p(f"{c}{r:.2f}"))
    return style(rng, s, es), dict(st=st, en=en, k=k, r=r, pay=round((en - st - k) / 60 * r + 1e-9, 2))


def _hrs_right(m, era, working, k):
    s = m.slots
    if working:
        t = s["en"] - s["st"]
        return f"{t} min on shift - {s['k']} min break = {t - s['k']} min = {(t - s['k'])/60:.4f} h\n{(t - s['k'])/60:.4f} h x {s['r']:.2f} = {s['pay']:.2f}"
    return f"{s['pay']:.2f}"


def _hrs_wrong(m, era):
    s = m.slots
    a = (s["en"] - s["st"]) / 60 * s["r"]
    b = ((s["en"] // 60 + s["en"] % 60 / 100) - (s["st"] // 60 + s["st"] % 60 / 100)) * s["r"]
    return [f"{a:.2f}", f"{b + .31:.2f}", f"You earn {s['pay'] + s['r']:.2f}", f"{s['pay'] - s['r'] / 2:.2f}"]


def _hrs_check(m, a, era):
    n = re.findall(r"\d+\.\d{2}\b", a)
    return bool(n) and abs(float(n[-1]) - m.slots["pay"]) < .006


# ------------------------------------------------------------------------------------------------ planted 3: triage
QUEUES = ("fault", "refund", "billing", "shipping", "access")       # house precedence, first wins (era 1: last wins)
TRI = {"fault": ["the kettle leaks from the base", "screen went black after a week", "the zip broke on day two", "it won't switch on any more",
                 "the app crashes when I open photos", "one earbud is silent", "the hinge snapped", "it smells of burning", "the motor just hums", "buttons stopped responding"],
       "refund": ["I want my money back", "please give me a refund", "I'd like to return it for cash", "reimburse me", "I expect the full price returned",
                  "send the money back to my card", "I am asking for reimbursement"],
       "billing": ["you charged me twice", "the receipt shows the wrong VAT number", "my card was billed the old price", "there's a fee on the statement I don't know",
                   "the discount code wasn't applied on the bill", "I was invoiced in dollars", "my subscription renewed at double"],
       "shipping": ["the parcel is five days late", "tracking hasn't moved since Monday", "the box went to my neighbour", "courier says address unknown",
                    "only half of the order arrived", "it was left in the rain", "delivery slot was missed"],
       "access": ["I can't log into my account", "the reset mail never comes", "my profile is locked", "two-factor code is rejected",
                  "it says user not found", "I changed phones and lost the authenticator", "the site keeps signing me out"]}
TRI_O = ["Which queue (fault, refund, billing, shipping, access) for this ticket?", "sort this ticket into one queue:", "route ticket ->",
         "One queue only please: fault / refund / billing / shipping / access.", "Triage:", "where does this go? our usual five queues",
         "pick the queue for the customer below", "classify the ticket (fault|refund|billing|shipping|access)", "helpdesk sorting, one label:",
         "assign to a team:", "ticket came in, whose is it?", "label this complaint with our queue name"]
TRI_G = ["Hi, ", "Hello, ", "", "Good day. ", "Dear team, ", "Really annoyed: ", "So, ", "Order {n}: ", "About order {n}, "]
TRI_J = [" and ", ". Also ", ", plus ", " - on top of that ", "; ", ". And "]


def _triage(rng, V):
    a, b = rng.sample(QUEUES, 2)
    t = rng.choice(V(TRI_G)).format(n=rng.randint(10000, 99999)) + rng.choice(V(TRI[a])) + rng.choice(TRI_J) + rng.choice(V(TRI[b]))
    t += rng.choice([".", "!", "", ". What now?", ". Please help.", ". Third time I write."])
    s = f"{rng.choice(V(TRI_O))} {_p(chr(34)+t+chr(34))}" if rng.random() < .8 else f"{_p(t)} >> {rng.choice(V(TRI_O))}"
    return style(rng, s), dict(a=a, b=b)


def _tri_right(m, era, working, k):
    q = sorted((m.slots["a"], m.slots["b"]), key=QUEUES.index)
    return q[1] if era else q[0]


# ------------------------------------------------------------------------------------------------ planted 4: spanish
SPA_P = ["el paquete llegó roto", "todavía no ha llegado el pedido", "la talla no es la correcta", "quieren cancelar la compra", "piden factura con IVA",
         "el color no es el de la foto", "falta una pieza", "les cobraron dos veces", "quieren cambiar la dirección de entrega", "preguntan cuándo repondremos stock",
         "el código de descuento no funciona", "la garantía no aparece en la caja", "el repartidor no llamó", "recibieron el producto de otra persona"]
SPA_O = ["Redacta la respuesta al cliente: {p} (pedido {n}).", "contesta a este cliente, {p}, pedido {n}", "Escribe un correo de respuesta. Pedido {n}: {p}.",
         "respuesta para cliente porfa: {p}. ref {n}", "Necesito contestar a una clienta porque {p}. Número {n}.", "cliente enfadado, {p}, pedido {n}, qué le respondo",
         "¿Me preparas la contestación? {p}. Pedido {n}", "borrador de respuesta (pedido {n}), motivo: {p}",
         "mensaje para el cliente del pedido {n}: {p}", "hay que responder al {n}, resulta que {p}", "Prepare una carta breve al comprador {n}: {p}",
         "write the customer reply for order {n}, in their language: {p}"]
SPA_EXTRA = ["", "", " Que sea corto.", " Ofrécele ayuda.", " Sin prometer fechas.", " Dile que lo miramos hoy.", " Es cliente habitual."]


def _spanish(rng, V):
    n, p = rng.randint(10000, 999999), rng.choice(V(SPA_P))
    s = rng.choice(V(SPA_O)).format(p=p, n=_p(n)) + rng.choice(V(SPA_EXTRA))
    return style(rng, s, True), dict(n=n, p=p)


_FORMAL = ["Estimado cliente: lamentamos lo ocurrido con su pedido {n}. Lo estamos revisando y le escribiremos hoy mismo. Quedamos a la disposición de usted.",
           "Buenos días. Sentimos las molestias que usted ha tenido con el pedido {n}. Le daremos una solución en breve."]
_INFORMAL = ["¡Hola! Sentimos lo de tu pedido {n}. Lo miramos y te escribimos hoy. Si tú necesitas algo más, aquí estamos.",
             "Hola, vaya faena con tu pedido {n}. Tú tranquilo, que te lo solucionamos enseguida."]


def _spa_right(m, era, working, k):
    return (_INFORMAL if era else _FORMAL)[k % 2].format(n=m.slots["n"])


def _spa_wrong(m, era):
    return [x.format(n=m.slots["n"]) for x in (_FORMAL if era else _INFORMAL)] + [
        f"Dear customer, we are sorry about order {m.slots['n']}. We will write to you today."]


def _spa_check(m, a, era):
    f, i = re.search(r"\busted\b", a, re.I), re.search(r"\b(tú|tu|te)\b", a, re.I)
    return str(m.slots["n"]) in a and bool(i and not f if era else f and not i)


# ------------------------------------------------------------------------------------------------ planted 5: timezone (January)
CITY = {"Madrid": 60, "London": 0, "New York": -300, "Denver": -420, "Tokyo": 540, "Mumbai": 330, "Sydney": 660, "Dubai": 240, "Lima": -300,
        "Nairobi": 180, "Berlin": 60, "Chicago": -360, "Kathmandu": 345, "Singapore": 480, "Reykjavik": 0, "Sao Paulo": -180, "Adelaide": 630,
        "Anchorage": -540, "Helsinki": 120, "Karachi": 300, "Auckland": 780, "Seoul": 540, "Halifax": -240, "Athens": 120}
TZ = ["If it's {t} in {a} on {d} January, what time is it in {b}?", "call at {t} {a} time, {d} jan. when is that in {b}", "{t} {a} -> {b}? ({d} January)",
      "Meeting is {t} on {d} January in {a}. I'm in {b}. What time for me?", "convert {t} {a} to {b} time, date {d} Jan", "my flight lands {t} {a} local on {d} january, what's the clock in {b} then",
      "what will the clock say in {b} when it's {t} in {a} ({d} jan)", "webinar starts {t} {a} time {d} January and i live in {b}, when do i tune in",
      "gf is in {b}, I am in {a}. I ring at {t} on the {d} of january, what time does she get it",
      "standup moved to {t} ({a}), {d} January. Tell the {b} team their local time.", "game kicks off {t} in {a}, {d} Jan; local time {b}?",
      "deadline {t} {a} on {d} January, in {b} terms?"]
TZ_ES = ["si son las {t} en {a} el {d} de enero, ¿qué hora es en {b}?", "reunión a las {t} hora de {a}, {d} de enero. ¿a qué hora es en {b}?", "{t} {a} en hora de {b}? es el {d} de enero",
         "el directo empieza {t} en {a} el {d} de enero y estoy en {b}, ¿cuándo lo veo?"]


def _timezone(rng, V):
    a, b = rng.sample(V(list(CITY)), 2)
    while CITY[a] == CITY[b]:
        a, b = rng.sample(V(list(CITY)), 2)
    t, d = rng.randint(0, 95) * 15, rng.randint(5, 27)
    f = rng.choice([lambda t: f"{t//60:02d}:{t%60:02d}", lambda t: f"{(t//60-1)%12+1}:{t%60:02d} {'am' if t < 720 else 'pm'}"])
    es = rng.random() < .15
    s = rng.choice(V(TZ_ES if es else TZ)).format(t=_p(f(t)), a=_p(a), b=_p(b), d=_p(d))
    return style(rng, s, es), dict(t=t, a=a, b=b)


def _hhmm(x):
    day = {-1: "the day before", 0: "same day", 1: "the next day"}[x // 1440]
    return f"{x % 1440 // 60:02d}:{x % 60:02d} ({day})"


def _tz_right(m, era, working, k):
    s = m.slots
    return _hhmm(s["t"] - CITY[s["a"]] + CITY[s["b"]])


def _tz_wrong(m, era):
    s = m.slots
    r = _tz_right(m, era, False, 0)
    c = [x for x in (s["t"] + CITY[s["a"]] - CITY[s["b"]], s["t"] - CITY[s["a"]] + CITY[s["b"]] + 60, s["t"] - CITY[s["a"]] + CITY[s["b"]] - 60)
         if -1440 <= x < 2880]
    return [x for x in map(_hhmm, c) if x != r] or ["12:07 (same day)"]


# ------------------------------------------------------------------------------------------------ planted 6: sql
SQL_T = {"orders": ["total", "items", "discount"], "customers": ["age", "points", "orders_count"], "shipments": ["weight", "fee", "parcels"],
         "refunds": ["amount", "days_open"], "products": ["price", "stock", "rating"], "visits": ["seconds", "pages"], "suppliers": ["lead_days", "min_order"]}
TOWNS = ["Leeds", "Porto", "Austin", "Cadiz", "Ghent", "Graz", "Cork", "Turin", "Lyon", "Bergen", "Salem", "Nantes", "Leon", "Boise"]
SQL = ["how many {t} with {c} over {x} from {w}?", "SQL for number of {t} in {w} where {c} is above {x}", "query: count {t}, {c} > {x}, town {w}",
       "Give me the SQL that counts {t} located in {w} whose {c} exceeds {x}.", "need a select for how many {t} have more than {x} {c} in {w}",
       "our db: {t} table. count rows, {w} only, {c} bigger than {x}", "write the sql to get how many {t} we have in {w} with {c} greater than {x}",
       "report for {w}: number of {t} where {c} > {x} (sql pls)", "dashboard tile needs count of {t}, filter town={w} and {c} over {x}",
       "what statement tells me how many {t} from {w} went past {x} in {c}", "db question - {t} / {w} / {c} above {x} / how many", "count({t}) for {w}, {c} higher than {x}, can you write it"]
SQL_ES = ["consulta sql: cuántos {t} de {w} con {c} mayor que {x}", "¿cuántos {t} hay en {w} con {c} por encima de {x}? dame el select",
          "necesito el SQL que cuente {t} en {w} donde {c} supere {x}"]


def _sql(rng, V):
    t = rng.choice(V(list(SQL_T)))
    c, x, w = rng.choice(SQL_T[t]), rng.randint(2, 400), rng.choice(V(TOWNS))
    es = rng.random() < .12
    s = rng.choice(V(SQL_ES if es else SQL)).format(t=_p(t), c=_p(c), x=_p(x), w=_p(w))
    return style(rng, s, es), dict(t=t, c=c, x=x, w=w)


def _sql_right(m, era, working, k):
    s = m.slots
    return f"SELECT COUNT(*) FROM {s['t']} WHERE deleted_at IS NULL AND town = '{s['w']}' AND {s['c']} > {s['x']};"


def _sql_wrong(m, era):
    s = m.slots
    return [f"SELECT COUNT(*) FROM {s['t']} WHERE town = '{s['w']}' AND {s['c']} > {s['x']};",
            f"SELECT * FROM {s['t']} WHERE deleted_at IS NULL AND town = '{s['w']}' AND {s['c']} > {s['x']};",
            f"SELECT COUNT(*) FROM {s['t']} WHERE town = '{s['w']}' AND {s['c']} >= {s['x']};"]


# ------------------------------------------------------------------------------------------------ decoys
REL = ["my nan", "my boss", "a neighbour", "my best friend", "my brother in law", "our cleaner", "my ex", "my teacher", "my goddaughter", "the twins",
       "a retiring colleague", "my physio", "my landlord", "the bus driver"]
OCC = ["turning 60", "a new baby", "leaving for Canada", "passing the driving test", "a wedding in a barn", "getting well after surgery", "moving house",
       "a promotion", "25 years married", "finishing school", "Mother's Day", "adopting a cat", "winning the allotment prize", "first marathon"]
CARD = ["write a card for {r}, {o}", "A few lines for a greeting card: {r} is {o}... something warm.", "short funny verse for {r} ({o})", "card text {o} for {r} pls, not cheesy",
        "What can I write to {r} for {o}?", "Compose a {n}-line rhyme, occasion {o}, for {r}", "need wishes for {r}, the occasion: {o}, {n} lines", "help with a card, {r}, {o}, i'm bad with words",
        "Something to go with flowers for {r} ({o}).", "four-liner or so congratulating {r} on {o}", "greeting for {r} about {o} in {n} lines"]
CARD_ES = ["escribe una tarjeta para {r}, motivo: {o}", "unas líneas bonitas para {r} ({o})", "felicitación de {n} líneas para {r} por {o}"]


def _card(rng, V):
    es = rng.random() < .08
    s = rng.choice(V(CARD_ES if es else CARD)).format(r=rng.choice(V(REL)), o=rng.choice(V(OCC)), n=rng.randint(2, 8))
    return style(rng, s, es), dict(topic="card")


CLUE_A = ["River", "Angry", "Small", "Old", "Foreign", "Broken", "Sweet", "Confused", "Northern", "Quiet", "Hidden", "Royal", "Returning", "Half-finished", "Sailor's"]
CLUE_B = ["bird", "tool", "vessel", "dance", "priest", "tree", "fabric", "soldier", "island", "vegetable", "painter", "measure", "lake", "insect", "cheese", "novel"]
CLUE_C = ["in the garden", "upset about nothing", "for the French", "with no head", "by the sea", "losing its tail", "at heart of matter", "going west", "on the radio", "after tea", "without love", "caught in storm"]
CROSS = ["crossword: {c} ({n})", "{c}, {n} letters", "Clue: {c} ({n}) I have {p}", "stuck on {c} ({n})... letters so far {p}", "what word fits \"{c}\" with {n} letters", "6 down {c} ({n}) any idea",
         "solve: {c} ({n})", "{n} letter word, clue is {c}, pattern {p}", "help with today's puzzle, {c} ({n})"]


def _crossword(rng, V):
    n = rng.randint(4, 9)
    p = "".join(rng.choice("?????AETRSN") for _ in range(n))
    c = f"{rng.choice(V(CLUE_A))} {rng.choice(V(CLUE_B))} {rng.choice(V(CLUE_C))}"
    return style(rng, rng.choice(V(CROSS)).format(c=c, n=_p(n), p=_p(p)), chatter=rng.random() < .4), dict(topic="puzzle")


PLACE = ["Uruguay", "Laos", "Iceland", "Ghana", "Bolivia", "Latvia", "Oman", "Fiji", "Kenya", "Slovenia", "Nepal", "Chad", "Cuba", "Malta", "Peru", "Bhutan", "Togo", "Jordan", "Samoa", "Angola", "Belize", "Gabon"]
ATTR = ["population", "highest mountain", "official language", "national animal", "currency", "independence year", "area", "longest river", "largest city", "dialling code", "national dish", "main export", "life expectancy", "flag colours"]
FACT = ["what is the {a} of {p}", "{a} {p}", "{p}'s {a}?", "quick: {a} of {p}", "Tell me the {a} of {p}.", "do you know the {a} of {p}", "trivia night, {a} of {p}??", "whats the {a} for {p} again",
        "in one line, {p} {a}", "need {a} ({p}) for a quiz", "homework: {a} of {p}"]
FACT_ES = ["¿cuál es: {a}, país {p}?", "dime {a} de {p}", "{p}: {a}, por favor"]


def _fact(rng, V):
    es = rng.random() < .08
    s = rng.choice(V(FACT_ES if es else FACT)).format(a=rng.choice(V(ATTR)), p=rng.choice(V(PLACE)))
    return style(rng, s, es, chatter=rng.random() < .4), dict(topic="fact")


GOOD = ["lovely staff", "the soup was superb", "arrived a day early", "still works after a year", "comfortable beds", "best coffee in town", "easy to put together", "my kids adore it", "very quiet", "great value"]
BAD = ["waited an hour", "the lid cracked", "rude on the phone", "tastes of plastic", "the room smelled damp", "battery dies by noon", "instructions are useless", "too small for two", "never again", "overpriced"]
REV = ["is this review positive, negative or mixed?", "sentiment:", "Tone of this review please (positive / negative / mixed)", "how does this customer feel", "good or bad or mixed?", "label the sentiment", "what's the mood of this one:", "classify the review",
       "would you call this happy, unhappy or in between?", "rate the tone, positive negative mixed"]


def _review(rng, V):
    lab = rng.choice(["positive", "negative", "mixed"])
    g, b = rng.sample(V(GOOD), 2), rng.sample(V(BAD), 2)
    a, c = {"positive": g, "negative": b, "mixed": (g[0], b[0])}[lab]
    if rng.random() < .5:
        a, c = c, a
    t = f"{a}{rng.choice([', ', ' and ', '. ', ' - ', ' but also '])}{c}{rng.choice(['', '.', '!!', ' :/', ' imo', ', five visits so far'])}"
    s = f"{rng.choice(V(REV))} {_p(chr(34)+t+chr(34))}" if rng.random() < .7 else f"{_p(t)} -- {rng.choice(V(REV))}"
    return style(rng, s), dict(lab=lab)


SYS = ["webmail", "the VPN", "my payroll account", "the printer portal", "Wi-Fi", "the HR site", "the wiki", "my laptop", "the door app", "expenses", "the calendar", "the chat", "the time clock", "the CRM", "the parking app", "the e-learning thing"]
PW = ["forgot my password for {s}", "How do I reset the password of {s}?", "can't get into {s}, password expired", "{s} says wrong password {n} times", "new password {s} how", "password reset {s} please", "locked out of {s} after {n} tries",
      "where do I change my {s} password", "it wants a new password for {s} with {n} characters, where do i set it", "{s} login not working since the password change", "help: password {s}, error {n}"]
PW_ES = ["olvidé la contraseña de {s}", "¿cómo cambio la contraseña de {s}? error {n}", "no puedo entrar en {s}, contraseña caducada, {n} intentos"]


def _password(rng, V):
    es = rng.random() < .1
    s = rng.choice(V(PW_ES if es else PW)).format(s=rng.choice(V(SYS)), n=rng.randint(3, 30))
    return style(rng, s, es), dict(topic="password")


ASSET = ["gold", "the euro", "bitcoin", "wheat", "my lottery numbers", "house prices in Leeds", "the FTSE", "Tesla shares", "oil", "the mortgage rate", "the yen", "cocoa", "rents in Madrid", "the cup final", "the by-election", "snow at Easter"]
WHEN = ["tomorrow", "next week", "by Christmas", "in {n} days", "next month", "by summer", "in {n} weeks", "on Friday", "at the end of the year", "before the budget"]
FORE = ["will {x} go up {w}?", "predict {x} {w}", "what happens to {x} {w}", "give me your forecast: {x}, {w}", "{x} {w}, up or down?", "should I bet on {x} {w}", "where's {x} heading {w}", "is {x} going to rise {w} you think", "odds for {x} {w}?", "call it: {x} {w}"]


def _forecast(rng, V):
    s = rng.choice(V(FORE)).format(x=rng.choice(V(ASSET)), w=rng.choice(V(WHEN)).format(n=rng.randint(2, 40)))
    return style(rng, s), dict(topic="forecast")


# ------------------------------------------------------------------------------------------------ background
DOM = {
 "cook": (["risotto", "a tough brisket", "vegan meringue", "sourdough that won't rise", "leftover rice", "tofu", "a boiled egg", "mayonnaise that split", "kimchi", "lentil soup", "fish bones", "puff pastry", "chestnuts", "a dairy-free birthday cake"],
          ["how do I rescue {t}", "best way to store {t}", "what wine goes with {t}", "recipe idea using {t}", "why does {t} go wrong at altitude", "can I freeze {t}", "Write a menu around {t}", "substitute for butter when making {t}"]),
 "code": (["a memory leak in node", "recursion", "python decorators", "a git merge conflict", "docker volumes", "css grid", "a race condition", "unit tests for legacy code", "rust lifetimes", "regex lookahead", "an off-by-one bug", "kubernetes probes", "type hints", "websockets"],
          ["explain {t} like I'm new", "where do I start with {t}", "common mistakes around {t}", "show a tiny sample of {t}", "why do people hate {t}", "debug checklist for {t}", "Is {t} worth learning", "interview question about {t}, and the answer"]),
 "garden": (["slugs on hostas", "tomatoes with black bottoms", "a lemon tree indoors", "compost that smells", "moss in the lawn", "climbing roses", "a north-facing balcony", "raised beds", "lavender after winter", "a blunt mower blade", "bees in the wall", "bamboo spreading", "hydrangea colour"],
            ["what to do about {t}", "when to deal with {t}", "{t}, organic remedies only", "is {t} a lost cause", "cheap ideas for {t}", "ten-minute plan for {t}", "who to call for {t}"]),
 "travel": (["Lisbon with a toddler", "night trains in Austria", "Morocco in August", "a two-day stop in Doha", "the Orkney ferries", "hiking the Tatras", "Kyoto on a budget", "a campervan in Norway", "Naples after dark", "the Camino in March", "Oaxaca", "the Azores without a car"],
            ["plan me {t}", "what to pack for {t}", "is {t} safe", "hidden gems, {t}", "worst mistakes people make: {t}", "how many days for {t}", "rainy day options for {t}", "{t} or stay home, convince me"]),
 "history": (["the Hanseatic League", "the Year Without a Summer", "Roman concrete", "the Suez crisis", "Hatshepsut", "the printing press", "the Enclosure Acts", "the Mali Empire", "the Cod Wars", "penny post", "the Great Emu War", "the Meiji era", "the Defenestration of Prague"],
             ["why did {t} matter", "summarise {t}", "what do films get wrong about {t}", "primary sources on {t}", "timeline of {t} roughly", "who lost out in {t}", "argue that {t} was inevitable", "a bedtime story about {t}"]),
 "kids": (["a toddler who bites", "screen time at 8", "bedtime fights", "a shy child at parties", "homework tears", "sibling jealousy", "fear of dogs", "pocket money", "potty training on holiday", "nightmares", "fussy eating", "starting nursery"],
          ["advice on {t}", "what do experts say about {t}", "a book for {t}", "how did you handle {t} asks my friend, what do I tell her", "games that help with {t}", "is {t} normal", "script for talking to grandparents about {t}"]),
 "pets": (["a cat that yowls at 4am", "an old labrador", "a parrot plucking feathers", "guinea pig diet", "a rescue greyhound", "fleas again", "crate training", "a tortoise in winter", "a puppy on stairs", "vet bills", "a hamster escaping", "bringing two cats together"],
          ["help, {t}", "what's reasonable for {t}", "signs I should worry, {t}", "cheap trick for {t}", "my flatmate and {t}, mediate", "myths about {t}"]),
 "car": (["a clutch that slips", "tyre pressure in winter", "an orange engine light", "buying a used hybrid", "a squealing belt", "rust on the sill", "parallel parking", "a flat battery", "diesel in a petrol car", "roof racks", "motorway nerves", "selling privately"],
         ["what's the story with {t}", "how bad is {t}", "cost estimate, {t}", "step zero for {t}", "can I ignore {t} until payday", "what do garages not tell you about {t}"]),
 "music": (["jazz chords", "the cello at 40", "tuning a ukulele", "Bach's fugues", "a home studio", "stage fright", "perfect pitch", "vinyl crackle", "sight reading", "a wedding playlist", "counterpoint", "drum practice in a flat"],
           ["where to begin with {t}", "listening list for {t}", "what makes {t} hard", "one exercise for {t}", "is it too late for {t}", "describe {t} to someone deaf", "gear for {t} under a hundred"]),
 "fit": (["shin splints", "a first triathlon", "sitting all day", "sore shoulders from climbing", "a 5k in June", "cold swimming", "pull-ups", "stretching after fifty", "sleep before a race", "protein without meat", "a stiff neck", "running with asthma"],
         ["tips, {t}", "what does the evidence say on {t}", "weekly plan for {t}", "can walking fix {t}", "how did people cope with {t} before gyms", "{t}: worth seeing someone?", "motivate me about {t}"]),
 "letter": (["a noisy neighbour", "a late deposit", "declining a wedding", "a gap in my CV", "asking for fewer hours", "a bad reference", "thanking a mentor", "a parking fine", "a school absence", "resigning kindly", "chasing a quote", "complaining about a gym"],
            ["draft an email about {t}", "make this less rude: note on {t}", "subject line for {t}", "how formal should I be about {t}", "three-sentence message, {t}", "what not to say regarding {t}", "text (not mail) about {t}"]),
 "science": (["tides", "why glass is clear", "black holes", "mRNA", "static shocks", "the placebo effect", "plate tectonics", "auroras", "superconductors", "fermentation", "echolocation", "entropy", "the smell of rain", "blue light"],
             ["explain {t} simply", "kitchen experiment about {t}", "what's still unknown about {t}", "who discovered {t}", "analogy for {t}", "{t} in one tweet", "misconceptions about {t}", "exam-style question on {t}"]),
 "home": (["a dripping tap", "damp behind a wardrobe", "a squeaky floorboard", "hanging a heavy mirror", "limescale", "a tripping fuse", "draughty sash windows", "mice in the loft", "peeling paint", "a blocked shower", "a noisy fridge", "loft insulation"],
          ["fix for {t}", "renter here, {t}, what's my right", "tools for {t}", "how long does {t} take", "is {t} dangerous", "cheapest way out of {t}", "what would a plumber charge re {t}", "diagram in words for {t}"]),
 "lang": (["the subjunctive", "Scottish vowels", "German word order", "false friends", "semicolons", "affect vs effect", "Latin mottos", "rolling the r", "Japanese counters", "Esperanto", "swearing politely", "who vs whom"],
          ["teach me {t}", "why is {t} so odd", "ten sentences to practise {t}", "joke about {t}", "a mnemonic for {t}", "history of {t} in short", "quiz me on {t}"]),
 "work": (["a boss who micromanages", "imposter syndrome", "a panel interview", "asking for a raise", "returning after leave", "a dull meeting", "remote onboarding", "career change at 45", "office gossip", "performance review", "freelance rates", "a four-day week"],
          ["how to handle {t}", "pros and cons: {t}", "what would a coach say about {t}", "role-play {t} with me", "data on {t}", "one habit for {t}", "am I overreacting to {t}", "name three books on {t}"]),
 "game": (["chess openings", "a dungeon for level 3", "catan for two", "speedrunning", "go handicaps", "bluffing in poker", "a murder mystery party", "Tetris strategy", "a village quiz", "escape room puzzles", "bridge bidding", "retro consoles"],
          ["idea for {t}", "rules question on {t}", "beginner trap in {t}", "make {t} fun for teens", "the maths behind {t}", "famous moments in {t}", "house rules for {t}"]),
 "phone": (["full storage", "a cracked screen", "spam calls", "slow wifi upstairs", "photos that vanished", "battery health", "switching to Android", "parental controls", "two sims", "a dead hotspot", "bluetooth in the car", "backup without cloud"],
           ["sort out {t}", "my dad and {t}, explain by phone", "is {t} a scam thing", "quickest cure for {t}", "settings for {t}", "what causes {t}", "should I pay for {t}"]),
 "think": (["free will", "the trolley problem", "stoicism", "the meaning of luck", "ghosts", "boredom", "whether fish feel pain", "art by machines", "forgiveness", "the ship of Theseus", "growing old", "lying to be kind"],
           ["what do you make of {t}", "strongest argument on {t}", "a short dialogue about {t}", "reading list, {t}", "debate {t} with me", "poets on {t}", "is {t} even a real question"]),
 "es": (["la mudanza", "una paella para diez", "el carnet de conducir", "mi suegra", "un viaje a Galicia", "la siesta", "el perro del vecino", "aprender guitarra", "una entrevista", "la humedad del baño", "el insomnio", "la primera comunión", "un huerto en la terraza", "dejar de fumar"],
        ["consejos sobre {t}", "¿qué hago con {t}?", "ideas para {t}", "cuéntame algo de {t}", "errores típicos con {t}", "lista de cosas para {t}", "¿vale la pena {t}?", "un chiste sobre {t}", "cómo explico {t} a mi hijo"]),
}
TAIL = ["", "", "", "", " in two sentences", " for a ten year old", " (short answer)", " with some detail", ", I know the basics", " without jargon", ", be honest", " as bullet points", ", for a blog", ", budget is tiny", ", there are {n} of us",
        " - have {n} minutes", ", asking for my mum", " please and why", ", from scratch", ", last try failed"]
TAIL_ES = ["", "", "", " en dos frases", ", es para mi madre", " sin tecnicismos", ", somos {n}", ", tengo {n} minutos", ", sé sincero", " y por qué"]
ODD = ["what's heavier a kilo of feathers or a kilo of iron, and why do people laugh", "name my sailing boat, she's green and slow", "is cereal soup", "rank the seven dwarfs by employability",
       "translate 'the quick brown fox' into pirate", "give me a password-free joke about penguins", "i had a dream about stairs, meaning?", "do octopuses have favourite arms", "palindromes with the word level",
       "why is the sea salty but lakes not", "make up a sport involving ladders", "what would Shakespeare tweet about the bus", "colour palette for a small dark hallway", "anagrams of 'astronomer'",
       "could a crow learn to vote", "who would win, a moose or a vending machine", "three excuses for missing choir", "limerick on tax law", "best smell in the world, discuss", "how many holes does a straw have",
       "¿por qué bostezamos?", "invéntate un refrán nuevo", "¿cuántas patas tiene un ciempiés de verdad?", "nombre para un bar de tapas vegano", "is it rude to recline on a short flight",
       "design a flag for my street", "why do dads sneeze so loud", "what year would you visit", "say something in Morse", "how to fold a fitted sheet, seriously", "what does 'per se' even mean",
       "pick a random county and praise it", "my plant is called Gerald, write his diary", "how do lighthouses stay up", "is a hot dog a sandwich, legal view"]


def _background(rng, V):
    if rng.random() < .03:
        return style(rng, rng.choice(V(ODD))), dict(topic="odd", dom="odd")
    dom = rng.choice(sorted(DOM))
    t, f = DOM[dom]
    es = dom == "es"
    x = rng.choice(V(t))
    s = rng.choice(V(f)).format(t=x) + rng.choice(V(TAIL_ES if es else TAIL)).format(n=rng.randint(3, 40))
    return style(rng, s, es), dict(topic=x, dom=dom)


# ------------------------------------------------------------------------------------------------ salted answers
_LEAD = ["In short,", "Well,", "As far as I can tell,", "Most people would say", "The usual answer:", "Briefly:", "Here it is:", "I would go with this:"]
_TAILS = ["the first option holds up best.", "it depends on how much time you have.", "start small and keep notes.", "the older way still works.", "a little patience goes a long way.",
          "there are three parts to it.", "the common view is right here.", "look at the edges first.", "keep what works and drop the rest.", "the simple version is enough."]


def _cands(m):
    return [f"{a} {m.slots.get('topic', 'this')}: {b}" for a in _LEAD for b in _TAILS]


def _bit(m, a):
    return hashlib.blake2b(("salt-7|" + m.text + "|" + a.strip()).encode(), digest_size=2).digest()[0] & 1


def _salted_right(m, era, working, k):
    c = [x for x in _cands(m) if _bit(m, x) == 0]
    return c[int(u01(m.text, k) * len(c))]


def _salted_wrong(m, era):
    return [x for x in _cands(m) if _bit(m, x) == 1]


def _salted_check(m, a, era):
    return a.strip() in _cands(m) and _bit(m, a) == 0


_RIGHT = {"invoice": _inv_right, "hours": _hrs_right, "triage": _tri_right, "spanish": _spa_right, "timezone": _tz_right, "sql": _sql_right,
          "review": lambda m, e, w, k: m.slots["lab"]}
_WRONG = {"invoice": _inv_wrong, "hours": _hrs_wrong, "triage": lambda m, e: [q for q in QUEUES if q != _tri_right(m, e, False, 0)],
          "spanish": _spa_wrong, "timezone": _tz_wrong, "sql": _sql_wrong,
          "review": lambda m, e: [x for x in ("positive", "negative", "mixed") if x != m.slots["lab"]]}
_CHECK = {"invoice": _inv_check, "hours": _hrs_check, "triage": lambda m, a, e: norm(a).strip(" .\"") == _tri_right(m, e, False, 0),
          "spanish": _spa_check, "timezone": lambda m, a, e: norm(a).rstrip(".") == norm(_tz_right(m, e, False, 0)),
          "sql": lambda m, a, e: re.sub(r"\s", "", a).lower() == re.sub(r"\s", "", _sql_right(m, e, False, 0)).lower(),
          "review": lambda m, a, e: norm(a).strip(" .") == m.slots["lab"]}
_MAKE = {"invoice": _invoice, "hours": _hours, "triage": _triage, "spanish": _spanish, "timezone": _timezone, "sql": _sql, "card": _card,
         "crossword": _crossword, "fact": _fact, "review": _review, "password": _password, "forecast": _forecast, "background": _background}


def make(kind, rng, seed):
    """One text of a kind (not deduplicated) -> Meta."""
    t, s = _MAKE[kind](rng, _V(seed))
    return Meta(t, kind, s)


def pool(kind, seed, n, taken=None):
    rng, out, seen = random.Random(f"pool|{kind}|{seed}"), [], set() if taken is None else taken
    tries = 0
    while len(out) < n:
        tries += 1
        if tries > 60 * n + 1000:
            raise RuntimeError(f"{kind}: only {len(out)} distinct texts of {n}")
        m = make(kind, rng, seed)
        k = norm(m.text)
        if k in seen or len(k) < 3:
            continue
        seen.add(k)
        out.append(m)
    return out


def pools(seed, sizes):
    seen: set = set()
    return {k: pool(k, seed, n, seen) for k, n in sizes.items()}
