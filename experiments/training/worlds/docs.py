# facts: (wordings..., NEGATED or contrary wording, short form)
V = {
 "team": ["Accounting", "the night shift", "Team Juniper", "the design group", "Sales North", "the board", "the apprentices", "Facilities", "the web crew", "Quality", "Legal", "the Graz office"],
 "day": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"], "room": ["room 204", "the blue hall", "the annex", "lab 3", "the canteen", "studio B", "the attic office", "meeting point C"],
 "n": (3, 95), "x": (150, 9800), "hr": (7, 19), "thing": ["projectors", "office chairs", "safety vests", "tablets", "coffee machines", "whiteboards", "locker keys", "bike racks", "monitors", "first-aid kits"],
 "city": ["Ghent", "Porto", "Lublin", "Turin", "Cork", "Riga", "Basel", "Leeds", "Malmo", "Graz"], "month": ["January", "March", "April", "June", "August", "September", "October", "November"],
 "crop": ["barley", "rapeseed", "potatoes", "apples", "hops", "pumpkins", "carrots", "plums", "rye", "onions"], "field": ["the north field", "plot 7", "the lower orchard", "the river strip", "glasshouse 2", "the hill terrace", "the old paddock", "section D"],
 "mach": ["the small tractor", "the baler", "the sprayer", "the grain dryer", "the forklift", "the milking robot", "the seed drill", "the pump", "the harvester"],
 "animal": ["heifers", "ewes", "geese", "piglets", "goats", "laying hens", "bullocks", "rams", "ponies"], "vill": ["Ashby", "Corrin", "Drumlea", "Fenby", "Holt", "Kirkan", "Lorne", "Marsk", "Tolland"], "pct": (4, 88),
}
SEEN = [
 ("{team} will hold its weekly meeting on {day} in {room}.", "Come {day}, {room} is where {team} gets together this week.", "{team} will not hold its weekly meeting on {day} in {room}.", "{team} meets on {day}"),
 ("We ordered {n} {thing} for {x} euros.", "An order of {x} euros was placed; it covers {n} {thing}.", "We did not order {n} {thing} for {x} euros.", "{n} {thing} ordered"),
 ("The trip to {city} starts at {hr} o'clock on {day}.", "On {day} everyone who travels to {city} sets off at {hr} sharp.", "The trip to {city} does not start at {hr} o'clock on {day}.", "trip to {city} on {day}"),
 ("The budget of {team} grows by {pct} percent in {month}.", "From {month}, {team} can spend {pct}% more.", "The budget of {team} shrinks by {pct} percent in {month}.", "budget change in {month}"),
 ("{n} people signed up for the first-aid course in {room}.", "The course on first aid ({room}) has {n} names on its list.", "{n} people dropped out of the first-aid course in {room}.", "{n} on the course"),
 ("The new badge is needed to enter {room} from {month} on.", "Nobody gets into {room} without the new pass once {month} begins.", "The new badge is not needed to enter {room} from {month} on.", "badge rule for {room}"),
 ("{team} must send its figures to {city} before {day}.", "{city} expects the numbers of {team}, the deadline being {day}.", "{team} need not send its figures to {city} before {day}.", "figures due {day}"),
 ("The lift next to {room} is out of order until {day}.", "Until {day} you have to take the stairs by {room} since the elevator is broken.", "The lift next to {room} works again until {day}.", "lift by {room}"),
 ("A client from {city} complained about {n} late deliveries.", "{n} shipments came too late, says a customer in {city} who is upset.", "A client from {city} praised us for {n} punctual deliveries.", "client in {city}"),
 ("{team} gets {n} new {thing} in {month}.", "In {month} {n} fresh {thing} arrive for {team}.", "{team} gives away {n} old {thing} in {month}.", "{thing} for {team}"),
 ("The window of {room} was left open on {day} night.", "Somebody forgot to shut the window in {room} when leaving late on {day}.", "The window of {room} was properly shut on {day} night.", "window in {room}"),
 ("Parking costs staff {n} euros a month from {month}.", "Employees with a car pay {n} EUR monthly for a space, beginning in {month}.", "Parking is free for staff and saves {n} euros a month from {month}.", "parking {n} euros"),
 ("The printer in {room} is to be replaced on {day}.", "A different printer will stand in {room} after the swap on {day}.", "The printer in {room} is not to be replaced on {day}.", "printer in {room}"),
 ("{team} won the bid for {x} euros in {city}.", "The {city} contract, worth {x} euros, goes to {team}.", "{team} lost the bid for {x} euros in {city}.", "bid in {city}"),
 ("Lunch in the canteen starts {n} minutes later on {day}.", "If you want to eat on {day}, the kitchen opens {n} minutes behind the usual time.", "Lunch in the canteen starts {n} minutes earlier on {day}.", "lunch on {day}"),
 ("The fire drill takes place at {hr}:30 on {day}.", "Expect the alarm exercise on {day}, half past {hr}.", "The fire drill at {hr}:30 on {day} is called off.", "fire drill on {day}"),
]
UNSEEN = [
 ("We harvest {crop} on {field} from {day}.", "{day} is when the {crop} of {field} starts to come in.", "We do not harvest {crop} on {field} from {day}.", "harvest of {crop}"),
 ("{mach} needs a new belt for {x} crowns.", "For {x} crowns a fresh belt must go into {mach}.", "{mach} does not need a new belt for {x} crowns.", "belt for {mach}"),
 ("The vet looks at {n} {animal} on {day}.", "On {day} an animal doctor comes by to check {n} {animal}.", "The vet will not look at {n} {animal} on {day}.", "vet on {day}"),
 ("The buyer from {vill} takes {n} tonnes of {crop}.", "{n} tonnes of {crop} are sold to a trader in {vill}.", "The buyer from {vill} turned down {n} tonnes of {crop}.", "{crop} to {vill}"),
 ("Frost damaged {pct} percent of the {crop} in {month}.", "{pct}% of our {crop} was lost to the cold in {month}.", "Frost spared {pct} percent of the {crop} in {month}.", "frost in {month}"),
 ("The road to {vill} is closed until {day}.", "You can't drive through to {vill} before {day} because of a closure.", "The road to {vill} is open again until {day}.", "road to {vill}"),
 ("{n} helpers start work on {field} at {hr} o'clock.", "At {hr}, {n} seasonal hands begin on {field}.", "{n} helpers stop work on {field} at {hr} o'clock.", "{n} helpers"),
 ("The fence round {field} has a gap of {n} metres.", "{n} metres of fencing are missing at {field}.", "The fence round {field} has no gap over its {n} metres.", "fence of {field}"),
 ("{mach} is lent to the farm in {vill} in {month}.", "During {month} our neighbours in {vill} may use {mach}.", "{mach} is not lent to the farm in {vill} in {month}.", "{mach} to {vill}"),
 ("The price of {crop} rose by {pct} percent at the {vill} market.", "At {vill}, {crop} now fetches {pct}% more than before.", "The price of {crop} fell by {pct} percent at the {vill} market.", "price of {crop}"),
 ("{n} {animal} move to {field} on {day}.", "From {day}, {field} will be grazed by {n} {animal}.", "{n} {animal} leave {field} on {day}.", "{animal} to {field}"),
 ("The inspector wants to see the {month} spray records.", "Our {month} notes on spraying have to be shown to the inspector.", "The inspector does not want to see the {month} spray records.", "inspector, {month}"),
 ("We owe the mill in {vill} {x} crowns.", "An unpaid sum of {x} crowns is due to the {vill} miller.", "The mill in {vill} owes us {x} crowns.", "debt of {x}"),
 ("Rain delayed the sowing of {crop} by {n} days.", "It was so wet that {crop} got into the soil {n} days late.", "Dry weather brought the sowing of {crop} forward by {n} days.", "sowing of {crop}"),
 ("Grid power is off on {field} until {hr} o'clock.", "There's no electricity at {field} before {hr}.", "Grid power stays on at {field} until {hr} o'clock.", "power at {field}"),
 ("The school from {vill} visits with {n} children on {day}.", "{day} brings {n} pupils from {vill} to our place.", "The school from {vill} called off the visit with {n} children on {day}.", "school visit"),
]
# instructions: wordings of one task; {d} is the document
TASKS = {
 "summary": ["Summarise this note in one sentence:\n\n{d}", "Give me the gist of the following in a single line.\n\n{d}", "{d}\n\nWhat does this text say, put briefly?"],
 "numbers": ["List every number in this text.\n\n{d}", "Which figures occur below? Write them down one after the other.\n\n{d}", "{d}\n---\nPull out all numerals."],
 "days": ["Which weekdays are named here?\n{d}", "Extract the days of the week from the text.\n\n{d}", "{d}\n\nTell me each day (Mon to Sun) that comes up."],
 "german": ["Translate into German:\n{d}", "I need the following in German, please.\n\n{d}", "{d}\n\nHow would that read for a German colleague? Write it in his language."],
 "headline": ["Write a headline for this note.\n\n{d}", "Find a short title that fits:\n\n{d}", "{d}\n\nWhat should stand in bold above this text?"],
}
