"""What users say after an answer, in many languages: thanks, complaints, a wish to have it again.

A phrase is written as a user types it; text and phrases are compared without accents and capitals.
Languages in the tables: English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Czech,
Swedish, Danish, Norwegian, Finnish, Romanian, Hungarian, Turkish, Russian, Ukrainian, Greek, Arabic,
Hebrew, Hindi, Indonesian, Vietnamese, Thai, Chinese, Japanese, Korean.

Not covered: irony, other languages, and a `no` that answers a question of the assistant.
"""

import re

from router.request.plain import folded

# Thanks count also where a new request follows.
THANKS = """
thanks|thank you|thank u|thx|tysm|many thanks|cheers|much appreciated|appreciate it|ty|i appreciate it
danke|danke schön|dankeschön|vielen dank|herzlichen dank|besten dank|tausend dank
merci|merci beaucoup|mille mercis|un grand merci|je te remercie|je vous remercie
gracias|muchas gracias|mil gracias|muchísimas gracias|te lo agradezco|se lo agradezco
grazie|grazie mille|tante grazie|ti ringrazio|la ringrazio
obrigado|obrigada|muito obrigado|muito obrigada|valeu|brigado|brigada|agradeço
bedankt|dank je|dank je wel|dankjewel|dank u|dank u wel|hartelijk dank
dzięki|dziękuję|dzieki|wielkie dzięki|díky|děkuji|děkuju|díky moc|moc děkuji|ďakujem|vďaka
tack|tack så mycket|tusen tack|tak|mange tak|takk|takk skal du ha|tusen takk|kiitos|kiitos paljon
mulțumesc|mersi|mulțumesc mult|köszönöm|köszi|köszönöm szépen
teşekkürler|teşekkür ederim|çok teşekkürler|çok teşekkür ederim|sağ ol|sağol|eyvallah
спасибо|большое спасибо|спс|благодарю|дякую|щиро дякую|ευχαριστώ|σ' ευχαριστώ
شكرا|شكراً|شكرا جزيلا|شكرا لك|متشكر|תודה|תודה רבה|धन्यवाद|शुक्रिया|dhanyavaad|shukriya
terima kasih|makasih|trims|cảm ơn|cám ơn|ขอบคุณ
谢谢|謝謝|多谢|多謝|感谢|非常感谢|感謝|谢了|谢啦
ありがとう|ありがと|有難う|感謝します|サンキュー|助かりました|助かります
고마워|고맙습니다|고맙다|감사합니다|감사해요|감사
"""
# Praise counts where it stands alone, or first and apart.
PRAISE = """
perfect|great|awesome|excellent|amazing|brilliant|wonderful|fantastic|lovely|exactly what i needed
that worked|it worked|works now|that works|works great|works perfectly|it works|that did it|nailed it
you're the best|you are the best|you rock|well done|good job|nice work|great job|nice one|love it
i love it|spot on|that helped|very helpful|super helpful|so helpful|lifesaver|you're a lifesaver
that's perfect|this is perfect|that's great|this is great|that makes sense now|exactly|good answer
perfekt|super|klasse|toll|prima|großartig|wunderbar|hervorragend|genial|passt|funktioniert|es klappt
das hat geklappt|jetzt geht's|jetzt geht es|sehr gut|sehr hilfreich|genau das|genau so
parfait|génial|super|excellent|nickel|top|impeccable|ça marche|c'est parfait|très bien|bravo|formidable
perfecto|genial|excelente|estupendo|fantástico|muy bien|funciona|ya funciona|justo lo que necesitaba|bárbaro
perfetto|ottimo|fantastico|eccellente|bravissimo|grande|funziona|benissimo|molto utile
perfeito|ótimo|excelente|maravilha|funcionou|deu certo|muito bom|show|show de bola|adorei|massa
perfect|geweldig|top|uitstekend|fijn|het werkt|werkt|prachtig|heel goed|helemaal goed
świetnie|super|doskonale|działa|idealnie|świetne|znakomicie|skvělé|super|funguje|perfektní|výborně
perfekt|toppen|utmärkt|jättebra|fungerar|perfekt|fantastisk|virker|det virker|loistava|mahtavaa|toimii
perfect|minunat|excelent|funcționează|tökéletes|szuper|remek|működik
harika|mükemmel|süper|çok iyi|harika olmuş|çalıştı|oldu|eline sağlık
отлично|супер|идеально|круто|класс|замечательно|прекрасно|работает|заработало|молодец|чудово|супер|працює
τέλεια|άψογα|ممتاز|رائع|مثالي|מושלם|מעולה|נהדר|बहुत बढ़िया|शानदार|mantap|bagus|hebat|keren|sempurna
tuyệt vời|tuyệt|hoàn hảo|เยี่ยม|ดีมาก|สุดยอด
太好了|太棒了|完美|很好|厉害|真棒|非常好|棒|可以了|成功了|很有帮助
完璧|最高|素晴らしい|すばらしい|さすが|うまくいきました|できました|動きました
완벽해|완벽합니다|완벽|최고|훌륭해|대박|잘 된다|잘 됩니다|잘됩니다|좋아요
"""
# The wish to have the same again, as the whole message.
AGAIN = """
again|once more|one more time|try again|please try again|retry|redo|redo it|do it again|regenerate
try it again|try once more|another try|repeat|repeat that|do that again|give it another try|rerun|re-run
another one|give me another one|give me another|regenerate response|regenerate that|run it again
nochmal|noch mal|noch einmal|nochmals|versuch es nochmal|versuche es noch einmal|erneut|neuer versuch
probier's nochmal|mach es nochmal|wiederhole das|wiederholen|noch eins
encore|encore une fois|réessaie|réessaye|réessayer|réessayez|recommence|refais|refais-le|une autre fois
otra vez|de nuevo|inténtalo de nuevo|intenta de nuevo|intenta otra vez|prueba otra vez|repite|hazlo de nuevo
ancora|di nuovo|riprova|ancora una volta|rifallo|un'altra volta|rifai|ripeti
de novo|novamente|outra vez|tenta de novo|tente de novo|tente novamente|refaça|mais uma vez|repete
opnieuw|nog een keer|nog eens|probeer opnieuw|probeer het opnieuw|nogmaals
jeszcze raz|spróbuj ponownie|ponownie|spróbuj jeszcze raz|powtórz|znovu|ještě jednou|zkus to znovu
igen|en gång till|försök igen|prøv igen|prøv igjen|en gang til|uudelleen|uudestaan|yritä uudelleen
din nou|încă o dată|mai încearcă|újra|még egyszer|próbáld újra
tekrar|bir daha|tekrar dene|yeniden|yeniden dene|bir daha dene
ещё раз|еще раз|снова|повтори|попробуй ещё раз|попробуй снова|заново|давай ещё раз|ще раз|спробуй ще раз
ξανά|πάλι|προσπάθησε ξανά|مرة أخرى|مرة اخرى|حاول مرة أخرى|أعد المحاولة|שוב|עוד פעם|נסה שוב
फिर से|दोबारा|फिर से कोशिश करो|phir se|lagi|sekali lagi|coba lagi|ulangi|lại|thử lại|làm lại|lần nữa
ลองใหม่|อีกครั้ง|ลองอีกครั้ง
再来一次|再试一次|重试|重新生成|再来一个|重来|再来|再一次|重新来|換一個|换一个|再試一次
もう一度|もう一回|やり直して|再生成|リトライ|もう一度お願いします|別のを
다시|다시 해줘|다시 해봐|한 번 더|한번 더|다시 시도|다시 한번|재생성|다시 써줘
"""
# Refusals of an offer, which are neither thanks nor a correction.
DECLINES = """
no thanks|no thank you|no thx|no need|no problem|no worries|nothing else|no that's all|no that is all
no that's it|no that's fine|no i'm good|no im good|not now|nope that's all|nope that's it|nope all good
nein danke|nein das war's|nein das wars|nein alles gut|non merci|non c'est bon|non ça ira
no gracias|no hace falta|no es necesario|no está bien|no eso es todo|no grazie|no va bene così
não obrigado|não obrigada|não precisa|nee bedankt|nee dank je|nee hoeft niet
nie dziękuję|nie dzięki|ne děkuji|ne díky|nej tack|nej tak|nei takk|ei kiitos|nu mulțumesc|nem köszönöm
hayır teşekkürler|hayır teşekkür ederim|нет спасибо|нет не надо|не надо спасибо|ні дякую|όχι ευχαριστώ
لا شكرا|לא תודה|नहीं धन्यवाद|tidak terima kasih|không cảm ơn|ไม่ ขอบคุณ
不用了|不用谢谢|不用|不了谢谢|不必|不需要|结構です|結構です|いいえ結構|大丈夫です|いえ大丈夫|아니요 괜찮|괜찮아요|괜찮습니다
thanks in advance|thank you in advance|thanks to|thanks but no thanks
"""
# `No` at the beginning, with what follows it apart.
NO = """
no|nope|nah|uh no|um no|actually no|nein|nee|nee hoor|ne|non|ah non|mais non|no no|ma no|não|nao|nie
nej|nei|ei|nem|hayır|yok|нет|не|ні|όχι|لا|לא|नहीं|tidak|bukan|không|不是|不对|不對|不|いや|いいえ|ちがう
違う|違います|아니|아니요|아니야|아뇨
"""
# Complaints: anywhere near the beginning.
WRONG = """
that's wrong|thats wrong|that is wrong|this is wrong|it's wrong|it is wrong|you're wrong|you are wrong
that was wrong|wrong answer|that's incorrect|that is incorrect|this is incorrect|that's false|that is false
that's not right|that is not right|that isn't right|that's not correct|that is not correct
that isn't correct|this isn't right|this isn't correct|this is not right|this is not correct|not quite right
that's not true|that isn't true|that is not true|that can't be right|that cannot be right
that doesn't look right|doesn't seem right|does not seem right|doesn't look right|that's off|that seems off
that seems wrong|seems wrong|looks wrong|i don't think that's right|i don't think that is right
i don't think so|i don't think that's correct|i doubt that|not what i asked|not what i meant
not what i wanted|isn't what i asked|isn't what i wanted|wasn't what i asked|that's not it
that's not what|that isn't what|this is not what|this isn't what
you misunderstood|you misread|you forgot|you missed|you didn't|you did not|you ignored|you left out
you made a mistake|you made an error|you got it wrong|you got that wrong|you mixed up|you skipped
you still|you changed the|you broke|you just made that up|you made that up|you're making that up
you hallucinated|there's a mistake|there is a mistake|there's an error in your|there is an error in your
there's a bug in|your answer is|your code is wrong|your code doesn't|your answer doesn't|your math
i asked for|i asked you|i said|i told you|i specifically|i wanted|i already told
didn't work|did not work|doesn't work|does not work|isn't working|is not working|not working
won't compile|doesn't compile|does not compile|doesn't run|does not run|didn't help|doesn't help
still get|still getting|still fails|still failing|still broken|still wrong|still not|still the same
still doesn't|still does not|still have the|same error|same problem|same issue|gives me an error
gives an error|i get an error|i'm getting an error|throws an|it crashes|crashes|loops forever
infinite loop|it fails|this fails|that fails|test fails|tests fail
does not exist|doesn't exist|isn't a thing|is not a thing|no such|there is no such|never existed
are you sure|you sure|check again|double check|double-check|check your|recheck|try harder
thanks for nothing|that's outdated|that is outdated|out of date|deprecated|no longer
doesn't answer|didn't answer|does not answer|not an answer|incomplete|too long|too short|only gave me
das ist falsch|das stimmt nicht|stimmt nicht|das ist nicht richtig|nicht richtig|nicht korrekt|falsch
das war falsch|leider falsch|funktioniert nicht|geht nicht|klappt nicht|geht immer noch nicht|immer noch
du hast vergessen|du hast nicht|ich habe gesagt|ich sagte|ich wollte|ich hatte|bist du sicher
sicher?|das ist nicht das|hast du dich|da fehlt|es fehlt|fehlermeldung|gibt es nicht|gibt's nicht
c'est faux|c'est pas ça|ce n'est pas ça|ce n'est pas correct|ce n'est pas juste|ce n'est pas ce que
ça ne marche pas|ça marche pas|ne fonctionne pas|fonctionne pas|tu t'es trompé|tu te trompes|tu as oublié
vous avez oublié|vous vous trompez|j'ai demandé|j'avais demandé|j'ai dit|tu es sûr|t'es sûr|es-tu sûr
êtes-vous sûr|n'existe pas|toujours la même erreur|toujours pas|il manque|c'est inexact|erreur
está mal|eso está mal|es incorrecto|no es correcto|eso no es|no es cierto|no es así|no es lo que
no funciona|no me funciona|no sirve|te equivocas|te equivocaste|se equivoca|te olvidaste|olvidaste
te pedí|pedí|dije|te dije|estás seguro|estás segura|seguro que|no existe|sigue sin|sigue dando|me da error
da error|falta|faltan
è sbagliato|hai sbagliato|ti sbagli|non è corretto|non è giusto|non è vero|non è così|non è quello
non funziona|hai dimenticato|ho chiesto|avevo chiesto|ho detto|sei sicuro|sei sicura|non esiste
manca|dà errore|mi dà errore|sbagliato
está errado|tá errado|isso está errado|não está certo|não é isso|não é verdade|não funciona
não funcionou|não deu certo|não passa|você errou|você esqueceu|eu pedi|pedi|eu disse|tem certeza
não existe|continua dando|ainda dá|dá erro|deu erro|falta|errado|incorreto
klopt niet|dat klopt niet|dat is fout|dat is niet|is niet juist|niet correct|werkt niet|doet het niet
je vergeet|je bent vergeten|ik vroeg|ik zei|weet je het zeker|weet je zeker|bestaat niet|nog steeds|fout
to nieprawda|to błąd|źle|nie działa|to nie tak|nieprawda|mylisz się|zapomniałeś|prosiłem|prosiłam
na pewno?|jesteś pewien|nie istnieje|nadal|błędne|to je špatně|špatně|nefunguje|to není|mýlíš se|jsi si jistý
neexistuje|det är fel|fel|fungerar inte|stämmer inte|är du säker|finns inte|det er forkert|det er feil
virker ikke|passer ikke|er du sikker|findes ikke|finnes ikke|fungerer ikke|se on väärin|väärin|ei toimi
ei pidä paikkaansa|oletko varma|ei ole olemassa|e greșit|greșit|nu e corect|nu merge|nu funcționează
ești sigur|nu există|ez rossz|rossz|nem működik|nem jó|biztos vagy|nem igaz|nem létezik|tévedsz
yanlış|bu yanlış|hatalı|doğru değil|çalışmıyor|olmadı|olmamış|emin misin|istediğim bu değil|unuttun
böyle bir şey yok|hata veriyor|hâlâ
неправильно|это неправильно|неверно|это неверно|ошибка|не работает|не так|это не то|не то|ты ошибся
ты ошибаешься|вы ошиблись|вы ошибаетесь|ты забыл|вы забыли|я просил|я просила|я сказал|ты уверен
вы уверены|точно?|не существует|нет такого|всё ещё|все еще|по-прежнему|не помогло|не верно|не правда
неправда|не компилируется|выдаёт ошибку|неправильна|неправильно|не працює|невірно|помилка|ти помилився
ти впевнений|λάθος|είναι λάθος|δεν λειτουργεί|δεν δουλεύει|είσαι σίγουρος|δεν υπάρχει|δεν είναι σωστό
خطأ|هذا خطأ|غير صحيح|ليس صحيحا|لا يعمل|هل أنت متأكد|غلط|لم يعمل|לא נכון|טעות|זה לא עובד|לא עובד
אתה בטוח|שגוי|זה לא מה|गलत|यह गलत है|काम नहीं|सही नहीं|ये गलत|galat|salah|itu salah|tidak benar
tidak berfungsi|tidak bisa|kamu yakin|anda yakin|tidak jalan|bukan itu|sai rồi|sai|không đúng
không hoạt động|bạn chắc|không phải|ผิด|ไม่ถูก|ไม่ใช่|ใช้ไม่ได้|ไม่ทำงาน|แน่ใจ
不对|不對|错了|錯了|不正确|不正確|有误|有誤|不是这样|不是這樣|不是我要的|不是我想要的|我要的是|我说的是|我說的是
你确定|你確定|确定吗|没用|沒用|不行|不能用|无法运行|还是报错|报错|还是不行|你忘了|你漏了|算错|搞错|弄错|说错
写错|答错|不存在|没有这个|不起作用|跑不通|瞎说|胡说|不准确
違います|違う|間違|まちがい|正しくない|正しくありません|おかしい|動かない|動きません|動作しない|うまくいかない
うまくいきません|エラーになり|エラーが出|本当ですか|本当に?|確かですか|存在しません|存在しない|ではなく|じゃなくて
そうじゃ|頼んだのは|忘れて|抜けて|できません|できない
틀렸|틀린|아닌데|아닙니다|잘못|안 돼|안돼|안 됩니다|안됩니다|안 되는|작동하지|작동 안|확실해|확실한가|정말이야
오류가|에러가|그게 아니|없는데|존재하지|빠졌|빼먹
"""
# Complaints at the very beginning.
WRONG_FIRST = """
wrong|incorrect|false|not true|not correct|not right|not really|bad answer|terrible|useless|rubbish
nonsense|bullshit|this is not|that's not|that is not|that isn't|it isn't|it's not|actually|but i
not helpful|unhelpful|i looked it up|i checked|i tried|fehler|quatsch|unsinn|blödsinn|faux|mal
incorrecto|erroneo|falso|sbagliato|errato|falso|errado|onjuist|onzin|błąd|chyba|fel|forkert|feil|väärin
nope|it should|should be|it should be|must be|shouldn't it|isn't it|wasn't it|why did you|why is it
why does it|esse|esto no|eso no|das ist kein|ça n'|ce n'est|это не|это же
"""
# A question or wish that is said anew.
ANEW = """
i mean|what i mean|i meant|in other words|let me put it|let me rephrase|to rephrase|rephrasing|to be clear
what i'm asking|what i am asking|what i want to know|my question is|put differently|to put it|said differently
i'm asking|i am asking|more precisely|let me clarify|to clarify|in simple|in simpler|like i'm five
like i'm 5|eli5|in plain|simply put|i'm trying to|what i'm trying
ich meine|ich meinte|anders gesagt|anders gefragt|anders ausgedrückt|mit anderen worten|genauer gesagt
was ich meine|was ich wissen will|meine frage ist|in einfachen worten|noch mal anders|anders formuliert
je veux dire|autrement dit|en d'autres termes|je voulais dire|plus précisément|en mots simples|ma question
o sea|es decir|me refiero|quiero decir|en otras palabras|dicho de otro modo|mejor dicho|lo que quiero
con palabras simples|mi pregunta|voglio dire|intendo|intendevo|in altre parole|detto altrimenti|cioè
quero dizer|ou seja|em outras palavras|quis dizer|em palavras simples|melhor dizendo|o que quero saber
ik bedoel|ik bedoelde|met andere woorden|anders gezegd|chodzi mi|mam na myśli|innymi słowy|inaczej mówiąc
mám na mysli|jinými slovy|jag menar|med andra ord|jeg mener|tarkoitan|toisin sanoen|adică|cu alte cuvinte
úgy értem|más szóval|yani|demek istediğim|başka bir deyişle|kastettiğim
я имею в виду|имею в виду|то есть|другими словами|иначе говоря|вопрос в том|простыми словами|маю на увазі
тобто|εννοώ|δηλαδή|أقصد|أعني|بمعنى آخر|כלומר|אני מתכוון|במילים אחרות|मेरा मतलब|matlab|maksudku|maksud saya
dengan kata lain|ý tôi là|nói cách khác|หมายถึง|我的意思是|我是说|我是說|换句话说|換句話說|也就是说|我想问的是|简单来说
つまり|言い換えると|という意味|聞きたいのは|要するに|내 말은|제 말은|다시 말해|그러니까|쉽게 말해
"""
# Openings of a task or of a question, which is no complaint although its words may look like one.
TASK = """
how|what|when|where|who|which|whose|can you|could you|can i|please|write|explain|translate|my|i have a|help
fix my|create|make|give|tell me|summarize|summarise|is there|is it|does|do i|draft|rewrite|list|find|describe
imagine|suppose|let's|if|a|an|the|in|for|generate|design|what's|how's|why do|why are|why would
wie|was|wann|wo|wer|welche|warum|kannst du|können sie|bitte|schreib|schreibe|erkläre|übersetze|mein|meine|hilf
comment|quoi|quand|où|qui|quel|quelle|pourquoi|peux-tu|pouvez-vous|écris|explique|traduis|mon|ma|mes
cómo|qué|cuándo|dónde|quién|cuál|por qué|puedes|escribe|explica|traduce|mi|mis|come|cosa|quando|dove|perché
puoi|scrivi|spiega|traduci|como|o que|quando|onde|por que|pode|escreve|escreva|explique|traduza|meu|minha
hoe|wat|wanneer|waar|waarom|kun je|schrijf|vertaal|mijn|jak|co|kiedy|gdzie|dlaczego|napisz|przetłumacz|moja
как|что|когда|где|кто|почему|зачем|напиши|объясни|переведи|мой|моя|у меня|помоги
怎么|怎樣|如何|什么|為什麼|为什么|请|請|帮我|幫我|写|寫|翻译|翻譯|解释|我的|私の|なぜ|どうして|教えて|어떻게|왜|무엇|내
"""
# Words that say little about what a text is about; English ones are in `content_words`.
FUNCTION = """
der|die|das|den|dem|des|ein|eine|einen|einem|einer|und|oder|ist|sind|war|ich|du|er|sie|es|wir|ihr|mir|mich|dir
dich|mein|wie|was|wo|wer|wann|warum|welche|welcher|welches|kann|kannst|zu|zum|zur|von|vom|mit|für|auf|im|in|an
am|bei|nicht|auch|bitte|gibt|man|sich|damit|dass|wenn|als|aus|nach|um|über|le|la|les|un|une|de|du|des|et|ou|est
sont|je|tu|il|elle|nous|vous|me|te|moi|mon|ma|mes|qui|que|quoi|quel|quelle|quels|quelles|comment|pourquoi|à|au
aux|en|dans|pour|par|sur|avec|ne|pas|ce|cette|ces|ça|l|d|qu|c|s|n|j|m|t|el|los|las|una|unos|y|o|es|son|yo|él
ella|mi|mis|tu|tus|su|qué|cuál|cómo|dónde|cuándo|por|para|con|del|al|no|se|lo|más|puedo|puedes|podría|dime|il
lo|gli|uno|e|è|sono|io|lui|lei|che|chi|cosa|come|dove|quando|perché|di|da|del|della|con|per|su|non|si|mi|os|as
um|uma|em|no|na|do|da|dos|das|ou|é|são|eu|ele|ela|me|meu|minha|quem|qual|onde|porque|com|não|ao|het|een|van|en
ik|je|jij|hij|zij|we|mijn|hoe|wat|waar|wie|welke|kan|met|voor|op|niet|ook|te|om|dat|dit|er|zijn|en|ett|och|att
det|som|på|av|med|för|är|jag|du|hur|vad|jak|co|czy|się|na|w|z|do|i|to|jest|o|po|bir|ve|mi|mı|için|nasıl|ne|bu
и|в|на|с|у|к|по|из|за|о|от|для|не|что|как|где|кто|когда|почему|я|ты|он|она|мы|вы|мне|меня|это|то|ли|бы|же|а
можно|нужно|чем
"""
# Words with which a user goes on from the answer.
ONWARD = """
now|next|then|and|also|what about|how about|and what|and how|ok now|okay now|great now|what if|but what
jetzt|nun|und|dann|auch|was ist mit|wie ist es mit|als nächstes|maintenant|et|puis|ensuite|aussi|qu'en est-il
ahora|y|luego|también|qué tal|y si|ora|adesso|e|poi|anche|agora|e se|também|depois|nu|dan|ook|hoe zit
teraz|potem|też|teď|nyní|och|sedan|og|så|ja|sitten|acum|și|apoi|most|és|aztán|şimdi|ve|peki|sonra
а|и|теперь|потом|тепер|і|та|τώρα|και|الآن|و|עכשיו|ו|अब|और|sekarang|dan|lalu|bây giờ|và|còn|ตอนนี้|แล้ว
那|现在|現在|然后|然後|接着|接下来|还有|還有|では|じゃあ|次に|次は|それで|それから|あと|今度は|이제|그럼|그리고|다음
"""
# Parts of answers that decline a request, near the beginning of the answer.
REFUSED = """
i can't help with|i cannot help with|i can't assist|i cannot assist|i'm not able to help|i am not able to help
i'm unable to help|i am unable to help|i'm unable to assist|i am unable to assist|i'm not able to assist
i'm sorry, but i can't|i'm sorry, but i cannot|i am sorry, but i cannot|i am sorry, but i can't
sorry, but i can't|sorry, but i cannot|sorry, i can't|sorry, i cannot|i'm sorry, i can't|i'm sorry, i cannot
i'm sorry but i can't|i'm sorry but i cannot|i apologize, but i can't|i apologize, but i cannot
i can't provide|i cannot provide|i can't comply|i cannot comply|i won't be able to help|i will not help
i won't help|i can't do that|i cannot do that|i can't fulfill|i cannot fulfill|i can't create|i cannot create
i can't generate|i cannot generate|i must decline|i have to decline|i decline to|i can't discuss
i cannot discuss|i can't engage|i cannot engage|i can't share|i cannot share|as an ai language model, i can
as an ai, i can't|as an ai, i cannot|against my guidelines|violates my guidelines|goes against my
i'm not comfortable|i am not comfortable|i won't provide|i will not provide|unable to fulfill|i'm unable to
i am unable to|it would be inappropriate for me
dabei kann ich nicht helfen|dabei kann ich dir nicht|dabei kann ich ihnen nicht|kann ich leider nicht
kann ich dir nicht helfen|kann ich ihnen nicht helfen|das kann ich nicht|es tut mir leid, aber ich kann
tut mir leid, aber|ich kann dir dabei nicht|ich kann ihnen dabei nicht|ich darf nicht
je ne peux pas vous aider|je ne peux pas t'aider|je ne peux pas fournir|je suis désolé, mais je ne
désolé, mais je ne peux|je ne suis pas en mesure|je ne peux pas répondre à cette
lo siento, pero no puedo|no puedo ayudarte con|no puedo ayudarle con|no puedo ayudar con|no puedo proporcionar
lo siento, no puedo|mi dispiace, ma non posso|non posso aiutarti con|non posso fornire|mi dispiace, non posso
desculpe, mas não posso|não posso ajudar com|não posso fornecer|sinto muito, mas não posso|desculpe, não posso
het spijt me, maar ik kan|ik kan je daar niet|ik kan u daar niet|ik kan niet helpen
przykro mi, ale nie mogę|nie mogę pomóc|nie mogę tego|omlouvám se, ale nemohu|nemohu pomoci|bohužel nemohu
jag kan tyvärr inte|jag kan inte hjälpa|beklager, men jeg kan ikke|jeg kan ikke hjelpe|jeg kan ikke hjælpe
valitettavasti en voi|en voi auttaa|îmi pare rău, dar nu pot|nu pot să te ajut|sajnálom, de nem|nem segíthetek
üzgünüm, ancak|üzgünüm ama|bu konuda yardımcı olamam|yardımcı olamıyorum|yardımcı olamayacağım
извините, но я не могу|к сожалению, я не могу|я не могу помочь с|я не могу предоставить|не могу с этим помочь
не могу выполнить|простите, но я не|на жаль, я не можу|вибачте, але я не|λυπάμαι, αλλά δεν μπορώ|δεν μπορώ να βοηθήσω
آسف، لا أستطيع|لا أستطيع مساعدتك|عذرا، لا يمكنني|عذراً، لا يمكنني|لا يمكنني مساعدتك|מצטער, אבל אני לא יכול|אני לא יכול לעזור
मुझे खेद है, लेकिन मैं|मैं इसमें मदद नहीं|maaf, saya tidak bisa|maaf, saya tidak dapat|saya tidak dapat membantu
xin lỗi, tôi không thể|tôi không thể giúp|tôi xin lỗi, nhưng|ขออภัย ฉันไม่สามารถ|ขอโทษ ฉันไม่สามารถ
抱歉,我无法|抱歉,我不能|对不起,我无法|对不起,我不能|我无法提供|我不能提供|我无法帮助|无法满足您的|不能协助|抱歉,無法|我無法
申し訳ありませんが|申し訳ございませんが|お手伝いできません|お答えできません|お応えできません|提供できません
죄송하지만|죄송합니다만|도와드릴 수 없|도움을 드릴 수 없|제공할 수 없|답변할 수 없
"""
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]$")
_SIGNS = str.maketrans({"’": "'", "‘": "'", "`": "'", "，": ",", "。": ".", "！": "!", "？": "?"})
_SIGNS |= str.maketrans({"、": ",", "：": ":", "；": ";", "　": " "})


def flat(text: str) -> str:
    """A text as phrases are compared: small letters, no accents, one space between words."""
    return " ".join(folded(text.translate(_SIGNS)).split())


def phrases(table: str) -> str:
    """A pattern of all phrases in a table, the longest first; each ends where a word ends."""
    listed = {flat(phrase) for line in table.split("\n") for phrase in line.split("|")} - {""}
    ends = [re.escape(p) + _end(p) for p in sorted(listed, key=lambda p: (-len(p), p))]
    return f"(?:{'|'.join(ends)})"


def _end(phrase: str) -> str:
    """Scripts without spaces, and phrases that end in a sign, need no end of a word."""
    return "" if _UNSPACED.search(phrase) or not phrase[-1].isalnum() else r"(?!\w)"
