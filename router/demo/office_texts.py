"""What the people of the demo's office ask: sums, small texts, house questions, and one-offs. Pure."""

from dataclasses import dataclass

_READ = {
    "number": "[float(x) for x in re.findall(r'\\d+(?:\\.\\d+)?', text)]",
    "quoted": 're.findall(r\'"([^"]*)"\', text)',
    "date": "[datetime.date(*map(int, d)) for d in re.findall(r'(\\d{4})-(\\d\\d)-(\\d\\d)', text)]",
}


@dataclass(frozen=True, slots=True)
class Family:
    """Requests that one program answers. `calculation` is an expression over the values `v`."""

    name: str
    kind: str  # of its values: number, quoted or date
    calculation: str
    wordings: tuple[str, ...]
    draws: tuple[tuple[float, ...], ...] = ()  # what each value is drawn from
    twin: str = ""  # the family that looks like this one and asks something else

    def program(self, calculation: str = "") -> str:
        return (
            "import datetime\nimport re\n\n\ndef shown(x):\n"
            "    return ('%.2f' % (x + 1e-9)).rstrip('0').rstrip('.')\n\n\n"
            f"def solve(text):\n    v = {_READ[self.kind]}\n"
            f"    return str({calculation or self.calculation})\n"
        )


_MONEY = tuple(n + 0.25 * (n % 4) for n in range(12, 900, 7))
_SMALL = tuple(float(n) for n in range(2, 40))
_BIG = tuple(float(n) for n in range(110, 4_000, 13))
_RATE = (4.0, 5.0, 7.0, 19.0, 21.0)  # no 10: to divide by ten is right then, too


def _pair(
    name: str, calculation: str, wordings: str, twin: str, twin_calculation: str,
    twin_wordings: str, *draws: tuple[float, ...], kind: str = "number",
) -> tuple[Family, Family]:  # fmt: skip
    return (
        Family(name, kind, calculation, tuple(wordings.split(" | ")), draws, twin),
        Family(twin, kind, twin_calculation, tuple(twin_wordings.split(" | ")), draws, name),
    )


_PAIRS = (
    _pair("deposit", "shown(v[0]*v[1]/100)",
          "deposit of {1}% on an order of {0} | order {0}, deposit {1} percent, how much is it | what deposit do I ask for {0} at {1}% | order worth {0}: {1}% up front is",
          "balance", "shown(v[0]*(1-v[1]/100))",
          "balance after a deposit of {1}% on an order of {0} | order {0}, deposit {1} percent, how much is left | what balance do I ask for {0} at {1}% deposit | order worth {0}: after {1}% up front remains", _MONEY, _RATE),
    _pair("late_fee", "shown(v[0]*v[1]/100*v[2]/365)",
          "late interest on {0} at {1}% a year for {2} days | invoice {0} is overdue at {1} percent yearly for {2} days, interest | interest owed: {0}, {1}% per year, {2} days",
          "late_total", "shown(v[0]+v[0]*v[1]/100*v[2]/365)",
          "amount due with late interest on {0} at {1}% a year for {2} days | invoice {0} is overdue at {1} percent yearly for {2} days, total with interest | total owed: {0}, {1}% per year, {2} days", _MONEY, _RATE, _SMALL),
    _pair("pallets", "str(int(-(-v[0]//v[1])))",
          "how many pallets for {0} boxes with {1} on each | {0} boxes, {1} per pallet, pallets needed | pallets: {0} boxes at {1} a pallet",
          "last_pallet", "str(int(v[0]-(v[0]-1)//v[1]*v[1]))",
          "how many boxes on the last pallet for {0} boxes with {1} on each | {0} boxes, {1} per pallet, boxes on the last one | last pallet: {0} boxes at {1} a pallet", _BIG, _SMALL),
    _pair("unit_price", "shown(v[0]/v[1])",
          "price for one if a box for {0} holds {1} in dollars | {0} dollars buys {1} pieces, each costs | unit price: {0} total, {1} pieces",
          "pieces", "shown(v[1]/v[0])",
          "pieces for one dollar if a box for {0} holds {1} in dollars | {0} dollars buys {1} pieces, a dollar buys | pieces per dollar: {0} total, {1} pieces", _MONEY, _SMALL),
    _pair("average_two", "shown((v[0]+v[1])/2)",
          "middle between {0} and {1} | halfway from {0} to {1} is | midpoint of {0} and {1}",
          "distance_two", "shown(abs(v[1]-v[0]))",
          "distance between {0} and {1} | how far from {0} to {1} is it | gap of {0} and {1}", _MONEY, _BIG),
    _pair("box_volume", "shown(v[0]*v[1]*v[2])",
          "volume of a box {0} by {1} by {2} | box {0} x {1} x {2}, what volume | how much fits in {0} times {1} times {2}",
          "box_surface", "shown(2*(v[0]*v[1]+v[1]*v[2]+v[0]*v[2]))",
          "surface of a box {0} by {1} by {2} | box {0} x {1} x {2}, what surface | how much paper wraps {0} times {1} times {2}", _SMALL, _SMALL, _SMALL),
    _pair("vowels", "str(sum(c in 'aeiou' for c in v[0].lower()))",
          'vowels in "{0}" | how many vowels has "{0}" | count vowels: "{0}"',
          "consonants", "str(sum(c.isalpha() and c not in 'aeiou' for c in v[0].lower()))",
          'consonants in "{0}" | how many consonants has "{0}" | count consonants: "{0}"', kind="quoted"),
    _pair("title", "v[0].title()",
          'title case for "{0}" | capital at each word: "{0}" | write "{0}" as a title',
          "camel", "v[0].title().replace(' ', '')",
          'camel case for "{0}" | capitals and no spaces: "{0}" | write "{0}" as a class name', kind="quoted"),
    _pair("due_date", "(v[0]+datetime.timedelta(30)).isoformat()",
          "due date of an invoice of {0}, net thirty | invoice dated {0}, thirty days to pay, due on | thirty days from {0}",
          "reminder", "(v[0]+datetime.timedelta(44)).isoformat()",
          "reminder date of an invoice of {0}, net thirty and two weeks | invoice dated {0}, thirty days to pay, reminder two weeks after on | thirty days and two weeks from {0}", kind="date"),
    _pair("quarter", "'Q%d' % ((v[0].month+2)//3)",
          "quarter of {0} | which quarter is {0} in | {0} belongs to quarter",
          "half", "'H%d' % ((v[0].month+5)//6)",
          "half of the year of {0} | which half year is {0} in | {0} belongs to half", kind="date"),
)  # fmt: skip
_LONE = (
    Family("inches", "number", "shown(v[0]*2.54)", ("{0} inches in centimetres", "how many centimetres are {0} inches", "screen of {0} inches, in cm"), (_SMALL,)),
    Family("hours_days", "number", "shown(v[0]/8)", ("{0} hours in working days of eight hours", "task of {0} hours, how many eight-hour days", "how long is {0} hours in full working days"), (_BIG,)),
    Family("share", "number", "shown(v[0]/v[1])", ("share {0} equally between {1} teams", "{0} split over {1} teams, each gets", "of {0} for {1} teams, what has each"), (_BIG, _SMALL)),
    Family("commission", "number", "shown(v[0]*v[1]/100+v[2])", ("commission: {0} sold, {1}%, plus {2} fixed", "sold {0} at {1} percent and {2} base, my commission", "what do I earn on {0} with {1}% and a base of {2}"), (_MONEY, _RATE, _SMALL)),
)  # fmt: skip
FAMILIES = {family.name: family for pair in (*_PAIRS, _LONE) for family in pair}
# Families that people ask from the start; a twin comes as a near miss first.
ASKED = tuple(pair[0].name for pair in _PAIRS) + tuple(family.name for family in _LONE)


@dataclass(frozen=True, slots=True)
class HouseQuestion:
    """A question with one answer; `later` is its answer after the house rules changed."""

    wordings: tuple[str, ...]
    answer: str
    near: str  # a question that looks like it
    near_answer: str
    later: str = ""


HOUSE = (
    HouseQuestion(("password of the guest wifi", "what do visitors type for the wifi", "guest wifi, the password please"), "blue-heron-9", "password of the staff wifi", "red-otter-4", "green-crane-2"),
    HouseQuestion(("when does the canteen close", "canteen closing time", "until when can I have lunch downstairs"), "14:15", "when does the canteen open", "11:45", "14:45"),
    HouseQuestion(("who signs orders above ten thousand", "signature needed on large orders is whose", "who approves a big order"), "Nora Lindqvist", "who signs orders below ten thousand", "Piet de Boer", "Amir Haddad"),
    HouseQuestion(("extension of the help desk", "which number do I dial for IT help", "help desk phone"), "4420", "extension of the front desk", "4400", "4425"),
    HouseQuestion(("where do parcels arrive", "parcel pick-up place", "where is my delivery waiting"), "dock B", "where do parcels leave", "dock D"),
    HouseQuestion(("cost centre for travel", "which cost centre do I book trips on", "travel goes on what cost centre"), "CC-712", "cost centre for training", "CC-715"),
    HouseQuestion(("last working day before the summer break", "when do we close for summer", "summer closing begins after"), "26 July", "first working day after the summer break", "19 August"),
    HouseQuestion(("boiling point of ethanol in celsius", "at how many celsius does ethanol boil", "ethanol, boiling point"), "78", "melting point of ethanol in celsius", "-114"),
    HouseQuestion(("capital of Slovenia", "which city is Slovenia's capital", "Slovenia: capital city"), "Ljubljana", "capital of Slovakia", "Bratislava"),
    HouseQuestion(("inventor of the telephone", "who invented the telephone", "telephone was whose invention"), "Bell", "inventor of the telegraph", "Morse"),
    HouseQuestion(("chemical symbol of gold", "how is gold written in chemistry", "gold: its symbol"), "Au", "chemical symbol of silver", "Ag"),
    HouseQuestion(("author of Middlemarch", "who wrote Middlemarch", "Middlemarch is by whom"), "George Eliot", "heroine of Middlemarch", "Dorothea Brooke"),
)  # fmt: skip

WORDS = (
    "amber anchor basil beacon candle cedar cobalt comet delta ember falcon garnet harbor indigo "
    "jasper kernel ladder maple nectar olive pepper quartz raven saffron timber umber violet willow"
).split()
_TOPICS = (
    "the autumn fair|a slow laptop|our new logo|the coffee rota|a lost badge|rain in the car park|the intern's first week|"
    "a noisy neighbour|the fire drill|a farewell card|standing desks|the printer queue|a team lunch|bike sheds|name tags|"
    "the summer party|desk plants|a broken blind|the open day|quiet hours|lift repairs|a quiz night|visitor parking|"
    "the film club|a photo wall|long meetings|the suggestion box|a chess league|window cleaning|the choir"
).split("|")
_WISHES = (
    "draft a note about {}|three ideas for {}|a funny headline on {}|what could go wrong with {}|a polite complaint about {}|"
    "a short speech on {}|pros and cons of {}|a checklist for {}|how would you explain {} to a child|a slogan for {}|"
    "an apology for {}|questions to ask about {}|a riddle on {}|next steps for {}|a poem about {}|a timeline for {}"
).split("|")
_ENDS = ("", " for the newsletter", " in two lines", " for Monday", " with some humour", " in plain words", " for the notice board", " this spring", " for new people", " before the audit")  # fmt: skip
ONE_OFFS = tuple(w.format(topic) + end for w in _WISHES for topic in _TOPICS for end in _ENDS)
CHATTER = (
    "typing this on the train.", "my manager is waiting.", "sorry to ask again.", "no hurry at all.",
    "it is for a slide.", "I lost my notes.", "somebody must know this.", "nearly home time.",
    "the spreadsheet died.", "asking for the whole floor.",
)  # fmt: skip
POLITE = (("Hello, ", ""), ("hi, ", " thanks"), ("Good morning. ", " Best regards"), ("", " thank you so much"), ("Dear all, ", " cheers"), ("", " please"))  # fmt: skip
