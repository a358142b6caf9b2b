"""Two benchmarks of 500 questions; each also gives look-alikes that are NOT in it."""
import random
CAP = "France Paris;Italy Rome;Spain Madrid;Portugal Lisbon;Poland Warsaw;Austria Vienna;Hungary Budapest;Norway Oslo;Sweden Stockholm;Finland Helsinki;Denmark Copenhagen;Greece Athens;Ireland Dublin;Iceland Reykjavik;Latvia Riga;Estonia Tallinn;Lithuania Vilnius;Croatia Zagreb;Serbia Belgrade;Bulgaria Sofia;Romania Bucharest;Ukraine Kyiv;Turkey Ankara;Egypt Cairo;Kenya Nairobi;Ghana Accra;Senegal Dakar;Morocco Rabat;Tunisia Tunis;Algeria Algiers;Ethiopia Addis_Ababa;Uganda Kampala;Zambia Lusaka;Angola Luanda;Namibia Windhoek;Japan Tokyo;China Beijing;Mongolia Ulaanbaatar;Vietnam Hanoi;Thailand Bangkok;Laos Vientiane;Nepal Kathmandu;Pakistan Islamabad;Iran Tehran;Iraq Baghdad;Jordan Amman;Oman Muscat;Qatar Doha;Canada Ottawa;Mexico Mexico_City;Cuba Havana;Jamaica Kingston;Panama Panama_City;Peru Lima;Chile Santiago;Argentina Buenos_Aires;Uruguay Montevideo;Paraguay Asuncion;Brazil Brasilia;Ecuador Quito;Colombia Bogota;Venezuela Caracas;Australia Canberra;Fiji Suva;Malta Valletta;Cyprus Nicosia;Albania Tirana;Slovakia Bratislava;Slovenia Ljubljana;Belgium Brussels"
ELEM = "hydrogen H;helium He;lithium Li;carbon C;nitrogen N;oxygen O;fluorine F;neon Ne;sodium Na;magnesium Mg;aluminium Al;silicon Si;phosphorus P;sulfur S;chlorine Cl;argon Ar;potassium K;calcium Ca;titanium Ti;chromium Cr;manganese Mn;iron Fe;cobalt Co;nickel Ni;copper Cu;zinc Zn;gallium Ga;arsenic As;bromine Br;krypton Kr;silver Ag;tin Sn;iodine I;xenon Xe;barium Ba;tungsten W;platinum Pt;gold Au;mercury Hg;lead Pb;bismuth Bi;uranium U;radium Ra;radon Rn;caesium Cs;boron B;beryllium Be;antimony Sb"
BOOK = "Moby-Dick|Herman Melville;Emma|Jane Austen;Dracula|Bram Stoker;Frankenstein|Mary Shelley;Ulysses|James Joyce;Middlemarch|George Eliot;Oliver Twist|Charles Dickens;Jane Eyre|Charlotte Bronte;Wuthering Heights|Emily Bronte;War and Peace|Leo Tolstoy;Crime and Punishment|Fyodor Dostoevsky;Don Quixote|Miguel de Cervantes;Les Miserables|Victor Hugo;Madame Bovary|Gustave Flaubert;The Trial|Franz Kafka;Faust|Johann Wolfgang von Goethe;The Divine Comedy|Dante Alighieri;Candide|Voltaire;The Time Machine|H. G. Wells;Treasure Island|Robert Louis Stevenson;The Metamorphosis|Franz Kafka;Dead Souls|Nikolai Gogol;Fathers and Sons|Ivan Turgenev;The Scarlet Letter|Nathaniel Hawthorne;Walden|Henry David Thoreau;The Jungle Book|Rudyard Kipling;Peter Pan|J. M. Barrie;Heidi|Johanna Spyri;Buddenbrooks|Thomas Mann;Germinal|Emile Zola"
OPP = "hot cold;early late;strong weak;expensive cheap;ancient modern;bitter sweet;generous stingy;guilty innocent;deep shallow;rough smooth;temporary permanent;victory defeat;arrival departure;increase decrease;transparent opaque;rigid flexible;humble proud;scarce plentiful;polite rude;artificial natural;expand contract;former latter;interior exterior;maximum minimum;optimist pessimist;vertical horizontal;ally enemy;absent present;brave cowardly;calm agitated;cruel kind;dry wet;empty full;fertile barren;noisy quiet;tame wild"
WONDER = "the Berlin Wall fall|1989;the Titanic sink|1912;the French Revolution begin|1789;the First World War begin|1914;the Second World War end|1945;humans first walk on the Moon|1969;Columbus first reach the Americas|1492;the Battle of Hastings take place|1066;Magna Carta get sealed|1215;the Great Fire of London break out|1666;the Suez Canal open|1869;the Panama Canal open|1914;the Chernobyl disaster happen|1986;Tim Berners-Lee propose the World Wide Web|1989;the Lisbon earthquake happen|1755;Constantinople fall to the Ottomans|1453;the Battle of Waterloo take place|1815;the American Civil War end|1865;Krakatoa erupt in its great eruption|1883;the Eiffel Tower open|1889"
NAMES = "Mia Omar Lena Paul Aiko Jorge Nils Tara Ivan Zoe Amir Ruth Hugo Eva Kofi Lara Finn Dina Sami Nora".split()
WP_SEEN = [
 ("{P} picks {a} apples a day for {b} days and gives {c} away. How many are left?", lambda a, b, c: a * b - c),
 ("A bus carries {a} people. At a stop {c} get off and {b} get on. How many are on the bus now?", lambda a, b, c: a - c + b),
 ("{P} reads {a} pages on each of {b} evenings and then {c} more. How many pages is that?", lambda a, b, c: a * b + c),
 ("A baker fills {b} trays with {a} rolls each, and {c} rolls burn. How many good rolls are there?", lambda a, b, c: a * b - c),
 ("{P} saves {a} coins a week. After {b} weeks {P} spends {c} coins. How many coins remain?", lambda a, b, c: a * b - c),
 ("A hall has {b} rows of {a} seats and {c} extra chairs. How many can sit?", lambda a, b, c: a * b + c),
 ("A farmer owns {a} sheep, buys {b} and sells {c}. How many sheep has he now?", lambda a, b, c: a + b - c),
 ("{P} has {a} stickers and {Q} has {b} more than {P}. How many stickers do they have together?", lambda a, b, c: 2 * a + b),
]
WP_UNSEEN = [
 ("A tank loses {c} litres from the {a} litres in it, then {b} buckets of 9 litres are poured in. How much is in the tank?", lambda a, b, c: a - c + 9 * b),
 ("{P} walks {a} steps a minute for {b} minutes. How many steps short of 10000 is {P}?", lambda a, b, c: 10000 - a * b),
 ("In a box lie {a} red and {b} blue beads. {P} adds {c} green ones. How many beads are not red?", lambda a, b, c: b + c),
 ("A choir of {a} singers stands in {b} equal rows plus {c} at the side who do not sing. How many people are on stage?", lambda a, b, c: a + c),
 ("{P} knits {b} scarves with {a} metres of wool each from a stock of 5000 metres. How many metres are left?", lambda a, b, c: 5000 - a * b),
 ("A printer makes {a} copies per minute, after {b} minutes {c} copies are spoilt. How many good copies are there?", lambda a, b, c: a * b - c),
 ("{P} is {b} years older than {Q}, who is {a}. How old will {P} be in {c} years?", lambda a, b, c: a + b + c),
 ("A rectangular yard is {a} m long and {b} m wide. How many metres of fence surround it with a gate of 1 m left open?", lambda a, b, c: 2 * (a + b) - 1),
]
MONEY = "Japan yen;India rupee;Poland zloty;Hungary forint;Thailand baht;South_Korea won;Brazil real;Russia ruble;Switzerland franc;Sweden krona;Israel shekel;South_Africa rand;Turkey lira;Vietnam dong;Nigeria naira;Ghana cedi;Peru sol;Ukraine hryvnia;Georgia lari;Mongolia togrog;Kenya shilling;Morocco dirham;Bulgaria lev;China yuan;Bangladesh taka;Malaysia ringgit;Romania leu;Ethiopia birr;Zambia kwacha;Laos kip;Paraguay guarani;Guatemala quetzal;Haiti gourde;Iran rial;Albania lek;Armenia dram;Kazakhstan tenge;Panama balboa;Bhutan ngultrum;Tonga paanga"
YOUNG = "cow calf;sheep lamb;goat kid;horse foal;pig piglet;goose gosling;swan cygnet;duck duckling;deer fawn;kangaroo joey;lion cub;seal pup;frog tadpole;eel elver;owl owlet;hare leveret;eagle eaglet;cat kitten;fox cub;hen chick"
PAINT = "Guernica|Pablo Picasso;The Starry Night|Vincent van Gogh;Mona Lisa|Leonardo da Vinci;The Night Watch|Rembrandt;Girl with a Pearl Earring|Johannes Vermeer;The Scream|Edvard Munch;The Kiss|Gustav Klimt;Las Meninas|Diego Velazquez;The Birth of Venus|Sandro Botticelli;The Persistence of Memory|Salvador Dali;American Gothic|Grant Wood;Nighthawks|Edward Hopper;The Hay Wain|John Constable;Olympia|Edouard Manet;The Garden of Earthly Delights|Hieronymus Bosch;Water Lilies|Claude Monet;The Ambassadors|Hans Holbein;The Arnolfini Portrait|Jan van Eyck;The Milkmaid|Johannes Vermeer;The Raft of the Medusa|Theodore Gericault;Wanderer above the Sea of Fog|Caspar David Friedrich;The Fighting Temeraire|J. M. W. Turner;The Sleeping Gypsy|Henri Rousseau;Composition VIII|Wassily Kandinsky;The Third of May 1808|Francisco Goya"
OPERA = "Carmen|Georges Bizet;Aida|Giuseppe Verdi;Tosca|Giacomo Puccini;The Magic Flute|Wolfgang Amadeus Mozart;Fidelio|Ludwig van Beethoven;Lohengrin|Richard Wagner;Norma|Vincenzo Bellini;Rusalka|Antonin Dvorak;Salome|Richard Strauss;Jenufa|Leos Janacek;Orfeo ed Euridice|Christoph Willibald Gluck;The Barber of Seville|Gioachino Rossini;Eugene Onegin|Pyotr Ilyich Tchaikovsky;Pagliacci|Ruggero Leoncavallo;Wozzeck|Alban Berg;Der Freischutz|Carl Maria von Weber;Faust|Charles Gounod;La Boheme|Giacomo Puccini;Rigoletto|Giuseppe Verdi;Peter Grimes|Benjamin Britten"
WORDS = "bookkeeper mississippi balloon committee strawberry banana assessment onomatopoeia rhododendron barbecue parallel coffee address happiness wilderness tomorrow necessary accommodation successful embarrass occurrence millennium questionnaire broccoli cinnamon dessert espresso giraffe grammar harass jewellery kangaroo lollipop marmalade".split()


def pairs(s):
    out = []
    for p in s.split(";"):
        a, b = p.split("|") if "|" in p else p.split(" ")
        out.append((a.replace("_", " "), b.replace("_", " ")))
    return out


def build(which, seed):
    """-> (benchmark rows, look-alikes [(question, answer, index of the row it resembles)])"""
    r = random.Random("bench:%s:%s" % (which, seed))
    qs, spare = [], []          # qs: (kind, question, answer)

    def take(kind, rows, make, keep):
        rows = list(rows)
        r.shuffle(rows)
        for a, b in rows[:keep]:
            qs.append((kind,) + make(a, b))
        for a, b in rows[keep:]:
            spare.append((kind,) + make(a, b))

    def problem(T, k):
        t, f = T[k]
        while True:
            a, b, c = r.randint(12, 90), r.randint(3, 11), r.randint(2, 11)
            P, Q = r.sample(NAMES, 2)
            v = f(a, b, c)
            if v > 0:
                return t.format(a=a, b=b, c=c, P=P, Q=Q), str(v)

    if which == "seen":
        take("capital", pairs(CAP), lambda a, b: ("What is the capital of %s?" % a, b), 60)
        take("element", pairs(ELEM), lambda a, b: ("What is the chemical symbol of %s?" % a, b), 42)
        take("book", pairs(BOOK), lambda a, b: ("Who wrote '%s'?" % a, b), 26)
        take("opposite", pairs(OPP), lambda a, b: ("Give the opposite of the word '%s'." % a, b), 32)
        take("year", pairs(WONDER), lambda a, b: ("In which year did %s?" % a, b), 18)
        T = WP_SEEN
        extra = lambda: (lambda s, d: ("seq", "Which number comes next: %s?" % ", ".join(str(s + d * k) for k in range(5)), str(s + d * 5)))(r.randint(1, 60), r.randint(2, 17))
    else:
        take("money", pairs(MONEY), lambda a, b: ("Which currency is used in %s?" % a, b), 35)
        take("young", pairs(YOUNG), lambda a, b: ("What is the young of a %s called?" % a, b), 17)
        take("paint", pairs(PAINT), lambda a, b: ("Who painted '%s'?" % a, b), 21)
        take("opera", pairs(OPERA), lambda a, b: ("Who composed the opera '%s'?" % a, b), 17)
        T = WP_UNSEEN

        def extra():
            w = r.choice(WORDS)
            if r.random() < .5:
                ch = r.choice(sorted(set(w)))
                return ("letter", "How many times does the letter '%s' occur in '%s'?" % (ch, w), str(w.count(ch)))
            k = r.randint(2, 5)
            return ("letter", "Which letter stands at place %d, counted from the end, in '%s'?" % (k, w), w[-k])
    seen = {q[1] for q in qs} | {q[1] for q in spare}
    more = 90
    while more:
        q = extra()
        if q[1] not in seen:
            seen.add(q[1])
            qs.append(q)
            more -= 1
    k = 0
    while len(qs) < 500:
        q = ("wp%d" % (k % len(T)),) + problem(T, k % len(T))
        k += 1
        if q[1] not in seen:
            seen.add(q[1])
            qs.append(q)
    r.shuffle(qs)
    like = []
    r.shuffle(spare)
    spare = spare[:22]
    for kind, q, a in spare:                        # another entity
        like.append((q, a, r.choice([i for i, x in enumerate(qs) if x[0] == kind])))
    used = set()
    while len(like) < 60:                           # same problem, other numbers and names
        i = r.randrange(500)
        if qs[i][0][:2] == "wp" and i not in used:
            used.add(i)
            q, a = problem(T, int(qs[i][0][2:]))
            if q not in seen:
                seen.add(q)
                like.append((q, a, i))
    return [{"question": q, "answer": a} for _, q, a in qs], like
