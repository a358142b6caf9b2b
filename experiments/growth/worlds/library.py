"""(e) Twenty-four weeks of a stream whose repeats rise from 12% to 92%.

TRUTH A JUDGE HOLDS AGAINST THE SYSTEM
  Each Request has .how:
    new          not answerable from anything before it (a one-off prompt, or the first of a family / question)
    exact        the same text, byte for byte, as an earlier request                               -> right from the library
    paraphrase   the same family and values (or the same question) in other words                  -> right from the library
    parametrised the same family, OTHER values: the stored TEXT of an earlier answer is WRONG (but for a few yes/no or
                 weekday coincidences, 1-3%); right only by running a program of
                 the family (or asking a model)                                                    -> right from the library by program
    near         looks like `near_of` (mostly the same words and the same values) but asks something else: 'add 21% VAT' / 'take the 21%
                 VAT out', kilobits / kilobytes, margin / markup, Austria / Australia. It must NOT be answered from near_of's entry or
                 family. (If .own_earlier is set, the near question itself was asked before: a library answer from THAT is right.)
  Repeats = exact + paraphrase + parametrised. Their share of week w is REPEATS[w-1]: 12% in week 1, 92% in week 24 (logistic); of them
  40% exact, 25% paraphrase, 35% parametrised. Near-misses are 4% of every week; the rest is new.
  The judge of any served text is Request.right (World.check(request, text)): the last number of the text by value (+-.005), else by word.
  Figures to hold: in week 24, of the repeats >= 85% served from the library; 0 near-misses answered wrongly from it is the aim (count them);
  cost of week 24 per request against the same stream asked of 'large' without library: -75% or better (World.baseline('large'));
  quality over weeks 20-24 at most 2 points below that baseline's. Bound: if all repeats were free, week 24 would cost 8%.
  stale_week (default None): from that week on the right answers of six house questions (STALE) change; a library that goes on serving the
  old text is wrong there: use STALE_WEEK = 14 for the run that must show one rollback.
  Registers and typos never touch values, quotes or digits: grab() of every text of a family finds exactly its values.
  Wording of about 30% of the background prompts is held back for seeds >= 1000; families' values are drawn anew for each seed.

OFFERS
  SEEN_SEEDS, UNSEEN_SEEDS (>= 1000, not before the end), REPEATS, MODELS
  World(seed, per_week=250, weeks=24, stale_week=None): .stream -> list[Request(i, week, at, user, text, how, family, params, right, source,
      near_of, own_earlier)]    (hidden from the system: all but i, week, at, user, text); family: 'vat_add' | 'q:...' | None
      .answer(request, model, attempt=0, **ignored) -> planted.Reply     small .80, mid .88, large .95
      .check(request, text) -> bool;  .feedback(request, reply, rate=1.0, flip=0.0)
      .program(request, skill=.85, attempt=0) -> str | None    what a scripted author writes for the request's family: Python source with
          `def solve(text: str) -> str` (self-contained, `import re` and datetime only); right with probability `skill`, else subtly wrong;
          None where no program exists (questions, one-offs)
      .baseline(model) -> (usd per request by week, quality by week)
      .judge(rows) -> dict    rows: (i, text served, 'library' | 'model', usd); shares, cost and quality by week, wrong_near, wrong_library
  FAMILIES[name] -> Family(name, ext, calc, wordings, twin), source(name) -> str
"""
from __future__ import annotations
import datetime as dt, math, random, re, sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import texts as T
from texts import u01, _p
from planted import Reply, tokens

SEEN_SEEDS = (0, 1, 2, 3)
UNSEEN_SEEDS = (1000, 1001, 1002, 1003)
_lo, _hi = 1 / (1 + math.exp(2.6)), 1 / (1 + math.exp(-3.4))
REPEATS = [round(.12 + .80 * (1 / (1 + math.exp(2.6 - 6.0 * w / 23)) - _lo) / (_hi - _lo), 4) for w in range(24)]
NEAR = .04
STALE_WEEK = 14
MODELS = {"small": dict(p=.80, usd=.0004, ms=400), "mid": dict(p=.88, usd=.002, ms=800), "large": dict(p=.95, usd=.010, ms=1800)}

# ------------------------------------------------------------------------------------------------ families
PRE = '''import re
import datetime as dt

def grab(text, ext):
    if ext == "num":
        return [float(x) for x in re.findall(r"\\d+(?:\\.\\d+)?", text)]
    if ext == "quote":
        return re.findall(r'"([^"]*)"', text)
    if ext == "time":
        return [int(a) * 60 + int(b) for a, b in re.findall(r"\\b(\\d{1,2}):(\\d{2})\\b", text)] + [float(x) for x in re.findall(r"(?<![\\d:.])\\d+(?:\\.\\d+)?(?![\\d:])", text)]
    if ext == "date":
        return [dt.date(int(y), int(m), int(d)) for y, m, d in re.findall(r"(\\d{4})-(\\d{2})-(\\d{2})", text)]

def g(x):
    return ("%.2f" % (x + 1e-9)).rstrip("0").rstrip(".")

'''


@dataclass
class Family:
    name: str
    ext: str
    calc: str            # an expression over n (the values found)
    draw: object         # rng -> values as they are written
    wordings: list
    twin: str | None = None


def source(name, calc=None):
    f = FAMILIES[name]
    return PRE + f"def calc(n):\n    return {calc or f.calc}\n\ndef solve(text):\n    return calc(grab(text, {f.ext!r}))\n"


def _amt(r, a=5, b=900):
    return f"{r.randint(a * 100, b * 100) / 100:.2f}"


_W = ["apricot", "lantern", "meadow", "quiver", "saddle", "thimble", "walnut", "biscuit", "harbour", "velvet", "copper", "jigsaw", "parsnip", "ribbon", "glacier", "mustard", "pepper", "orchid",
      "barrel", "cobweb", "fiddle", "hammock", "igloo", "kettle", "magnet", "needle", "oyster", "pillow", "sparrow", "tunnel", "violin", "wicker"]
_words = lambda a, b: lambda r: [" ".join(r.sample(_W, r.randint(a, b)))]
_csv = lambda a, b: lambda r: [", ".join(r.sample(_W, r.randint(a, b)))]
_date = lambda r: (dt.date(2023, 1, 1) + dt.timedelta(r.randint(0, 1000))).isoformat()


def _two(r):
    a, b = sorted([_date(r), _date(r)])
    return [a, b] if a < b else _two(r)


def _shift(r):
    a = r.randint(360, 700)
    b = a + r.randint(240, 600)
    return [f"{a//60}:{a%60:02d}", f"{b//60}:{b%60:02d}", r.choice([15, 20, 30, 40, 45])]


def _nums(r):
    return [r.randint(2, 99) for _ in range(r.choice([5, 7]))]


# (name, what is read, calculation, draw, wordings, twin name, twin calculation, twin wordings)
_DEF = [
 ("vat_add", "num", "g(n[0]*(1+n[1]/100))", lambda r: [_amt(r), r.choice([4, 10, 20, 21, 19, 7])],
  ["add VAT to {0} at {1}%", "price without VAT is {0}, VAT {1}%, what do I charge in total?", "{0} plus {1}% vat =", "net amount {0}, tax rate {1} percent, gross please", "cuánto es {0} más el {1}% de IVA"],
  "vat_out", "g(n[0]/(1+n[1]/100))", ["take the VAT out of {0} at {1}%", "price with VAT is {0}, VAT {1}%, what was it without?", "{0} minus its included {1}% vat =", "gross amount {0}, tax rate {1} percent, net please", "cuánto es {0} sin el {1}% de IVA incluido"]),
 ("tip", "num", "g(n[0]*(1+n[2]/100)/n[1])", lambda r: [_amt(r, 20, 300), r.randint(2, 9), r.choice([8, 10, 12, 15, 18])],
  ["split a bill of {0} between {1} people with {2}% tip", "bill {0}, we are {1}, tip {2}%, each pays?", "dinner was {0} for {1} of us and we want to tip {2} percent, what's mine", "{0} / {1} persons / {2}% tip on top", "cuenta {0}, somos {1}, propina {2}%, cuánto pone cada uno"],
  "tip_amount", "g(n[0]*n[2]/100/n[1])", ["split only the tip: bill of {0}, {1} people, {2}% tip", "bill {0}, we are {1}, tip {2}%, each pays how much tip?", "dinner was {0} for {1} of us and we want to tip {2} percent, what's my part of the tip", "{0} / {1} persons / {2}% tip, tip share only", "cuenta {0}, somos {1}, propina {2}%, cuánta propina pone cada uno"]),
 ("compound", "num", "g(n[0]*(1+n[1]/100)**n[2])", lambda r: [r.randint(500, 20000), r.choice([1.5, 2, 2.75, 3, 4.1, 5]), r.randint(2, 25)],
  ["{0} at {1}% compound interest for {2} years, final amount?", "what does {0} grow to at {1} percent compounded yearly over {2} years", "compound interest: start {0}, rate {1}%, {2} yrs", "I put {0} away with {1}% a year compounding, what's there after {2} years", "{0} al {1}% de interés compuesto durante {2} años"],
  "simple_int", "g(n[0]*(1+n[1]/100*n[2]))", ["{0} at {1}% simple interest for {2} years, final amount?", "what does {0} grow to at {1} percent not compounded over {2} years", "simple interest: start {0}, rate {1}%, {2} yrs", "I put {0} away with {1}% a year, interest paid out, what have I got in all after {2} years", "{0} al {1}% de interés simple durante {2} años"]),
 ("c_to_f", "num", "g(n[0]*9/5+32)", lambda r: [r.randint(1, 240)], ["{0} celsius in fahrenheit", "convert {0} degrees C to F", "oven says {0} C, my recipe is in F, what do I set", "{0}°C -> °F", "{0} grados celsius a fahrenheit"],
  "f_to_c", "g((n[0]-32)*5/9)", ["{0} fahrenheit in celsius", "convert {0} degrees F to C", "oven says {0} F, my recipe is in C, what do I set", "{0}°F -> °C", "{0} grados fahrenheit a celsius"]),
 ("km_mi", "num", "g(n[0]*0.621371)", lambda r: [r.randint(2, 900)], ["{0} km in miles", "how many miles is {0} kilometres", "convert {0} km to mi", "sign says {0} km, what's that in miles", "{0} kilómetros en millas"],
  "mi_km", "g(n[0]*1.609344)", ["{0} miles in km", "how many kilometres is {0} miles", "convert {0} mi to km", "sign says {0} miles, what's that in km", "{0} millas en kilómetros"]),
 ("bmi", "num", "g(n[0]/(n[1]/100)**2)", lambda r: [r.randint(45, 120), r.randint(148, 202)], ["bmi for {0} kg and {1} cm", "I weigh {0} kg, height {1} cm, body mass index?", "BMI: {0} kilos, {1} centimetres", "what's the body mass index of someone of {0} kg who is {1} cm tall", "imc con {0} kg y {1} cm"], None, None, None),
 ("days_between", "date", "str((n[1]-n[0]).days)", _two, ["days between {0} and {1}", "how many days from {0} to {1}?", "count the days: {0} until {1}", "number of days separating {0} and {1}", "cuántos días hay entre {0} y {1}"],
  "weekdays_between", "str(sum((n[0]+dt.timedelta(i)).weekday() < 5 for i in range((n[1]-n[0]).days)))", ["weekdays between {0} and {1}, first day counted, last not", "how many working days (Mon-Fri) from {0} up to but not including {1}?", "count the weekdays: {0} until the eve of {1}", "number of Monday-to-Friday days from {0} to before {1}", "cuántos días laborables (lunes a viernes) hay desde {0} hasta la víspera de {1}"]),
 ("weekday", "date", "['Monday','Tuesday','Wednesday','Thursday','Friday','Saturday','Sunday'][n[0].weekday()]", lambda r: [_date(r)], ["what day of the week is {0}", "{0} falls on which weekday?", "day name for {0}", "is {0} a monday, tuesday or what", "qué día de la semana es {0} (in English)"],
  "week_no", "str(n[0].isocalendar()[1])", ["what week of the year is {0} (ISO)", "{0} falls in which ISO week number?", "ISO week for {0}", "is {0} in week one, two or what (ISO number)", "qué semana ISO del año es {0}"]),
 ("loan", "num", "g(n[0]*(n[1]/1200)/(1-(1+n[1]/1200)**-n[2]))", lambda r: [r.randint(1000, 60000), r.choice([2.9, 3.5, 4.25, 5, 6.9, 8]), r.choice([12, 24, 36, 48, 60, 84])], ["monthly payment on a loan of {0} at {1}% over {2} months", "borrow {0}, {1} percent yearly, {2} months: instalment?", "loan {0} / {1}% / {2} months, what's the payment each month", "what would I pay per month for {0} at {1}% APR in {2} months", "cuota mensual de un préstamo de {0} al {1}% a {2} meses"],
  "loan_interest", "g(n[2]*n[0]*(n[1]/1200)/(1-(1+n[1]/1200)**-n[2])-n[0])", ["total interest on a loan of {0} at {1}% over {2} months", "borrow {0}, {1} percent yearly, {2} months: interest in all?", "loan {0} / {1}% / {2} months, what's the interest altogether", "what would I pay in interest for {0} at {1}% APR in {2} months", "intereses totales de un préstamo de {0} al {1}% a {2} meses"]),
 ("pct_change", "num", "g((n[1]-n[0])/n[0]*100)", lambda r: sorted(r.sample(range(20, 900), 2)), ["percent change from {0} to {1}", "went from {0} to {1}, what percentage is that up", "% increase {0} -> {1}", "sales were {0} and now {1}: growth in percent?", "variación porcentual de {0} a {1}"],
  "pct_of", "g(n[0]/n[1]*100)", ["what percent {0} is of {1}", "got {0} out of {1}, what percentage is that", "% share {0} of {1}", "sales were {0} of {1}: share in percent?", "qué porcentaje es {0} de {1}"]),
 ("shift_hours", "time", "g((n[1]-n[0]-n[2])/60)", _shift, ["hours worked from {0} to {1} with {2} minutes break", "start {0}, end {1}, break {2} min unpaid, how many hours", "shift {0}-{1} less {2} min, in decimal hours", "I began at {0}, left at {1}, rested {2} minutes: hours?", "horas de {0} a {1} quitando {2} minutos"],
  "shift_paid", "g((n[1]-n[0])/60)", ["hours paid from {0} to {1} with {2} minutes paid break", "start {0}, end {1}, break {2} min paid, how many hours count", "shift {0}-{1}, the {2} min break counts as work, in decimal hours", "I began at {0}, left at {1}, rested {2} minutes that are paid: hours?", "horas de {0} a {1} sin quitar los {2} minutos"]),
 ("discount", "num", "g(n[0]*(1-n[1]/100))", lambda r: [_amt(r, 10, 600), r.choice([5, 10, 15, 20, 25, 30, 40])], ["{0} with {1}% off", "price {0}, discount {1} percent, what do I pay", "sale: {0} less {1}%", "jacket costs {0} and there's {1}% off today, new price?", "{0} con un {1}% de descuento"],
  "undiscount", "g(n[0]/(1-n[1]/100))", ["{0} after {1}% off, what was it before", "price {0}, discount {1} percent already taken, what was it at first", "sale: {0} is with the {1}% off, original?", "jacket costs {0} and that's with {1}% off today, old price?", "{0} ya con un {1}% de descuento, precio original"]),
 ("fuel", "num", "g(n[0]/100*n[1]*n[2])", lambda r: [r.randint(40, 1800), r.choice([4.8, 5.5, 6.2, 7.1, 8.4]), r.choice([1.42, 1.55, 1.61, 1.79])], ["fuel cost for {0} km at {1} litres per hundred and {2} a litre", "trip of {0} km, car uses {1} per hundred km, petrol {2}: cost?", "{0} km, {1} l/hundred, {2} per l, total", "driving {0} kilometres, consumption {1} litres each hundred, price {2}, what will it cost", "gasolina para {0} km con {1} litros a los cien a {2} el litro"],
  "fuel_return", "g(2*n[0]/100*n[1]*n[2])", ["fuel cost for {0} km there and back at {1} litres per hundred and {2} a litre", "trip of {0} km each way and return, car uses {1} per hundred km, petrol {2}: cost?", "{0} km one way, both ways wanted, {1} l/hundred, {2} per l, total", "driving {0} kilometres and home again, consumption {1} litres each hundred, price {2}, what will it cost", "gasolina para {0} km ida y vuelta con {1} litros a los cien a {2} el litro"]),
 ("mean", "num", "g(sum(n)/len(n))", lambda r: [", ".join(map(str, _nums(r)))], ["average of {0}", "mean of these: {0}", "what's the average: {0}", "my scores are {0}, average?", "media de {0}"],
  "median", "g(sorted(n)[len(n)//2])", ["median of {0}", "middle value of these: {0}", "what's the median: {0}", "my scores are {0}, median?", "mediana de {0}"]),
 ("total", "num", "g(sum(n))", lambda r: [" + ".join(map(str, _nums(r)))], ["add up {0}", "sum: {0}", "what's {0}", "total of {0} please", "suma {0}"], None, None, None),
 ("sort", "quote", "', '.join(sorted(x.strip() for x in n[0].split(',')))", _csv(4, 7), ['sort alphabetically: "{0}"', 'put "{0}" in alphabetical order', 'a to z please "{0}"', 'order these names by alphabet "{0}"', 'ordena alfabéticamente "{0}"'],
  "sort_desc", "', '.join(sorted((x.strip() for x in n[0].split(',')), reverse=True))", ['sort reverse-alphabetically: "{0}"', 'put "{0}" in reverse alphabetical order', 'z to a please "{0}"', 'order these names by alphabet backwards "{0}"', 'ordena alfabéticamente al revés "{0}"']),
 ("count_words", "quote", "str(len(n[0].split()))", _words(4, 12), ['how many words in "{0}"', 'word count: "{0}"', 'count the words of "{0}"', 'number of words here "{0}"', 'cuántas palabras tiene "{0}"'],
  "count_letters", "str(sum(c.isalpha() for c in n[0]))", ['how many letters in "{0}"', 'letter count: "{0}"', 'count the letters of "{0}"', 'number of letters here "{0}"', 'cuántas letras tiene "{0}"']),
 ("reverse", "quote", "n[0][::-1]", _words(1, 3), ['reverse the letters of "{0}"', 'write "{0}" backwards', 'mirror text, letter by letter "{0}"', 'spell "{0}" from end to start', 'escribe al revés, letra a letra, "{0}"'],
  "shout_it", "n[0].upper()", ['capitalise the letters of "{0}"', 'write "{0}" in capitals', 'upper-case text, letter by letter "{0}"', 'spell "{0}" in capitals from start to end', 'escribe en mayúsculas, letra a letra, "{0}"']),
 ("to_bin", "num", "bin(int(n[0]))[2:]", lambda r: [r.choice([10, 11, 100, 101, 110, 111, 1000, 1001, 1010, 1100, 1101, 1011, 1110, 1111, 10000, 10001, 10010, 10100, 11000, 11011, 10101, 11100, 11111, 11001])], ["{0} decimal in binary", "convert {0} from base ten to base two", "binary of the decimal {0}", "write decimal {0} with zeros and ones", "{0} decimal en binario"],
  "from_bin", "str(int(str(int(n[0])), 2))", ["{0} binary in decimal", "convert {0} from base two to base ten", "decimal of the binary {0}", "write binary {0} as a usual number", "{0} binario en decimal"]),
 ("gcd", "num", "str(__import__('math').gcd(int(n[0]), int(n[1])))", lambda r: [r.randint(2, 40) * 6, r.randint(2, 60) * 4], ["greatest common divisor of {0} and {1}", "gcd({0}, {1})", "largest number dividing both {0} and {1}", "highest common factor for {0} with {1}", "máximo común divisor de {0} y {1}"],
  "lcm", "str(__import__('math').lcm(int(n[0]), int(n[1])))", ["least common multiple of {0} and {1}", "lcm({0}, {1})", "smallest number divided by both {0} and {1}", "lowest common multiple for {0} with {1}", "mínimo común múltiplo de {0} y {1}"]),
 ("download", "num", "g(n[0]*8000/n[1]/60)", lambda r: [r.randint(1, 90), r.choice([8, 16, 25, 50, 80, 100, 300])], ["minutes to download {0} GB at {1} megabits per second", "{0} GB over a {1} Mbit/s line, how many minutes", "download time in min: {0} gigabytes, {1} megabits/s", "game is {0} GB and my line does {1} megabits a second, minutes?", "minutos para bajar {0} GB a {1} megabits por segundo"],
  "download_bytes", "g(n[0]*1000/n[1]/60)", ["minutes to download {0} GB at {1} megabytes per second", "{0} GB over a {1} MByte/s line, how many minutes", "download time in min: {0} gigabytes, {1} megabytes/s", "game is {0} GB and my line does {1} megabytes a second, minutes?", "minutos para bajar {0} GB a {1} megabytes por segundo"]),
 ("speed", "num", "g(n[0]/(n[1]/60))", lambda r: [r.randint(5, 400), r.choice([25, 40, 50, 75, 90, 110, 150, 200])], ["average speed for {0} km in {1} minutes, km/h", "{0} km took {1} min, how fast in km per hour", "km/h if {0} kilometres in {1} minutes", "we did {0} km within {1} minutes; speed in km/h?", "velocidad media en km/h: {0} km en {1} minutos"],
  "pace", "g(n[1]/n[0])", ["average pace for {0} km in {1} minutes, min/km", "{0} km took {1} min, how many minutes per km", "min/km if {0} kilometres in {1} minutes", "we did {0} km within {1} minutes; pace in min/km?", "ritmo medio en min/km: {0} km en {1} minutos"]),
 ("slug", "quote", "'-'.join(n[0].lower().split())", _words(3, 6), ['url slug for "{0}"', 'make a slug of "{0}"', 'turn "{0}" into a slug', 'web address part, with dashes, of "{0}"', 'slug para "{0}"'],
  "snake", "'_'.join(n[0].lower().split())", ['snake case for "{0}"', 'make a snake_case name of "{0}"', 'turn "{0}" into snake case', 'variable name part, with underscores, of "{0}"', 'snake_case para "{0}"']),
 ("circle_r", "num", "g(3.141592653589793*n[0]**2)", lambda r: [r.randint(2, 80)], ["area of a circle of radius {0}", "circle radius {0}, area?", "how big is a round table with radius {0} (area)", "surface of a disc, radius {0}", "área de un círculo de radio {0}"],
  "circle_d", "g(3.141592653589793*n[0]**2/4)", ["area of a circle of diameter {0}", "circle diameter {0}, area?", "how big is a round table with diameter {0} (area)", "surface of a disc, diameter {0}", "área de un círculo de diámetro {0}"]),
 ("fx", "num", "g(n[0]*n[1])", lambda r: [r.randint(10, 5000), r.choice([1.05, 1.08, 1.12, 1.17, 1.21])], ["{0} EUR to USD at {1} dollars per euro", "change {0} euros into dollars, rate {1} USD per EUR", "how many dollars for {0} euros if one euro is {1} dollars", "I have {0} € and the euro is at {1} $, in dollars?", "{0} euros a dólares, a {1} dólares el euro"],
  "fx_back", "g(n[0]/n[1])", ["{0} USD to EUR at {1} dollars per euro", "change {0} dollars into euros, rate {1} USD per EUR", "how many euros for {0} dollars if one euro is {1} dollars", "I have {0} $ and the euro is at {1} $, in euros?", "{0} dólares a euros, a {1} dólares el euro"]),
 ("area", "num", "g(n[0]*n[1])", lambda r: [r.randint(2, 60), r.randint(61, 99)], ["area of a rectangle {0} by {1}", "room is {0} x {1}, floor area?", "rectangle sides {0} and {1}: area", "how much carpet (square units) for {0} times {1}", "área de un rectángulo de {0} por {1}"],
  "perimeter", "g(2*(n[0]+n[1]))", ["perimeter of a rectangle {0} by {1}", "room is {0} x {1}, length of all the walls?", "rectangle sides {0} and {1}: perimeter", "how much skirting (units of length) for {0} times {1}", "perímetro de un rectángulo de {0} por {1}"]),
 ("reading", "num", "g(n[0]/n[1])", lambda r: [r.randint(300, 90000), r.choice([180, 200, 220, 250, 300])], ["minutes to read {0} words at {1} words a minute", "reading time for {0} words, {1} wpm", "{0} words / {1} per minute, how long in minutes", "my chapter has {0} words and I read {1} a minute, minutes?", "minutos para leer {0} palabras a {1} por minuto"], None, None, None),
 ("power", "num", "g(n[0]/1000*n[1]*30*n[2])", lambda r: [r.choice([40, 60, 150, 400, 900, 1500, 2000]), r.randint(1, 20), r.choice([.14, .19, .22, .28, .31])], ["electricity cost for a month of thirty days: {0} W, {1} hours a day, {2} per kWh", "heater of {0} watts running {1} h daily at {2}/kWh, per month of thirty days?", "{0} W x {1} h/day x {2} per kWh, thirty days", "what does a {0} watt device cost for thirty days at {1} hours each day and {2} the kWh", "coste de treinta días: {0} W, {1} horas al día, {2} el kWh"],
  "power_day", "g(n[0]/1000*n[1]*n[2])", ["electricity cost for one single day: {0} W, {1} hours a day, {2} per kWh", "heater of {0} watts running {1} h daily at {2}/kWh, per day?", "{0} W x {1} h/day x {2} per kWh, one day", "what does a {0} watt device cost for one day at {1} hours each day and {2} the kWh", "coste de un día: {0} W, {1} horas al día, {2} el kWh"]),
 ("overtime", "num", "g(40*n[1]+(n[0]-40)*n[1]*1.5)", lambda r: [r.randint(41, 62), r.choice([10.5, 12, 13.8, 15, 18.25])], ["week pay for {0} hours at {1}, time and a half beyond forty", "{0} h this week, {1} an hour, overtime over forty is one and a half times, pay?", "gross: {0} hours, rate {1}, hours past forty at time-and-a-half", "worked {0} hours, {1} hourly, one and a half after forty hours, what do I get", "sueldo semanal: {0} horas a {1}, a partir de cuarenta se paga hora y media"],
  "overtime2", "g(40*n[1]+(n[0]-40)*n[1]*2)", ["week pay for {0} hours at {1}, double time beyond forty", "{0} h this week, {1} an hour, overtime over forty is two times, pay?", "gross: {0} hours, rate {1}, hours past forty at double time", "worked {0} hours, {1} hourly, double after forty hours, what do I get", "sueldo semanal: {0} horas a {1}, a partir de cuarenta se paga el doble"]),
 ("margin", "num", "g((n[1]-n[0])/n[1]*100)", lambda r: [r.randint(5, 90), r.randint(91, 300)], ["margin in percent: cost {0}, price {1}", "we buy at {0} and sell at {1}, what's the margin %", "profit margin if cost {0} and sale price {1}", "cost {0} price {1} margin percent", "margen en porcentaje con coste {0} y precio {1}"],
  "markup", "g((n[1]-n[0])/n[0]*100)", ["markup in percent: cost {0}, price {1}", "we buy at {0} and sell at {1}, what's the markup %", "profit markup if cost {0} and sale price {1}", "cost {0} price {1} markup percent", "recargo sobre coste en porcentaje con coste {0} y precio {1}"]),
 ("prime", "num", "'yes' if int(n[0]) > 1 and all(int(n[0]) % k for k in range(2, int(n[0]**.5)+1)) else 'no'", lambda r: [r.randint(11, 999)], ["is {0} prime, yes or no", "prime number? {0} (yes/no)", "tell me yes or no: {0} is a prime", "does {0} have no divisors but itself and one, yes or no", "es primo {0}? (yes/no)"],
  "even", "'no' if int(n[0]) % 2 else 'yes'", ["is {0} even, yes or no", "even number? {0} (yes/no)", "tell me yes or no: {0} is even", "does {0} have two among its divisors, yes or no", "es par {0}? (yes/no)"]),
 ("age", "date", "str(n[1].year-n[0].year-((n[1].month, n[1].day) < (n[0].month, n[0].day)))", lambda r: [(dt.date(1945, 1, 1) + dt.timedelta(r.randint(0, 24000))).isoformat(), _date(r)], ["born {0}, how old on {1}", "age wanted: birth {0}, day {1}", "birthday {0}; years of age on {1}?", "someone born on {0}, age in full years on {1}", "nacido el {0}, edad el {1}"], None, None, None),
 ("paint", "num", "g(n[0]*n[1]*n[2]/n[3])", lambda r: [r.randint(3, 12), r.choice([2.4, 2.5, 2.7, 3]), r.choice([1, 2, 3]), r.choice([8, 10, 12])], ["litres of paint: wall {0} m long, {1} m high, {2} coats, {3} m per litre squared", "paint for {0} by {1} metres, {2} coats, one litre covers {3}", "{0} x {1} wall, {2} coats, coverage {3} sq m a litre, litres?", "how much paint: length {0}, height {1}, coats {2}, litre does {3} square metres", "litros de pintura: {0} por {1} metros, {2} manos, {3} metros cuadrados por litro"], None, None, None),
 ("rule72", "num", "g(72/n[0])", lambda r: [r.choice([1.5, 2, 2.4, 3, 3.6, 4, 4.5, 5, 6, 7, 7.2, 8, 9, 10, 12, 2.5, 3.2, 6.4, 5.5, 11])], ["years to double money at {0}% by the rule of seventy-two", "rule of seventy-two, rate {0}, years?", "how long until it doubles at {0} percent (seventy-two rule)", "doubling time with {0}% a year, quick seventy-two rule", "regla del setenta y dos con {0}%"], None, None, None),
 ("initials", "quote", "''.join(w[0].upper() for w in n[0].split())", _words(3, 6), ['initials of "{0}"', 'acronym from "{0}"', 'first letters, capitals: "{0}"', 'abbreviate "{0}" to its initials', 'siglas de "{0}"'],
  "finals", "''.join(w[-1].upper() for w in n[0].split())", ['last letters of "{0}" in capitals', 'acronym from the word endings of "{0}"', 'final letters, capitals: "{0}"', 'abbreviate "{0}" to the last letter of each word, capitals', 'letras finales en mayúsculas de "{0}"']),
 ("grams", "num", "g(n[0]*28.349523)", lambda r: [r.randint(1, 90)], ["{0} ounces in grams", "convert {0} oz to g", "recipe says {0} oz, grams?", "how many grams are {0} ounces of butter", "{0} onzas en gramos"],
  "ml", "g(n[0]*29.57353)", ["{0} fluid ounces in millilitres", "convert {0} fl oz to ml", "recipe says {0} fl oz, millilitres?", "how many millilitres are {0} fluid ounces of milk", "{0} onzas líquidas en mililitros"]),
 ("split_days", "num", "g(n[0]/n[1])", lambda r: [r.randint(100, 4000), r.choice([5, 7, 14, 28, 30])], ["{0} spread over {1} days, how much a day", "budget {0} for {1} days, per day?", "daily amount if {0} must last {1} days", "I have {0} for the next {1} days, what can I spend each day", "{0} para {1} días, cuánto por día"], None, None, None),
]

FAMILIES: dict = {}
for _n, _e, _c, _d, _w, _tn, _tc, _tw in _DEF:
    FAMILIES[_n] = Family(_n, _e, _c, _d, _w, _tn)
    if _tn:
        FAMILIES[_tn] = Family(_tn, _e, _tc, _d, _tw, None)
BASE = [d[0] for d in _DEF]
TWIN_OF = {d[5]: d[0] for d in _DEF if d[5]}

# ------------------------------------------------------------------------------------------------ fixed questions
# (paraphrases, answer, near-miss paraphrases, near-miss answer)
QS = [
 (["what is the capital of Australia", "capital city of australia?", "which town is the Australian capital", "australia's seat of government is in"], "Canberra", ["what is the capital of Austria", "capital city of austria?", "which town is the Austrian capital"], "Vienna"),
 (["who wrote Don Quixote", "author of Don Quijote?", "which writer gave us Don Quixote", "quién escribió el Quijote"], "Cervantes", ["who illustrated Don Quixote in 1863", "engraver of the famous Don Quijote pictures?"], "Doré"),
 (["boiling point of water at sea level in celsius", "at how many degrees C does water boil (sea level)", "water boils at what temperature, celsius", "a cuántos grados hierve el agua"], "100", ["freezing point of water at sea level in celsius", "at how many degrees C does water freeze (sea level)"], "0"),
 (["largest planet in the solar system", "which planet is the biggest", "name the biggest planet round our sun", "qué planeta es el mayor"], "Jupiter", ["smallest planet in the solar system", "which planet is the smallest", "name the smallest planet round our sun"], "Mercury"),
 (["chemical symbol for gold", "symbol of gold in the periodic table", "gold's letters in chemistry?", "símbolo químico del oro"], "Au", ["chemical symbol for silver", "symbol of silver in the periodic table", "silver's letters in chemistry?"], "Ag"),
 (["how many bones does an adult human have", "number of bones in a grown-up", "adult skeleton, bone count?", "cuántos huesos tiene un adulto"], "206", ["how many teeth does an adult human have", "number of teeth in a grown-up", "adult mouth, full tooth count with wisdom teeth?"], "32"),
 (["currency of Japan", "what money do they use in Japan", "japanese currency?", "moneda de Japón"], "yen", ["currency of China", "what money do they use in China", "chinese currency?"], "renminbi"),
 (["in what year did the Titanic sink", "Titanic sinking year?", "when did the titanic go down (year)", "año en que se hundió el Titanic"], "1912", ["in what year was the Titanic wreck found", "Titanic wreck discovery year?", "when was the titanic found (year)"], "1985"),
 (["who painted the Mona Lisa", "painter of the Mona Lisa?", "mona lisa artist", "quién pintó la Gioconda"], "Leonardo", ["who stole the Mona Lisa", "thief of the Mona Lisa?", "mona lisa 1911 thief"], "Peruggia"),
 (["longest river in Africa", "which African river is the longest", "africa's longest river?", "río más largo de África"], "Nile", ["longest river in Asia", "which Asian river is the longest", "asia's longest river?"], "Yangtze"),
 (["square root of one hundred forty-four", "sqrt of a hundred and forty-four", "what times itself is one hundred forty-four", "raíz cuadrada de ciento cuarenta y cuatro"], "12", ["square of twelve halved", "half of twelve squared", "twelve times itself, then halved"], "72"),
 (["opposite of 'ubiquitous' in one word: rare or common", "is the antonym of ubiquitous rare or common", "ubiquitous: opposite, rare or common?"], "rare", ["synonym of 'ubiquitous' in one word: rare or common", "is the synonym of ubiquitous rare or common", "ubiquitous: same meaning, rare or common?"], "common"),
 (["which gas do plants take in for photosynthesis", "gas used up by plants in light", "what gas does photosynthesis consume", "qué gas consume la fotosíntesis"], "carbon dioxide", ["which gas do plants give off in photosynthesis", "gas made by plants in light", "what gas does photosynthesis release"], "oxygen"),
 (["how many minutes in a day", "minutes per day?", "a day has how many minutes", "cuántos minutos tiene un día"], "1440", ["how many seconds in a day", "seconds per day?", "a day has how many seconds"], "86400"),
 (["port number of https", "which port does https use by default", "default tcp port https?", "puerto de https"], "443", ["port number of http", "which port does http use by default", "default tcp port http?"], "80"),
 (["command to list files in linux", "what do I type on linux to see the files of a folder", "linux: list directory, command?", "comando para listar archivos en linux"], "ls", ["command to remove files in linux", "what do I type on linux to delete the files of a folder", "linux: delete file, command?"], "rm"),
 (["house: how do I reset the VPN password", "vpn password reset, where", "where can I change the password for our VPN", "cómo reseteo la contraseña de la VPN"], "portal.ridgeway.example/vpn", ["house: how do I reset the VPN token", "vpn token reset, where", "where can I change the token for our VPN"], "the service desk, extension 4410"),
 (["house: whom do I tell that I'm ill today", "sick today, who must know", "calling in sick, whom do I call", "estoy enfermo, a quién aviso"], "your team lead before 09:00", ["house: whom do I tell that I'm on leave next month", "holiday next month, who must know", "taking leave next month, whom do I ask"], "the leave calendar"),
 (["house: travel allowance for a full day abroad", "per diem abroad, full day?", "how much may I claim for a whole day abroad", "dieta de un día entero en el extranjero"], "62 euros", ["house: travel allowance for a half day abroad", "per diem abroad, half day?", "how much may I claim for half a day abroad"], "31 euros"),
 (["house: where do I send supplier invoices", "mailbox for supplier invoices?", "which address takes invoices from suppliers", "a dónde mando facturas de proveedores"], "ap@ridgeway.example", ["house: where do I send customer invoices", "mailbox for customer invoices?", "which address takes invoices to customers"], "billing@ridgeway.example"),
 (["house: opening hours of the canteen", "when is the canteen open", "canteen hours?", "horario del comedor"], "11:30 to 14:00", ["house: opening hours of the coffee bar", "when is the coffee bar open", "coffee bar hours?"], "08:00 to 16:30"),
 (["house: who is the data protection officer", "name of our DPO?", "whom do I ask about data protection", "quién es el delegado de protección de datos"], "Irene Sault", ["house: who is the fire safety officer", "name of our fire warden?", "whom do I ask about fire safety"], "Tomas Grell"),
 (["house: notice period after probation", "how long is the notice once probation is over", "notice after probation?", "preaviso después del periodo de prueba"], "two months", ["house: notice period during probation", "how long is the notice while on probation", "notice during probation?"], "two weeks"),
 (["house: wifi name for guests", "which network do visitors use", "guest wifi is called?", "nombre de la wifi de invitados"], "ridge-guest", ["house: wifi name for staff", "which network do employees use", "staff wifi is called?"], "ridge-corp"),
 (["house: code of project Halma", "project code for Halma?", "which number do I book Halma on", "código del proyecto Halma"], "HX-2210", ["house: code of project Helma", "project code for Helma?", "which number do I book Helma on"], "HX-2217"),
 (["house: how many days of leave do I get", "leave days per year here?", "annual leave, how many days", "cuántos días de vacaciones tengo"], "27", ["house: how many days of care leave do I get", "care leave days per year here?", "leave for a sick child, how many days"], "10"),
 (["house: last date for expenses of a month", "expenses deadline?", "until when may I hand in expenses", "hasta qué día puedo entregar gastos"], "the 5th of the next month", ["house: last date for timesheets of a month", "timesheet deadline?", "until when may I hand in timesheets"], "the last working day"),
 (["house: printer on the second floor is called", "second-floor printer name?", "which printer is on floor two", "nombre de la impresora de la segunda planta"], "PRN-Oak", ["house: printer on the third floor is called", "third-floor printer name?", "which printer is on floor three"], "PRN-Elm"),
 (["speed of light in km per second, rounded to thousands", "light speed km/s to the nearest thousand", "how fast is light, thousands of km a second"], "300000", ["speed of sound in metres per second, at twenty degrees", "sound speed m/s in air at twenty degrees", "how fast is sound, metres a second, twenty degrees"], "343"),
 (["plural of 'goose'", "more than one goose?", "goose, in the plural", "plural de goose"], "geese", ["plural of 'mongoose'", "more than one mongoose?", "mongoose, in the plural"], "mongooses"),
 (["past tense of 'lie' (to be flat)", "lie (recline), past simple?", "yesterday I ... on the sofa (lie)"], "lay", ["past tense of 'lie' (not to tell the truth)", "lie (fib), past simple?", "yesterday I ... to my aunt (lie)"], "lied"),
 (["how do you say 'thank you' in Basque", "thank you, basque?", "basque word of thanks"], "eskerrik asko", ["how do you say 'please' in Basque", "please, basque?", "basque word for please"], "mesedez"),
 (["what does HTTP stand for", "http, the long form?", "spell out the acronym HTTP"], "Hypertext Transfer Protocol", None, None),
 (["who composed The Four Seasons", "composer of the Four Seasons?", "autor de Las cuatro estaciones"], "Vivaldi", None, None),
 (["smallest prime number", "which is the first prime?", "lowest prime"], "2", None, None),
 (["national animal of Scotland", "Scotland's heraldic beast?", "which animal stands for Scotland"], "unicorn", None, None),
 (["house: emergency number inside the building", "internal emergency phone?", "what do I dial here in an emergency"], "5555", None, None),
 (["house: legal name of the firm", "what's our full company name", "how are we called in the register"], "Ridgeway Instruments B.V.", None, None),
 (["house: colour of the recycling bin for paper", "paper goes in which bin", "bin colour, paper?"], "blue", None, None),
 (["house: minimum length of a password", "how long must passwords be here", "password length rule?"], "14", None, None),
]
STALE = {16: "selfservice.ridgeway.example/vpn", 18: "68 euros", 20: "11:00 to 14:30", 21: "Paul Amundsen", 26: "the 3rd of the next month", 39: "16"}


@dataclass(frozen=True)
class Request:
    i: int
    week: int            # 1..24
    at: float
    user: str
    text: str
    how: str             # new | exact | paraphrase | parametrised | near           (hidden, and all below)
    family: str | None
    params: tuple
    right: str
    source: int | None   # the earliest earlier request that suffices
    near_of: int | None
    own_earlier: int | None


_CALC: dict = {}


def solve(name, text):
    if name not in _CALC:
        ns: dict = {}
        exec(source(name), ns)
        _CALC[name] = ns
    return _CALC[name]["solve"](text)


class World:
    def __init__(self, seed=0, per_week=250, weeks=24, stale_week=None):
        self.seed, self.weeks, self.stale_week = seed, weeks, stale_week
        rng = self._rng = random.Random(f"library|{seed}")
        self._V = T._V(seed)
        n_bg = int(per_week * weeks * .7) + 50
        self._bg = iter(T.pool("background", seed, n_bg))
        pop = {f: min(9.0, rng.paretovariate(1.1)) for f in BASE} | {f"q:{j}": .6 * min(9.0, rng.paretovariate(1.1)) for j in range(len(QS))}
        pop |= {k: min(1.0, pop[k]) for k in ("prime", "weekday", "gcd")}      # few answers: coincidences would blur the truth
        waiting = list(pop)
        rng.shuffle(waiting)
        used: set = set()
        items: dict = {}          # family -> list of (i, params, wording, text)
        near_seen: dict = {}      # near family -> first i
        oneoffs: list = []
        self.stream: list[Request] = []
        self.meta: dict = {}
        by_text: dict = {}

        def emit(week, text, how, fam, params, src=None, near_of=None, own=None):
            i = len(self.stream)
            at = (week - 1) * 604800 + (len([1 for r in self.stream[-per_week:] if r.week == week]) + 1) * 604800 / (per_week + 1)
            r = Request(i, week, round(at, 1), f"u{min(119, int(rng.paretovariate(.8)) - 1):03d}", text, how, fam, tuple(map(str, params)),
                        self._right(fam, params, text, week), src, near_of, own)
            self.stream.append(r)
            by_text.setdefault(text, i)
            used.add(T.norm(text))
            return i

        def write(fam, params, avoid=(), near=False, only=None):
            """An unused text of the family with these values -> (text, wording)."""
            ws = self._wordings(fam)
            for _ in range(60):
                w = only if only is not None and only < len(ws) and _ < 20 else rng.choice([x for x in range(len(ws)) if x not in avoid] or [rng.randrange(len(ws))])
                base = ws[w].format(*[_p(x) for x in params]) if not fam.startswith(("q:", "nq:")) else ws[w]
                if fam.startswith(("q:", "nq:")):       # short questions: register and chatter, no typos in the telling words
                    base = re.sub(r"^house: ", "", base)
                    t = T.style(rng, _p(base), "é" in base or "á" in base, True)
                else:
                    t = self._style(base)
                    if solve(fam, t) != solve(fam, base.replace("\x01", "").replace("\x02", "")):
                        continue                        # the register touched what the program reads
                    if not self._tells(fam, w, t):
                        continue                        # a typo hit a word that tells it from its twin
                if T.norm(t) not in used:
                    return t, w
            return None, None

        for week in range(1, weeks + 1):
            share = REPEATS[min(week - 1, 23)]
            n_rep, n_near = round(share * per_week), round(NEAR * per_week)
            todo = ["rep"] * n_rep + ["near"] * n_near + ["new"] * (per_week - n_rep - n_near)
            if week == 1:
                head, tail = ["new"] * 40, todo[:]
                for _ in range(40):
                    tail.remove("new")
                rng.shuffle(tail)
                todo = head + tail
            else:
                rng.shuffle(todo)
            for what in todo:
                fams = list(items)
                if what == "new":
                    if waiting and rng.random() < (.35 if week < 3 else .25) or not fams:
                        f = waiting.pop()
                        ps = FAMILIES[f].draw(rng) if f in FAMILIES else []
                        t, w = write(f, ps)
                        items[f] = [(emit(week, t, "new", f, ps), tuple(map(str, ps)), w, t)]
                    else:
                        m = next(self._bg)
                        while T.norm(m.text) in used:
                            m = next(self._bg)
                        self.meta[m.text] = m
                        oneoffs.append((emit(week, m.text, "new", None, ()), m.text))
                    continue
                if what == "near":
                    for _ in range(400):
                        f = rng.choices(fams, [pop[x] for x in fams])[0] if rng.random() < .5 else rng.choice(fams)
                        nf = self._near(f)
                        if not nf:
                            continue
                        i0, ps, w0, _t = rng.choice(items[f])
                        t, w = write(nf, ps, near=True, only=w0)
                        if t is None:
                            continue
                        if self._right(nf, ps, t, week) == self.stream[i0].right:
                            continue
                        own = near_seen.get(nf)
                        i = emit(week, t, "near", nf, ps, None, i0, own)
                        near_seen.setdefault(nf, i)
                        break
                    else:
                        raise RuntimeError("no near-miss")
                    continue
                k = rng.random()
                for _ in range(400):
                    if _ % 100 == 99:
                        k = rng.random()
                    if k < .40:
                        if oneoffs and rng.random() < .12:
                            i0, t = rng.choice(oneoffs)
                            emit(week, t, "exact", None, (), i0)
                        else:
                            f = rng.choices(fams, [pop[x] for x in fams])[0]
                            i0, ps, w, t = rng.choice(items[f])
                            emit(week, t, "exact", f, ps, by_text[t])
                        break
                    f = rng.choices(fams, [pop[x] for x in fams])[0]
                    if k < .65:
                        i0, ps, w0, _t = rng.choice(items[f])
                        t, w = write(f, ps, avoid=(w0,))
                        if t is None:
                            continue
                        src = min(x[0] for x in items[f] if x[1] == ps)
                        i = emit(week, t, "paraphrase", f, ps, src)
                    else:
                        if f not in FAMILIES:
                            f = rng.choices([x for x in fams if x in FAMILIES] or [None], [pop[x] for x in fams if x in FAMILIES] or [1])[0]
                            if f is None:
                                continue
                        ps = FAMILIES[f].draw(rng)
                        if tuple(map(str, ps)) in {x[1] for x in items[f]}:
                            continue
                        t, w = write(f, ps)
                        if t is None:
                            continue
                        i = emit(week, t, "parametrised", f, ps, items[f][0][0])
                    items[f].append((i, tuple(map(str, ps)), w, t))
                    break
                else:
                    raise RuntimeError("no repeat")

    # --------------------------------------------------------------------------------------------------
    def _style(self, s):
        return T.style(self._rng, s, bool(re.search(r"\b(cuánt|días|horas|de un|con un|al )", s)))

    def _tells(self, fam, w, t):
        other = FAMILIES[fam].twin or TWIN_OF.get(fam)
        if not other:
            return True
        bare = lambda s: set(re.findall(r"[^\W\d]{2,}", T.norm(s).translate(T.ACC)))
        return bare(FAMILIES[fam].wordings[w]) - bare(FAMILIES[other].wordings[w]) <= bare(t)

    def _wordings(self, fam):
        if fam.startswith("nq:"):
            return QS[int(fam[3:])][2]
        if fam.startswith("q:"):
            return QS[int(fam[2:])][0]
        return FAMILIES[fam].wordings

    def _near(self, fam):
        if fam.startswith("q:"):
            return "n" + fam if QS[int(fam[2:])][2] else None
        return FAMILIES[fam].twin

    def _right(self, fam, params, text, week):
        if fam is None:
            return T.Meta(text, "background", self.meta[text].slots).right()
        if fam.startswith("nq:"):
            return QS[int(fam[3:])][3]
        if fam.startswith("q:"):
            j = int(fam[2:])
            return STALE[j] if self.stale_week and week >= self.stale_week and j in STALE else QS[j][1]
        return solve(fam, text)

    def check(self, request, text):
        if request.family is None:
            return self.meta[request.text].check(text)
        return same(request.right, text)

    def _wrong(self, r, v):
        if r.family is None:
            w = self.meta[r.text].wrongs()
            return w[int(v * len(w))]
        try:
            x = float(r.right)
            return f"{x * (1.1 + .3 * v) + 1 + int(v * 5):.2f}" if "." in r.right else str(int(x) + 1 + int(v * 9))
        except ValueError:
            for k in range(60):
                o = QS[int(u01(r.text, v, k) * len(QS))][1]
                if not same(r.right, o) and r.family.startswith(("q:", "nq:")):
                    return o
                if not r.family.startswith(("q:", "nq:")):
                    break
            if r.right in ("yes", "no"):
                return "no" if r.right == "yes" else "yes"
            return (r.right[1:] + "q") if len(r.right) > 1 else r.right + "q"

    def answer(self, request, model, attempt=0, **_):
        c = MODELS[model]
        ok = u01(self.seed, request.i, model, attempt) < c["p"]
        v = u01(self.seed, request.i, model, attempt, "v")
        if not ok:
            text = self._wrong(request, v)
        elif request.family is None:
            text = self.meta[request.text].right(0, False, int(v * 7))
        else:
            text = request.right
        tin, tout = tokens(request.text) + 20, 60
        return Reply(text, ok, round(c["ms"] * (.8 + .4 * v), 1), c["usd"] * (tin + tout) / 1000, tin, tout)

    def feedback(self, request, reply, rate=1.0, flip=0.0):
        if u01(self.seed, request.i, "fb") >= rate:
            return None
        return reply.ok != (u01(self.seed, request.i, "flip") < flip)

    def program(self, request, skill=.85, attempt=0):
        f = FAMILIES.get(request.family or "")
        if f is None:
            return None
        u = u01(self.seed, request.i, "program", attempt)
        if u < skill:
            return source(f.name)
        other = f.twin or TWIN_OF.get(f.name)
        if other:                                           # the commonest error: the neighbouring question's formula
            return source(f.name, FAMILIES[other].calc)
        return source(f.name, f"(lambda s: s[:-1] if len(s) > 1 else s + '1')(str({f.calc}))")

    def baseline(self, model="large"):
        usd, q = [0.0] * self.weeks, [0.0] * self.weeks
        cnt = [0] * self.weeks
        for r in self.stream:
            a = self.answer(r, model)
            usd[r.week - 1] += a.usd
            q[r.week - 1] += a.ok
            cnt[r.week - 1] += 1
        return [a / n for a, n in zip(usd, cnt)], [a / n for a, n in zip(q, cnt)]

    def judge(self, rows):
        """rows: (i, text served, 'library' or 'model', usd) -> figures by week."""
        W = [dict(n=0, repeats=0, repeats_from_library=0, library=0, usd=0.0, ok=0, near=0, wrong_near=0, wrong_library=0) for _ in range(self.weeks)]
        for i, text, frm, usd in rows:
            r, ok = self.stream[i], self.check(self.stream[i], text)
            d = W[r.week - 1]
            rep, lib = r.how in ("exact", "paraphrase", "parametrised"), frm == "library"
            d["n"] += 1
            d["repeats"] += rep
            d["repeats_from_library"] += rep and lib
            d["library"] += lib
            d["usd"] += usd
            d["ok"] += ok
            d["near"] += r.how == "near"
            d["wrong_near"] += r.how == "near" and lib and not ok
            d["wrong_library"] += lib and not ok
        for d in W:
            d["reuse_of_repeats"] = d["repeats_from_library"] / max(1, d["repeats"])
            d["usd_each"], d["quality"] = d["usd"] / max(1, d["n"]), d["ok"] / max(1, d["n"])
        return dict(weeks=W, wrong_near=sum(d["wrong_near"] for d in W), wrong_library=sum(d["wrong_library"] for d in W))


def same(right, text):
    """The judge: numbers by value, words by (bounded) containment, short answers exactly."""
    t = text.strip()
    if re.fullmatch(r"-?\d+(\.\d+)?", right):
        n = re.findall(r"-?\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3})", "", t))
        if not n:
            return False
        x = float(right)
        if right.isdigit() and len(right) > 4 and set(right) <= {"0", "1"}:
            return n[-1] == right
        return abs(float(n[-1]) - x) <= (.0051 if "." in right else .0001 if not n[-1].count(".") else .0051)
    a, b = T.norm(right).strip(" ."), T.norm(t).strip(" .!\"'")
    if a in ("yes", "no"):
        return b.split()[:1] == [a] or b == a
    if right.isupper() or "_" in right or "-" in right or ", " in right:
        return t.strip(" .\"'") == right
    return a == b or re.search(r"(?<!\w)" + re.escape(a) + r"(?!\w)", b) is not None
