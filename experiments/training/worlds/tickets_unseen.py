"""Customer messages of Larkspur & Pine, a (made up) furniture shop: the UNSEEN world.

World(seed, n).stream is a list of Request(i, at_seconds, text, truth_label); see README.md.
The rule that gives the label is rule_1 until `changed_at` and rule_2 from there on. It needs words
in combination and, other than in the seen world, numbers (older than 30 days, ten pieces or more).
Nobody tells the system. Deterministic: same seed, same world.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # whoever imports it

from ticket_machinery import world_of

CLASH = [{"old", "fresh"}, {"many", "few"}, {"crushed", "missing"}, {"fresh", "money"}]     # facts that do not go together
COMPANY = "Larkspur & Pine"
LABELS = ["delivery", "send-back", "warranty", "payment", "advice", "trade"]
LANGS = ["de", "nl", "it"]

_OLD = ["%d days ago" % d for d in (33, 38, 41, 45, 52, 60, 75, 90, 120, 200)] + ["six weeks ago", "seven weeks ago", "two months ago", "half a year ago", "last year", "two winters ago", "more than a year ago"]
_FRESH = ["%d days ago" % d for d in (2, 3, 4, 6, 8, 11, 13, 17, 21, 25, 28)] + ["yesterday", "last week", "two weeks ago", "three weeks ago", "the day before yesterday", "on Saturday"]
VOCAB = {
    "piece": ["the piece", "the item", "it", "the thing", "what I ordered", "the article", "this piece of yours", "the furniture"],
    "part": ["leg", "hinge", "drawer", "seam", "side rest", "switch", "back panel", "cushion", "screw thread", "top", "castor", "handle", "frame", "slat", "cover"],
    "bad": ["cracked", "bent", "loose", "chipped", "split", "warped", "torn", "scratched", "broken off", "coming apart", "crooked"],
    "price": ["89 pounds", "340 euros", "$1,150", "59.90", "EUR 720", "215 francs", "1,499 EUR", "£48", "$260", "430 euros"],
    "old": _OLD, "fresh": _FRESH,
    "many": [str(x) for x in (10, 12, 14, 16, 18, 20, 24, 30, 36, 40, 55, 60, 80, 120)] + ["a dozen", "twenty", "fifteen", "two dozen", "fifty"],
    "few": [str(x) for x in (2, 3, 4, 5, 6, 7, 8, 9)] + ["two", "three", "four", "six", "a pair"],
    "room": ["hallway", "bedroom", "kitchen", "nursery", "study", "attic", "living room", "guest room", "balcony", "dining room"],
    "wood": ["oak", "walnut", "ash", "beech", "pine", "cherry", "birch"],
    "stain": ["red wine", "ink", "candle wax", "coffee", "crayons", "olive oil"],
    "biz": ["a hotel", "an architect's office", "a café", "an interior studio", "a shop", "a co-working space", "a school", "a clinic", "a restaurant group"],
    "mail": ["the parcel service", "the driver", "the courier", "the haulier"],
    "win": ["Tuesday morning", "between 8 and 12", "Saturday", "the afternoon slot", "week 34", "Thursday"],
    "why": ["the colour does not match", "it is too big", "I don't like it after all", "my husband bought the same", "it looks different from the picture", "we chose another one", "it does not go through the door"],
    "fix": ["two-man carry", "a lift", "express", "a fixed slot", "the pallet", "kerbside"],
    "yearsn": ["years", "ages", "a long time", "the opening of the first shop"],
}
MAIN = {
 "where": [
  "Where is my [order|parcel|shipment]?", "The tracking has not moved for days.", "[Nobody|No one] came on {win}, though it was agreed.", "Please move the drop-off to {win}.",
  "{mail} left a card but I was at home.", "[Can|Could] you bring {piece} to another address?", "When will {piece} [arrive|be here|come]?", "{mail} put it at the neighbour's, who has nothing.",
  "The status says 'handed over', I have [nothing|got nothing].", "I'd like {fix} for my order, is that possible?", "My order is split, when does the second half [arrive|come]?", "{mail} refused to carry {piece} upstairs.",
  "The slot on {win} does not suit me.", "{piece} should have been here on {win}.", "Tracking shows a town far from mine.", "Will {mail} ring before coming?",
  "You wrote '[three|five] working days', I am still waiting.", "Please hold the [shipment|parcel], we are away.", "The [shipment|order] went to our old address.", "Is there a shipping notice for my order yet?",
  "{mail} stood before a closed shop, please send it again.", "How do I change the door code for {mail}?", "The truck cannot turn in our street, what now?", "I'd rather [collect|pick up] {piece} myself, is that still possible?",
  "The [arrival|shipping] date has been moved again, to {win}.", "I got someone else's parcel, where is mine?", "Is {piece} already on its way?", "It says 'arrived', but the porch is empty.",
  "Do you ship to the islands, and how long is the trip?", "The parcel is stuck at customs.", "{mail} wants to come on {win}, too early.", "My order has been 'in transit' for [days|ever so long].",
 ],
 "back": [
  "I want to send {piece} back, {why}.", "Please [mail|send] me a return label.", "How do I [return|send back] {piece}?", "I'd like to [exchange|swap] {piece} for another colour.",
  "{why}, please take it back.", "I withdraw from the purchase.", "[Can|May] I give {piece} back in a shop?", "Who pays for sending {piece} back?",
  "The return form does not accept my order.", "I no longer want {piece}: {why}.", "Please arrange the pick-up of my return.", "{piece} is unopened, I want to hand it back.",
  "I have thrown away the box, can I still [return|send back] {piece}?", "It was a present and {why}, so it should go back.", "I ordered the wrong [size|colour|{wood}] and want to exchange it.", "Is a return possible when {piece} is assembled?",
  "I make use of my right to withdraw.", "{why}. How does the return work?", "My return was not [scanned|accepted] at the counter.", "Do I need the receipt to [exchange|give back] {piece}?",
  "Please cancel the purchase and fetch {piece}.", "We took two to compare, one goes back.", "Where do I drop off a [return|parcel to you]?", "The label for sending it back cannot be printed.",
  "I'd like to [return|hand back] the lot, {why}.", "Can I swap {piece} for the one in {wood}?", "Sadly {why}; I'd give it back.", "Which shops take returns?",
  "The pick-up of my return did not [happen|take place].", "I want to step back from the order, {why}.", "Returning {piece}: do you fetch it?", "{piece} is lovely, but {why}. Return, please.",
 ],
 "broken": [
  "The {part} is {bad}.", "The {part} of {piece} is {bad}.", "After a short use the {part} was {bad}.", "A {part} [broke|snapped|gave way] when I sat down.",
  "There is a [crack|dent|hole] in the {part}.", "The {wood} [is splitting|has warped|shows a long crack].", "The {part} squeaks and is {bad}.", "The paint on the {part} peels.",
  "The {part} came {bad}.", "I found the {part} {bad}.", "{piece} wobbles because the {part} is {bad}.", "The light of {piece} [flickers|does not go on|smells burnt].",
  "The fabric has [pilled|faded|come apart] near the {part}.", "The {part} does not [close|open|lock] properly.", "Both the {part} and the finish are {bad}.", "The {part} is {bad}, I have photos.",
  "My child got hurt on a {bad} {part}.", "The {part} [fell off|came off] in my hand.", "Is a {bad} {part} covered?", "{piece} has a fault: {part} {bad}.",
  "The glue at the {part} does not hold.", "The {part} is made of {wood} and already {bad}.", "The foam is flat and the {part} {bad}.", "One {part} is shorter than the others.",
  "The zipper is stuck and the {part} {bad}.", "The colour of the {part} comes off on clothes.", "I need a new {part}, mine is {bad}.", "The {part} bends under a few books.",
  "The {wood} veneer lifts at the {part}.", "Rust on the {part}.", "The {part}: {bad}. Can it be mended?", "We can't use {piece}, {part} {bad}.",
 ],
 "pay": [
  "[I was|We were] charged {price} twice.", "The voucher over {price} was not [taken off|accepted].", "My card is refused at the checkout.", "Please send [the invoice|the bill|a receipt] for {price}.",
  "The amount on the bill is {price}, the shop said less.", "Can I pay {price} in instalments?", "The financing was declined, why?", "I paid by transfer, and you write that nothing came.",
  "The direct debit of {price} was wrong.", "You sent a reminder about {price} that I paid.", "Why is the [delivery|service] fee {price}?", "The sale price of {price} was not applied.",
  "My gift card shows a balance of zero.", "Which account do I transfer {price} to?", "I need the bill in my [wife's|mother's] name.", "{price} is blocked on my card without an order.",
  "The price went up from {price} overnight, I ask for the old one.", "Can I change from [card|PayPal] to invoice?", "A collection agency wants {price} from me.", "The newsletter code gives an error at the checkout.",
  "I saw {price} on your page and {price2} in the basket.", "Please correct the tax on the bill.", "The instalment of {price} was taken too early.", "Does the price of {price} include tax?",
  "The payment of {price} hangs at 'pending'.", "The loyalty points over {price} are gone.", "I'd like to pay the rest of {price} now.", "My bank says the mandate for {price} is not valid.",
  "Price match: another shop asks {price}.", "I typed the wrong amount, you got {price}.", "The deposit of {price} is not on the final bill.", "Billing made an error of {price}.",
 ],
 "ask": [
  "How do I get {stain} out of the cover?", "Is {wood} right for a {room}?", "What are the measures of {piece}?", "Which oil do you advise for {wood}?",
  "Does {piece} fit in a [small|narrow|low] {room}?", "Is {piece} available in {wood}?", "How heavy may the load on the {part} be?", "What colour goes with {wood}?",
  "In which step do I fix the {part}?", "Can {piece} stand outdoors?", "Is the cover machine-washable?", "I look for something for my {room}.",
  "Could you send a [fabric|wood] sample?", "Which bulb goes in?", "I don't understand page [three|four|five] of the manual.", "Will you have {piece} again soon?",
  "What is the difference between {wood} and {wood2}?", "Do I need a drill to put up {piece}?", "Can the {part} be mounted on the left?", "Is the foam free of [latex|feathers|solvents]?",
  "How tall is the seat?", "Where is the {wood} from?", "Where can I see {piece} on display?", "Is there a matching one for the {room}?",
  "How often should {wood} be waxed?", "Do you plan whole rooms, say a {room}?", "Can I shorten the {part} myself?", "Which tool do I need for the {part}?",
  "Is {piece} safe for cats?", "What would look good in a {room} with {wood} floor?", "Does the {part} come in other sizes?", "Can two people put up {piece}?",
 ],
 "dealer": [
  "We are {biz} and would like to [stock|resell] your range.", "Do you give [trade|reseller] terms?", "I write for {biz}: who is our contact?", "{biz} would like to fit out a floor.",
  "Please send your [wholesale|trade] price list.", "We plan the interior of {biz} and need an offer.", "Could we become a [dealer|partner|stockist]?", "As {biz} we ask for a framework contract.",
  "What is the margin for resellers?", "We'd like to show your pieces in our [gallery|showroom].", "Our tender for {biz} closes soon, will you bid?", "{biz} needs a quote with fire certificates.",
  "Do you do custom work for {biz}?", "We want to open a [dealer|trade] account.", "Is there a representative for our region?", "{biz} asks for a contract price.",
  "I am a purchaser for {biz}.", "Please register us as [trade partner|reseller].", "Do you produce under another brand, for {biz}?", "We'd like a catalogue for our sales staff.",
  "Do architects get a commission?", "We furnish holiday flats and want [terms|conditions].", "{biz} wants to rent pieces for a fair.", "Can {biz} get exclusive colours?",
  "Who handles projects such as {biz}?", "We are setting up a marketplace and invite your brand.", "Sales to public bodies: do you have a contract form?", "We export to the Gulf and want to carry your range.",
  "A franchise of yours in our town, is that possible?", "{biz} is looking for a furniture supplier.", "Please quote ex works for {biz}.", "As an interior designer I ask for [trade|professional] access.",
 ],
}
PRIOR = {"where": .24, "back": .19, "broken": .20, "pay": .16, "ask": .15, "dealer": .06}
BASE = {"where": "delivery", "back": "send-back", "broken": "warranty", "pay": "payment", "ask": "advice", "dealer": "trade"}
SEC = {
 "old": ["I bought it {old}.", "It came {old}.", "We have had it since the delivery {old}.", "The purchase was {old}.", "The receipt is from {old}.", "Date of purchase: {old}."],
 "fresh": ["I bought it {fresh}.", "It came {fresh}.", "We got it {fresh}.", "The purchase was {fresh}.", "The receipt is from {fresh}.", "It was put up {fresh}."],
 "many": ["It is about {many} of them.", "We have {many} pieces of it.", "The order is for {many} units.", "{many} in all.", "Quantity: {many}.", "That would be {many} pieces."],
 "few": ["It is about {few} of them.", "The order is for {few} pieces.", "{few} in all.", "Quantity: {few}.", "That would be {few} pieces."],
 "crushed": ["The box was crushed when it came.", "The parcel had a big hole in it.", "{mail} dropped it on the stairs.", "The carton was wet and torn open.", "One saw on the outside that it had been dropped.", "The packaging looked as if a truck had gone over it."],
 "missing": ["The bag of screws is missing.", "A {part} was not in the box.", "Parts are missing.", "Only one of two boxes had something in it, the {part} is not there.", "The manual lists a {part} that I do not have.", "There is one {part} too few."],
 "money": ["My money has not come back yet.", "It went back to you and I still wait for the {price}.", "When do I get my {price} back?", "The refund of {price} is overdue.", "You promised to repay {price}.", "No refund on my account so far."],
 "firm": ["Please put our company and VAT number on it.", "I order for {biz}.", "The bill goes to {biz}.", "It is for our company.", "We are {biz}."],
 "gift": ["It is a present.", "It is for my daughter's wedding.", "We move house soon.", "It was my grandmother's wish."],
}
SEC_FOR = {
 "where": ["missing", "money", "many", "few", "gift", "firm"], "back": ["old", "fresh", "money", "many", "few", "gift", "old"], "broken": ["crushed", "crushed", "fresh", "old", "few", "gift", "fresh"],
 "pay": ["firm", "firm", "many", "few", "gift", "old"], "ask": ["many", "few", "missing", "gift", "firm"], "dealer": ["many", "few", "firm"],
}
NEG = {
 "many": ["Just a single one, not a large order.", "I don't need a dozen, one is enough."],
 "crushed": ["The parcel itself was in perfect shape.", "The box was not damaged at all."],
 "missing": ["No parts are missing.", "All screws and parts are there."],
 "money": ["I already have my money back.", "This is not about a refund."],
 "firm": ["I am a private customer, not a company.", "No VAT number, I buy as a private person."],
 "old": ["I have not had it for long.", "It is not old."],
}


def rule_1(main, secs):
    """The rule until changed_at (first match wins). old: more than 30 days; many: ten or more."""
    if "many" in secs and main in ("back", "ask", "pay"):
        return "trade"
    if "crushed" in secs and main == "broken":
        return "delivery"
    if "missing" in secs and main in ("where", "ask"):
        return "warranty"
    if "money" in secs and main in ("back", "where"):
        return "payment"
    if "old" in secs and main == "back":
        return "warranty"
    if "fresh" in secs and main == "broken":
        return "send-back"
    if "firm" in secs and main == "pay":
        return "trade"
    return BASE[main]


def rule_2(main, secs):
    """The rule from changed_at on."""
    if "many" in secs and main in ("ask", "pay"):
        return "trade"                 # back + many no longer
    if "missing" in secs and main in ("where", "ask"):
        return "warranty"
    if "money" in secs and main in ("back", "where"):
        return "payment"
    if "fresh" in secs and main == "broken":
        return "send-back"             # broken + crushed: no longer delivery
    return BASE[main]                  # back + old -> send-back, pay + firm -> payment


VAGUE = [
 ("delivery", "payment", .55, ["My order: what about it?", "The order is not right.", "Please look into my order, something went wrong.", "I got a strange message about my order."]),
 ("send-back", "warranty", .5, ["I am not happy with {piece}.", "{piece} is not what it should be.", "What can we do about {piece}?", "I can't keep it like this."]),
 ("warranty", "advice", .6, ["The {part} and I do not get along.", "The {part} does not fit.", "I can't get the {part} on.", "{wood} should not look like that, or should it?"]),
 ("advice", "trade", .65, ["We need furniture for {biz}.", "Could someone phone me about your range?", "What do you have in {wood}, and at which terms?"]),
 ("delivery", "send-back", .6, ["I do not want it any more if it takes so long.", "Stop the order, or send something else.", "The wrong thing is on its way."]),
]

# ---- yes/no: does it contain a complaint?
YN_QUESTION = "Does this message contain a complaint? Answer yes or no."
YN_SYSTEM = "You read the post of the Larkspur & Pine furniture shop. Does this message contain a complaint? Answer yes or no."
YN_YES, YN_NO = ["Yes, it contains a complaint.", "Yes - the customer is unhappy.", "Answer: yes"], ["No, it does not.", "No - no complaint.", "Answer: no"]
YN = {
 "blame": ["Your service is a disgrace.", "I have written four times and nobody answers.", "I am really annoyed with you.", "Your staff on the phone was rude.", "This is unacceptable.", "You have let us down badly.", "I expected better from you."],
 "carrier": ["{mail} was unfriendly and careless.", "{mail} behaved badly.", "{mail} is hopeless."],
 "mild": ["I am a little disappointed.", "That was not so nice.", "It could have gone better."],
 "praise": ["Your shop is wonderful.", "The young man at the counter was so kind.", "We love what we have from you.", "So far all went perfectly.", "Top service, by the way."],
 "neg": ["This is not a complaint.", "I do not want to complain.", "Don't get me wrong, I am not annoyed."],
 "sarcasm": ["Great job, that is the third time now.", "Wonderful, I took a day off for nothing. Bravo.", "I just love to wait in a queue for an hour.", "How kind of you to ignore me."],
 "wish": ["A night slot would be a nice idea.", "Maybe you could add a chat.", "I wish you had a shop near us."],
 "quote": ["My neighbour always complains about you, I never do.", "Others write bad reviews, I can't see why."],
}
YN_W = {"blame": .24, "carrier": .12, "mild": .12, "praise": .16, "neg": .1, "sarcasm": .12, "wish": .08, "quote": .06}
YN_PAIRS = [("neg", "blame"), ("praise", "blame"), ("praise", "mild"), ("neg", "wish"), ("praise", "carrier"), ("quote", "mild"), ("praise", "neg"), ("praise", "sarcasm")]


def _yn(mains, secs, f, later):
    if {"blame", "sarcasm"} & f:
        return "yes"
    if not later and "carrier" in f:
        return "yes"                   # after the change a complaint about the carrier does not count
    if not later and "mild" in f and "praise" not in f:
        return "yes"                   # nor does a mild one
    return "no"


PRODUCTS = {
 "alder": ["Alder", "the Alder sofa", "your grey three-seater", "ALDER"],
 "bryony": ["Bryony", "the Bryony lamp", "your paper floor lamp", "the Bryony"],
 "cobnut": ["Cobnut", "the Cobnut chair", "your stacking chair", "Cobnut II"],
 "dunlin": ["Dunlin", "the Dunlin table", "your extending table", "the Dunlin"],
 "elmrow": ["Elmrow", "the Elmrow shelf", "your wall shelf system", "Elm Row"],
 "fenwick": ["Fenwick", "the Fenwick bed", "your box-spring bed", "the Fenwick 160"],
 "garth": ["Garth", "the Garth rug", "your woollen rug"],
}
KINDS = {
 "web": lambda r: "30%08d" % r.randint(0, 99999999),
 "store": lambda r: "LP-%s-%04d" % (r.choice(["BR", "YK", "ED", "CF"]), r.randint(0, 9999)),
 "marketplace": lambda r: "%03d-%07d" % (r.randint(100, 999), r.randint(0, 9999999)),
 "giftcard": lambda r: "G" + "".join(r.choice("ABCDEFHKMNPRTXY3479") for _ in range(9)),
}
KIND_SAY = ["[Order|No.|Ref:] {num}.", "It is number {num}.", "You will find it under {num}.", "({num})", "My number: {num}.", "Concerning {num}."]
KIND_NOT = ["My customer number is {cust}.", "The tracking number ends in {cust}.", "Article {cust}."]
PROD_SAY = ["It is about {p}.", "[This is|I mean|Model:] {p}.", "I have {p}.", "We speak of {p}."]
PROD_TWO = ["I own {q} too, but this is about {p}.", "Not {q} but {p}.", "It is {p}; {q} is fine.", "{q} came with it and is all right, the matter is {p}."]
MONTH_SAY = ["The order is from {m}.", "That was in {m}.", "Ordered in {m}.", "[It was|From] {m}."]
MONTH_TWO = ["I ordered in {k} and again in {m}, it is about the latter.", "From {m}, not from {k}.", "The order of {k} is done, this is the one of {m}."]
SLOT_AFTER = {"kind": {"marketplace": "web"}, "product": {"garth": "none"}, "month": {}}
SLOT_SYSTEM = ("Read the customer's message to Larkspur & Pine and give as JSON: kind (of the order number: web, store, marketplace, giftcard, none), "
               "month (january to december, none), product (alder, bryony, cobnut, dunlin, elmrow, fenwick, garth, none).")
SYSTEM = ("Larkspur & Pine sells furniture. Every incoming message goes to one desk. Desks: " + ", ".join(LABELS)
          + ". Reply with the name of the desk and nothing else.")
USER = ["{t}", "Customer message:\n\"\"\"\n{t}\n\"\"\"", "[{ch}] {t}", "Incoming no. {no}:\n{t}\n\nDesk?"]
CHANNELS = ["post", "app", "web", "phone note"]
BURST_MAIN = "where"
GREET = ["Hello,", "Good day,", "Dear Larkspur team,", "Hi there,", "Dear customer service,", "Hi,", "Good evening,", "To the furniture people,"]
CLOSE = ["Thank you", "Yours sincerely,", "With best wishes", "Thanks a lot!", "Kind regards", "Please let me know.", "Greetings", "I await your reply."]
SIGN = ["Ines", "Gareth", "Mrs Dlamini", "Oskar", "Leonie", "Kwame", "T. Brandt", "Aoife", "Ravi", "Mr Petrenko", "Greta", "Luca"]
FILL = ["I have been a customer for {yearsn}.", "We live on the [second|third|fourth] floor.", "I could not reach you by phone.", "Photos are attached.", "I am writing on my phone.", "My [sister|father|neighbour] told me about you.",
        "It is for the {room}.", "Your catalogue lies on our table.", "I asked in the shop already.", "Sorry for the long text.", "I hope you can help.", "We have a {wood} floor, if you must know."]
LANG = {
 "de": {
  "greet": ["Hallo,", "Guten Tag,"], "close": ["Danke", "Freundliche Grüße"],
  "where": ["Wo bleibt meine Bestellung?", "Die Lieferung kam nicht wie vereinbart.", "Bitte liefern Sie an eine andere Adresse.", "Die Sendungsverfolgung steht seit Tagen still."],
  "back": ["Ich möchte den Artikel zurückschicken.", "Bitte senden Sie mir ein Rücksendeetikett.", "Ich widerrufe den Kauf.", "Ich möchte gegen eine andere Farbe tauschen."],
  "broken": ["Ein Bein ist gebrochen.", "Die Naht ist aufgegangen.", "Die Schublade klemmt und das Holz hat einen Riss.", "Das Scharnier ist defekt."],
  "pay": ["Mir wurden {price} doppelt abgebucht.", "Bitte schicken Sie die Rechnung über {price}.", "Der Gutschein wurde nicht abgezogen.", "Kann ich {price} in Raten zahlen?"],
  "ask": ["Welches Öl empfehlen Sie für Eiche?", "Welche Maße hat das Möbel?", "Wie bekomme ich Rotwein aus dem Bezug?", "Brauche ich für den Aufbau eine Bohrmaschine?"],
  "dealer": ["Wir möchten Ihre Möbel als Händler führen.", "Bitte senden Sie Ihre Großhandelspreise.", "Wir richten ein Hotel ein und brauchen ein Angebot.", "Gibt es Konditionen für Wiederverkäufer?"],
  "old": ["Gekauft habe ich es vor drei Monaten.", "Der Kauf war vor 48 Tagen."], "fresh": ["Gekauft habe ich es vor fünf Tagen.", "Es kam letzte Woche."], "many": ["Es geht um 25 Stück.", "Insgesamt ein Dutzend."], "few": ["Es geht um 3 Stück."],
  "crushed": ["Der Karton kam völlig zerdrückt an.", "Das Paket hatte ein großes Loch."], "missing": ["Die Schrauben fehlen.", "Ein Teil fehlt im Karton."], "money": ["Mein Geld ist noch nicht zurück.", "Die Erstattung steht noch aus."],
  "firm": ["Bitte mit unserer Firma und USt-Nummer.", "Es ist für unsere Firma."], "gift": ["Es ist ein Geschenk."],
  "blame": ["Ihr Service ist eine Frechheit."], "carrier": ["Der Fahrer war unfreundlich."], "mild": ["Ich bin etwas enttäuscht."], "praise": ["Ihr Laden ist wunderbar."], "neg": ["Das ist keine Beschwerde."], "sarcasm": ["Toll gemacht, schon zum dritten Mal."], "wish": ["Ein Chat wäre eine nette Idee."], "quote": ["Mein Nachbar schimpft immer über Sie, ich nie."],
  "num": ["Nummer {num}.", "Es geht um {num}."], "prod": ["Modell: {p}.", "Es geht um {p}."], "month": ["Bestellt im {m}.", "Das war im {m}."],
  "months": ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"]},
 "nl": {
  "greet": ["Hallo,", "Beste mensen,"], "close": ["Bedankt", "Met vriendelijke groet"],
  "where": ["Waar blijft mijn bestelling?", "De levering kwam niet zoals afgesproken.", "Kunt u op een ander adres bezorgen?", "De track-and-trace staat al dagen stil."],
  "back": ["Ik wil het artikel terugsturen.", "Stuur mij alstublieft een retourlabel.", "Ik zie af van de koop.", "Ik wil graag ruilen voor een andere kleur."],
  "broken": ["Er is een poot afgebroken.", "De naad is losgegaan.", "Het hout is gebarsten.", "Het scharnier is kapot."],
  "pay": ["Er is twee keer {price} afgeschreven.", "Kunt u de factuur van {price} sturen?", "De bon werd niet verrekend.", "Kan ik {price} in termijnen betalen?"],
  "ask": ["Welke olie raadt u aan voor eiken?", "Wat zijn de afmetingen?", "Hoe krijg ik rode wijn uit de bekleding?", "Heb ik een boor nodig voor de montage?"],
  "dealer": ["Wij willen uw meubels als dealer verkopen.", "Stuur ons uw groothandelsprijzen.", "Wij richten een hotel in en willen een offerte.", "Zijn er voorwaarden voor wederverkopers?"],
  "old": ["Ik kocht het drie maanden geleden.", "De aankoop was 48 dagen geleden."], "fresh": ["Ik kocht het vijf dagen geleden.", "Het kwam vorige week."], "many": ["Het gaat om 25 stuks.", "In totaal een dozijn."], "few": ["Het gaat om 3 stuks."],
  "crushed": ["De doos kwam helemaal ingedeukt aan.", "Er zat een groot gat in het pakket."], "missing": ["De schroeven ontbreken.", "Er ontbreekt een onderdeel."], "money": ["Mijn geld is nog niet terug.", "De terugbetaling laat op zich wachten."],
  "firm": ["Graag met onze bedrijfsnaam en btw-nummer.", "Het is voor ons bedrijf."], "gift": ["Het is een cadeau."],
  "blame": ["Uw service is schandalig."], "carrier": ["De chauffeur was onbeleefd."], "mild": ["Ik ben een beetje teleurgesteld."], "praise": ["Uw winkel is geweldig."], "neg": ["Dit is geen klacht."], "sarcasm": ["Goed gedaan hoor, al voor de derde keer."], "wish": ["Een chat zou een leuk idee zijn."], "quote": ["Mijn buurman klaagt altijd over u, ik nooit."],
  "num": ["Nummer {num}.", "Het gaat om {num}."], "prod": ["Model: {p}.", "Het gaat om {p}."], "month": ["Besteld in {m}.", "Dat was in {m}."],
  "months": ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"]},
 "it": {
  "greet": ["Buongiorno,", "Salve,"], "close": ["Grazie", "Cordiali saluti"],
  "where": ["Dov'è il mio ordine?", "La consegna non è arrivata come concordato.", "Potete consegnare a un altro indirizzo?", "Il tracciamento è fermo da giorni."],
  "back": ["Vorrei restituire l'articolo.", "Mandatemi un'etichetta per il reso.", "Recedo dall'acquisto.", "Vorrei cambiarlo con un altro colore."],
  "broken": ["Una gamba si è rotta.", "La cucitura si è aperta.", "Il legno ha una crepa.", "La cerniera è difettosa."],
  "pay": ["Mi avete addebitato due volte {price}.", "Mandatemi la fattura di {price}.", "Il buono non è stato scalato.", "Posso pagare {price} a rate?"],
  "ask": ["Quale olio consigliate per il rovere?", "Quali sono le misure?", "Come tolgo il vino rosso dal rivestimento?", "Serve un trapano per il montaggio?"],
  "dealer": ["Vorremmo rivendere i vostri mobili.", "Mandateci i prezzi all'ingrosso.", "Arrediamo un albergo e chiediamo un preventivo.", "Ci sono condizioni per i rivenditori?"],
  "old": ["L'ho comprato tre mesi fa.", "L'acquisto risale a 48 giorni fa."], "fresh": ["L'ho comprato cinque giorni fa.", "È arrivato la settimana scorsa."], "many": ["Si tratta di 25 pezzi.", "In tutto una dozzina."], "few": ["Si tratta di 3 pezzi."],
  "crushed": ["La scatola è arrivata schiacciata.", "Il pacco aveva un grosso buco."], "missing": ["Mancano le viti.", "Manca un pezzo nella scatola."], "money": ["I miei soldi non sono ancora tornati.", "Il rimborso è in ritardo."],
  "firm": ["Con la nostra ditta e partita IVA, per favore.", "È per la nostra azienda."], "gift": ["È un regalo."],
  "blame": ["Il vostro servizio è una vergogna."], "carrier": ["L'autista è stato scortese."], "mild": ["Sono un po' deluso."], "praise": ["Il vostro negozio è splendido."], "neg": ["Questo non è un reclamo."], "sarcasm": ["Complimenti, già la terza volta."], "wish": ["Una chat sarebbe una bella idea."], "quote": ["Il mio vicino si lamenta sempre di voi, io mai."],
  "num": ["Numero {num}.", "Si tratta di {num}."], "prod": ["Modello: {p}.", "Si tratta di {p}."], "month": ["Ordinato a {m}.", "Era a {m}."],
  "months": ["gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"]},
}

World, _say = world_of(sys.modules[__name__])
