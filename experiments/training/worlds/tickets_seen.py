"""Support tickets of Nimbora, a (made up) hosting company: the SEEN world.

World(seed, n).stream is a list of Request(i, at_seconds, text, truth_label); see README.md.
The rule that gives the label is rule_1 until `changed_at` and rule_2 from there on. Nobody tells
the system; only the teacher's answers follow it. Deterministic: same seed, same world.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # whoever imports it

from ticket_machinery import world_of

CLASH = [{"own", "update"}, {"everyone", "stranger"}]     # facts that do not go together in one ticket
COMPANY = "Nimbora"
LABELS = ["billing", "outage", "bug", "access", "cancel", "howto", "security"]
LANGS = ["de", "fr", "es"]

VOCAB = {
    "panel": ["the panel", "the dashboard", "my control page", "the admin view", "the console", "the settings page", "your web interface"],
    "site": ["our site", "our shop", "the website", "our pages", "the storefront", "our landing page", "everything we host", "our online store"],
    "money": ["19 euros", "48.50", "312 EUR", "$75", "7.99", "120 pounds", "1,240 euros", "EUR 64", "$18.40", "93 francs", "249 euros", "$560"],
    "dur": ["ten minutes", "half an hour", "two hours", "the whole morning", "about 40 minutes", "an hour or so", "most of the night", "a quarter of an hour"],
    "who": ["my boss", "our accountant", "the bookkeeper", "my business partner", "our treasurer", "the finance team", "my wife, who does the books,"],
    "feature": ["export", "search box", "report", "calendar view", "image gallery", "price table", "contact form", "coupon field", "sort order", "CSV import", "preview", "language switch", "tag editor", "stock counter", "print view", "date picker"],
    "err": ["error 502", "a 503", "a timeout", "ERR_CONNECTION_REFUSED", "a gateway error", "nothing but a white page", "'host unreachable'", "a 504"],
    "odd": ["wrong", "garbled", "empty", "cut off after the first line", "upside down", "twice", "in the wrong order", "one day early", "with question marks instead of accents", "as zero", "blank"],
    "thing": ["a redirect", "a second language", "a newsletter form", "a sub-page", "a cron job", "an SSL certificate", "a custom header", "a new contact form", "a staging copy", "a webhook", "a cookie banner", "a discount code", "an API key", "a catch-all address"],
    "clock": ["8:15", "nine o'clock", "noon", "11.40", "around 3 pm", "six in the morning", "14:20", "half past ten"],
    "place": ["Lagos", "Vilnius", "an address in Peru", "Jakarta", "a place I have never been", "Minsk", "some data centre abroad", "Manila"],
    "years": ["three years", "a year and a half", "ages", "six years", "nearly a decade", "eight months"],
    "rival": ["another host", "a competitor", "somebody else", "a cheaper provider", "our own server", "a different company"],
}

MAIN = {
 "charge": [
  "I was [charged|billed|debited] {money} [twice|two times|double] this month.",
  "The invoice says {money}, but my plan costs less than that.",
  "There is an item of {money} on my [bill|invoice|statement] that I cannot explain.",
  "[Could|Can] you send the [bill|invoice] again with our new [VAT number|postal address|company name] on it?",
  "{who} asks why the [bill|invoice] is [higher|larger] than [last time|agreed|the offer].",
  "You took {money} from my card although I pay by [transfer|direct debit].",
  "My card was declined and now there is a [late fee|reminder fee] of {money}.",
  "The discount I was promised is not on the [invoice|bill].",
  "I paid {money} last week and still get payment reminders.",
  "Which tax rate do you apply? The [invoice|bill] shows none at all.",
  "We are billed for [five|seven|eleven|three] seats but use only [two|four|one].",
  "The yearly price went from {money} to something much higher.",
  "Please [change|switch] our payment method to [direct debit|card|bank transfer].",
  "The direct debit of {money} bounced, what happens next?",
  "I need [a receipt|a paid stamp|proof of payment] for {money} for {who}.",
  "Why do I pay {money} for a month in which the plan was [paused|not yet running]?",
  "Two invoices carry the same number and both ask for {money}.",
  "The amount on the [invoice|bill] is in [dollars|pounds|the wrong currency].",
  "My credit of {money} has not been set off against the [bill|invoice].",
  "The dunning letter about {money} reached us although all is paid.",
  "{who} needs the [bills|invoices] of the whole year in one file.",
  "A payment of {money} shows as open, my bank says it went through.",
  "Our purchase order number is missing on the [bill|invoice].",
  "I do not agree with the setup fee of {money}.",
  "What is the charge '{money} - misc' on the [bill|statement]?",
  "The prorated [amount|price] for the upgrade looks too [high|big].",
  "You billed the old company, please make the [invoice|bill] out to the new one.",
  "We were told {money} per month, the [debit|charge] was for more.",
  "The payment link for {money} says it has expired.",
  "How come the [fee|price] per gigabyte went up on my [statement|bill]?",
  "I would like to pay [quarterly|yearly|in advance] instead of monthly.",
  "Our bank sent the {money} to your old account number.",
 ],
 "down": [
  "{site} has been [down|offline|unreachable] for {dur}.",
  "Since {clock} we only get {err}.",
  "Visitors see {err} [when they open|on] {site}.",
  "{site} [does not load|won't load|is dead], neither at home nor in the office.",
  "Nothing answers on our server, [ping|SSH|HTTP] times out.",
  "The server [stopped responding|went dark|fell over] at {clock}.",
  "We have had [three|four|five|several] interruptions of {dur} today.",
  "{site} loads [for a minute and then dies|only every tenth time|never].",
  "Your status page is green, yet {site} returns {err}.",
  "All requests end in {err}.",
  "Is there an [incident|interruption|disruption]? {site} is [gone|offline|down].",
  "The connection to the server drops, then {err} for {dur}.",
  "Monitoring reports {site} as [offline|dead|not reachable] since {clock}.",
  "We cannot reach {site} from any network.",
  "No mail comes in and {site} is [offline|down] as well.",
  "{site}: total blackout since {clock}.",
  "The load balancer gives {err} on every node.",
  "Orders [have stopped|do not come in] because {site} cannot be opened.",
  "It took {dur} until {site} came up again, then it [died|vanished] once more.",
  "The host is [down|dead] again, the second night in a row.",
  "I get {err}, on the phone and on the laptop.",
  "Packets to your data centre are lost, {site} is not there.",
  "The node we are on [rebooted|crashed] and did not come back.",
  "{site} was away for {dur} during our sale.",
  "DNS for {site} resolves, but no one picks up on port 443.",
  "Our clients [phone|write] us because {site} is [offline|not there].",
  "The service is [unavailable|offline], again {err}.",
  "Since {clock} not a single page view, {site} is [down|offline].",
  "The whole machine hangs, no reply for {dur}.",
  "{site} cannot be opened, browser says {err}.",
  "[Downtime|Blackout|Interruption] of {dur} this morning, and it goes on.",
  "Everything we run with you is [unreachable|offline|dark] right now.",
 ],
 "bug": [
  "The {feature} shows everything [|completely ]{odd}.",
  "When I click [save|apply|next] in the {feature}, [nothing happens|the page jumps to the top|my input is lost].",
  "The {feature} [crashes|freezes|closes itself] as soon as I enter a [comma|date|long title].",
  "[Umlauts|Accents|Emojis] come out {odd} in the {feature}.",
  "The {feature} counts {n} items, there are only half as many.",
  "On the phone the {feature} covers the [menu|footer|buy button].",
  "Dates in the {feature} appear {odd}.",
  "The {feature} works in one browser, in the other it is {odd}.",
  "If I [sort|filter] by name, the {feature} comes out {odd}.",
  "Uploading a [PNG|PDF|zip] in the {feature} ends at 99 percent.",
  "The [undo|back|delete] button of the {feature} does the opposite.",
  "I see raw code like '%s_title' in the {feature}.",
  "The {feature} forgets my [settings|filters|choice] every time.",
  "The file from the {feature} is {odd}.",
  "A small thing: the {feature} prints {odd}.",
  "[Tooltips|Labels|Icons] in the {feature} overlap and cannot be read.",
  "The {feature} doubles every entry that I [add|copy|edit].",
  "Scrolling in the {feature} makes the picture [flicker|vanish|stretch].",
  "The total in the {feature} is {odd}, though the lines are right.",
  "Pasting text in the {feature} brings it in {odd}.",
  "The {feature} [ignores|drops] anything after the {n}th row.",
  "The {feature} is [in French|in Finnish|in English] although I chose another language.",
  "JavaScript console says 'undefined is not a function' in the {feature}.",
  "The {feature} shows [yesterday's|last year's|stale] values until I reload.",
  "There is a glitch: the {feature} opens {odd}.",
  "The [keyboard shortcut|tab key|enter key] no longer does anything in the {feature}.",
  "The {feature} rounds {money} to the next full number.",
  "The {feature} sends two copies of each message.",
  "In dark mode the {feature} is [black on black|unreadable|{odd}].",
  "The {feature} never finishes, the wheel just spins.",
  "The {feature} reports success but the result is {odd}.",
  "Whenever two tabs are open, the {feature} is {odd}.",
 ],
 "login": [
  "I [can't|cannot] [log in|sign in|get in] any more.",
  "The [password reset|reset] mail never [arrives|comes].",
  "It says 'wrong password', and I am sure it is right.",
  "My [account|user] is locked after too many attempts.",
  "The code from the authenticator app is [rejected|refused|not accepted].",
  "I lost the phone with the [second factor|authenticator app] on it.",
  "{panel} throws me back to the [sign-in|login] form.",
  "Please add [a colleague|my assistant|an intern] as a user with read rights.",
  "I need [admin rights|write permission|owner rights] in {panel}.",
  "My login is tied to an old address that no longer exists.",
  "After signing in I get 'no permission for this project'.",
  "The SMS code for signing in does not [come|reach me].",
  "How long does an account stay locked? Mine [is|has been] so for {dur}.",
  "I forgot the answer to the secret question and cannot [log in|sign in].",
  "The invitation link to {panel} has expired.",
  "Single sign-on ends in a loop, I don't get into {panel}.",
  "Please unlock the user '[sales|info2|office|werk]'.",
  "My password is refused in {panel}.",
  "The [recovery codes|backup codes] for signing in are all used up.",
  "I was signed out and [can't|cannot] get back into {panel}.",
  "The owner role has to move from [me|my father] to [my sister|the new manager].",
  "I can sign in but all projects are [hidden|greyed out] for lack of rights.",
  "SFTP says 'permission denied' with the password from {panel}.",
  "My username was changed and I do not know the new one.",
  "The captcha at sign-in never accepts my answer.",
  "Two users share one login, please give us [separate|two] accounts.",
  "I type the PIN and {panel} says 'account disabled'.",
  "The fingerprint sign-in asks for a password I never set.",
  "Please reset the two-factor setup of my [user|account].",
  "My trial login worked, the paid one does not let me [in|sign in].",
  "Which address is my account registered to? I [can't|cannot] get in.",
  "The session ends after [one|two] minutes and I must sign in again.",
 ],
 "leave": [
  "[I want to|I would like to|We wish to|Please let me] [cancel|terminate|end] [my|our|the] [plan|contract|subscription].",
  "Please confirm the [cancellation|termination] of our contract.",
  "We [move|are moving|switch] to {rival}, please close everything.",
  "We no longer need the plan, stop it at the end of the term.",
  "What is the notice period? I want to [quit|stop|leave].",
  "Please [delete|close] my account and all that is in it.",
  "My business is [closing|closed|sold], so the contract must end.",
  "[Cancel|Terminate|Stop] the renewal, we will not go on.",
  "I hereby give notice for the earliest possible date.",
  "After {years} it is time to say goodbye, please end the contract.",
  "Do not renew [my|our] plan, thank you.",
  "I signed up by mistake and want to [withdraw|cancel|revoke].",
  "The trial [is over|ends soon] and I do not want to keep it.",
  "Where is the [cancel|terminate] button? I want out.",
  "We have gone with {rival}, the plan is no longer needed.",
  "My [father|mother|partner] has passed away, the contract should be ended.",
  "Please end the [add-on|second plan|old contract], we keep only the other.",
  "The project was dropped, [shut it down|close it|end the plan].",
  "I sent my [notice|termination] weeks ago and got no confirmation.",
  "Kindly [terminate|cancel] with effect from the end of the quarter.",
  "Please hand over the data, we [leave|are leaving] for {rival}.",
  "[Quit|End|Stop] my subscription, I hardly use it.",
  "The club has been dissolved and leaves Nimbora.",
  "I make use of my right to [cancel|withdraw] within fourteen days.",
  "Our parent company runs its own servers, so we [quit|leave|end the contract].",
  "We found {rival} and want to [go|leave].",
  "I want to get rid of the contract before it renews.",
  "Please send the transfer code, we [take|move] all to {rival}.",
  "This is my [formal notice|letter of termination].",
  "I retire next month; please close my plan.",
  "[No|Please no] further term, I am [leaving|done|quitting].",
  "We would like to step down to nothing: end the whole plan.",
 ],
 "howto": [
  "How do I [set up|create|add] {thing}?",
  "Where in {panel} can I [find|add|change] {thing}?",
  "Is there a guide for [setting up|adding] {thing}?",
  "[Can|Could] you explain step by step how {thing} is set up?",
  "I would like to know if {thing} is possible with my plan.",
  "Which setting do I need for {thing}?",
  "What is the difference between {thing} and {thing2}?",
  "I am new here: how does one [make|get|add] {thing}?",
  "Do you have a video about {thing}?",
  "What do I enter in the field 'target' for {thing}?",
  "Is it better to use {thing} or {thing2}?",
  "Your help page on {thing} is short, is there [more|a longer one]?",
  "How many [pages|images|users] may I have, and how do I add {thing}?",
  "A question on {thing}: what is the usual way?",
  "Can I [copy|move|rename] {thing} without losing the old one?",
  "I'd like to try {thing}, what do I need first?",
  "Which file do I edit to get {thing}?",
  "Does {thing} work together with {thing2}?",
  "Please tell me how to switch on {thing}.",
  "What would you advise for {thing} on a small site?",
  "Where can I read about {thing}?",
  "How long does it take until {thing} is active once I set it?",
  "I want {thing} on the start page, how is that done?",
  "Could someone walk me through {thing}?",
  "In which order do I do {thing} and {thing2}?",
  "Is {thing} the same as what others call {thing2}?",
  "Can I test {thing} before it goes live?",
  "What does the option next to {thing} mean?",
  "Teach me how to make {thing}, please.",
  "How can I have {thing} for one page only?",
  "Do I need a developer for {thing}?",
  "My question: {thing}, how?",
 ],
 "breach": [
  "Someone [signed in|logged in] to my account from {place}.",
  "Our pages suddenly [advertise pills|link to a casino|show a stranger's banner], we were hacked.",
  "I got a [phishing|fake] mail in your name asking for my password.",
  "There are files named [x7.php|shell_old|wp-tmp.cgi] on the server that nobody put there.",
  "Our server sends spam, we have been [hacked|broken into].",
  "I think an API key of ours was [leaked|stolen|published].",
  "There was a sign-in from {place} that was not me.",
  "[Malware|A trojan|A crypto miner] was found in our web space.",
  "A [blackmailer|hacker] writes that he has our database.",
  "A site that copies ours runs on your servers and collects passwords.",
  "I found a [hole|vulnerability|weak spot] in {panel}: SQL injection in the search.",
  "My laptop with the saved passwords was stolen.",
  "We see [thousands of|endless] login attempts from {place}.",
  "An unknown SSH key sits in our key list.",
  "Visitors are sent on to a [scam|fake lottery|malware] page.",
  "My password was changed at {clock}, and not by me.",
  "Google marks {site} as 'dangerous', someone planted a script.",
  "I opened the attachment of a fake mail, now I worry about my data.",
  "Your certificate seems forged, is someone [listening in|in the middle]?",
  "A former contractor may still have our keys and misuses them.",
  "There is an unknown user '[root2|hlpdsk|zz]' in our user list.",
  "I want to report a [data leak|breach|hole].",
  "Someone calls our clients, claims to be from Nimbora and wants passwords.",
  "Personal data of our clients is [open on the net|visible to all|indexed by a search engine].",
  "The access log shows downloads from {place} all night.",
  "Our admin user was taken over by [a stranger|someone unknown].",
  "The forms on {site} are used for an [attack|injection].",
  "We face a [DDoS threat|ransom note], what should we do?",
  "Two-factor was turned off in my account, I did not do that.",
  "The mail forwarding was set to an address I do not know.",
  "I suspect a [keylogger|break-in|trojan] on our machine.",
  "Someone registered with my name and stole my identity.",
 ],
}
PRIOR = {"charge": .21, "down": .15, "bug": .19, "login": .17, "leave": .10, "howto": .13, "breach": .05}
BASE = {"charge": "billing", "down": "outage", "bug": "bug", "login": "access", "leave": "cancel", "howto": "howto", "breach": "security"}

SEC = {
 "refund": ["I want my money back.", "Please refund us.", "We expect a [refund|credit|reimbursement].", "I ask for [a partial refund|compensation|a credit note].",
            "Kindly pay back {money}.", "When will I be reimbursed?", "{who} asks for a refund.", "The {money} should come back to my account.", "We demand compensation of {money}.", "Reimburse us, please."],
 "everyone": ["All my colleagues have the same.", "[Everybody|Everyone] here is affected.", "It hits the whole [team|company|office].", "Nobody in the firm is spared.",
              "Our clients report it too, every one of them.", "Also the other {n} customers I asked have it.", "The [forum|chat] is full of people with the same trouble.", "It is the same for all {n} users.", "Other companies in our building have it too."],
 "update": ["It began with your [update|new version|release] on [Monday|Tuesday|the weekend].", "Before the [update|new version] all was fine.", "Ever since you [rolled out|released] the new version.",
            "This started after your last [update|maintenance|release].", "With the old version it was right.", "You changed something in the last release, didn't you?", "Since the redesign of last week."],
 "own": ["[I|We] changed [the DNS|the .htaccess|the config|a setting] just before.", "Maybe my own fault: [I|we] edited the [config|template|DNS] yesterday.", "It began after [I|we] installed a plugin ourselves.",
         "Our intern had tidied up the files shortly before.", "I had moved the [folder|records|templates] by hand an hour earlier.", "[I|We] did switch the name servers on our side.", "Perhaps I broke it when I pasted some code in."],
 "stranger": ["And I see the name of [a stranger|somebody else] there.", "Someone else's data [is shown|appears] there.", "The address in it belongs to a person I don't know.", "Somebody unknown is involved, it was not one of us.",
              "I see another customer's records.", "It shows a visit from {place}.", "A person I never heard of is listed as owner."],
 "threat": ["If this goes on, [we|I] will leave.", "Otherwise [I|we] go to {rival}.", "One more time and [I|we] cancel.", "Honestly, [I|we] think about {rival}.", "Do something or you lose a customer of {years}.",
            "We have already asked {rival} for an offer.", "I am close to quitting."],
 "left": ["The colleague who did that [has left|left us|no longer works here].", "Our admin has left the company.", "The agency that had the access has closed down.", "The man who set it up is gone and took the details with him.",
          "I took over from someone who retired.", "The former owner had everything under his name.", "My predecessor has left and handed over nothing."],
}
SEC_FOR = {
 "charge": ["refund", "update", "threat", "stranger", "everyone", "left"], "down": ["refund", "refund", "everyone", "own", "threat", "update"],
 "bug": ["everyone", "own", "update", "threat", "stranger", "refund"], "login": ["everyone", "stranger", "left", "update", "own", "everyone"],
 "leave": ["refund", "left", "update", "refund"], "howto": ["left", "update", "own", "everyone", "left"], "breach": ["everyone", "left", "threat", "refund"],
}
NEG = {  # say that the thing is NOT the case: the same words, without the concept
 "refund": ["I am not asking for a refund.", "This is not about money back.", "No compensation needed."],
 "everyone": ["It is only me, my colleagues are fine.", "Nobody else in the company has it.", "All other users can work normally."],
 "update": ["It was like that before the last update already.", "It has nothing to do with your new version."],
 "own": ["We changed nothing on our side.", "Nobody here touched the DNS or the config.", "I did not install or edit anything."],
 "stranger": ["No stranger is involved, it is just us.", "I see only my own data there."],
 "threat": ["We do not want to leave, just so you know.", "No worries, I am not going to cancel over this."],
 "left": ["The colleague who set it up is still here.", "Nobody has left, we all have our access."],
}


def rule_1(main, secs):
    """The triage rule until changed_at (first match wins)."""
    if "stranger" in secs and main in ("login", "charge", "bug"):
        return "security"
    if "own" in secs and main in ("down", "bug"):
        return "howto"
    if "everyone" in secs and main in ("bug", "login"):
        return "outage"
    if "update" in secs and main == "charge":
        return "bug"
    if "threat" in secs and main == "charge":
        return "cancel"
    if "refund" in secs and main == "leave":
        return "billing"
    if "left" in secs and main == "howto":
        return "access"
    return BASE[main]          # so: down + refund -> outage


def rule_2(main, secs):
    """The triage rule from changed_at on."""
    if "stranger" in secs and main in ("login", "charge", "bug"):
        return "security"
    if "threat" in secs and main in ("charge", "bug", "down"):
        return "cancel"         # was: only charge
    if "own" in secs and main in ("down", "bug"):
        return "howto"
    if "everyone" in secs and main == "bug":
        return "outage"         # login + everyone now stays access
    if "refund" in secs and main == "down":
        return "billing"        # was outage
    if "left" in secs and main == "howto":
        return "access"
    return BASE[main]           # charge + update now billing, leave + refund now cancel


VAGUE = [  # (label a, label b, chance of a, texts)
 ("outage", "bug", .6, ["It is broken again.", "Nothing works as it should since {clock}.", "Same trouble as yesterday, please look at it.", "It [hangs|sticks] all the time.", "Something is off with {site}.", "It's [acting up|playing tricks] again, as always."]),
 ("billing", "cancel", .55, ["I don't want to pay for this any more.", "This is too expensive for what it is.", "The contract and the price: we need to talk.", "{money} a month is too much for us."]),
 ("access", "bug", .6, ["I click on the [user|profile] icon and that was it.", "{panel} does not let me do what I want.", "The button for my users is grey.", "I can't get any further in {panel}."]),
 ("howto", "bug", .65, ["The {feature} does not do what I expect.", "I cannot manage the {feature}, help.", "Is the {feature} meant to look like this?", "{thing} does not work for me."]),
 ("security", "access", .5, ["Something about my account seems strange.", "I got a mail about a new sign-in, is that right?", "Why did you ask for my password again?", "There is a user I can't place."]),
 ("outage", "access", .6, ["I don't get to {site}.", "No way in since {clock}.", "I just see a lock and {err}."]),
]

# ---- yes/no: is the message urgent?
YN_QUESTION = "Is this message urgent? Answer yes or no."
YN_SYSTEM = "You help the night desk of Nimbora. You read one customer message. Is this message urgent? Answer yes or no."
YN_YES, YN_NO = ["Yes, this is urgent.", "Yes - needs a quick look.", "Answer: yes"], ["No, it can wait.", "No - not urgent.", "Answer: no"]
YN = {
 "now": ["We need this [solved|fixed|done] within the hour.", "I have [twenty|thirty] minutes before the [client|auditor] calls.", "Every minute costs us orders.", "Please drop everything and look now."],
 "today": ["It has to be [settled|done|ready] today.", "By tonight at the latest, please.", "We present it to a client this afternoon.", "Our [sale|fair] starts in a few hours."],
 "week": ["Some time this week would be good.", "We need it by [Thursday|Friday].", "There are still a few days until our launch."],
 "norush": ["There is no hurry.", "Take your time.", "It can wait until next month.", "Whenever you find a moment.", "No rush at all."],
 "notword": ["This is not urgent.", "Nothing urgent, I just wanted to mention it."],
 "word": ["URGENT!", "This is urgent.", "Urgent please.", "Marked as urgent."],
}
YN_W = {"now": .2, "today": .2, "week": .15, "norush": .15, "notword": .1, "word": .2}
YN_PAIRS = [("word", "norush"), ("word", "week"), ("now", "word"), ("notword", "week"), ("word", "notword"), ("today", "notword")]


def _yn(mains, secs, f, later):
    if "norush" in f or ("notword" in f and not ({"now", "today"} & f)):
        return "no"
    howto = mains == ["howto"]
    if ({"now", "today"} & f) and not howto:
        return "yes"
    if "down" in mains and "everyone" in secs:
        return "yes"
    if "breach" in mains or "stranger" in secs:
        return "yes"
    if "week" in f and later and not howto:
        return "yes"                      # before the change: this week is not urgent
    if "word" in f and not later and ({"down", "login", "breach"} & set(mains)):
        return "yes"                      # after the change the mere word no longer counts
    return "no"


# ---- slots
PRODUCTS = {
 "postbox": ["Postbox", "the Postbox plan", "your mailbox add-on", "POSTBOX"],
 "shopkit": ["Shopkit", "the Shopkit package", "your shop builder", "Shop-Kit"],
 "vault": ["Vault", "Nimbora Vault", "the nightly-backup product", "the Vault plan"],
 "pagewright": ["Pagewright", "the Pagewright editor", "your site builder", "PageWright Pro"],
 "tally": ["Tally", "the Tally statistics", "your visitor statistics add-on"],
 "relay": ["Relay", "the Relay CDN", "your content network", "Relay Plus"],
}
KINDS = {
 "invoice": lambda r: "INV-%02d%02d-%03d" % (r.randint(22, 25), r.randint(1, 12), r.randint(1, 999)),
 "subscription": lambda r: r.choice(["SUB/%d", "sub/%d", "SUB / %d"]) % r.randint(10000, 99999),
 "transfer": lambda r: "TR %02d-%04d-%s" % (r.randint(10, 99), r.randint(0, 9999), r.choice("KLMX")),
 "order": lambda r: r.choice(["O-%d", "o-%d"]) % r.randint(10000000, 99999999),
}
KIND_SAY = ["[Reference|Number|Ref.]: {num}.", "It concerns {num}.", "The number is {num}.", "See {num}.", "({num})", "You'll find me under {num}.", "Re {num}"]
KIND_NOT = ["My customer number is {cust}.", "Customer {cust}.", "You gave me the case number {cust}."]
PROD_SAY = ["It is about {p}.", "[This concerns|We use|Product:] {p}.", "The one affected is {p}.", "I mean {p}.", "We have {p} with you."]
PROD_TWO = ["We have {q} and {p}; this is about {p}.", "It is about {p}. {q} is fine.", "Not {q}, I mean {p}.", "We also use {q}, but the matter is {p}."]
MONTH_SAY = ["It is the one for {m}.", "I mean [the month of|the one in] {m}.", "Period: {m}.", "It goes back to {m}.", "That was in {m}."]
MONTH_TWO = ["In {k} there was another case, this one is for {m}.", "I mean {m}, not {k}.", "The one for {k} is settled, {m} is not."]
SLOT_AFTER = {"kind": {"transfer": "order"}, "product": {"tally": "shopkit"}, "month": {}}
SLOT_SYSTEM = ("You read customer messages of Nimbora and fill three slots: kind (of the reference number: invoice, subscription, transfer, order, none), "
               "month (january to december, none), product (postbox, shopkit, vault, pagewright, tally, relay, none). Answer with JSON.")

SYSTEM = ("You are the triage desk of Nimbora, a hosting company. Sort the customer's message into exactly one of: "
          + ", ".join(LABELS) + ". Answer with the label only.")
USER = ["Message from the customer:\n{t}", "{t}", "Ticket #{no}\n\n{t}", "Channel: {ch}\nMessage: {t}"]
CHANNELS = ["mail", "web form", "chat"]
BURST_MAIN = "down"

GREET = ["Hi,", "Hello,", "Dear Nimbora team,", "Good morning,", "Dear Sir or Madam,", "Hey there,", "Hello support,", "Good evening,", "Hi all,", "To whom it may concern,"]
CLOSE = ["Thanks", "Best regards", "Kind regards,", "Thank you in advance.", "Cheers", "Please advise.", "Looking forward to your answer.", "Regards", "Many thanks,"]
SIGN = ["Tom", "Priya", "Jonas", "Mrs Abara", "Elif", "Marek", "Sofia", "R. Lindqvist", "Nadia", "Ben", "Chiara", "Yuki", "Mr Okafor", "Hanne"]
FILL = ["I [tried|looked at] the help pages first.", "I already wrote via chat.", "We have been with you for {years}.", "I am sitting in the train, so excuse the short text.", "It is the first time that I write to you.",
        "{who} asked me to write.", "I could not find anything in the FAQ.", "You helped me quickly last time.", "I use a Mac, if that matters.", "We run a small [bakery|bike shop|dental practice|museum shop|law office|yoga studio].",
        "I hope I am right here.", "A screenshot is attached.", "Your hotline had me waiting for {dur}.", "I write on behalf of our [branch|club|school]."]

LANG = {
 "de": {
  "greet": ["Hallo,", "Guten Tag,", "Sehr geehrtes Team,"], "close": ["Danke", "Mit freundlichen Grüßen", "Viele Grüße"],
  "charge": ["Mir wurden {money} doppelt abgebucht.", "Die Rechnung über {money} stimmt nicht.", "Auf der Rechnung fehlt unsere Umsatzsteuernummer.", "Ich habe bezahlt und bekomme trotzdem Mahnungen."],
  "down": ["Unsere Seite ist seit {clock} nicht erreichbar.", "Der Server antwortet nicht mehr.", "Die Webseite ist komplett offline.", "Seit heute früh nur {err}."],
  "bug": ["Die Vorschau zeigt alle Umlaute falsch an.", "Beim Speichern geht meine Eingabe verloren.", "Der Export enthält jede Zeile doppelt.", "Der Kalender stürzt ab, sobald ich ein Datum eingebe."],
  "login": ["Ich kann mich nicht mehr anmelden.", "Mein Konto ist gesperrt.", "Die Mail zum Zurücksetzen des Passworts kommt nicht an.", "Mein zweiter Faktor wird abgelehnt."],
  "leave": ["Hiermit kündige ich meinen Vertrag.", "Wir wechseln zu einem anderen Anbieter, bitte alles beenden.", "Bitte bestätigen Sie die Kündigung.", "Bitte den Tarif nicht verlängern."],
  "howto": ["Wie richte ich eine Weiterleitung ein?", "Wo finde ich die Einstellung für das Zertifikat?", "Gibt es eine Anleitung für das Kontaktformular?", "Welche Datei muss ich für einen Cronjob bearbeiten?"],
  "breach": ["Jemand hat sich aus {place} in mein Konto eingeloggt.", "Unsere Seite wurde gehackt.", "Ich habe eine Phishing-Mail in Ihrem Namen bekommen.", "Auf dem Server liegt Schadsoftware."],
  "refund": ["Ich möchte mein Geld zurück.", "Wir erwarten eine Erstattung."], "everyone": ["Alle Kollegen haben dasselbe Problem.", "Es betrifft die ganze Firma."],
  "update": ["Seit Ihrem letzten Update ist das so.", "Vor der neuen Version war alles gut."], "own": ["Wir haben kurz davor selbst die DNS-Einträge geändert.", "Ich hatte gerade ein Plugin installiert."],
  "stranger": ["Dort stehen Daten einer fremden Person.", "Ich sehe den Namen eines Unbekannten."], "threat": ["Sonst wechseln wir den Anbieter.", "Noch einmal und ich kündige."], "left": ["Der zuständige Kollege hat die Firma verlassen.", "Unser Admin ist nicht mehr da."],
  "now": ["Wir brauchen das innerhalb einer Stunde."], "today": ["Das muss heute noch erledigt werden."], "week": ["Diese Woche würde reichen."], "norush": ["Es eilt nicht."], "notword": ["Das ist nicht dringend."], "word": ["DRINGEND!"],
  "num": ["Nummer: {num}.", "Es geht um {num}."], "prod": ["Es geht um {p}.", "Betroffen ist {p}."], "month": ["Gemeint ist {m}.", "Zeitraum: {m}."],
  "months": ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"]},
 "fr": {
  "greet": ["Bonjour,", "Madame, Monsieur,", "Chère équipe,"], "close": ["Merci", "Cordialement", "Bien à vous"],
  "charge": ["J'ai été débité deux fois de {money}.", "La facture de {money} est fausse.", "Il manque notre numéro de TVA sur la facture.", "J'ai payé et je reçois encore des rappels."],
  "down": ["Notre site est inaccessible depuis {clock}.", "Le serveur ne répond plus.", "Le site est complètement hors ligne.", "Depuis ce matin, seulement {err}."],
  "bug": ["L'aperçu affiche mal tous les accents.", "Quand j'enregistre, ma saisie est perdue.", "L'export contient chaque ligne en double.", "Le calendrier plante dès que j'entre une date."],
  "login": ["Je n'arrive plus à me connecter.", "Mon compte est bloqué.", "Le mail pour changer le mot de passe n'arrive pas.", "Le code à deux facteurs est refusé."],
  "leave": ["Je souhaite résilier mon contrat.", "Nous passons chez un autre hébergeur, merci de tout fermer.", "Merci de confirmer la résiliation.", "Ne renouvelez pas mon abonnement."],
  "howto": ["Comment créer une redirection ?", "Où se trouve le réglage du certificat ?", "Y a-t-il un guide pour le formulaire de contact ?", "Quel fichier modifier pour une tâche cron ?"],
  "breach": ["Quelqu'un s'est connecté à mon compte depuis {place}.", "Notre site a été piraté.", "J'ai reçu un mail d'hameçonnage en votre nom.", "Il y a un logiciel malveillant sur le serveur."],
  "refund": ["Je veux être remboursé.", "Nous attendons un remboursement."], "everyone": ["Tous mes collègues ont le même souci.", "Toute l'entreprise est touchée."],
  "update": ["C'est ainsi depuis votre dernière mise à jour.", "Avant la nouvelle version tout allait bien."], "own": ["Nous avions nous-mêmes modifié le DNS juste avant.", "Je venais d'installer une extension."],
  "stranger": ["On y voit les données d'un inconnu.", "Le nom d'une autre personne apparaît."], "threat": ["Sinon nous partons chez un concurrent.", "Encore une fois et je résilie."], "left": ["Le collègue qui s'en occupait est parti.", "Notre administrateur a quitté la société."],
  "now": ["Il nous le faut dans l'heure."], "today": ["Cela doit être réglé aujourd'hui."], "week": ["Cette semaine suffirait."], "norush": ["Rien ne presse."], "notword": ["Ce n'est pas urgent."], "word": ["URGENT !"],
  "num": ["Numéro : {num}.", "Il s'agit de {num}."], "prod": ["Il s'agit de {p}.", "Le produit est {p}."], "month": ["C'est pour {m}.", "Période : {m}."],
  "months": ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"]},
 "es": {
  "greet": ["Hola,", "Buenos días,", "Estimado equipo,"], "close": ["Gracias", "Un saludo", "Atentamente"],
  "charge": ["Me cobraron {money} dos veces.", "La factura de {money} no es correcta.", "Falta nuestro NIF en la factura.", "He pagado y sigo recibiendo recordatorios."],
  "down": ["Nuestra web no funciona desde {clock}, está caída.", "El servidor no responde.", "La página está totalmente fuera de línea.", "Desde esta mañana solo {err}."],
  "bug": ["La vista previa muestra mal los acentos.", "Al guardar se pierde lo que escribo.", "La exportación trae cada línea dos veces.", "El calendario se cierra cuando pongo una fecha."],
  "login": ["No puedo iniciar sesión.", "Mi cuenta está bloqueada.", "No llega el correo para cambiar la contraseña.", "Rechaza el código de dos factores."],
  "leave": ["Quiero dar de baja mi contrato.", "Nos vamos a otro proveedor, por favor cierren todo.", "Confirmen la baja, por favor.", "No renueven mi plan."],
  "howto": ["¿Cómo creo una redirección?", "¿Dónde está el ajuste del certificado?", "¿Hay una guía para el formulario de contacto?", "¿Qué archivo edito para una tarea cron?"],
  "breach": ["Alguien entró en mi cuenta desde {place}.", "Han hackeado nuestra web.", "Recibí un correo de phishing en su nombre.", "Hay malware en el servidor."],
  "refund": ["Quiero que me devuelvan el dinero.", "Esperamos un reembolso."], "everyone": ["A todos mis compañeros les pasa lo mismo.", "Afecta a toda la empresa."],
  "update": ["Es así desde su última actualización.", "Antes de la nueva versión todo iba bien."], "own": ["Justo antes cambiamos nosotros el DNS.", "Acababa de instalar un plugin."],
  "stranger": ["Ahí aparecen datos de un desconocido.", "Veo el nombre de otra persona."], "threat": ["Si no, nos vamos a la competencia.", "Una vez más y me doy de baja."], "left": ["El compañero que lo llevaba se ha ido.", "Nuestro administrador dejó la empresa."],
  "now": ["Lo necesitamos en menos de una hora."], "today": ["Tiene que estar hoy."], "week": ["Con esta semana basta."], "norush": ["No hay prisa."], "notword": ["No es urgente."], "word": ["¡URGENTE!"],
  "num": ["Número: {num}.", "Se trata de {num}."], "prod": ["Se trata de {p}.", "El producto es {p}."], "month": ["Es lo de {m}.", "Periodo: {m}."],
  "months": ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"]},
}

World, _say = world_of(sys.modules[__name__])
