"""Words by which the swapped questions are made, each group an alternative of a pattern."""

# No noun phrase holds one of these.
STOP = (
    "to|into|onto|in|on|at|of|with|for|from|by|before|after|without|against|over|under"
    "|about|through|as|than|then|instead|rather|like|and|or|but|if|when|while|because|so"
    "|that|which|who|whom|whose|what|where|why|how|is|are|was|were|be|been|being|am|do"
    "|does|did|has|have|had|can|could|will|would|should|may|might|must|shall|it|i|me|you"
    "|he|him|she|her|we|us|they|them|this|these|those|there|not|via|using|between|during"
    "|since|until|per|vs|versus|too|also|ever|really|actually|always|never|better|worse"
    "|more|less|most|out|up|down|off|back|if|whether|only|just|considered|called|affect"
    "|affects|cause|causes|get|go"
)
# What is done to one thing with regard to another: convert A to B.
MOVING = (
    "convert|change|turn|transform|translate|export|transfer|add|attach|move|send|upload"
    "|copy|import|save|link|switch|map|mirror|explain|introduce|put|embed|post|share"
    "|insert|install|use|replace|give|sell|buy|choose|prefer|pick|make|build|write|learn"
    "|study|get|leave|have|run|open|play|watch|eat|drink|take|mix|swap|substitute|trade"
    "|exchange|charge|pay|compare|protect|defend|prepare|apply|divide|subtract|multiply"
    "|fix|hide|remove|separate|distinguish|teach|bring|read|drop|quit|cast|stream|sync"
    "|converting|changing|adding|using|choosing|eating|drinking|taking|replacing|having"
    "|moving|playing|transferring|wearing|wear|learning|watching|switching|explaining"
    "|including|include|love|want|cover|plug|upgrade|downgrade|migrate|redirect|forward"
    "|submit|throw|control|access"
)
# What one does to another, where it matters who does it.
ACTING = (
    "affect|cause|influence|replace|love|hate|like|attack|beat|support|become|need"
    "|respect|prefer|invade|kill|eat|help|hurt|own|buy|acquire|fear|trust|understand"
    "|attract|ignore|treat|control|see|betray|destroy|defeat|overtake|surpass|mean"
    "|contain|use|follow|block|admire|envy|recognize|produce|lead to|look at|stare at"
    "|talk about|depend on|exist without|live without|survive without|work without"
    "|cheat on|fall in love with|fall for|think about|think of|feel about|prevent|cure"
    "|reduce|increase|require|imply|improve|hit|join|threaten|fund|bomb|save|benefit|harm"
    "|want|dislike|look down on|look like|perceive|view|treat|create|change|make|know"
    "|say about|date|marry|care about|come from|turn into|work for|run on|stop|teach"
    "|leave|hurt|go to|come to|win against|lose to|dominate|conquer|criticize|blame|copy"
    "|steal from|learn from|evolve from|originate from|get along with|come before|include"
    "|break|damage|impact|allow|accept|reject|oppose|ban|beg|sue|buy from|sell to"
    "|trade with"
)
# What a person does to a person.
LIKING = (
    "love|like|hate|miss|want|trust|need|understand|respect|ignore|follow|text|call|know"
    "|contact|block|hurt|blame|forget|leave|see|believe|judge|avoid|remember|message|kiss"
    "|hug|forgive|dislike|cheat on|talk to|look at|stare at|care about|think about"
    "|listen to|lie to|come back to|reject|deserve|marry|help|treat"
)
RELATIVES = (
    "boyfriend|girlfriend|husband|wife|ex|crush|friend|mother|father|mom|dad|brother"
    "|sister|boss|son|daughter"
)
# Words of a kind may stand in each other's place.
KINDS = (
    (  # person
        "man|woman|girl|boy|guy|lady|wife|husband|mother|father|mom|dad|daughter|son|brother"
        "|sister|girlfriend|boyfriend|friend|best friend|teacher|student|boss|employee|crush"
        "|parent|child|kid|baby|ex|cousin|neighbor|cat|dog|male|female|doctor|patient|lawyer"
        "|client|customer|manager|adult|teenager|teen|mother-in-law|roommate|celebrity|fiance"
        "|mum|grandmother|king|queen"
    ),
    (  # people (more than one)
        "men|women|girls|boys|guys|ladies|wives|husbands|mothers|fathers|moms|dads|daughters"
        "|sons|brothers|sisters|girlfriends|boyfriends|friends|teachers|students|bosses"
        "|employees|parents|children|kids|babies|cats|dogs|males|females|doctors|patients"
        "|lawyers|clients|customers|managers|adults|teenagers|introverts|extroverts"
        "|foreigners|celebrities|psychopaths|sociopaths|narcissists|empaths|liberals"
        "|conservatives|democrats|republicans|atheists|christians|muslims|hindus|jews|indians"
        "|pakistanis|americans|chinese|europeans|engineers|scientists|programmers|politicians"
        "|immigrants|billionaires|investors|vegetarians|vegans|whites|blacks|asians|feminists"
        "|aliens|robots|russians|germans|mexicans|canadians|britons|arabs|koreans|turks"
        "|tourists|locals|toddlers|gays|lesbians|strangers|citizens|rapists|victims|brits"
        "|sikhs|tigers|lions"
    ),
    (  # peoples and religions, as adjectives
        "indian|american|chinese|pakistani|british|russian|japanese|german|french|korean"
        "|african|asian|european|white|black|hindu|muslim|christian|jewish|sikh|mexican"
        "|canadian|australian|english|spanish|arab|irish|italian|turkish|iranian|israeli"
        "|nepali|bengali|tamil|punjabi|brahmin|catholic|protestant|hispanic|greek|polish"
        "|dutch|filipino|north|south|northern|southern|western|eastern|latin|brown"
    ),
    (  # countries and cities
        r"india|usa|us|u\.s\.|china|pakistan|uk|england|russia|japan|germany|france|korea"
        r"|canada|australia|israel|iran|iraq|america|europe|africa|nepal|bangladesh|ireland"
        r"|italy|spain|singapore|dubai|mexico|brazil|turkey|syria|ukraine|afghanistan|kashmir"
        r"|delhi|mumbai|bangalore|goa|london|new york|california|texas|san francisco"
        r"|los angeles|hyderabad|pune|chennai|kolkata|tibet|sri lanka|taiwan|hong kong"
        r"|north korea|south korea|saudi arabia|egypt|greece|malaysia|indonesia|philippines"
        r"|new zealand"
    ),
    (  # qualities
        "young|old|older|younger|rich|poor|tall|short|smart|stupid|intelligent|attractive"
        "|ugly|beautiful|fat|skinny|shy|straight|gay|bisexual|hot|cold|warm|cheap|expensive"
        "|sad|slow|strong|weak|red|blue|green|yellow|dark|liberal|conservative|private|public"
        "|digital|analog|positive|negative|dumb|wealthy|taller|shorter|bigger|smaller|larger"
        "|introverted|extroverted|healthy|sweet|wet|dry|mechanical|electrical|civil|chemical"
        "|undergraduate|graduate|junior|senior|lazy|small|big|large|single|married|male"
        "|female"
    ),
    (  # public figures, parties and heroes
        "trump|donald trump|hillary|clinton|hillary clinton|obama|barack obama|putin|modi"
        "|narendra modi|bernie|bernie sanders|sanders|gandhi|mahatma gandhi|nehru|hitler"
        "|stalin|bush|kejriwal|arvind kejriwal|rahul gandhi|batman|superman|spiderman|hulk"
        "|thor|goku|naruto|sasuke|messi|ronaldo|federer|nadal|snape|harry|harry potter"
        "|dumbledore|voldemort|jesus|god|bjp|congress|aap|isis|nato|un"
    ),
    (  # food and drink
        "breakfast|lunch|dinner|tea|coffee|milk|water|juice|eggs?|fish|meat|chicken|rice"
        "|bread|fruit|honey|lemon|beer|wine|alcohol|whiskey|rum|vodka|coke|sugar|salt|butter"
        "|oil|soda|banana|yogurt|curd|weed|tobacco|cocaine"
    ),
    (  # subjects, degrees and examinations
        r"physics|chemistry|maths?|mathematics|biology|engineering|medicine|law|economics"
        r"|philosophy|psychology|science|religion|history|art|music|cse|ece"
        r"|mechanical engineering|civil engineering|electrical engineering|computer science"
        r"|mba|ms|phd|mtech|m\.tech|btech|b\.tech|bba|bca|mca|ca|cs|cfa|cat|gate|gre|gmat|upsc"
        r"|ias|ips|iit|iim|nit|bits|jee|neet|sat|ielts|toefl|bachelor'?s|master'?s|masters"
        r"|bachelors|statistics|finance|marketing|accounting|politics|education|technology"
    ),
)
